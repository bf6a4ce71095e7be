# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that mean dates, times, UUIDs and JSON: what is read is what was meant, and everything else is refused."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._sqlite.forms import (
    date_of,
    json_of,
    julian_of,
    timestamp_of,
    timestamptz_of,
    unix_milliseconds_of,
    unix_seconds_of,
    uuid_of,
)

START = datetime(2000, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)


@given(day=st.dates())
def test_dates(day: date) -> None:
    assert date_of(day.isoformat().encode()) == (day - START.date()).days


@given(moment=st.datetimes(), between=st.sampled_from(" T"))
def test_times(moment: datetime, between: str) -> None:
    wanted = (moment.replace(tzinfo=timezone.utc) - START) // MICROSECOND
    assert timestamp_of(moment.isoformat(between).encode()) == wanted


@given(
    moment=st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)),  # noqa: DTZ001  # the strategy wants it so
    minutes=st.integers(-15 * 60, 15 * 60),
)
def test_times_with_a_zone(moment: datetime, minutes: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert timestamptz_of(there.isoformat().encode()) == (there - START) // MICROSECOND


@pytest.mark.parametrize(
    "text",
    [
        b"2020-02-30",
        b"2021-02-29",
        b"0000-01-01",
        b"2020-13-01",
        b"20200101",
        b"2020-1-1",
        b"2020-01-01 ",
        b"",
        b"now",
        b"2020-01-01\n",
        b"infinity",
        "２０２０-01-01".encode(),
    ],
)
def test_what_is_no_date(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # any of them
        date_of(text)


@pytest.mark.parametrize(
    "text",
    [
        b"2020-01-01",
        b"2020-01-01 24:00",
        b"2020-01-01 25:00:00",
        b"2020-01-01 10:60:00",
        b"2020-01-01 10:00:60",
        b"2020-01-01 10:00:00.1234567",
        b"2020-02-30 10:00:00",
        b"2020-01-01 10:00:00Z",
        b"2020-01-01  10:00",
        b"10:00:00",
    ],
)
def test_what_is_no_time_without_a_zone(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # any of them
        timestamp_of(text)


@pytest.mark.parametrize("text", [b"2020-01-01 10:00:00", b"2020-01-01 10:00:00+16:00", b"2020-01-01 10:00:00+10:60"])
def test_what_is_no_time_with_a_zone(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # any of them
        timestamptz_of(text)


def test_numbers_that_are_times() -> None:
    assert unix_seconds_of(946684800) == 0
    assert unix_seconds_of(946684800.25) == 250_000
    assert unix_milliseconds_of(946684800001) == 1000
    assert julian_of(2451544.5) == 0
    for read in (unix_seconds_of, unix_milliseconds_of, julian_of):
        with pytest.raises(ValueError, match="between the years"):
            read(1e18)


def test_uuids() -> None:
    assert uuid_of(b"00e1a3f0-0000-4000-8000-0123456789ab").hex() == "00e1a3f0000040008000" + "0123456789ab"
    for text in (b"00E1A3F0-0000-4000-8000-0123456789AB", b"{00e1a3f0-0000-4000-8000-0123456789ab}", b"x"):
        with pytest.raises(ValueError, match="no UUID"):
            uuid_of(text)


TEXTS = st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8"))
NAMES = st.text(alphabet="abcé", max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON)
def test_json_keeps_its_value(value: object) -> None:
    text = json.dumps(value).encode()
    assert json.loads(json_of(text)) == value
    assert json_of(json_of(text)) == json_of(text)


@pytest.mark.parametrize("text", [b"{'a': 1}", b"", b"NaN", b'"\\u0000"', b'"\\ud800"', b"[1,]", b"\xff"])
def test_what_jsonb_does_not_take(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # any of them
        json_of(text)
