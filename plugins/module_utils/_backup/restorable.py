# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""To which times a repository can be restored: backups and WAL joined. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Backup
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal import Archive, Reach
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import Lineage


@dataclass(frozen=True)
class Range:
    """Restorable to any time from the end of ``backup`` to what the segment ``wal`` holds, whose end is ``lsn``.

    ``newest`` says that it goes on to the newest segment on the server's line.
    """

    backup: str
    since: datetime
    wal: str
    lsn: int
    stored: datetime
    newest: bool


@dataclass(frozen=True)
class Judged:
    """``incomplete`` are backups whose own WAL is not all there, with the first missing segment.

    ``aside`` are backups that the server's line has left behind; one can restore to them, and not beyond their line.
    """

    ranges: tuple[Range, ...]
    incomplete: dict[str, str]
    aside: tuple[str, ...]

    @property
    def restorable(self) -> Range | None:
        """The range that reaches the newest segment; None when none does."""
        return next((one for one in self.ranges if one.newest), None)


def judged(archive: Archive, backups: Sequence[Backup], lineage: Lineage) -> Judged:
    """Join the completed backups of one repository with its WAL, oldest first."""
    ranges: dict[str, Range] = {}
    incomplete: dict[str, str] = {}
    aside: list[str] = []
    for backup in sorted(backups, key=lambda one: one.stopped):
        if not backup.wal_first or not backup.wal_last:
            incomplete[backup.id] = "unknown"
            continue
        try:
            line, on_line = _line_of(archive, backup, lineage)
            reach = archive.continuous_to(backup.wal_first, line)
        except ValueError as error:
            incomplete[backup.id] = str(error)
            continue
        if not on_line:
            aside.append(backup.id)
        if reach.last is None or archive.position(reach.last).number < archive.position(backup.wal_last).number:
            incomplete[backup.id] = reach.missing
            continue
        # An older backup that reaches the same segment covers the younger one.
        ranges.setdefault(reach.last, _range(backup, reach, newest=on_line and not reach.broken))
    return Judged(tuple(ranges.values()), incomplete, tuple(aside))


def _line_of(archive: Archive, backup: Backup, lineage: Lineage) -> tuple[Lineage, bool]:
    last = archive.position(backup.wal_last or "")
    if lineage.at(last.number) == last:
        return lineage, True
    return archive.guessed(last.timeline), False


def _range(backup: Backup, reach: Reach, newest: bool) -> Range:
    if reach.last is None or reach.lsn is None or reach.stored is None:
        raise ValueError(f"no WAL leads on from {backup.id}")
    return Range(backup.id, backup.stopped, reach.last, reach.lsn, reach.stored, newest)
