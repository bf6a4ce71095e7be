# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide what to do with each object: by reading where that is certain, by a dry run of the server elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_owned import owned_fields, surely_equal
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_resolve import definition_of
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_steps import (
    CREATED,
    LOCAL,
    READ,
    SERVER,
    UNCHANGED,
    UPDATED,
    Options,
    Step,
    same_effect,
    send,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import owns, with_values_of, without
from ansible_collections.golive.cutover.plugins.module_utils._kube.plain_data import is_plain_data
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import group_of

_FEW = 8
_NO_DRY_RUN = "does not support dry run"


def body_of(step: Step) -> dict[str, Any]:
    """What our manager applies: everything at the first time, afterwards without the create-only fields."""
    whole = step.live is None or not step.create_only
    return step.wanted if whole else without(step.wanted, step.create_only)


def decide(step: Step, manager: str) -> None:
    """Set ``step.action`` where reading alone is certain; leave it empty where the server must say."""
    if step.live is None:
        return
    owned = owned_fields(step.live, manager)
    step.hand_over = owned is not None and any(owns(owned[1], path) for path in step.create_only)
    if not step.hand_over and surely_equal(body_of(step), step.live, manager):
        step.action, step.decided_by = UNCHANGED, READ


def deferred(steps: Iterable[Step], missing: set[str]) -> list[Step]:
    """Undecided steps that a dry run cannot judge yet: their namespace or kind comes, or changes, with this set."""
    rows = list(steps)
    changing = {definition_of(step) for step in rows if step.action != UNCHANGED} - {None}
    return [
        step
        for step in rows
        if step.action != UNCHANGED
        and (
            not step.served
            or step.key.namespace in missing
            or (group_of(step.wanted["apiVersion"]), step.key.kind) in changing
        )
    ]


def plan_locally(steps: Iterable[Step]) -> None:
    """Plan without the server's opinion; the rows say so."""
    for step in steps:
        step.action, step.decided_by = (CREATED if step.live is None else UPDATED), LOCAL
        step.after = body_of(step)


def foretell(steps: Iterable[Step]) -> None:
    """Decide steps that need no dry run of their own before they are written: one of the same kind stands for them.

    Only creations of plain data, and only where there are many: it halves the requests of a large first run.
    """
    groups: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        if step.live is None and is_plain_data(step.wanted):
            groups.setdefault((step.key.kind, step.key.namespace), []).append(step)
    for group in groups.values():
        for step in group[1:] if len(group) > _FEW else ():
            step.action, step.decided_by = CREATED, LOCAL


def dry_run(call: Call, client: Client, steps: Iterable[Step], options: Options) -> list[GoliveError]:
    """Ask the server about every step; sets action and ``after``, returns all refusals."""
    rows = list(steps)

    def judge(step: Step) -> list[GoliveError]:
        try:
            _judge(client, step, options)
        except GoliveError as error:
            if _NO_DRY_RUN not in error.message:
                if error.code in ("unreachable", "unauthorized", "server_error", "busy"):
                    raise
                return [error]
            plan_locally([step])
        return []

    call.progress(f"asking the server about {len(rows)} objects", 0, len(rows))
    return [fault for faults in client.map(judge, rows, options.threads) for fault in faults]


def _judge(client: Client, step: Step, options: Options) -> None:
    body = body_of(step)
    if step.hand_over and step.live is not None:
        # As it will be once the fields belong to the other manager: without the live values they would be reset.
        body = with_values_of(step.wanted, step.live, step.create_only)
    step.after = send(client, step, body, options.manager, force=options.force, dry_run=True)
    step.decided_by = SERVER
    if step.live is None:
        step.action = CREATED
    elif not step.hand_over and same_effect(step.live, step.after, options.manager):
        step.action = UNCHANGED
    else:
        step.action = UPDATED
