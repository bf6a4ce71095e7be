# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which series an expression reads, and what raw counters grew by."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._gate.counters import Growth
from ansible_collections.golive.cutover.plugins.module_utils._gate.prometheus import Series
from ansible_collections.golive.cutover.plugins.module_utils._gate.promql import is_selector, metric_of, selectors


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("up", ["up"]),
        ("app:http:ratio_rate5m > 14.4 * 0.005", ["app:http:ratio_rate5m"]),
        ('sum by (code, le) (rate(a_total{code=~"5.."}[5m]))', ['a_total{code=~"5.."}']),
        ("sum(rate(a[1m])) by (pod) / on (pod) group_left (team) sum(rate(b[1m]))", ["a", "b"]),
        ("rate(a[1m]) / rate(a[1m])", ["a"]),
        ("a{path=\"/x[1m]{y}(z)\", b='up'}", ["a{path=\"/x[1m]{y}(z)\", b='up'}"]),
        ("{__name__=~`http_.*`}", ["{__name__=~`http_.*`}"]),
        ("a offset 5m + b @ 1609746000 - c @ end()", ["a", "b", "c"]),
        ("max_over_time(rate(a[1m])[10m:15s])", ["a"]),
        ('label_replace(a, "dst", "$1", "src", "(.*)") or vector(0)', ["a"]),
        ("histogram_quantile(0.95, sum by (le) (rate(b_bucket[1m])))", ["b_bucket"]),
        ("topk(3, a) unless b # c\n and d", ["a", "b", "d"]),
        ('count_values("v", a) > bool 1e3 and -Inf', ["a"]),
        ("time() - vector(0)", []),
    ],
)
def test_selectors(query: str, found: list[str]) -> None:
    assert selectors(query) == found


def test_one_selector_and_its_metric() -> None:
    assert is_selector('a_total{code=~"5.."}')
    assert not any(map(is_selector, ("rate(a[1m])", "a + b", "a[1m]", "1", "sum(a)")))
    assert (metric_of('a_total{code="5"}'), metric_of('{__name__="a"}')) == ("a_total", "")


def row(pod: str, *points: tuple[float, float]) -> Series:
    return Series((("pod", pod),), points)


def test_growth_counts_each_sample_once_and_handles_resets() -> None:
    growth = Growth()
    assert growth.add([row("a", (1, 100), (2, 105))]) == 0
    assert growth.add([row("a", (1, 100), (2, 105), (3, 106))]) == 1
    assert growth.add([row("a", (2, 105), (3, 106))]) == 0
    assert growth.add([row("a", (4, 2), (5, 5))]) == 5
    assert (growth.resets, growth.newest) == (1, 5)


def test_a_counter_that_begins_with_its_first_event_counts_whole() -> None:
    growth = Growth()
    growth.add([row("a", (1, 100))])
    assert growth.add([row("a", (2, 101)), row("b", (2, 3))]) == 4


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=4), st.integers(1, 4))
def test_growth_is_the_number_of_events_whatever_the_windows(lives: list[list[int]], overlap: int) -> None:
    """One pod counts through several lives; looks see overlapping windows of its samples."""
    samples: list[tuple[float, float]] = [(0.0, 50.0)]
    events = 0
    for life, steps in enumerate(lives):
        value = 50 if life == 0 else 0
        for step in steps:
            value += step
            events += step
            samples.append((float(len(samples)), float(value)))
    # A life that ends higher than the next one begins is seen as a reset, as in Prometheus itself.
    hidden = sum(
        min(before[1], after[1])
        for before, after in itertools.pairwise(samples)
        if after[0] in _begins(lives) and after[1] >= before[1]
    )
    growth = Growth()
    growth.add([row("a", *samples[:1])])
    grown = sum(growth.add([row("a", *samples[max(0, end - overlap) : end + 1])]) for end in range(1, len(samples)))
    assert grown == events - hidden


def _begins(lives: list[list[int]]) -> set[float]:
    found, at = set(), 1
    for life, steps in enumerate(lives):
        if life:
            found.add(float(at))
        at += len(steps)
    return found
