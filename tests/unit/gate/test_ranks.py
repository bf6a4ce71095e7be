# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rank tests against published values and against counting all orders."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._gate.ranks import (
    compare_values,
    effective_size,
    hodges_lehmann,
    mann_whitney,
)

# Permeability constants of the human chorioamnion (Hollander & Wolfe, Nonparametric Statistical Methods, 1973, p. 69).
TERM = (0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46)
EARLY = (1.15, 0.88, 0.90, 0.74, 1.21)
VALUES = st.lists(st.integers(0, 9), min_size=1, max_size=8)


def test_a_published_example() -> None:
    found = mann_whitney(TERM, EARLY)
    assert (found.u, round(found.higher, 4), found.method) == (35, 0.1272, "exact")
    assert round(found.two_sided, 4) == 0.2544
    assert [round(value, 3) for value in hodges_lehmann(TERM, EARLY)] == [0.305, -0.15, 0.76]


@pytest.mark.parametrize(
    ("count", "critical"), [(5, 2), (6, 5), (7, 8), (8, 13), (9, 17), (10, 23), (12, 37), (15, 64), (20, 127)]
)
def test_critical_values_of_the_tables(count: int, critical: int) -> None:
    """Two-sided 5 % of the tables in H. B. Mann and D. R. Whitney's form: the greatest u that is significant."""
    for u, significant in ((critical, True), (critical + 1, False)):
        # A sample with exactly this u: the lowest places, raised one after the other.
        places = list(range(count))
        left, at = u, count - 1
        while left:
            step = min(left, count)
            places[at] += step
            left, at = left - step, at - 1
        others = [place for place in range(2 * count) if place not in places]
        found = mann_whitney(places, others)
        assert (found.u, found.two_sided <= 0.05) == (u, significant)


def test_below_seven_a_side_nothing_reaches_a_thousandth() -> None:
    for count, reaches in ((6, False), (7, True)):
        found = mann_whitney(range(count, 2 * count), range(count))
        assert (found.higher <= 0.001) is reaches


def test_ties_take_the_normal_form() -> None:
    found = mann_whitney((1, 2, 2, 3), (2, 3, 4, 4))
    assert (found.u, found.method) == (2.5, "normal")
    assert mann_whitney((1, 1), (1, 1)).two_sided == 1


def test_normal_form_with_continuity_correction() -> None:
    """Ages at diagnosis, a known example: two-sided 0.1111 exact and 0.11135 by the normal form."""
    men, women = (19, 22, 16, 29, 24), (20, 11, 17, 12)
    assert mann_whitney(men, women).two_sided == pytest.approx(1 / 9)
    assert mann_whitney(men, women, inflation=1 + 1e-12).two_sided == pytest.approx(0.1113469, abs=1e-6)


@given(VALUES, VALUES)
def test_u_counts_pairs(first: list[int], second: list[int]) -> None:
    found = mann_whitney(first, second)
    assert found.u == sum((one > other) + (one == other) / 2 for one in first for other in second)
    turned = mann_whitney(second, first)
    assert found.u + turned.u == len(first) * len(second)
    assert found.higher == pytest.approx(turned.lower)


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 5), st.randoms(use_true_random=False))
def test_exact_equals_counting_all_orders(n: int, m: int, generator: random.Random) -> None:
    places = list(range(n + m))
    mine = generator.sample(places, n)
    found = mann_whitney(mine, [place for place in places if place not in mine])
    all_u = [
        sum(one > other for one in chosen for other in places if other not in chosen)
        for chosen in itertools.combinations(places, n)
    ]
    assert found.higher == pytest.approx(sum(u >= found.u for u in all_u) / len(all_u))
    assert found.lower == pytest.approx(sum(u <= found.u for u in all_u) / len(all_u))


def test_effective_size() -> None:
    generator = random.Random(2)
    assert effective_size([generator.random() for _value in range(4000)]) == pytest.approx(4000, rel=0.06)
    series = [0.0]
    for _value in range(8000):
        series.append(0.5 * series[-1] + generator.gauss(0, 1))
    assert effective_size(series) == pytest.approx(8001 / 3, rel=0.1)
    assert (effective_size([1, 1, 1, 1]), effective_size([1, 2])) == (4, 2)


def test_false_alarms_keep_their_level_also_for_series_that_follow_themselves() -> None:
    generator = random.Random(4)
    alarms = 0
    for _run in range(600):
        sides: list[list[float]] = []
        for _side in range(2):
            series = [generator.gauss(0, 1)]
            for _value in range(59):
                series.append(0.6 * series[-1] + generator.gauss(0, 0.8))
            sides.append([value + 10 for value in series])
        found = compare_values(*sides, alpha=0.01, least_cles=0.5, least_change=0)
        alarms += found["verdict"] == "fail"
    assert alarms <= 20


def test_a_verdict_needs_significance_and_size() -> None:
    generator = random.Random(6)
    old = [100 + generator.gauss(0, 3) for _value in range(40)]
    near = [110 + generator.gauss(0, 3) for _value in range(40)]
    far = [150 + generator.gauss(0, 3) for _value in range(40)]
    assert compare_values(near, old)["verdict"] == "pass"
    assert compare_values(near, old, least_change=0.05)["verdict"] == "fail"
    found = compare_values(far, old)
    assert (found["verdict"], found["cles"]) == ("fail", 1)
    assert found["shift"][0] == pytest.approx(50, abs=3)
    assert compare_values(old, far)["verdict"] == "pass"
    turned = compare_values(old, far, worse="lower")
    assert turned["verdict"] == "fail"
    assert turned["shift"][0] == pytest.approx(-50, abs=3)
    assert turned["shift"][1] <= turned["shift"][0] <= turned["shift"][2]


def test_too_few_values_give_no_verdict() -> None:
    assert compare_values(range(100, 106), range(6))["verdict"] is None
    assert compare_values([], [1, 2])["verdict"] is None
    # Seven a side would do for one look, not for ten.
    jumbled = (3, 0, 6, 1, 5, 2, 4)
    high = [value + 100 for value in jumbled]
    assert compare_values(high, jumbled)["verdict"] == "fail"
    assert compare_values(high, jumbled, looks=10)["verdict"] is None


def test_values_that_drift_on_one_side_give_no_verdict_before_they_could_be_significant() -> None:
    high = [900 + number * 7 % 11 for number in range(60)]
    drifting = [50 + 40 * math.sin(number / 1.5) for number in range(60)]
    few = compare_values(high[:16], drifting[:16], alpha=0.017)
    assert few["effective"][1] < 3 < 10 < few["effective"][0]
    assert few["verdict"] is None
    assert compare_values(high, drifting, alpha=0.017)["verdict"] == "fail"


def test_equal_values_on_both_sides_pass() -> None:
    assert compare_values([3] * 20, [3] * 20)["verdict"] == "pass"
    assert compare_values([3] * 5, [3] * 5)["verdict"] is None
