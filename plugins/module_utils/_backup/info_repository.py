# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One repository as it is: what the engine lists, what the store has, what is recorded, and all that is wrong with it.

Pure but for the store's own listing: what was looked at is judged by ``report``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.archive_listing import listed_archives
from ansible_collections.golive.cutover.plugins.module_utils._backup.canary import (
    ABSENT,
    INFO,
    NAME,
    OK,
    Judged,
    judge_canary,
    judge_repository,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.key import Key
from ansible_collections.golive.cutover.plugins.module_utils._backup.objects import (
    doubled_faults,
    manifest_faults,
    stored_labels,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Backup, stamp
from ansible_collections.golive.cutover.plugins.module_utils._backup.records import Record, read_records
from ansible_collections.golive.cutover.plugins.module_utils._backup.restorable import Judged as Restorable
from ansible_collections.golive.cutover.plugins.module_utils._backup.restorable import Range, judged
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_report import read_reports
from ansible_collections.golive.cutover.plugins.module_utils._backup.server_wal import ServerWal
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal import Archive
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import Lineage, lsn_text
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# Longer lists tell nobody more.
_MOST = 20
_HEAD_BYTES = 64
# Each is an object of its own to read.
_MOST_RESTORES = 5
_OF_RESTORE = ("name", "started", "level", "faults", "rto_s", "rpo_s", "kept")
# Less than this behind is on its way.
_BEHIND_S = 180.0


@dataclass(frozen=True)
class Stored:
    """What the store has. ``labels`` are folders of backups; ``key`` are the two proofs of the passphrase."""

    archives: Mapping[str, Archive]
    labels: Sequence[str]
    records: Mapping[str, Record]
    unreadable: Sequence[str]
    info_faults: Sequence[str]
    manifest_faults: Mapping[str, Sequence[str]]
    canary: Judged | None
    opened: Judged | None
    restores: Sequence[Mapping[str, Any]]
    chain_fault: str


def look(store: Store, segment_bytes: int, key: Key | None) -> Stored:
    """List everything that is judged; raises GoliveError as the store."""
    labels = stored_labels(store)
    records, unreadable = read_records(store)
    canary = opened = None
    if key is not None:
        kept = store.get_or_none(NAME)
        canary = judge_canary(kept.data if kept else None, key.passphrase, key.id)
        head = store.get_range(INFO, 0, _HEAD_BYTES) if store.head(INFO) else None
        opened = judge_repository(head, key.passphrase)
    restores, chain_fault = _restores(store)
    return Stored(
        archives=listed_archives(store, segment_bytes, encrypted=key is not None),
        labels=labels,
        records=records,
        unreadable=unreadable,
        info_faults=doubled_faults(store),
        manifest_faults={label: found for label in labels if (found := manifest_faults(store, label))},
        canary=canary,
        opened=opened,
        restores=restores,
        chain_fault=chain_fault,
    )


def _restores(store: Store) -> tuple[list[dict[str, Any]], str]:
    """The newest reports of restores, and what is wrong with their chain."""
    found: list[dict[str, Any]] = []
    try:
        # One by one: what is before a broken link stays known.
        for told in islice(read_reports(store), _MOST_RESTORES):
            row = {name: told.get(name) for name in _OF_RESTORE}
            found.append(row)
    except GoliveError as error:
        if error.code not in ("report_changed", "report_unreadable"):
            raise
        return found, error.message
    return found, ""


def report(
    stored: Stored, backups: Sequence[Backup] | None, archive: Archive, lineage: Lineage, server: ServerWal | None
) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """The result for one repository, and its findings; ``backups`` is None when the engine could not be asked."""
    joined = _joined(stored, backups or (), archive, lineage)
    found = [
        *_file_findings(stored, backups),
        *_wal_findings(archive, backups, lineage, joined),
        *_key_findings(stored),
        *([finding("report_changed", stored.chain_fault)] if stored.chain_fault else []),
        *(_server_findings(archive, joined.restorable, server) if server else []),
    ]
    newest = joined.restorable
    return {
        "backups": [_backup(one, stored, joined) for one in backups or ()],
        "wal": _wal(archive, lineage, backups, newest),
        "restorable": _range(newest, archive) if newest else None,
        "ranges": [_range(one, archive) for one in joined.ranges],
        "unlisted": sorted(set(stored.labels) - {one.id for one in backups or ()}),
        "lag": _lag(newest, server),
        "restores": list(stored.restores),
        "key": {
            "canary": stored.canary.state if stored.canary else None,
            "repository": stored.opened.state if stored.opened else None,
        },
    }, found


def finding(code: str, message: str) -> dict[str, str]:
    """Something that is wrong, or that nobody can tell."""
    return {"code": code, "message": message}


def failure(error: GoliveError) -> dict[str, str]:
    """The same from an error."""
    return finding(error.code, str(error))


def _joined(stored: Stored, backups: Sequence[Backup], archive: Archive, lineage: Lineage) -> Restorable:
    """Each backup with the WAL of its own database: after an upgrade the older ones have another."""
    ours = [one for one in backups if one.archive_id in (None, archive.id)]
    found = judged(archive, ours, lineage)
    for name in sorted({one.archive_id for one in backups if one.archive_id} - {archive.id}):
        other = stored.archives.get(name) or Archive(name, archive.segment_bytes)
        line = other.guessed(max(other.timelines, default=1))
        older = judged(other, [one for one in backups if one.archive_id == name], line)
        ranges = tuple(replace(one, newest=False) for one in older.ranges)
        found = Restorable(
            (*ranges, *found.ranges), {**older.incomplete, **found.incomplete}, (*older.aside, *found.aside)
        )
    return found


def _backup(one: Backup, stored: Stored, joined: Restorable) -> dict[str, Any]:
    record = stored.records.get(one.id)
    told = one.record()
    level, _blank, at = str(told["verified"] or "").partition(" ")
    files = [*(stored.manifest_faults.get(one.id) or ()), *([] if one.id in stored.labels else ["it has no folder"])]
    return {
        **told,
        "run": (record.run if record else None) or told["run"],
        "hold": (dict(record.hold) if record and record.hold else None) or told["hold"],
        "verified_level": record.verified_level if record and record.verified_at else level or None,
        "verified_at": record.verified_at if record and record.verified_at else at or None,
        "missing_wal": joined.incomplete.get(one.id),
        "on_line": one.id not in joined.aside,
        "file_faults": files,
    }


def _wal(archive: Archive, lineage: Lineage, backups: Sequence[Backup] | None, newest: Range | None) -> dict[str, Any]:
    holes = _holes(archive, backups, lineage)
    return {
        "archive_id": archive.id,
        "segments": len(archive.segments),
        "segment_bytes": archive.segment_bytes,
        "bytes": archive.bytes,
        "timeline": lineage.timeline,
        "timelines": archive.timelines,
        "unknown_timelines": archive.foreign(lineage),
        "line_is_known": not lineage.guessed,
        "last": newest.wal if newest else None,
        "lsn": lsn_text(newest.lsn) if newest else None,
        "stored": stamp(newest.stored) if newest else None,
        "missing": sum(hole.count for hole in holes),
        "holes": [
            {
                "first": hole.first,
                "last": hole.last,
                "count": hole.count,
                "after": stamp(hole.after) if hole.after else None,
                "before": stamp(hole.before),
            }
            for hole in holes[:_MOST]
        ],
        "odd": [{"name": one.name, "reason": one.reason} for one in archive.odd[:_MOST]],
        "rewritten": archive.rewritten()[:_MOST],
    }


def _holes(archive: Archive, backups: Sequence[Backup] | None, lineage: Lineage) -> list[Any]:
    ours = [one for one in backups or () if one.archive_id in (None, archive.id)]
    starts = [one.wal_first for one in sorted(ours, key=lambda one: one.stopped) if one.wal_first]
    # Without a backup nothing needs the WAL; what lies before the oldest one is of none.
    if not starts:
        return []
    try:
        return archive.holes(starts[0], lineage)
    except ValueError:
        return []


def _range(one: Range, archive: Archive) -> dict[str, Any]:
    return {
        "backup": one.backup,
        "since": stamp(one.since),
        "stored": stamp(one.stored),
        "wal": one.wal,
        "lsn": lsn_text(one.lsn),
        "timeline": archive.position(one.wal).timeline,
        "newest": one.newest,
    }


def _lag(newest: Range | None, server: ServerWal | None) -> dict[str, Any] | None:
    if server is None or newest is None:
        return None
    behind = max(0, server.lsn - newest.lsn)
    return {
        "bytes": behind,
        "seconds": max(0.0, round((server.now - newest.stored).total_seconds(), 1)) if behind else 0.0,
        "server_lsn": lsn_text(server.lsn),
    }


def _file_findings(stored: Stored, backups: Sequence[Backup] | None) -> list[dict[str, str]]:
    found = [finding("info_file_damaged", fault) for fault in stored.info_faults]
    found += [finding("record_unreadable", f"the record of {label} cannot be read") for label in stored.unreadable]
    for one in backups or ():
        faults = stored.manifest_faults.get(one.id) or ()
        found += [finding("backup_file_missing", f"{one.id}: {fault}") for fault in faults]
        if one.id not in stored.labels:
            found.append(finding("backup_file_missing", f"{one.id} is listed, and the store has no folder of it"))
        if one.parent is not None and one.parent not in {other.id for other in backups or ()}:
            found.append(finding("parent_missing", f"{one.id} builds on {one.parent}, which is not listed"))
        if one.error:
            found.append(finding("pages_damaged", f"{one.id}: pages with wrong checksums were met while it was taken"))
    return found


def _wal_findings(
    archive: Archive, backups: Sequence[Backup] | None, lineage: Lineage, joined: Restorable
) -> list[dict[str, str]]:
    found = []
    for hole in _holes(archive, backups, lineage):
        lost = f"what was committed until {stamp(hole.before)}"
        if hole.after:
            lost = f"what was committed between {stamp(hole.after)} and {stamp(hole.before)}"
        found.append(
            finding(
                "wal_missing",
                f"{hole.count} segments from {hole.first} to {hole.last} are missing: no backup before them leads to"
                f" {lost}, nor beyond; take a new backup",
            )
        )
    for label, missing in joined.incomplete.items():
        found.append(finding("backup_wal_missing", f"{label} cannot be made consistent: {missing} is missing"))
    found += [finding("wal_odd", f"{one.name} {one.reason}") for one in archive.odd[:_MOST]]
    found += [
        finding("wal_rewritten", f"{name} was written again long after the segment behind it")
        for name in archive.rewritten()[:_MOST]
    ]
    for timeline in archive.foreign(lineage):
        found.append(
            finding(
                "timeline_unknown",
                f"somebody has archived a timeline {timeline}, which the server on timeline {lineage.timeline} has not"
                " come through: a restore that names no timeline may follow it",
            )
        )
    if backups is not None and not backups:
        found.append(finding("no_backup", "there is no backup"))
    elif backups and joined.restorable is None and not found:
        found.append(finding("not_restorable", "no backup leads to the newest WAL"))
    return found


def _server_findings(archive: Archive, newest: Range | None, server: ServerWal) -> list[dict[str, str]]:
    """What the server says against what is there: it was asked before the listing, so that no segment was under way."""
    found = []
    if not server.archives:
        found.append(finding("archiving_off", "the server does not archive its WAL"))
    if server.failing:
        found.append(finding("archiving_fails", f"the server fails to archive {server.failing}"))
    if server.archived and _is_lost(archive, server.archived):
        found.append(
            finding("wal_lost", f"the server has archived {server.archived}, and the repository does not have it")
        )
    if newest is not None:
        # The segment that is being written is not due yet.
        whole = (server.lsn - newest.lsn) // server.segment_bytes
        seconds = (server.now - newest.stored).total_seconds()
        if whole >= 1 and seconds > max(_BEHIND_S, 3 * server.archive_timeout_s):
            found.append(
                finding("wal_behind", f"{whole} whole segments are not there, the last one came {seconds:.0f} s ago")
            )
    return found


def _is_lost(archive: Archive, name: str) -> bool:
    try:
        return archive.position(name) not in archive.segments
    except ValueError:
        # A history file, a partial segment, or the label of a backup.
        return False


def _key_findings(stored: Stored) -> list[dict[str, str]]:
    found = []
    if stored.canary is not None and stored.canary.state not in (OK, ABSENT):
        found.append(finding(f"canary_{stored.canary.state}", stored.canary.reason))
    if stored.opened is not None and stored.opened.state != OK:
        found.append(finding(f"repository_{stored.opened.state}", stored.opened.reason))
    return found
