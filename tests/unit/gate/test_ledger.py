# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a prober counts: downtime, percentiles, rows per second, and that none of it grows without bound."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._gate.histogram import Histogram
from ansible_collections.golive.cutover.plugins.module_utils._gate.ledger import (
    Downtime,
    Examples,
    Series,
    Stream,
    merged_rows,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Answer


def answer(at: float = 0.0, kind: str = "ok", seconds: float = 0.01, **more: object) -> Answer:
    status = {"ok": 200, "http_5xx": 503}.get(kind)
    return Answer(kind, at, seconds, **{"status": status, "identity": "blue", **more})  # type: ignore[arg-type]  # free


@pytest.mark.parametrize(
    ("script", "seconds"), [("", 0), ("ggg", 0), ("gbbg", 2), ("bgbg", 2), ("gbb", 1), ("bbb", 2), ("gbgggbbbg", 4)]
)
def test_downtime(script: str, seconds: float) -> None:
    downtime = Downtime()
    for at, letter in enumerate(script):
        downtime.opened(float(at))
        downtime.ended(float(at), letter == "g")
    assert downtime.seconds() == seconds


@given(st.lists(st.booleans(), max_size=30), st.randoms(use_true_random=False))
def test_downtime_does_not_depend_on_the_order_of_answers(marks: list[bool], generator: random.Random) -> None:
    ordered, jumbled = Downtime(), Downtime()
    for at, good in enumerate(marks):
        ordered.opened(float(at))
        ordered.ended(float(at), good)
        jumbled.opened(float(at))
    for at in generator.sample(range(len(marks)), len(marks)):
        jumbled.ended(float(at), marks[at])
    assert jumbled.seconds() == ordered.seconds()


def test_open_requests_hold_later_ones_back_and_are_then_counted() -> None:
    downtime = Downtime()
    for at in (0.0, 1.0, 2.0):
        downtime.opened(at)
    downtime.ended(2.0, True)
    downtime.ended(1.0, False)
    assert downtime.seconds() == 1
    downtime.ended(0.0, False)
    assert downtime.seconds() == 2


@given(st.lists(st.floats(0.0001, 60), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_percentiles_are_at_most_two_percent_too_high(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    true = sorted(values)[min(len(values), -int(-share * len(values) // 1)) - 1]
    found = histogram.percentile(share)
    assert found is not None
    assert true * 0.999 <= found <= true * 1.021


def test_a_histogram_without_values() -> None:
    assert Histogram().as_dict() == {"p50_ms": None, "p95_ms": None, "p99_ms": None}


def test_a_stream_by_identity_and_pod() -> None:
    stream = Stream()
    for one in (
        answer(pod="a"),
        answer(pod="a", kind="http_5xx"),
        answer(pod="b", identity=None),
        answer(kind="refused", identity=None),
    ):
        stream.downtime.opened(one.at)
        stream.add(one)
    told = stream.as_dict()
    assert (told["sent"], told["ok"], told["failed"]) == (4, 2, {"http_5xx": 1, "refused": 1})
    assert (told["by_identity"], told["failed_by_identity"]) == ({"blue": 1, "unknown": 1}, {"blue": 1})
    assert told["by_pod"] == {"a": {"failed": 1, "ok": 1}, "b": {"failed": 0, "ok": 1}}


def test_rows_per_second() -> None:
    series = Series()
    series.add(answer(seconds=0.1), 100.2)
    series.add(answer(seconds=0.3), 100.9)
    series.add(answer(kind="timeout", seconds=2.0), 102.0)
    series.add(answer(kind="refused", seconds=0.001), 102.5)
    assert series.rows() == [
        {"t": 100, "ok": {"blue": 2}, "failed": {}, "p50_ms": 100.34, "p95_ms": 300, "p99_ms": 300},
        {"t": 102, "ok": {}, "failed": {"timeout": 1, "refused": 1}, "p50_ms": 2000, "p95_ms": 2000, "p99_ms": 2000},
    ]


def test_nothing_grows_without_bound() -> None:
    stream, series, examples = Stream(), Series(), Examples()
    for number in range(5000):
        one = answer(float(number), kind="http_5xx", identity=f"i{number}", pod=f"p{number}")
        stream.downtime.opened(one.at)
        stream.add(one)
        series.add(one, one.at)
        examples.add("fresh", one)
    told = stream.as_dict()
    assert sum(row["failed"] for row in told["by_pod"].values()) == sum(told["failed_by_identity"].values()) == 5000
    assert len(told["by_pod"]) <= 201
    assert len(told["failed_by_identity"]) <= 201
    assert (len(series.rows()), series.rows()[-1]["t"]) == (3600, 4999)
    assert (len(examples.rows), examples.rows[0]["pod"], examples.rows[0]["status"]) == (5, "p0", 503)
    assert examples.told.endswith("status 503, 10 ms, pod p0")


def test_several_series_together() -> None:
    one, other = Series(), Series()
    one.add(answer(seconds=0.1), 100.2)
    other.add(answer(seconds=0.3, identity="green"), 100.9)
    other.add(answer(kind="reset", seconds=0.3), 101.0)
    rows = merged_rows([one, other])
    assert [(row["t"], row["ok"], row["failed"], row["p99_ms"]) for row in rows] == [
        (100, {"blue": 1, "green": 1}, {}, 300),
        (101, {}, {"reset": 1}, None),
    ]
    assert one.rows()[0]["ok"] == {"blue": 1}
