# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backup a restore takes, how far it replays, and what it refuses before anything runs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Backup
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_choice import Choice, Wish, choose
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal import Archive, Segment
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import (
    SEGMENT_BYTES,
    Position,
    lsn_number,
    lsn_text,
    name_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

T0 = datetime(2026, 11, 30, 1, 0, tzinfo=timezone.utc)
NEWEST = 30


def backup(number: int, **others: Any) -> Backup:
    """A full backup in the segment of that number, an hour behind the one before it for each segment."""
    began = T0 + timedelta(hours=number)
    segment = name_of(Position(1, number))
    given: dict[str, Any] = {
        "id": f"202611{number:02}-010000F",
        "kind": "full",
        "parent": None,
        "started": began,
        "stopped": began + timedelta(minutes=5),
        "start_lsn": lsn_text(number * SEGMENT_BYTES + 0x28),
        "stop_lsn": lsn_text(number * SEGMENT_BYTES + 0x120),
        "wal_first": segment,
        "wal_last": segment,
        "bytes": 1,
        "repo": 1,
        "pg_major": 17,
        "archive_id": "17-1",
        "error": False,
    }
    return Backup(**{**given, **others})


def archive(*missing: int) -> dict[str, Archive]:
    """Segments 1 to 30, stored each hour, without those."""
    segments = {
        Position(1, number): Segment(
            Position(1, number), 5000, T0 + timedelta(hours=number, minutes=30), f"{number:040x}"
        )
        for number in range(1, NEWEST + 1)
        if number not in missing
    }
    return {"17-1": Archive("17-1", SEGMENT_BYTES, segments)}


BACKUPS = [backup(5), backup(10), backup(20)]


def chosen(*missing: int, **wish: Any) -> Choice:
    return choose(BACKUPS, archive(*missing), Wish(**wish))


def refused(*missing: int, **wish: Any) -> GoliveError:
    with pytest.raises(GoliveError) as error:
        chosen(*missing, **wish)
    return error.value


def test_the_latest_names_the_last_segment_and_must_replay_into_it() -> None:
    choice = chosen()
    assert choice.backup is BACKUPS[2]
    assert (choice.engine_type, choice.target, choice.timeline) == ("default", "", 1)
    assert (choice.last_segment, choice.last_sha1) == (name_of(Position(1, NEWEST)), f"{NEWEST:040x}")
    assert choice.least == NEWEST * SEGMENT_BYTES + 1


@given(st.integers(20, NEWEST - 1))
def test_any_hole_behind_the_backup_is_refused_for_the_latest(hole: int) -> None:
    error = refused(hole)
    assert error.code == "wal_gap"
    assert error.details["missing"] == name_of(Position(1, hole))


def test_an_accepted_hole_is_the_end() -> None:
    choice = chosen(25, accept_gap=True)
    assert (choice.gap, choice.last_segment) == (name_of(Position(1, 25)), name_of(Position(1, 24)))
    assert choice.least == 24 * SEGMENT_BYTES + 1
    # Not one that the backup itself needs.
    assert refused(20, accept_gap=True).code == "wal_gap"


def test_a_hole_before_the_backup_does_not_count() -> None:
    assert chosen(12).gap is None


def test_a_time_takes_the_newest_backup_that_ended_before_it() -> None:
    choice = chosen(kind="time", value="2026-11-30T11:06:00+01:00")
    assert choice.backup is BACKUPS[0]
    # PostgreSQL is given no time without an offset.
    assert choice.target == "2026-11-30 10:06:00.000000+00"
    assert choice.not_after == datetime(2026, 11, 30, 10, 6, tzinfo=timezone.utc)
    assert choice.last_segment == ""


@pytest.mark.parametrize("value", ["2026-11-30T05:59:00+00:00", "2026-12-03T00:00:00+00:00"])
def test_a_time_outside_of_the_range_is_refused_with_the_range(value: str) -> None:
    error = refused(kind="time", value=value)
    assert error.code == "out_of_range"
    assert error.details["oldest"] == "2026-11-30T06:05:00Z"


def test_a_time_behind_a_hole_is_refused() -> None:
    assert refused(8, kind="time", value="2026-11-30T10:06:00+00:00").code == "out_of_range"
    assert chosen(12, kind="time", value="2026-11-30T10:06:00+00:00").backup is BACKUPS[0]


@pytest.mark.parametrize("value", ["yesterday", "2026-11-30T05:59:00", ""])
def test_a_time_without_an_offset_or_none_at_all_is_refused(value: str) -> None:
    assert refused(kind="time", value=value).code == "invalid"


def test_a_place_in_the_log() -> None:
    choice = chosen(kind="lsn", value="0/B000000")
    assert choice.backup is BACKUPS[1]
    assert choice.least == lsn_number("0/B000000")
    assert refused(kind="lsn", value="0/5000000").code == "out_of_range"
    assert refused(kind="lsn", value="1/0").code == "out_of_range"
    assert refused(kind="lsn", value="here").code == "invalid"


def test_a_name_needs_its_backup() -> None:
    assert refused(kind="name", value="before").code == "invalid"
    assert chosen(kind="name", value="before", backup=BACKUPS[0].id).backup is BACKUPS[0]
    assert refused(kind="name", value="before", backup="20200101-000000F").code == "no_backup"


def test_one_with_damaged_pages_is_not_taken() -> None:
    bad = [BACKUPS[0], backup(20, error=True)]
    assert choose(bad, archive(), Wish()).backup is BACKUPS[0]
    with pytest.raises(GoliveError) as error:
        choose([backup(20, error=True)], archive(), Wish())
    assert error.value.code == "no_backup"
    with pytest.raises(GoliveError) as error:
        choose([], {}, Wish())
    assert error.value.code == "no_backup"


def test_a_backup_of_a_stopped_server_is_not_taken() -> None:
    offline = backup(20, wal_first=None, wal_last=None, start_lsn=None, stop_lsn=None)
    assert choose([BACKUPS[0], offline], archive(), Wish()).backup is BACKUPS[0]


def test_without_any_archive_nothing_is_restored() -> None:
    with pytest.raises(GoliveError) as error:
        choose(BACKUPS, {}, Wish())
    assert error.value.code == "wal_gap"
