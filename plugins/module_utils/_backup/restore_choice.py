# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backup a restore takes and how far it replays: decided here, from what is there, and never left to the engine.

pgBackRest chooses the newest backup for a name, and takes any error of the archive for its end when it replays to the
latest: a restore that lost rows ends with exit code 0. So backup, timeline and the last segment are named beforehand,
and the copy is held against them (``restore_judge``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ansible_collections.golive.cutover.plugins.module_utils._backup.archive_listing import segment_bytes_of
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Backup, stamp
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal import Archive, Reach
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import lsn_number
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# What the engine calls them.
TYPES = {"latest": "default", "time": "time", "lsn": "lsn", "name": "name", "backup": "immediate"}


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
    """What the engine is told, and what the copy must come to.

    It must have replayed to the place ``least`` in the log and hold no commit after ``not_after``. ``last_segment`` is
    held against its ``last_sha1`` where nothing behind it would tell that it is damaged. ``gap`` is the missing segment
    that was accepted as the end. ``archived`` is when the last segment was stored, by the clock of the store.
    """

    backup: Backup
    engine_type: str
    target: str
    timeline: int
    least: int
    not_after: datetime | None
    last_segment: str
    last_sha1: str
    gap: str | None
    archived: datetime | None = None


def choose(backups: Sequence[Backup], archives: Mapping[str, Archive], wish: Wish) -> Choice:
    """The choice for one repository, of which all completed backups and all archives by id are given.

    Raises GoliveError ``no_backup``, ``out_of_range`` (with the restorable range), ``wal_gap`` (with the first missing
    segment) or ``invalid``.
    """
    # One of a stopped server has no WAL to replay.
    sound = (one for one in backups if one.error is not True and one.wal_first and one.stop_lsn)
    usable = sorted(sound, key=lambda one: one.stopped)
    if not usable:
        raise GoliveError(
            "no_backup",
            "Choosing a backup failed: this repository has none that is complete and without page errors.",
            "Look at pg_backup_info; another repository may have one.",
        )
    moment = moment_of(wish.value, "target") if wish.kind == "time" else None
    place = _place(wish.value) if wish.kind == "lsn" else None
    backup = _backup(usable, wish, moment, place)
    segment_bytes = segment_bytes_of(backups)
    archive = archives.get(str(backup.archive_id)) or Archive(str(backup.archive_id), segment_bytes)
    timeline = wish.timeline or usable[-1].timeline or 1
    reach = archive.continuous_to(str(backup.wal_first), archive.guessed(timeline))
    stop = lsn_number(str(backup.stop_lsn))
    if reach.lsn is None or reach.lsn < stop:
        raise _gap(reach, f"and backup {backup.id} itself needs it")
    least = stop
    if wish.kind == "latest":
        if reach.broken and not wish.accept_gap:
            raise _gap(reach, "and what was committed behind it would be lost")
        # A record of the last segment must have been replayed.
        least = max(stop, reach.lsn - segment_bytes + 1)
    if (place is not None and place >= reach.lsn) or (moment and reach.stored and moment > reach.stored):
        raise _out_of_range(wish, usable, reach)
    last = archive.position(str(reach.last)) if wish.kind == "latest" else None
    return Choice(
        backup=backup,
        engine_type=TYPES[wish.kind],
        # PostgreSQL reads a time without an offset in the zone of the server.
        target=moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f+00") if moment else wish.value,
        timeline=timeline,
        least=least if place is None else max(least, place),
        not_after=moment,
        last_segment=archive.name(last) if last else "",
        last_sha1=archive.segments[last].sha1 if last else "",
        gap=reach.missing if wish.kind == "latest" and reach.broken else None,
        archived=reach.stored,
    )


def _backup(usable: Sequence[Backup], wish: Wish, moment: datetime | None, place: int | None) -> Backup:
    if wish.kind == "name" and not (wish.backup and wish.value):
        raise GoliveError(
            "invalid",
            "Restoring to a named restore point needs its name in target.value and the backup to begin from in backup.",
            "Nothing tells when a restore point was made: name the newest backup that is older than it.",
        )
    fitting = [
        one
        for one in usable
        if (moment is None or one.stopped <= moment) and (place is None or lsn_number(str(one.stop_lsn)) <= place)
    ]
    if wish.backup:
        found = next((one for one in usable if one.id == wish.backup), None)
        if found is None:
            known = ", ".join(one.id for one in usable)
            raise GoliveError("no_backup", f"There is no usable backup {wish.backup}; there are {known}.")
        fitting = [one for one in fitting if one is found]
    if not fitting:
        raise _out_of_range(wish, usable, None)
    return fitting[-1]


def _out_of_range(wish: Wish, usable: Sequence[Backup], reach: Reach | None) -> GoliveError:
    newest = stamp(reach.stored) if reach and reach.stored else None
    oldest = usable[0]
    ends = f"to {newest} ({reach.last})" if reach and newest else "on"
    return GoliveError(
        "out_of_range",
        f"Restoring to the {wish.kind} {wish.value} failed: what can be restored goes from {stamp(oldest.stopped)}"
        f" ({oldest.id}) {ends}.",
        "Choose another target, or wait until the server has archived its next segment.",
        {"oldest": stamp(oldest.stopped), "newest": newest},
    )


def _gap(reach: Reach, why: str) -> GoliveError:
    return GoliveError(
        "wal_gap",
        f"Restoring failed: the segment {reach.missing} is missing in the archive, {why}.",
        "Restore from the other repository, or with a target before it; accept_gap: true takes it for the end of the"
        " archive. Take a full backup of the live database.",
        {"missing": reach.missing, "last": reach.last},
    )


def moment_of(text: str, option: str) -> datetime:
    """A time with its offset. Raises GoliveError ``invalid``, which names the option."""
    try:
        # Python 3.10 does not read the Z.
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError as error:
        raise GoliveError("invalid", f"The time {text!r} of {option} is none in ISO 8601.") from error
    if moment.tzinfo is None:
        raise GoliveError(
            "invalid", f"The time {text} of {option} has no offset.", "Write it as 2026-11-30T02:00:00+00:00."
        )
    return moment


def _place(text: str) -> int:
    try:
        return lsn_number(text.strip())
    except ValueError as error:
        raise GoliveError("invalid", f"Reading the target failed: {error}.", "Write it as 0/3000028.") from error
