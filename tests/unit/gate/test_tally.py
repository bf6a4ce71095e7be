# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts of checks and gates, and how values are compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.checks import Check
from ansible_collections.golive.cutover.plugins.module_utils._gate.gate import Rules, Tally, run_gate
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import NO_DATA, PROVIDER_DOWN, Look, compare
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach

GOOD, BAD, UNKNOWN = Look(True, "ok", 0.01), Look(False, "bad", 0.01), Look(False, "?", reason=PROVIDER_DOWN)
LOOKS = {"g": GOOD, "b": BAD, "u": UNKNOWN}


class Scripted(Check):
    """A check whose looks are given; the last one repeats."""

    def begin(self, reach: Any) -> Callable[[], Look]:
        looks: list[Look] = self.options["looks"]
        return lambda: looks.pop(0) if len(looks) > 1 else looks[0]


def scripted(name: str, script: str, **options: Any) -> Check:
    looks = [LOOKS[letter] for letter in script]
    return Scripted(name, "http", {"looks": looks, "critical": True, "weight": 1.0, **options})


def gate(*checks: Check, **rules: Any) -> dict[str, Any]:
    chosen = Rules(**{"consecutive": 2, "interval": 0.01, "timeout": 0.2, **rules})
    call = call_for_tests({})
    return run_gate(call, Reach(call), checks, chosen)


@pytest.mark.parametrize("script", ["gg", "bgg", "ugg", "gbgug" + "gg"])
def test_pass(script: str) -> None:
    result = gate(scripted("one", script), scripted("two", "gg"), timeout=5)
    assert (result["verdict"], result["reasons"]) == ("pass", [])


@pytest.mark.parametrize(
    ("scripts", "code", "reasons"),
    [
        (["b"], "gate_failed", []),
        (["g", "b"], "gate_failed", []),
        (["u", "b"], "gate_failed", [PROVIDER_DOWN]),
        (["u"], "gate_inconclusive", [PROVIDER_DOWN]),
        (["g", "u"], "gate_inconclusive", [PROVIDER_DOWN]),
    ],
)
def test_not_passed(scripts: list[str], code: str, reasons: list[str]) -> None:
    with pytest.raises(GoliveError) as caught:
        gate(*(scripted(str(number), script) for number, script in enumerate(scripts)))
    assert (caught.value.code, caught.value.details["reasons"]) == (code, reasons)
    assert caught.value.details["checks"][0]["attempts"] > 1


def test_failures_in_a_row_end_it_early() -> None:
    with pytest.raises(GoliveError) as caught:
        gate(scripted("one", "gbbb"), timeout=60, failures=3, consecutive=5)
    assert caught.value.details["checks"][0]["attempts"] == 4


def test_extension_happens_once_and_only_when_inconclusive() -> None:
    with pytest.raises(GoliveError) as caught:
        gate(scripted("one", "u"), extend=frozenset({PROVIDER_DOWN}))
    assert caught.value.details["extended"] is True
    with pytest.raises(GoliveError) as caught:
        gate(scripted("one", "b"), extend=frozenset({PROVIDER_DOWN}))
    assert caught.value.details["extended"] is False


def test_checks_that_are_not_critical_lower_the_score_and_are_told() -> None:
    warned: list[str] = []
    aside = scripted("aside", "b", critical=False, weight=3.0)
    call = call_for_tests({}, warn=warned.append)
    result = run_gate(call, Reach(call), [scripted("one", "g"), aside], Rules(2, 0.01, 5))
    assert (result["verdict"], result["score"]) == ("pass", 25)
    assert len(warned) == 1
    assert "aside: bad" in warned[0]
    with pytest.raises(GoliveError) as caught:
        gate(scripted("one", "g"), aside, min_score=30)
    assert caught.value.code == "gate_failed"
    assert "the score is 25 where 30 is wanted" in caught.value.message


