# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The design effect out of what the old release showed: bursts, their bound, too little data, raw counters."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._gate.effect import (
    LEAST_BAD,
    LEAST_SPANS,
    MOST,
    by_spans,
    effect_of,
    estimated,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.load_tests import NEW, OLD, ShareTest
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Answer
from ansible_collections.golive.cutover.plugins.module_utils._gate.prometheus import Series
from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import PRESETS, Sprt

RATE = 100


def burst_counts(generator: random.Random, size: int, spans: int, chance: float) -> list[int]:
    """Bad events of each span, which come ``size`` at a time."""
    return [size * (generator.random() < chance) for _span in range(spans)]


@settings(max_examples=200)
@given(size=st.integers(1, 9), spans=st.integers(240, 1200), seed=st.integers(0, 10**6))
def test_bursts_of_a_size_give_that_effect(size: int, spans: int, seed: int) -> None:
    bad = burst_counts(random.Random(seed), size, spans, 0.05)
    if sum(bad) < LEAST_BAD:
        return
    found = estimated(bad, [RATE] * spans, 3.0)
    assert found.source == "old"
    # A span has one burst at most, so that it varies by 5 % less than bursts at random.
    assert found.value == pytest.approx(size, rel=0.2, abs=0.1)


@pytest.mark.parametrize("share", [0.002, 0.01, 0.05])
def test_independent_bad_events_give_about_one(share: float) -> None:
    """Over an hour of scrapes; of few bad events, two that meet by chance already show."""
    found = []
    for seed in range(60):
        generator = random.Random(seed)
        bad = [sum(generator.random() < share for _event in range(20)) for _span in range(240)]
        if sum(bad) >= LEAST_BAD:
            found.append(estimated(bad, [20] * 240, 3.0).value)
    assert len(found) > 15
    assert sum(found) / len(found) <= 1.15
    assert max(found) <= 2


def test_an_hour_of_scrapes_with_bursts_of_five() -> None:
    """240 scrapes of 15 s at 20 requests a second, and 12 times five failures together."""
    bad = [5 if scrape % 20 == 7 else 0 for scrape in range(240)]
    found = estimated(bad, [300] * 240, 3.0)
    assert (found.value, found.spans, found.bad, found.events) == (4.8, 240, 60, 72_000)
    assert found.told == "effect 4.8: the old release had 60 bad of 72000 events in 240 spans"
    assert found.as_dict() == {"source": "old", "spans": 240, "bad": 60, "samples": 72_000, "seen": 4.774}


def test_an_outage_is_no_burst() -> None:
    bad = [300] * 4 + [0] * 236
    found = estimated(bad, [300] * 240, 3.0)
    assert found.value == MOST
    assert found.seen is not None
    assert found.seen > 200
    assert "without the bound: the old release had 1200 bad of 72000 events" in found.told


@pytest.mark.parametrize(
    ("bad", "spans"),
    [(LEAST_BAD - 1, 240), (40, LEAST_SPANS - 1), (0, 240), (0, 0)],
    ids=["bad", "spans", "none", "no"],
)
def test_too_little_data_leaves_the_default_and_says_so(bad: int, spans: int) -> None:
    rows = [bad] + [0] * (spans - 1) if spans else []
    found = estimated(rows, [RATE] * spans, 3.0)
    assert (found.value, found.source, found.seen) == (3.0, "default", None)
    assert found.told.startswith(f"effect 3 by default: the old release had {bad if spans else 0} bad of")
    assert "too few to tell" in found.told


def test_spans_without_an_event_do_not_count() -> None:
    idle = estimated([0, 10] * 19, [0, 50] * 19, 3.0)
    assert (idle.spans, idle.source) == (19, "default")


def test_what_is_set_counts_and_nothing_is_said() -> None:
    assert (effect_of(5.0, 3.0).value, effect_of(None, 3.0).value) == (5.0, 3.0)
    assert (effect_of(5.0, 3.0).source, effect_of(None, 3.0).source) == ("given", "default")
    assert effect_of(5.0, 3.0).told == effect_of(None, 3.0).told == ""


def series(code: str, *points: tuple[float, float]) -> Series:
    return Series((("__name__", "requests_total"), ("code", code)), points)


def test_raw_counters_are_differenced_by_spans() -> None:
    ok = series("200", (101, 90_000), (116, 90_100), (131, 90_200), (146, 50), (161, 150))
    late = series("500", (131, 7), (146, 12), (161, 12))
    bad, total = by_spans([late], [ok, late], 15)
    # The seven that it begins with may be of any time; after the restart it counts from zero.
    assert bad == [0, 0, 5, 0]
    assert total == [100, 100, 55, 100]


def test_pieces_of_a_series_are_taken_together() -> None:
    pieces = [series("500", (100, 1), (110, 4)), series("500", (120, 4), (130, 9))]
    assert by_spans(pieces, pieces, 10) == ([3, 5], [3, 5])


def test_more_bad_than_all_events_cannot_be() -> None:
    assert by_spans([series("500", (0, 0), (10, 8))], [series("500", (0, 0), (10, 5))], 10) == ([5], [5])


def share_test(effect: float | None, old: bool = True) -> ShareTest:
    shared = {"times": 5.0, "alpha": 0.001, "beta": 0.05, "clamp": True}
    return ShareTest("errors", PRESETS["errors"], old=old, effect=effect_of(effect, 1.0), **shared)


def fed(test: ShareTest, seconds: int) -> ShareTest:
    """Twenty requests a second on each side; the old release fails five together each tenth second, the new one a
    few times two."""
    for second in range(seconds):
        for number in range(20):
            answer = Answer("ok", at=second + number / 20, seconds=0.01, status=200)
            test.hear(OLD, "fresh", answer, good=not (second % 10 == 3 and number < 5))
            test.hear(NEW, "fresh", answer, good=not (second % 25 == 7 and number < 2))
        test.count()
    return test


def test_a_load_learns_the_effect_from_the_old_release_beside_it() -> None:
    told = fed(share_test(None), 60).as_dict()
    assert told["effect"] == pytest.approx(4.6, abs=0.3)
    assert (told["effect_from"]["source"], told["effect_from"]["spans"], told["effect_from"]["bad"]) == ("old", 60, 30)
    # What was counted before it was known counts by it too.
    preset = PRESETS["errors"]
    exact = Sprt(preset.p0, preset.p1, effect=told["effect"], clamp=True)
    for second in range(60):
        bad = 2 if second % 25 == 7 else 0
        exact.add(bad, 20 - bad)
    assert told["z"] == round(exact.z, 4)
    assert (told["bad"], told["samples"]) == (exact.bad, exact.total)
    assert "effect 4." in fed(share_test(None), 60).told


def test_a_load_keeps_what_is_set_and_knows_nothing_without_an_old_release() -> None:
    assert fed(share_test(2.0), 60).as_dict()["effect_from"]["source"] == "given"
    few = fed(share_test(None), 15).as_dict()
    assert (few["effect"], few["effect_from"]["source"], few["effect_from"]["spans"]) == (1.0, "default", 15)
