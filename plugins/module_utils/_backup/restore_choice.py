# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backup a restore takes and how far it replays: decided here, from what is there, and never left to the engine.

pgBackRest chooses the newest backup for a name, and takes any error of the archive for its end when it replays to the
latest: a restore that lost rows ends with exit code 0. So backup, timeline and the last segment are named beforehand,
and the copy is held against them (``restore_judge``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Backup
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal import Archive, lsn_of, parse_lsn
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

KINDS = ("latest", "time", "lsn", "name", "backup")
_TYPES = {"latest": "default", "time": "time", "lsn": "lsn", "name": "name", "backup": "immediate"}


@dataclass(frozen=True)
class Wish:
    """``value`` belongs to ``kind``: a time with its offset, an LSN, the name of a restore point."""

    kind: str = "latest"
    value: str = ""
    backup: str | None = None
    timeline: int | None = None
    accept_gap: bool = False


@dataclass(frozen=True)
class Choice:
    """What the engine is told, and what the copy must reach: LSN ``least``, and no commit after ``not_after``."""

    backup: Backup
    engine_type: str
    target: str
    timeline: int
    least: int
    not_after: datetime | None = None
    gap: str | None = None


def choose(backups: Sequence[Backup], archive: Archive, wish: Wish) -> Choice:
    """The choice for one repository, whose completed backups and segments are given.

    Raises GoliveError ``no_backup``, ``out_of_range`` (with the restorable range), ``wal_gap`` (with the first missing
    segment) or ``invalid``.
    """
    usable = sorted((one for one in backups if not one.error), key=lambda one: one.stopped)
    if not usable:
        raise GoliveError(
            "no_backup",
            "Choosing a backup failed: this repository has none that is complete and without page errors.",
            "Look at pg_backup_info; another repository may have one.",
        )
    moment = _moment(wish.value) if wish.kind == "time" else None
    backup = _named(usable, wish.backup) if wish.backup else _fitting(usable, wish, moment)
    reach = archive.continuous_to(backup.wal_first)
    needed = lsn_of(backup.wal_last, archive.segment_bytes)
    if reach.last is None or reach.last_lsn < needed:
        raise _gap(reach.missing or backup.wal_first, backup, "which the backup itself needs")
    least = max(needed, parse_lsn(backup.stop_lsn))
    if wish.kind == "latest":
        if reach.missing and not wish.accept_gap:
            raise _gap(reach.missing, backup, f"and {reach.behind} segments behind it cannot be used")
        least = max(least, reach.last_lsn)
    elif wish.kind == "lsn":
        least = max(least, _within(parse_lsn(wish.value), reach, backup))
    elif moment is not None and reach.last_modified is not None and moment > reach.last_modified:
        raise GoliveError(
            "out_of_range",
            f"Restoring to {wish.value} failed: the archive reaches to {_shown(reach.last_modified)}.",
            "Give an earlier time, or wait until the server has archived its next segment.",
            _range(usable, reach.last_modified),
        )
    return Choice(
        backup=backup,
        engine_type=_TYPES[wish.kind],
        target=_target(wish, moment),
        timeline=wish.timeline or usable[-1].timeline,
        least=least,
        not_after=moment,
        gap=reach.missing if wish.accept_gap else None,
    )
