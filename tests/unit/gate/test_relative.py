# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old against new: the sequential test over errors of both, and the tests for one fixed look."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._gate.relative import (
    Counts,
    compare_errors,
    compare_shares,
)


@pytest.mark.parametrize(
    ("new", "old", "verdict"),
    [(13, 0, None), (14, 0, "worse"), (0, 2, None), (0, 3, "not_worse"), (10, 10, "not_worse")],
)
def test_at_equal_traffic_fourteen_to_none_is_worse_and_none_to_three_is_not(
    new: int, old: int, verdict: str | None
) -> None:
    assert compare_errors(Counts(new, 500), Counts(old, 500))["verdict"] == verdict


def test_the_share_of_the_traffic_counts() -> None:
    assert compare_errors(Counts(36, 900), Counts(4, 100))["verdict"] == "not_worse"
    assert compare_errors(Counts(36, 100), Counts(4, 900))["verdict"] == "worse"


@pytest.mark.parametrize(("new", "old"), [((0, 0), (3, 10)), ((3, 10), (0, 0)), ((0, 10), (0, 10))])
def test_without_events_nothing_is_known(new: tuple[int, int], old: tuple[int, int]) -> None:
    assert compare_errors(Counts(*new), Counts(*old))["verdict"] is None


def test_error_rates_in_simulation() -> None:
    """Equally bad releases are seldom called worse, five times as bad ones seldom not worse."""
    generator = random.Random(3)
    for chance, wrong, most in ((0.5, "worse", 0.002), (5 / 6, "not_worse", 0.05)):
        runs, found = 3000, 0
        for _run in range(runs):
            new = old = 0
            verdict = None
            while verdict is None:
                hit = generator.random() < chance
                new, old = new + hit, old + (not hit)
                verdict = compare_errors(Counts(new, 10_000), Counts(old, 10_000))["verdict"]
            found += verdict == wrong
        assert found <= runs * most + 4 * math.sqrt(runs * most)


@pytest.mark.parametrize(
    ("new", "old", "chance", "name"),
    [
        # The lady tasting tea (R. A. Fisher, The Design of Experiments, 1935): 17/70.
        ((3, 4), (1, 4), 17 / 70, "fisher"),
        ((4, 4), (0, 4), 1 / 70, "fisher"),
        # 15 of 50 against 25 of 50: chi-squared 4.1667 on one degree of freedom, two-sided 0.04123.
        ((25, 50), (15, 50), 0.041227 / 2, "two_proportion"),
        ((0, 0), (5, 50), None, None),
        ((0, 50), (0, 50), 1.0, "fisher"),
    ],
)
def test_published_values(new: tuple[int, int], old: tuple[int, int], chance: float | None, name: str | None) -> None:
    found = compare_shares(Counts(*new), Counts(*old))
    assert (found["p"], found["test"]) == (chance if chance is None else pytest.approx(chance, abs=1e-5), name)
    assert found["verdict"] == (None if chance is None else "not_worse")
    if chance:
        assert compare_shares(Counts(*new), Counts(*old), alpha=chance * 1.001)["verdict"] == "worse"


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_fisher_sums_what_counting_gives(new: int, old: int, data: st.DataObject) -> None:
    bad_new = data.draw(st.integers(0, new))
    bad_old = data.draw(st.integers(0, min(old, 4)))
    found = compare_shares(Counts(bad_new, new), Counts(bad_old, old))
    if found["test"] != "fisher":
        return
    bad = bad_new + bad_old
    ways = sum(math.comb(bad, hit) * math.comb(new + old - bad, new - hit) for hit in range(bad_new, min(bad, new) + 1))
    assert found["p"] == pytest.approx(ways / math.comb(new + old, new), rel=1e-6)
