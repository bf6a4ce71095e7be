# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own look at an archive of WAL: what is taken out of it is found, on any line, with any size of segments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Entry
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal import Archive, read_archives
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import (
    Lineage,
    Position,
    lineage_from,
    lsn_number,
    lsn_text,
    name_of,
    position_of,
)

MB = 1 << 20
BEGIN = datetime(2026, 11, 30, 0, 0, tzinfo=timezone.utc)
SUM = "0123456789abcdef0123456789abcdef01234567"
SIZES = st.sampled_from([1 * MB, 16 * MB, 64 * MB, 1024 * MB])
ONE = Lineage(1, {1: 0})


def entry(name: str, size: int = 5000, minute: int = 0) -> Entry:
    return Entry(name, size, BEGIN + timedelta(minutes=minute))


def stored(position: Position, segment_bytes: int = 16 * MB, size: int = 5000, ending: str = ".zst") -> Entry:
    """A segment as pgBackRest names it, stored a minute after the one before it."""
    name = name_of(position, segment_bytes)
    return entry(f"17-1/{name[:16]}/{name}-{SUM}{ending}", size, position.number % 100000)


def archive(entries: Iterable[Entry], segment_bytes: int = 16 * MB, encrypted: bool = False) -> Archive:
    return read_archives(entries, segment_bytes=segment_bytes, encrypted=encrypted)["17-1"]


def run_of(timeline: int, first: int, last: int) -> list[Entry]:
    return [stored(Position(timeline, number)) for number in range(first, last + 1)]


