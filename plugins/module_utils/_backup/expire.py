# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove what the plan of ``retention`` names, and the WAL that nothing needs any more, with pgBackRest itself.

It is never left to choose: each backup goes by its label. Before the first goes, a dry run of each must name what the
plan names, and afterwards the listing must be the plan's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup import pgbackrest_commands as commands
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import (
    ENGINE,
    HOLD,
    HOLD_WAL,
    VERIFIED,
    Backup,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.retention import Entry, Plan, Policy, plan
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import Engine, must, read_info
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_EXPIRE_S = 600.0
_REMOVED = re.compile(r"remove expired backup (\S+)")
_WAL = re.compile(r"remove archive, start = ([0-9A-F]{24}), stop = ([0-9A-F]{24})")
# A level of verification from which a backup counts as verified: content was compared after a real restore.
_PROVED = ("L6", "L7")


@dataclass(frozen=True)
class Wish:
    """What may stay how long in which repository; ``limit_s`` is for each command."""

    repo: int
    policy: Policy
    now: datetime
    limit_s: float = _EXPIRE_S


def expire(call: Call, engine: Engine, wish: Wish) -> dict[str, Any]:
    """Keep to the plan; in check mode only tell it.

    Raises GoliveError ``retention_refused`` when nothing may go, ``plan_differs`` when pgBackRest would remove, or has
    removed, anything else than the plan names, and as ``read_info``.
    """
    info = read_info(engine)
    if info.locked:
        raise GoliveError(
            "backup_locked",
            f"Expiring backups of repository {wish.repo} was refused: a backup or an expiry is at work.",
            "Wait for its end.",
        )
    listed = info.of(wish.repo)
    made = plan(entries(listed), wish.policy, wish.now)
    _compare_dry_runs(call, engine, wish, listed, made)
    wal = [] if made.delete or not listed else _wal_ranges(engine, wish, made, listed, dry_run=True)
    changed = bool(made.delete or wal)
    if changed and not call.check_mode:
        wal = _remove(call, engine, wish, listed, made)
    return _result(wish, listed, made, wal, changed)


def entries(backups: Iterable[Backup]) -> list[Entry]:
    """The planner's view of backups of one repository."""
    return [
        Entry(
            id=one.id,
            kind=one.kind,
            stopped=one.stopped,
            needs=tuple(dict.fromkeys([*([one.parent] if one.parent else []), *one.references])),
            family=ENGINE,
            verified=one.annotations.get(VERIFIED, "").startswith(_PROVED),
            faulty=bool(one.error),
            held=HOLD in one.annotations,
            holds_wal=HOLD_WAL in one.annotations,
        )
        for one in backups
    ]


def _compare_dry_runs(call: Call, engine: Engine, wish: Wish, listed: Sequence[Backup], made: Plan) -> None:
    needs = {row.id: set(row.needs) for row in entries(listed)}
    for number, label in enumerate(made.delete):
        call.progress(f"asking what removing {label} would remove", number, len(made.delete))
        said = must(engine, commands.expire_set(label, wish.repo, dry_run=True), wish.limit_s)
        # Those that depend on it have not gone yet in a dry run.
        expected = {label, *(name for name, parents in needs.items() if label in parents)}
        _refuse_other(set(_REMOVED.findall(said)), expected, "would remove")


def _remove(call: Call, engine: Engine, wish: Wish, listed: Sequence[Backup], made: Plan) -> list[dict[str, str]]:
    for number, label in enumerate(made.delete):
        call.progress(f"removing backup {label}", number, len(made.delete))
        must(engine, commands.expire_set(label, wish.repo, dry_run=False), wish.limit_s)
    left = {one.id for one in read_info(engine).of(wish.repo)}
    # A backup taken meanwhile is none of ours.
    missing = set(made.keep) - left
    stayed = left & set(made.delete)
    if missing or stayed:
        raise GoliveError(
            "plan_differs",
            f"Expiring backups of repository {wish.repo} failed: {_names(missing) or 'none'} went against the plan,"
            f" {_names(stayed) or 'none'} stayed against it.",
            "Look at the repository before the next run.",
        )
    call.alive()
    wal = _wal_ranges(engine, wish, made, listed, dry_run=True)
    if wal:
        call.alive()
        _wal_ranges(engine, wish, made, listed, dry_run=False)
    return wal


def _wal_ranges(
    engine: Engine, wish: Wish, made: Plan, listed: Sequence[Backup], dry_run: bool
) -> list[dict[str, str]]:
    """What WAL goes; raises GoliveError ``plan_differs`` when a segment would that the plan keeps."""
    floor = _floor(made, listed)
    if floor is None:
        return []
    said = must(engine, commands.expire_wal(made.fulls[ENGINE], wish.repo, dry_run), wish.limit_s)
    ranges = _WAL.findall(said)
    needed = [(one.wal_first, one.wal_last) for one in listed if one.id in made.keep and one.wal_first and one.wal_last]
    # Without the timeline: a segment before the floor is older on any of them.
    beyond = [stop for start, stop in ranges if stop[8:] >= floor[8:] and stop[:8] >= floor[:8]]
    torn = [f"{start}-{stop}" for start, stop in ranges for first, last in needed if start <= last and stop >= first]
    if beyond or torn:
        raise GoliveError(
            "plan_differs",
            f"Expiring WAL of repository {wish.repo} was refused: pgBackRest would remove {_names([*beyond, *torn])},"
            f" and all from {floor} and of kept backups must stay.",
            "Look at the repository before the next run.",
        )
    return [{"first": start, "last": stop} for start, stop in ranges]


def _floor(made: Plan, listed: Iterable[Backup]) -> str | None:
    wanted = made.wal_from.get(ENGINE)
    return next((one.wal_first for one in listed if one.id == wanted), None)


def _refuse_other(seen: set[str], expected: set[str], verb: str) -> None:
    if seen != expected:
        raise GoliveError(
            "plan_differs",
            f"Expiring backups was refused: pgBackRest {verb} {_names(seen) or 'nothing'} where the plan names"
            f" {_names(expected)}.",
            "Look at the repository before the next run.",
        )


def _names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _result(
    wish: Wish, listed: Sequence[Backup], made: Plan, wal: Sequence[Mapping[str, str]], changed: bool
) -> dict[str, Any]:
    kept = [{"id": one.id, "reasons": sorted(set(made.keep[one.id]))} for one in listed if one.id in made.keep]
    return {
        "changed": changed,
        "removed": list(made.delete),
        "kept": kept,
        "wal_from": _floor(made, listed),
        "wal_removed": [dict(row) for row in wal],
        "repository": wish.repo,
    }
