# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The freeze calendar across time zones and changes of the clock, and approvals with their end."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.filter.release_objections import release_objections

BERLIN = "Europe/Berlin"
WEEKEND = {"reason": "weekend", "timezone": BERLIN, "from": "Fri 18:00", "to": "mon 06:00"}
HOLIDAYS = {"reason": "holidays", "timezone": "America/New_York", "from": "2026-12-20 18:00", "to": "2027-01-04 08:00"}
APPROVAL = {"by": "anna", "at": "2026-11-24T10:00:00+01:00", "expires": "2026-11-24T18:00:00Z", "for": "2.4.2"}
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("window", "now", "until"),
    [
        (WEEKEND, "2026-11-27T16:59:00+00:00", None),
        (WEEKEND, "2026-11-27T17:00:00+00:00", "2026-11-30 06:00 CET"),
        (WEEKEND, "2026-11-30T04:59:00+00:00", "2026-11-30 06:00 CET"),
        (WEEKEND, "2026-11-30T05:00:00+00:00", None),
        # Summer time ends in this weekend: it begins at 16:00 and ends at 05:00 UTC.
        (WEEKEND, "2026-10-23T16:00:00+00:00", "2026-10-26 06:00 CET"),
        (WEEKEND, "2026-10-26T04:59:00+00:00", "2026-10-26 06:00 CET"),
        (HOLIDAYS, "2026-12-20T22:59:00+00:00", None),
        (HOLIDAYS, "2026-12-20T23:00:00+00:00", "2027-01-04 08:00 EST"),
        # A window inside one week, over the hour that comes twice (02:00 to 03:00 on 2026-10-25): the longer reading.
        ({**WEEKEND, "from": "sun 01:00", "to": "sun 02:30"}, "2026-10-25T01:29:00+00:00", "2026-10-25 02:30 CET"),
        # And over the hour that does not exist (2026-03-29).
        ({**WEEKEND, "from": "sun 02:30", "to": "sun 04:00"}, "2026-03-29T00:30:00+00:00", "2026-03-29 04:00 CEST"),
    ],
)
def test_a_window_freezes_by_its_own_clock(window: dict[str, Any], now: str, until: str | None) -> None:
    found = release_objections([window], now=at(now))
    assert found == [] if until is None else f"frozen until {until}: {window['reason']}" in found[0]


def test_an_override_lifts_a_freeze_but_not_a_setting_that_cannot_be_read() -> None:
    friday = at("2026-11-27T20:00:00+00:00")
    assert release_objections([WEEKEND], override="hotfix of an outage", now=friday) == []
    assert release_objections([WEEKEND], override="  ", now=friday)
    assert release_objections([{**WEEKEND, "timezone": "Mars/Olympus"}], override="x", now=friday)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"timezone": ""}, "timezone is missing"),
        ({"timezone": "../etc"}, "not known"),
        ({"from": "friday 18:00"}, "both be weekly"),
        ({"from": "2026-12-20 18:00"}, "both be weekly"),
        ({"from": "2026-12-20", "to": "2026-12-21 08:00"}, "neither like"),
        ({"from": "2026-12-21 08:00", "to": "2026-12-20 08:00"}, "must be later"),
        ({"from": "mon 06:00"}, "same moment"),
        ({"from": None}, "both be weekly"),
    ],
)
def test_a_window_that_cannot_be_read_is_an_objection(changes: dict[str, Any], named: str) -> None:
    found = release_objections([HOLIDAYS, {**WEEKEND, **changes}], now=NOON)
    assert [one.startswith("preflight_freeze[1]: ") and named in one for one in found] == [True]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"for": "2.4.1"}, ["it is for 2.4.1, not for 2.4.2"]),
        ({"expires": "2026-11-24T12:00:00Z"}, ["it expired at"]),
        ({"at": "2026-11-25T10:00:00Z"}, ["at lies in the future"]),
        ({"expires": "2026-11-24 18:00"}, ["expires is 2026-11-24 18:00, which names no time zone"]),
        ({"at": "today"}, ["at is today, which is no time"]),
        ({"by": "", "for": "1", "expires": "2026-11-01T00:00:00Z"}, ["by is missing", "it is for 1", "it expired at"]),
    ],
)
def test_an_approval_that_does_not_hold_says_all_reasons(changes: dict[str, Any], named: list[str]) -> None:
    (found,) = release_objections([], approval={**APPROVAL, **changes}, version="2.4.2", now=NOON)
    assert all(one in found for one in named)


def test_an_approval_is_only_asked_for_when_it_is_required() -> None:
    assert release_objections([], version="2.4.2", now=NOON) == []
    assert "no approval is given" in release_objections([], required=True, version="2.4.2", now=NOON)[0]
    assert release_objections([], approval=APPROVAL, required=True, version="2.4.2", now=NOON) == []
