# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is judged of a repository: every damage has its finding, and without one there is a restorable range."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._backup.canary import ABSENT, OK, WRONG_KEY, Judged
from ansible_collections.golive.cutover.plugins.module_utils._backup.info_repository import Stored, report
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Backup
from ansible_collections.golive.cutover.plugins.module_utils._backup.records import Record
from ansible_collections.golive.cutover.plugins.module_utils._backup.restorable import judged
from ansible_collections.golive.cutover.plugins.module_utils._backup.server_wal import ServerWal
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Entry
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import (
    Lineage,
    Position,
    lsn_text,
    name_of,
    segment_bytes_from,
)
from tests.unit.backup.test_wal import BEGIN, ONE, archive, run_of

MB = 1 << 20
SEGMENT = 16 * MB


def backup(number: int, timeline: int = 1, **more: Any) -> Backup:
    """A full backup that took the segments ``number`` and the next."""
    first, last = (name_of(Position(timeline, one)) for one in (number, number + 1))
    minute = BEGIN + timedelta(minutes=number)
    values: dict[str, Any] = {
        "id": f"20261130-{number:06}F",
        "kind": "full",
        "parent": None,
        "started": minute,
        "stopped": minute + timedelta(minutes=1),
        "start_lsn": lsn_text(number * SEGMENT + 40),
        "stop_lsn": lsn_text((number + 1) * SEGMENT + 40),
        "wal_first": first,
        "wal_last": last,
        "bytes": 1,
        "repo": 1,
        "pg_major": 17,
        "archive_id": "17-1",
        "error": False,
    }
    return Backup(**{**values, **more})


def stored(entries: Sequence[Entry], backups: Sequence[Backup], **more: Any) -> Stored:
    whole = archive(entries)
    values: dict[str, Any] = {
        "archives": {whole.id: whole},
        "labels": [one.id for one in backups],
        "records": {},
        "unreadable": [],
        "info_faults": [],
        "manifest_faults": {},
        "canary": Judged(OK),
        "opened": Judged(OK),
        "restores": [],
        "chain_fault": "",
    }
    return Stored(**{**values, **more})


def told(
    entries: Sequence[Entry],
    backups: Sequence[Backup] | None,
    lineage: Lineage = ONE,
    server: ServerWal | None = None,
    **more: Any,
) -> tuple[dict[str, Any], list[str]]:
    """The result, and the codes of its findings."""
    seen = stored(entries, backups or (), **more)
    result, found = report(seen, backups, archive(entries), lineage, server)
    return result, [one["code"] for one in found]


def test_a_broken_chain_of_reports_is_a_finding_and_hides_none_before_it() -> None:
    kept = [{"name": "drill", "level": 6}]
    whole = (run_of(1, 10, 30), [backup(10), backup(20)])
    result, found = told(*whole, restores=kept, chain_fault="the report x is missing")
    assert found == ["report_changed"]
    assert result["restores"] == kept


def test_a_whole_repository_has_a_range_and_no_finding() -> None:
    result, found = told(run_of(1, 10, 30), [backup(10), backup(20)])
    assert not found
    assert result["restorable"] == {
        "backup": "20261130-000010F",
        "since": "2026-11-30T00:11:00Z",
        "stored": "2026-11-30T00:30:00Z",
        "wal": name_of(Position(1, 30)),
        "lsn": lsn_text(31 * SEGMENT),
        "timeline": 1,
        "newest": True,
    }
    assert result["ranges"] == [result["restorable"]]
    assert result["lag"] is None
    assert (result["wal"]["missing"], result["wal"]["segments"]) == (0, 21)


def test_the_lag_behind_the_server() -> None:
    server = ServerWal(31 * SEGMENT + 5000, 1, SEGMENT, BEGIN + timedelta(minutes=32))
    result, _found = told(run_of(1, 10, 30), [backup(10)], server=server)
    assert result["lag"] == {"bytes": 5000, "seconds": 120.0, "server_lsn": lsn_text(server.lsn)}
    idle = replace(server, lsn=31 * SEGMENT)
    assert told(run_of(1, 10, 30), [backup(10)], server=idle)[0]["lag"]["seconds"] == 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"archives": False}, "archiving_off"),
        ({"failing": name_of(Position(1, 31))}, "archiving_fails"),
        ({"archived": name_of(Position(1, 31))}, "wal_lost"),
        ({"archived": name_of(Position(1, 30))}, None),
        ({"archived": "00000002.history"}, None),
        ({"archived": f"{name_of(Position(1, 31))}.00000028.backup"}, None),
        ({"lsn": 32 * SEGMENT + 1}, "wal_behind"),
        ({"lsn": 32 * SEGMENT + 1, "archive_timeout_s": 300}, None),
        ({"lsn": 31 * SEGMENT + 1, "now": BEGIN + timedelta(days=1)}, None),
    ],
)
def test_what_the_server_says_against_what_is_there(change: dict[str, Any], code: str | None) -> None:
    server = ServerWal(31 * SEGMENT + 5000, 1, SEGMENT, BEGIN + timedelta(minutes=40))
    found = told(run_of(1, 10, 30), [backup(10)], server=replace(server, **change))[1]
    assert found == ([code] if code else [])


def test_a_hole_ends_one_range_and_begins_another() -> None:
    whole = [*run_of(1, 10, 14), *run_of(1, 17, 30)]
    result, found = told(whole, [backup(10), backup(20)])
    assert found == ["wal_missing"]
    assert [(one["backup"], one["newest"]) for one in result["ranges"]] == [
        ("20261130-000010F", False),
        ("20261130-000020F", True),
    ]
    assert result["restorable"]["backup"] == "20261130-000020F"
    assert result["wal"]["missing"] == 2
    only_older, found = told(whole, [backup(10)])
    assert only_older["restorable"] is None
    assert found == ["wal_missing"]


