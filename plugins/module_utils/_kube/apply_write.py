# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of a set, wave by wave; nothing of a later wave begins after a failure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_owned import owned_fields
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_plan import body_of
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_resolve import definition_of
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_steps import (
    CREATED,
    SERVER,
    UNCHANGED,
    UPDATED,
    Options,
    Step,
    about,
    send,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import (
    TRAFFIC_MANAGER,
    bare,
    owns,
    with_values_of,
    without,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.ordering import waves

_DEFINITION_S = 60.0
_HAND_OVER_TRIES = 4


def write(call: Call, client: Client, steps: Iterable[Step], options: Options) -> list[GoliveError]:
    """Apply every step that changes something; returns the refusals of the wave in which the first one came."""
    rows = [step for step in steps if step.action in (CREATED, UPDATED) and not step.done]
    done = 0

    def put(step: Step) -> list[GoliveError]:
        nonlocal done
        call.alive()
        try:
            step.action = _put(client, step, options)
        except GoliveError as error:
            return [error]
        step.decided_by, step.done = SERVER, True
        done += 1
        call.progress("applying", done, len(rows))
        return []

    for wave in waves(rows, lambda step: step.key):
        refusals = [fault for faults in client.map(put, wave, options.threads) for fault in faults]
        if refusals:
            return refusals
        _await_definitions(call, client, wave)
    return []


def delete(
    call: Call, client: Client, steps: Iterable[Step], options: Options, action: str, check: bool
) -> list[GoliveError]:
    """Delete the live objects, dependants first; with ``check`` only ask whether the server would."""
    rows = list(steps)

    def drop(step: Step) -> list[GoliveError]:
        call.alive()
        try:
            _delete(client, step, check)
        except GoliveError as error:
            return [about(step.key, "Deleting", error)]
        step.action, step.decided_by, step.done = action, SERVER, not check
        return []

    for wave in waves(rows, lambda step: step.key, backwards=True):
        refusals = [fault for faults in client.map(drop, wave, options.threads) for fault in faults]
        if refusals:
            return refusals
    return []


def _put(client: Client, step: Step, options: Options) -> str:
    if step.hand_over:
        _hand_over(client, step)
    answer = send(client, step, body_of(step), options.manager, force=options.force, dry_run=False)
    before, step.after = step.live, answer
    if before is None and step.create_only:
        step.live = answer
        owned = owned_fields(answer, options.manager)
        if owned is not None and any(owns(owned[1], path) for path in step.create_only):
            _hand_over(client, step)
            body = without(step.wanted, step.create_only)
            step.after = send(client, step, body, options.manager, force=options.force, dry_run=False)
        step.live = None
    if before is not None and before["metadata"].get("resourceVersion") == answer["metadata"].get("resourceVersion"):
        return UNCHANGED
    return step.action


def _hand_over(client: Client, step: Step) -> None:
    """Let the traffic manager own the create-only fields with their live values, so that nothing resets them."""
    live: dict[str, Any] = step.live or {}
    for attempt in range(1, _HAND_OVER_TRIES + 1):
        body = with_values_of(bare(step.wanted), live, step.create_only)
        try:
            send(client, step, body, TRAFFIC_MANAGER, force=False, dry_run=False)
            return
        except GoliveError as error:
            # Somebody changed a value since it was read: look again.
            if error.code != "conflict" or attempt == _HAND_OVER_TRIES:
                raise
        live = client.get(step.path(client))


def _delete(client: Client, step: Step, check: bool) -> None:
    # With a body the server ignores the query: dryRun must stand in it. The query shows it in the audit log.
    body = {
        "propagationPolicy": "Background",
        "preconditions": {"uid": step.live["metadata"]["uid"]} if step.live else None,
        "dryRun": ["All"] if check else None,
    }
    try:
        client.request("DELETE", step.path(client), query={"dryRun": "All" if check else None}, body=body)
    except GoliveError as error:
        if error.code != "not_found":
            raise


def _await_definitions(call: Call, client: Client, wave: Iterable[Step]) -> None:
    """Wait until the kinds of the definitions just written are served."""
    for step in wave:
        defined = definition_of(step)
        if defined is None:
            continue

        def look(step: Step = step) -> Done[None] | Failed | Pending:
            found = client.get(step.path(client))
            conditions = {row["type"]: row for row in (found.get("status") or {}).get("conditions") or []}
            refused = conditions.get("NamesAccepted", {})
            if refused.get("status") == "False":
                return Failed(
                    GoliveError(
                        "definition_refused",
                        f"Applying {step.key} failed: its names were refused: {refused.get('message')}",
                        "Choose names that no other definition has.",
                    )
                )
            if conditions.get("Established", {}).get("status") != "True":
                return Pending("not established")
            return Done(None) if _all_served(client, step) else Pending("established, not served yet")

        wait_for(call, look, what=f"{step.key} to be served", timeout=_DEFINITION_S, interval=0.1)


def _all_served(client: Client, step: Step) -> bool:
    spec = step.wanted["spec"]
    versions = [f"{spec['group']}/{version['name']}" for version in spec["versions"] if version.get("served")]
    client.learn(versions)
    return all(client.known(version, spec["names"]["kind"]) for version in versions)
