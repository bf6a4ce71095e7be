# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus has measured for the panels of a dashboard, over a span of time."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboard import (
    NUMBERS,
    Dashboard,
    Mark,
    Panel,
    Query,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.prometheus_api import PrometheusApi

POINTS = 240
_LABEL = re.compile(r"\{\{(\w+)\}\}")
# More lines than that nobody tells apart.
_MOST = 12


@dataclass(frozen=True)
class Span:
    """``begin`` and ``end`` in Unix seconds; ``interval`` are the seconds between two scrapes."""

    begin: float
    end: float
    interval: int

    @property
    def step(self) -> float:
        """Seconds between two points."""
        return max((self.end - self.begin) / POINTS, 1.0)

    def rate(self) -> str:
        """The range of a rate, as Grafana chooses it: no point without four scrapes, and no scrape left out."""
        return f"{max(4 * self.interval, math.ceil(self.step) + self.interval)}s"


@dataclass(frozen=True)
class Line:
    """One series; ``values`` may hold None where there was no number."""

    name: str
    unit: str
    times: tuple[float, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Drawn:
    """A panel with its lines, how many series were left out, and the queries that have no data."""

    panel: Panel
    lines: tuple[Line, ...]
    left_out: int
    empty: tuple[Query, ...]


@dataclass(frozen=True)
class Happened:
    """Something that began at a moment, in Unix seconds."""

    at: float
    kind: str
    text: str


def draw(api: PrometheusApi, board: Dashboard, span: Span) -> list[Drawn]:
    """Each panel with what there is. Raises GoliveError of the API."""
    return [_drawn(api, panel, span) for panel in board.panels]


def happened(api: PrometheusApi, board: Dashboard, span: Span) -> list[Happened]:
    """What the marks of a dashboard show, in the order of time."""
    found = [one for mark in board.marks for one in _began(api, mark, span)]
    return sorted(found, key=lambda one: one.at)


def _drawn(api: PrometheusApi, panel: Panel, span: Span) -> Drawn:
    lines: list[Line] = []
    empty, left_out = [], 0
    for query in panel.queries:
        expr = query.expr.replace("$__rate_interval", span.rate())
        if panel.kind == NUMBERS:
            rows = [{**row, "values": [row["value"]]} for row in api.values(expr, span.end)]
        else:
            rows = api.series(expr, span.begin, span.end, span.step)
        found = [_line(query, row) for row in rows]
        with_numbers = [one for one in found if any(value is not None for value in one.values)]
        if not with_numbers:
            empty.append(query)
        left_out += max(len(with_numbers) - _MOST, 0)
        lines += sorted(with_numbers, key=_size, reverse=True)[:_MOST]
    return Drawn(panel, tuple(lines), left_out, tuple(empty))


def _line(query: Query, row: Mapping[str, Any]) -> Line:
    times = tuple(float(at) for at, _text in row["values"])
    values = tuple(number if math.isfinite(number := float(text)) else None for _at, text in row["values"])
    return Line(_named(query.legend, row["metric"]), query.unit, times, values)


def _named(legend: str, labels: Mapping[str, str]) -> str:
    return _LABEL.sub(lambda found: labels.get(found[1], ""), legend).strip() or "other"


def _size(line: Line) -> float:
    return max((value for value in line.values if value is not None), default=0.0)


def _began(api: PrometheusApi, mark: Mark, span: Span) -> list[Happened]:
    found = []
    for row in api.series(mark.expr, span.begin, span.end, span.step):
        times = [float(at) for at, _text in row["values"]]
        # What was there at the beginning of the span has begun before.
        starts = [
            after
            for before, after in zip([span.begin, *times], times, strict=False)
            if after - before > 1.5 * span.step
        ]
        found += [Happened(at, mark.name, _named(mark.text, row["metric"])) for at in starts]
    return found