@pytest.mark.parametrize("gone", [20, 21])
def test_a_backup_without_its_own_wal_is_not_restorable(gone: int) -> None:
    whole = [one for one in run_of(1, 20, 30) if name_of(Position(1, gone)) not in one.name]
    result, found = told(whole, [backup(20)])
    assert set(found) == {"wal_missing", "backup_wal_missing"}
    assert result["backups"][0]["missing_wal"] == name_of(Position(1, gone))
    assert result["restorable"] is None


@given(st.sets(st.integers(10, 29), min_size=1), st.sets(st.integers(10, 28), min_size=1))
def test_no_range_ever_leads_over_a_hole(gone: set[int], taken: set[int]) -> None:
    whole = archive(
        [
            *(one for number in range(10, 30) if number not in gone for one in run_of(1, number, number)),
            *run_of(1, 30, 30),
        ]
    )
    seen = judged(whole, [backup(number) for number in sorted(taken)], ONE)
    for one in seen.ranges:
        first, last = int(one.backup[9:15]), whole.position(one.wal).number
        assert not gone & set(range(first, last + 1))
        assert last >= first + 1
        assert one.newest is (last == 30)
    assert set(seen.incomplete) == {backup(number).id for number in taken if {number, number + 1} & gone}


def test_a_foreign_timeline_is_a_finding_and_leads_nowhere() -> None:
    result, found = told([*run_of(1, 10, 20), *run_of(2, 15, 40)], [backup(10)])
    assert found == ["timeline_unknown"]
    assert result["restorable"]["wal"] == name_of(Position(1, 20))
    assert result["wal"]["unknown_timelines"] == [2]


def test_a_backup_that_the_line_left_behind_is_told_apart() -> None:
    lineage = Lineage(3, {1: 0, 3: 15})
    result, found = told(
        [*run_of(1, 10, 15), *run_of(2, 15, 20), *run_of(3, 15, 30)],
        [backup(10), backup(16, 2), backup(20, 3)],
        lineage,
    )
    assert found == ["timeline_unknown"]
    assert [one["on_line"] for one in result["backups"]] == [True, False, True]
    assert [(one["backup"], one["newest"]) for one in result["ranges"]] == [
        ("20261130-000010F", True),
        ("20261130-000016F", False),
    ]


def test_backups_of_the_database_before_an_upgrade_keep_their_own_wal() -> None:
    old = archive(run_of(1, 1, 5))
    before = backup(1, archive_id="16-1", pg_major=16)
    seen = stored(run_of(1, 10, 20), [before, backup(10)])
    seen = replace(seen, archives={**seen.archives, "16-1": replace(old, id="16-1")})
    result, found = report(seen, [before, backup(10)], archive(run_of(1, 10, 20)), ONE, None)
    assert not found
    assert [(one["backup"], one["newest"]) for one in result["ranges"]] == [
        ("20261130-000001F", False),
        ("20261130-000010F", True),
    ]
    lost = replace(seen, archives={"17-1": seen.archives["17-1"]})
    assert [one["code"] for one in report(lost, [before, backup(10)], lost.archives["17-1"], ONE, None)[1]] == [
        "backup_wal_missing"
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"info_faults": ["backup/main/backup.info is missing"]}, "info_file_damaged"),
        ({"unreadable": ["x"]}, "record_unreadable"),
        ({"manifest_faults": {"20261130-000010F": ["backup.manifest is empty"]}}, "backup_file_missing"),
        ({"labels": []}, "backup_file_missing"),
        ({"canary": Judged(WRONG_KEY, "no")}, "canary_wrong_key"),
        ({"opened": Judged(WRONG_KEY, "no")}, "repository_wrong_key"),
        ({"opened": Judged(ABSENT, "no")}, "repository_absent"),
    ],
)
def test_each_damage_has_its_finding(change: dict[str, Any], code: str) -> None:
    assert told(run_of(1, 10, 30), [backup(10)], **change)[1] == [code]
    assert not told(run_of(1, 10, 30), [backup(10)], canary=Judged(ABSENT, "no"))[1]


def test_what_the_engine_says_of_a_backup_is_heard() -> None:
    assert told(run_of(1, 10, 30), [backup(10, error=True)])[1] == ["pages_damaged"]
    assert told(run_of(1, 10, 30), [backup(10, parent="20261129-000000F")])[1] == ["parent_missing"]
    assert told(run_of(1, 10, 30), [])[1] == ["no_backup"]
    assert told(run_of(1, 10, 30), None)[0]["restorable"] is None


def test_the_record_outranks_what_the_engine_keeps() -> None:
    engine = backup(10, annotations={"verified": "L1 2026-11-30T01:00:00Z", "hold": "audit", "run": "r1"})
    (row,) = told(run_of(1, 10, 30), [engine])[0]["backups"]
    assert (row["verified_level"], row["verified_at"], row["hold"], row["run"]) == (
        "L1",
        "2026-11-30T01:00:00Z",
        "audit",
        "r1",
    )
    bad = Record(engine.id).found_bad("2026-11-30T02:00:00Z", {"file": "x"})
    (row,) = told(run_of(1, 10, 30), [engine], records={engine.id: bad})[0]["backups"]
    assert (row["verified_level"], row["verified_at"]) == (None, "2026-11-30T02:00:00Z")


def test_the_size_of_segments_is_seen_from_the_backups() -> None:
    assert segment_bytes_from([("0/2000028", "000000010000000000000002")]) == 16 * MB
    assert segment_bytes_from([("1/8000028", "000000010000000100000002")]) == 64 * MB
    assert segment_bytes_from([("0/28", "000000010000000000000000")]) is None
