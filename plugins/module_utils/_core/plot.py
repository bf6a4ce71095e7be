# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes, areas, bars and lines as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ansible_collections.golive.cutover.plugins.module_utils._core.figures import clock, figure
from ansible_collections.golive.cutover.plugins.module_utils._core.html import Html, el, join

_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def ticks(top: float, most: int = 4) -> list[float]:
    """Round values from 0 to at least ``top``, at most ``most`` steps of 1, 2, 2.5 or 5 times a power of ten."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * (1 - 1e-9))
    return [float(f"{step * number:.10g}") for number in range(math.ceil(top / step - 1e-9) + 1)]


def time_ticks(begin: float, end: float, most: int = 9) -> list[float]:
    """Seconds at which a clock shows round values, inside of the span."""
    span = max(end - begin, 1e-9)
    step = next((one for one in _TIME_STEPS if span / one <= most), math.ceil(span / most / 86400) * 86400)
    first = math.ceil(begin / step - 1e-9)
    return [float(number * step) for number in range(first, math.floor(end / step + 1e-9) + 1)]


@dataclass(frozen=True)
class Panel:
    """A rectangle of a drawing with its scales: seconds across, values from 0 up to ``top``."""

    left: float
    right: float
    upper: float
    lower: float
    begin: float
    end: float
    top: float

    def x(self, seconds: float) -> float:
        """Where a time lies; times outside are moved to the edge."""
        share = (seconds - self.begin) / max(self.end - self.begin, 1e-9)
        return round(self.left + min(max(share, 0.0), 1.0) * (self.right - self.left), 2)

    def y(self, value: float) -> float:
        """Where a value lies."""
        return round(self.lower - min(max(value / self.top, 0.0), 1.0) * (self.lower - self.upper), 2)


def value_axis(panel: Panel, marks: Sequence[float], title: str, unit: str = "") -> Html:
    """Grid lines with their values, and the panel's title above it."""
    parts = [el("text", title, x=panel.left, y=panel.upper - 9, class_="title")]
    for value in marks:
        height = panel.y(value)
        parts.append(
            el("line", x1=panel.left, x2=panel.right, y1=height, y2=height, class_="grid" if value else "base")
        )
        parts.append(el("text", figure(value) + unit, x=panel.left - 6, y=height + 4, class_="tick", text_anchor="end"))
    return join(*parts)


def time_axis(panel: Panel, title: str, shown: Callable[[float], str] = clock) -> Html:
    """Times below the panel, as ``shown`` writes them."""
    parts = []
    for second in time_ticks(panel.begin, panel.end):
        place = panel.x(second)
        parts.append(el("line", x1=place, x2=place, y1=panel.lower, y2=panel.lower + 4, class_="base"))
        parts.append(el("text", shown(second), x=place, y=panel.lower + 17, class_="tick", text_anchor="middle"))
    parts.append(el("text", title, x=panel.right, y=panel.lower + 34, class_="tick", text_anchor="end"))
    return join(*parts)


def mark(panel: Panel, seconds: float, upper: float, label: str) -> Html:
    """A dashed line through the drawing at one moment, with its name at the top."""
    place = panel.x(seconds)
    near_end = place > panel.right - 130
    return join(
        el("line", x1=place, x2=place, y1=upper, y2=panel.lower, class_="mark"),
        el(
            "text", label, x=place + (-5 if near_end else 5), y=upper + 4, class_="marked",
            text_anchor="end" if near_end else "start",
        ),
    )  # fmt: skip


def line(panel: Panel, times: Sequence[float], values: Sequence[float | None], class_: str) -> Html:
    """A line with gaps where there is no value or no second; a value that stands alone is a dot."""
    pieces: list[list[str]] = [[]]
    gap = _gap(times)
    for number, (second, value) in enumerate(zip(times, values, strict=True)):
        if value is None or (number and second - times[number - 1] > gap):
            pieces.append([])
        if value is not None:
            pieces[-1].append(f"{panel.x(second)},{panel.y(value)}")
    return join(
        *(
            el("polyline", points=" ".join(piece if len(piece) > 1 else piece * 2), class_=f"line {class_}")
            for piece in pieces
            if piece
        )
    )


def steps(
    panel: Panel, times: Sequence[float], width: float, lower: Sequence[float], upper: Sequence[float], class_: str
) -> Html:
    """An area between two rows of values; each value holds for ``width`` seconds from its time on."""
    runs: list[list[int]] = []
    for number, (second, low, high) in enumerate(zip(times, lower, upper, strict=True)):
        if high <= low:
            continue
        follows = runs and runs[-1][-1] == number - 1 and second - times[number - 1] <= width * 1.5
        if follows:
            runs[-1].append(number)
        else:
            runs.append([number])
    return join(
        *(el("path", d=_outline(panel, run, times, width, lower, upper), class_=f"area {class_}") for run in runs)
    )


def _outline(
    panel: Panel, run: list[int], times: Sequence[float], width: float, lower: Sequence[float], upper: Sequence[float]
) -> str:
    ends = [times[following] for following in run[1:]] + [times[run[-1]] + width]
    edges = [(number, edge) for number, stop in zip(run, ends, strict=True) for edge in (times[number], stop)]
    above = [(panel.x(edge), panel.y(upper[number])) for number, edge in edges]
    below = [(panel.x(edge), panel.y(lower[number])) for number, edge in reversed(edges)]
    return "M" + "L".join(f"{x} {y}" for x, y in [*above, *below]) + "Z"


def _gap(times: Sequence[float]) -> float:
    """From how many seconds on two neighbours are not joined: two and a half usual distances."""
    apart = sorted(after - before for before, after in pairwise(times))
    return 2.5 * apart[len(apart) // 2] if apart else math.inf