@given(SIZES, st.integers(1, 9), st.integers(0, 1 << 40))
def test_names_and_positions_are_the_same_thing(segment_bytes: int, timeline: int, place: int) -> None:
    position = Position(timeline, place // segment_bytes)
    assert position_of(name_of(position, segment_bytes), segment_bytes) == position
    assert lsn_number(lsn_text(place)) == place


def test_names_as_postgresql_writes_them() -> None:
    # select pg_walfile_name('16/B374D848')
    assert name_of(Position(1, lsn_number("16/B374D848") // (16 * MB))) == "0000000100000016000000B3"
    assert position_of("00000001000000010000003F", 64 * MB).number == 127
    with pytest.raises(ValueError, match="cannot be a segment of 64 MiB"):
        position_of("000000010000000100000040", 64 * MB)
    for bad in ("00000001000000010000004", "00000001000000010000004g", "2/", "x"):
        with pytest.raises(ValueError, match="no WAL segment"):
            position_of(bad)
        with pytest.raises(ValueError, match="no LSN"):
            lsn_number(bad)


@given(st.data(), SIZES)
def test_whatever_is_missing_is_found(data: st.DataObject, segment_bytes: int) -> None:
    """Along three timelines: every missing segment is in exactly one hole, and the reach ends before the first."""
    first = data.draw(st.integers(0, 5000))
    count = data.draw(st.integers(2, 60))
    switches = sorted(data.draw(st.sets(st.integers(first, first + count - 1), max_size=2)))
    begins = {1: 0, **{number + 2: switch for number, switch in enumerate(switches)}}
    lineage = Lineage(max(begins), begins)
    numbers = range(first, first + count)
    gone = data.draw(st.sets(st.integers(first, first + count - 2)))
    seen = archive(
        [stored(lineage.at(number), segment_bytes) for number in numbers if number not in gone], segment_bytes
    )
    start = seen.name(lineage.at(first))
    holes = seen.holes(start, lineage)
    missing = {
        number
        for hole in holes
        for number in range(seen.position(hole.first).number, seen.position(hole.last).number + 1)
    }
    assert missing == gone
    assert sum(hole.count for hole in holes) == len(gone)
    reach = seen.continuous_to(start, lineage)
    end = min(gone, default=first + count)
    assert seen.position(reach.missing).number == end
    assert reach.broken is bool(gone)
    assert reach.lsn == (end * segment_bytes if end > first else None)
    assert reach.last == (seen.name(lineage.at(end - 1)) if end > first else None)
    for hole in holes:
        assert hole.after is None or hole.after < hole.before


def test_a_hole_tells_the_time_that_is_lost() -> None:
    seen = archive(run_of(1, 10, 12) + run_of(1, 15, 16))
    (hole,) = seen.holes(name_of(Position(1, 10)), ONE)
    assert (hole.first, hole.last, hole.count) == ("00000001000000000000000D", "00000001000000000000000E", 2)
    assert (hole.after, hole.before) == (BEGIN + timedelta(minutes=12), BEGIN + timedelta(minutes=15))


def test_the_segment_where_timelines_part_is_the_new_one_s() -> None:
    history = "1\t0/C000060\tno recovery target specified\n\n2\t0/E000000\tbefore 2026-11-30 # x\n"
    lineage = lineage_from(3, history)
    assert dict(lineage.begins) == {1: 0, 2: 12, 3: 14}
    partial = entry(f"17-1/0000000100000000/00000001000000000000000C.partial-{SUM}.zst")
    whole = [*run_of(1, 10, 11), partial, *run_of(2, 12, 13), *run_of(3, 14, 15), entry("17-1/00000002.history", 60)]
    seen = archive([*whole, entry(f"17-1/00000003.history-{SUM}", 60)])
    assert not seen.odd
    assert seen.partials == {Position(1, 12)}
    reach = seen.continuous_to(name_of(Position(1, 10)), lineage)
    assert (reach.last, reach.broken) == (name_of(Position(3, 15)), False)
    assert seen.guessed(3) == Lineage(3, {1: 0, 2: 12, 3: 14}, guessed=True)
    assert not seen.foreign(lineage)
    # The old timeline's own end of that segment is not what a server on the new one needs.
    old = archive([*run_of(1, 10, 12), *run_of(2, 13, 13)]).continuous_to(name_of(Position(1, 10)), lineage)
    assert (old.missing, old.broken) == (name_of(Position(2, 12)), True)


def test_a_timeline_that_nobody_knows_is_foreign_and_on_no_line() -> None:
    seen = archive([*run_of(4, 10, 12), *run_of(5, 12, 20), entry("17-1/00000005.history", 60)])
    lineage = Lineage(4, {4: 0})
    assert seen.foreign(lineage) == [5]
    assert seen.continuous_to(name_of(Position(4, 10)), lineage).last == name_of(Position(4, 12))
    only_history = archive([*run_of(4, 10, 12), entry("17-1/00000005.history", 60)])
    assert only_history.foreign(lineage) == [5]


@pytest.mark.parametrize(
    ("size", "ending", "encrypted", "reason"),
    [
        (16 * MB, "", False, ""),
        (16 * MB - 1, "", False, "has 16777215 bytes, and a whole segment has 16777216"),
        (16 * MB + 32, "", True, ""),
        (16 * MB, "", True, "has 16777216 bytes, and a whole segment has 16777248"),
        (900, ".zst", True, ""),
        (900, ".gz", False, ""),
        (0, ".zst", False, "has only 0 bytes"),
        (17 * MB, ".lz4", False, "has 17825792 bytes, more than a segment"),
    ],
)
def test_sizes(size: int, ending: str, encrypted: bool, reason: str) -> None:
    seen = archive([stored(Position(1, 1), size=size, ending=ending)], encrypted=encrypted)
    assert [one.reason for one in seen.odd] == ([reason] if reason else [])


def test_files_that_do_not_belong_there() -> None:
    twice = stored(Position(1, 1))
    other = entry(twice.name.replace(SUM, SUM[::-1]))
    too_far = "0000000100000000000000FF"
    seen = archive([twice, other, entry("17-1/0000000100000000/x"), entry(f"17-1/0000000100000000/{too_far}-{SUM}")])
    assert [one.reason for one in seen.odd] == [
        "there twice with different content",
        "not a file of an archive",
        "has 5000 bytes, and a whole segment has 16777216",
    ]
    label = "17-1/0000000100000000/000000010000000000000002.00000028.backup"
    assert not archive([entry(label), *run_of(1, 2, 2)]).odd
    assert archive([entry("17-1/00000002.history", 0)]).odd[0].reason == "empty"
    wrong = archive([entry(f"17-1/0000000100000000/{too_far}-{SUM}.zst")], 64 * MB)
    assert "cannot be a segment" in wrong.odd[0].reason


def test_archives_are_told_apart_and_info_files_left_out() -> None:
    names = ["archive.info", "archive.info.copy", f"9.6-1/0000000100000000/000000010000000000000001-{SUM}.gz"]
    found = read_archives([*(entry(name) for name in names), *run_of(1, 1, 2)])
    assert {name: len(one.segments) for name, one in found.items()} == {"17-1": 2, "9.6-1": 1}


def test_a_segment_that_was_written_again_is_noticed() -> None:
    late = Entry(stored(Position(1, 11)).name, 5000, BEGIN + timedelta(hours=5))
    seen = archive([*run_of(1, 10, 10), late, *run_of(1, 12, 13)])
    assert seen.rewritten() == [name_of(Position(1, 11))]
    assert not archive(run_of(1, 10, 13)).rewritten()


@pytest.mark.parametrize(
    ("timeline", "history", "reason"),
    [
        (2, "", "is empty"),
        (2, "2\t0/1000000\tx", "cannot be an ancestor"),
        (3, "2\t0/1\tx\n1\t0/2\ty", "cannot be"),
        (2, "1 x", "no LSN"),
    ],
)
def test_a_history_that_is_none_is_refused(timeline: int, history: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        lineage_from(timeline, history)


def test_a_start_that_is_not_there() -> None:
    seen = archive(run_of(1, 10, 12))
    reach = seen.continuous_to(name_of(Position(1, 9)), ONE)
    assert (reach.last, reach.lsn, reach.missing, reach.broken) == (None, None, name_of(Position(1, 9)), True)
    beyond = seen.continuous_to(name_of(Position(1, 13)), ONE)
    assert (beyond.last, beyond.broken) == (None, False)


def test_a_month_of_segments_is_judged_at_once() -> None:
    seen = archive(run_of(1, 0, 45_000))
    assert not seen.holes(name_of(Position(1, 0)), ONE)
    assert seen.continuous_to(name_of(Position(1, 0)), ONE).last == name_of(Position(1, 45_000))