def test_a_gate_waits_for_checks_that_are_not_critical_only_as_long_as_they_can_tell() -> None:
    begin = time.monotonic()
    gate(scripted("one", "g"), scripted("aside", "b", critical=False), timeout=30)
    assert time.monotonic() - begin < 10
    result = gate(scripted("one", "g"), scripted("aside", "uugg", critical=False), timeout=30, consecutive=4)
    assert result["checks"][1]["attempts"] == 4


@given(script=st.text("gbu", min_size=1, max_size=12), needed=st.integers(1, 4))
def test_a_pass_needs_the_row_and_nothing_else(script: str, needed: int) -> None:
    tally = Tally(scripted("one", "g"))
    for letter in script:
        tally.add(LOOKS[letter])
    verdict, reason = tally.verdict(needed)
    assert (verdict == "pass") == script.endswith("g" * needed)
    assert (verdict == "inconclusive") == bool(reason)
    assert tally.attempts == len(script)
    assert tally.passed == script.count("g")
    if verdict != "pass" and script.endswith("u"):
        assert reason == PROVIDER_DOWN
    if verdict != "pass" and script.endswith("b"):
        assert verdict == "fail"
    if verdict == "fail":
        assert "b" in script


@pytest.mark.parametrize(
    ("value", "rule", "good"),
    [
        (3, {"equals": 3}, True),
        (3, {"equals": "3"}, True),
        (True, {"equals": "true"}, True),
        ("True", {"equals": True}, True),
        (None, {"equals": ""}, True),
        (None, {"min": 0}, False),
        ("x", {"max": 1}, False),
        (0, {"max": 0}, True),
        (0, {"min": 0}, True),
        ("2.5", {"min": 2, "max": 3}, True),
        (4, {"min": 2, "max": 3}, False),
        (1, {"min": 2}, False),
    ],
)
def test_comparison(value: Any, rule: dict[str, Any], good: bool) -> None:
    assert (compare("n", value, rule) == "") is good


def test_reasons_are_the_references_words() -> None:
    assert (NO_DATA, PROVIDER_DOWN) == ("no_data", "provider_down")


def test_interruption_leaves_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def alive() -> None:
        calls.append(1)
        if len(calls) > 3:
            raise KeyboardInterrupt

    stop: Callable[[], None] = alive
    call = call_for_tests({}, alive=stop)
    with pytest.raises(KeyboardInterrupt):
        run_gate(call, Reach(call), [scripted("one", "b")], Rules(2, 0.01, 60))


class Slow(Check):
    """A check that is quick until its second look, which ends just behind the gate's end."""

    def begin(self, reach: Any) -> Callable[[], Look]:
        looks: list[Look] = self.options["looks"]

        def look() -> Look:
            if len(looks) == 1:
                time.sleep(max(0.0, reach.call.left(60)) + 0.05)
            return looks.pop(0) if len(looks) > 1 else looks[0]

        return look


@pytest.mark.parametrize(
    ("looks", "own_limit", "verdict"),
    [
        ([GOOD, BAD], 60, "pass"),
        ([GOOD, UNKNOWN], 60, "pass"),
        ([GOOD, BAD], 0.01, "fail"),
        ([GOOD, UNKNOWN], 0.01, "inconclusive"),
        ([BAD, BAD], 60, "fail"),
        ([UNKNOWN, BAD], 60, "inconclusive"),
        ([BAD], 60, "fail"),
        ([Look(True, "ok", verdict="pass"), Look(False, "cut", reason=PROVIDER_DOWN, verdict="open")], 60, "pass"),
        ([Look(True, "ok", verdict="pass"), Look(False, "bad", verdict="fail")], 60, "fail"),
    ],
)
def test_a_look_that_the_end_cut_short_leaves_what_was_known(looks: list[Look], own_limit: float, verdict: str) -> None:
    slow = Slow("slow", "http", {"looks": list(looks), "critical": True, "weight": 1.0, "timeout": own_limit})
    other = scripted("other", "u")
    try:
        found = gate(slow, other, consecutive=1, timeout=0.5)["checks"]
    except GoliveError as error:
        found = error.details["checks"]
    assert found[0]["verdict"] == verdict
