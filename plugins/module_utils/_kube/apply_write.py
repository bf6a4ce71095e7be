# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of a set, wave by wave; nothing of a later wave begins after a failure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
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
    at_version,
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
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import (
    fenced,
    refuse_newer,
    stamped,
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
            _delete(client, step, options, check)
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
    if options.token is None:
        return _update(client, step, options, step.live) if step.live else _create(client, step, options)
    if step.live is None:
        action = _create(client, step, options)
        stamped(client, step.path(client), step.after or {}, options.token)
        return action
    return fenced(client, step.path(client), step.live, options.token, partial(_update, client, step, options))


def _create(client: Client, step: Step, options: Options) -> str:
    answer = send(client, step, body_of(step), options.manager, force=options.force, dry_run=False)
    step.after = answer
    owned = owned_fields(answer, options.manager) if step.create_only else None
    if owned is not None and any(owns(owned[1], path) for path in step.create_only):
        _hand_over(client, step, options, answer)
        body = without(step.wanted, step.create_only)
        step.after = send(client, step, body, options.manager, force=options.force, dry_run=False)
    return step.action


def _update(client: Client, step: Step, options: Options, live: dict[str, Any]) -> str:
    """Apply onto ``live``; under a Lease only if the server still has it as it was read."""
    now = _hand_over(client, step, options, live) if step.hand_over else live
    body = body_of(step) if options.token is None else at_version(body_of(step), now)
    step.after = send(client, step, body, options.manager, force=options.force, dry_run=False)
    same = live["metadata"].get("resourceVersion") == step.after["metadata"].get("resourceVersion")
    return UNCHANGED if same else step.action


def _hand_over(client: Client, step: Step, options: Options, live: dict[str, Any]) -> dict[str, Any]:
    """Let the traffic manager own the create-only fields with their live values, so that nothing resets them."""
    attempt = 0
    while True:
        attempt += 1
        body = with_values_of(bare(step.wanted), live, step.create_only)
        try:
            body = body if options.token is None else at_version(body, live)
            return send(client, step, body, TRAFFIC_MANAGER, force=False, dry_run=False)
        except GoliveError as error:
            # Somebody changed a value since it was read: look again.
            if error.code != "conflict" or attempt == _HAND_OVER_TRIES:
                raise
        live = client.get(step.path(client))
        if options.token is not None:
            refuse_newer(live, options.token)


def _delete(client: Client, step: Step, options: Options, check: bool) -> None:
    def drop(live: dict[str, Any] | None) -> None:
        meta = live["metadata"] if live else {}
        keys = ("uid",) if options.token is None else ("uid", "resourceVersion")
        # With a body the server ignores the query: dryRun must stand in it. The query shows it in the audit log.
        body = {
            "propagationPolicy": "Background",
            "preconditions": {key: meta[key] for key in keys} if live else None,
            "dryRun": ["All"] if check else None,
        }
        client.request("DELETE", step.path(client), query={"dryRun": "All" if check else None}, body=body)

    try:
        if options.token is None or step.live is None:
            drop(step.live)
        else:
            fenced(client, step.path(client), step.live, options.token, drop, stamp=False)
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
