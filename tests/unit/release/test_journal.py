# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of the journal, its bounds, and which run the next one goes on with."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._release.journal import (
    BEGIN,
    FINISH,
    MOST_BYTES,
    MOST_RUNS,
    MOST_VALUE,
    PHASE,
    Journal,
    bounded_value,
    journal_from,
)
from ansible_collections.golive.cutover.plugins.module_utils._release.runs import runs_of, unfinished


def entry(run: str, event: str, second: int = 0, **values: Any) -> dict[str, Any]:
    return {"run": run, "event": event, "at": f"2026-11-24T10:{second // 60:02}:{second % 60:02}Z", **values}


def journal(*entries: dict[str, Any]) -> Journal:
    made = Journal()
    for one in entries:
        made = made.with_entry(one)
    return made


THREE = journal(
    entry("a", BEGIN, phase="plan", resumes=None), entry("a", PHASE, 2, phase="stage"), entry("a", PHASE, 5, phase="x")
)


def test_an_untouched_journal_is_whole_and_survives_its_config_map() -> None:
    assert Journal().broken_at() is None
    assert THREE.broken_at() is None
    assert journal_from(THREE.as_data()) == THREE
    assert journal_from(None) == Journal()


def changed(line: str, **values: Any) -> str:
    return json.dumps({**json.loads(line), **values})


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ((THREE.lines[0], changed(THREE.lines[1], phase="live"), THREE.lines[2]), 2),
        ((THREE.lines[0], THREE.lines[2]), 2),
        ((THREE.lines[1], THREE.lines[2]), 1),
        ((THREE.lines[1], THREE.lines[0], THREE.lines[2]), 1),
        ((*THREE.lines[:2], "not JSON"), 3),
        (THREE.lines[:2], 3),
        ((), 1),
    ],
    ids=["edited", "middle cut out", "first cut off", "swapped", "garbled", "last cut off", "emptied"],
)
def test_a_change_from_outside_shows_and_stays(lines: tuple[str, ...], number: int) -> None:
    broken = replace(THREE, lines=lines)
    assert broken.broken_at() == number
    assert broken.with_entry(entry("b", BEGIN)).broken_at() == number


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 60_000)), max_size=30))
def test_it_stays_bounded_and_whole(rows: list[tuple[str, int]]) -> None:
    made = Journal()
    for run, size in rows:
        made = made.with_entry(entry(run, PHASE, phase="x" * size))
        assert sum(len(line) + 1 for line in made.lines) <= MOST_BYTES
        assert made.broken_at() is None
        assert json.loads(made.lines[-1])["run"] == run


def test_whole_runs_go_first() -> None:
    made = journal(*(entry(f"run-{number}", event) for number in range(MOST_RUNS + 5) for event in (BEGIN, FINISH)))
    assert len(runs_of(made.entries())) == MOST_RUNS
    assert made.entries()[0]["event"] == BEGIN
    assert made.broken_at() is None


def test_large_values_are_cut_and_small_ones_kept() -> None:
    assert bounded_value({"a": 1}) == {"a": 1}
    cut = bounded_value({"a": "x" * MOST_VALUE})
    assert (cut["truncated"], cut["bytes"]) == (True, MOST_VALUE + 8)
    assert len(json.dumps(cut)) < MOST_VALUE


def test_a_run_is_told_with_its_phases() -> None:
    (run,) = runs_of(
        journal(
            entry("a", BEGIN, phase="plan", purpose="release", token="3", by={"user": "ops"}, inputs={"v": 1}),
            entry("a", PHASE, 2, phase="stage", verdict={"verdict": "pass"}),
            entry("a", FINISH, 65, outcome="failed", verdict={"verdict": "fail"}),
        ).entries()
    )
    assert (run["run_id"], run["purpose"], run["token"], run["outcome"], run["seconds"]) == (
        "a",
        "release",
        "3",
        "failed",
        65,
    )
    assert [(one["phase"], one["seconds"], one["verdict"]) for one in run["phases"]] == [
        ("plan", 2, {"verdict": "pass"}),
        ("stage", 63, {"verdict": "fail"}),
    ]


def resumed(*entries: dict[str, Any]) -> tuple[str, str] | None:
    found = unfinished(runs_of(journal(*entries).entries()))
    return (found["run_id"], found["phase"]) if found else None


def test_what_the_next_run_goes_on_with() -> None:
    killed = [entry("a", BEGIN, phase="plan"), entry("a", PHASE, phase="observe")]
    assert resumed() is None
    assert resumed(*killed) == ("a", "observe")
    assert resumed(*killed, entry("a", FINISH, outcome="failed")) is None
    assert resumed(*killed, entry("a", FINISH, outcome="held")) == ("a", "observe")
    # Killed again before it did anything: what the first one reached still counts.
    assert resumed(*killed, entry("b", BEGIN, phase="plan", resumes="a")) == ("a", "observe")
    again = [*killed, entry("b", BEGIN, phase="plan", resumes="a"), entry("b", PHASE, phase="settle")]
    assert resumed(*again) == ("b", "settle")
    assert resumed(*again, entry("b", FINISH, outcome="success")) is None
