# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``prometheus``: values within limits, bad events among all by raw counters, gauges old against new.

No data is never a pass: a series that is absent is ``no_data``; a last sample that is too old, or a server that does
not answer, is ``provider_down``.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.bands import Band, band_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.counters import Growth
from ansible_collections.golive.cutover.plugins.module_utils._gate.effect import (
    OF_USERS,
    Effect,
    by_spans,
    effect_of,
    estimated,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import (
    FAILED,
    LOW_SAMPLE,
    NO_DATA,
    OPEN,
    PASSED,
    PROVIDER_DOWN,
    UNDECIDED,
    Look,
    compare,
    judged,
    of_provider,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.own_load import OwnLoad
from ansible_collections.golive.cutover.plugins.module_utils._gate.prometheus import LOOKBACK_S, Series, Source
from ansible_collections.golive.cutover.plugins.module_utils._gate.promql import metric_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.ranks import compare_values
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import PRESETS, Sprt, corrected_alpha

_SHOWN = 5
_STALE_SCRAPES = 3
_STALE_S = 15.0
_SCRAPE_S = 30.0
# A verdict over fewer scrapes would be one about a single moment (reference 4.4).
_DWELL_SCRAPES = 2


def begin(check: Mapping[str, Any], reach: Reach) -> Callable[[], Look]:
    """What looks once each time, in the way that the check's options choose."""
    source = Source(check, reach)
    if check["counters"]:
        load = OwnLoad(check, reach) if check["low_sample"] else None
        return _safe(Counters(check, source, load).look, OPEN)
    if check["gauges"]:
        return _safe(Gauges(check, source).look, OPEN)
    return _safe(Values(check, source).look, "")


def _safe(look: Callable[[], Look], verdict: str) -> Callable[[], Look]:
    def guarded() -> Look:
        try:
            return look()
        except GoliveError as error:
            return replace(of_provider(error), verdict=verdict)

    return guarded


class Freshness:
    """Whether what an expression rests on is young enough to tell anything."""

    def __init__(self, check: Mapping[str, Any], source: Source, query: str) -> None:
        self._source = source
        self._query = query
        self._interval: float | None = check["scrape_interval"]
        self._limit: float | None = check["stale_after"]

    def interval(self, at: float) -> float:
        """Seconds between two scrapes, as set or as seen; 30 while neither is known."""
        if self._interval is None:
            self._interval = self._source.interval(self._query, at)
        return self._interval or _SCRAPE_S

    def doubt(self, at: float) -> tuple[str, str]:
        """Why nothing can be told: the reason and what was seen; both empty when the samples are fresh."""
        age = self._source.age(self._query, at)
        if age is None:
            return NO_DATA, f"no series matches {self._query}"
        return self.of_age(age, at)

    def of_age(self, age: float, at: float) -> tuple[str, str]:
        """The same for a known age of the newest sample."""
        limit = self._limit or max(_STALE_S, _STALE_SCRAPES * self.interval(at))
        return (
            (PROVIDER_DOWN, f"the newest sample is {age:.0f} s old, the limit is {limit:g} s")
            if age > limit
            else ("", "")
        )


class Values:
    """Every value of an instant query within its limits."""

    def __init__(self, check: Mapping[str, Any], source: Source) -> None:
        self._check = check
        self._source = source
        self._fresh = Freshness(check, source, check["query"])
        self._band: Band | None = band_of(check) if check["kpi"] or check["band"] else None
        self._counted: float | None = None

    def look(self) -> Look:
        start = time.monotonic()
        at = self._source.now()
        rows = self._source.values(self._check["query"], at)
        seconds = time.monotonic() - start
        reason, seen = self._fresh.doubt(at)
        if reason:
            return Look(False, seen, seconds, reason=reason)
        rows = [row for row in rows if not math.isnan(row.points[0][1])]
        if not rows:
            return Look(False, f"{self._check['query']} gives no value", seconds, reason=NO_DATA)
        return self._judged(rows, seconds)

    def _judged(self, rows: list[Series], seconds: float) -> Look:
        limits = {"min": self._check["min"], "max": self._check["max"]}
        faults = [fault for row in rows if (fault := compare(str(row), row.points[0][1], limits))]
        numbers = [row.points[0][1] for row in rows]
        values: dict[str, Any] = {"value": numbers[0], "series": len(rows)}
        if len(numbers) > 1:
            values |= {"least": min(numbers), "greatest": max(numbers)}
        if self._band:
            worst = self._band.worst(numbers)
            values["band"] = self._band.level(worst)
            if self._band.fails(worst, self._check["fails_at"]):
                faults.append(self._band.complaint(worst, self._check["fails_at"]))
        shown = faults[:_SHOWN] + ([f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else [])
        return judged(shown, f"{numbers[0]:g}", seconds, self._check["max_latency"], values)


class Counters:
    """Sequential test of the share of bad events, out of two sets of raw counters. ``load`` helps where they are too
    few."""

    def __init__(self, check: Mapping[str, Any], source: Source, load: OwnLoad | None) -> None:
        self._check = check
        self._options = check["counters"]
        self._source = source
        self._fresh = Freshness(check, source, self._options["total"])
        self._tests: int = check["tests"]
        self._effect = effect_of(self._options["effect"], OF_USERS)
        self._test = test_of(self._options, self._tests, self._effect)
        self._asked_old = not self._options["old"]
        self._load = load
        self._bad, self._total = Growth(), Growth()
        self._since: float | None = None
        self._checked: float | None = None

    def look(self) -> Look:
        start = time.monotonic()
        at = self._source.now()
        if not self._asked_old:
            self._ask_old(at)
        window = LOOKBACK_S if self._checked is None else at - self._checked + _STALE_SCRAPES * self._fresh.interval(at)
        total = self._source.samples(self._options["total"], at, window)
        bad = self._source.samples(self._options["bad"], at, window)
        seconds = time.monotonic() - start
        if self._load is not None:
            self._load.help(self._test, self._fresh.interval(at))
        if not self._total.known and not total:
            return self._open(NO_DATA, f"no series matches {self._options['total']}", seconds)
        name = metric_of(self._options["bad"])
        if not bad and not self._bad.known and name and not self._source.values(f"count({name})", at):
            return self._open(NO_DATA, f"there is no metric {name}", seconds)
        self._checked = at
        self._count(total, bad)
        if self._since is None:
            self._since = self._total.newest
        return self._judged(at, seconds)

    def _ask_old(self, at: float) -> None:
        """Before the first event counts: how the bad events of the old release came, up to now."""
        old = self._options["old"]
        bad, total = (self._source.history(old[key], at, old["seconds"]) for key in ("bad", "total"))
        interval = Freshness(self._check, self._source, old["total"]).interval(at)
        self._effect = estimated(*by_spans(bad, total, interval), OF_USERS)
        self._test = test_of(self._options, self._tests, self._effect)
        self._asked_old = True

    def _count(self, total: list[Series], bad: list[Series]) -> None:
        grown, of_them = self._total.add(total), self._bad.add(bad)
        # The two queries may lie on either side of a scrape; what is bad was sent.
        events, failed = round(grown), round(of_them)
        self._test.add(failed, max(0, events - failed))

    def _judged(self, at: float, seconds: float) -> Look:
        test = self._test
        interval = self._fresh.interval(at)
        spans = (self._total.newest - (self._since or 0.0)) / interval
        seen = f"{test.bad} of {test.total} events were bad"
        if test.verdict == FAILED:
            share = test.bad / max(1, test.total)
            return self._told(
                False, f"{seen} ({share:.2%}), more than {test.p0:.2%} is acceptable", FAILED, "", seconds
            )
        reason, doubt = self._fresh.of_age(at - self._total.newest, at)
        if reason:
            return self._open(reason, doubt, seconds)
        if test.undecided:
            return self._open(UNDECIDED, f"{seen}, between acceptable and not for {test.cap} events", seconds)
        if test.verdict == PASSED and spans >= _DWELL_SCRAPES:
            return self._told(True, seen, PASSED, "", seconds)
        missing = f"{test.least_to_pass} without a bad one would pass" if test.verdict is None else "too few scrapes"
        return self._open(LOW_SAMPLE, f"{seen}; {missing}", seconds)

    def _open(self, reason: str, seen: str, seconds: float) -> Look:
        return self._told(False, seen, OPEN, reason, seconds)

    def _told(self, ok: bool, seen: str, verdict: str, reason: str, seconds: float) -> Look:
        values: dict[str, Any] = {**self._test.as_dict(), "effect_from": self._effect.as_dict()}
        values |= {"resets": self._total.resets, "own_load": None}
        if self._effect.told:
            seen += f"; {self._effect.told}"
        if self._load is not None:
            seen += self._load.told
            values["own_load"] = self._load.numbers
        return Look(ok, seen, seconds, values, reason, verdict)


class Gauges:
    """Old against new by ranks: values per scrape of the same time, one planned look (reference 4.3)."""

    def __init__(self, check: Mapping[str, Any], source: Source) -> None:
        self._options = check["gauges"]
        self._tests = check["tests"]
        self._source = source
        self._sides = {side: Freshness(check, source, self._options[side]) for side in ("old", "new")}
        self._wanted: int = self._options["samples"]
        self._start: float | None = None
        self._verdict: Look | None = None

    def look(self) -> Look:
        if self._verdict is not None:
            return self._verdict
        begin_s = time.monotonic()
        at = self._source.now()
        for side, fresh in self._sides.items():
            reason, seen = fresh.doubt(at)
            if reason:
                return self._open(reason, f"{side}: {seen}", begin_s)
        step = self._sides["new"].interval(at)
        if self._start is None:
            self._start = at
        have = int((at - self._start) / step)
        if have < self._wanted:
            return self._open(LOW_SAMPLE, f"{have} of {self._wanted} values per side", begin_s)
        look = self._compared(self._start + step, step, self._wanted, begin_s)
        if look.verdict == OPEN:
            # Nothing was tested yet, so to wait for more values is no second look at the test.
            self._wanted += self._options["samples"] // 2
        else:
            self._verdict = look
        return look

    def _compared(self, start: float, step: float, wanted: int, begin_s: float) -> Look:
        sides = {}
        for side in self._sides:
            rows = self._source.steps(self._options[side], start, start + (wanted - 1) * step, step)
            sides[side] = _means(rows)
        together = sorted(sides["old"].keys() & sides["new"].keys())
        new, old = ([sides[side][moment] for moment in together] for side in ("new", "old"))
        if len(together) < wanted * 0.8:
            return self._open(NO_DATA, f"only {len(together)} of {wanted} moments have a value on both sides", begin_s)
        told = compare_values(
            new,
            old,
            worse=self._options["worse"],
            least_cles=self._options["least_cles"],
            least_change=self._options["least_change"],
            alpha=corrected_alpha(self._options["alpha"], self._tests),
        )
        medians = {"median_new": statistics.median(new), "median_old": statistics.median(old)}
        values = {**{key: value for key, value in told.items() if key != "verdict"}, **medians}
        seen = f"new {medians['median_new']:g} against old {medians['median_old']:g}"
        seconds = time.monotonic() - begin_s
        if told["verdict"] is None:
            return Look(False, f"{seen}; too few independent values to tell", seconds, values, UNDECIDED, OPEN)
        worse = told["verdict"] == FAILED
        return Look(not worse, f"{seen}{', worse' if worse else ''}", seconds, values, "", told["verdict"])

    @staticmethod
    def _open(reason: str, seen: str, begin_s: float) -> Look:
        return Look(False, seen, time.monotonic() - begin_s, reason=reason, verdict=OPEN)


def _means(rows: list[Series]) -> dict[float, float]:
    found: dict[float, list[float]] = {}
    for row in rows:
        for at, value in row.points:
            if not math.isnan(value):
                found.setdefault(at, []).append(value)
    return {at: statistics.fmean(values) for at, values in found.items()}


def test_of(options: Mapping[str, Any], tests: int, effect: Effect) -> Sprt:
    """The test that the options of ``counters`` describe, one of ``tests`` that can fail a release; ``p0`` and ``p1``
    go before the preset's."""
    preset = PRESETS[options["preset"]]
    p0 = preset.p0 if options["p0"] is None else options["p0"]
    p1 = preset.p1 if options["p1"] is None else options["p1"]
    return Sprt(p0, p1, corrected_alpha(options["alpha"], tests), options["beta"], effect.value, clamp=True)
