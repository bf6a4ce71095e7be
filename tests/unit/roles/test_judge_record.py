# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CI result or a backup's record says about a release."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.filter.judge_record import judge_record

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=timezone.utc)
RULES = {"version_key": "version", "status_key": "status", "finished_key": "finished", "passed": ["success"]}
GOOD = {"version": "2.4.2", "status": "success", "finished": "2026-11-24T09:30:00Z"}


def judge(record: Any, **rules: Any) -> dict[str, Any]:
    return judge_record(record, {**RULES, "max_age_hours": 24, **rules}, "2.4.2", NOW)


def test_a_good_one_is_told_with_its_age() -> None:
    assert judge(GOOD) == {"faults": [], "told": "2.4.2, success, 2.5 h old"}


@pytest.mark.parametrize(
    ("record", "faults"),
    [
        ({**GOOD, "version": "2.4.1"}, ["it is of 2.4.1, not of 2.4.2"]),
        ({**GOOD, "status": "failed"}, ["it is failed, not success"]),
        ({**GOOD, "finished": "2026-11-23T11:00:00+00:00"}, ["it is 25.0 h old, where 24 h are allowed"]),
        ({**GOOD, "finished": "2026-11-24T12:10:00Z"}, ["finished lies in the future: 2026-11-24T12:10:00Z"]),
        (
            {"version": "2.4.1", "status": None},
            ["it lacks 'status'", "it lacks 'finished'", "it is of 2.4.1, not of 2.4.2"],
        ),
        ([GOOD], ["it is no JSON object"]),
    ],
)  # fmt: skip
def test_everything_that_speaks_against_it_is_named_at_once(record: Any, faults: list[str]) -> None:
    assert judge(record)["faults"] == faults


def test_a_time_without_a_zone_is_a_fault() -> None:
    (fault,) = judge({**GOOD, "finished": "2026-11-24T09:30:00"})["faults"]
    assert fault.startswith("finished ")


def test_members_with_other_names_and_those_that_are_not_looked_at() -> None:
    told = judge({"end": "2026-11-24T11:00:00Z"}, version_key="", status_key="", finished_key="end")
    assert told == {"faults": [], "told": "1.0 h old"}
