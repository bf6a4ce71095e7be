# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawings of a report: phases over time, traffic over time, and where a sequential test ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.figures import clock, duration, figure
from ansible_collections.golive.cutover.plugins.module_utils._core.html import Html, el, join
from ansible_collections.golive.cutover.plugins.module_utils._core.plot import (
    Panel,
    line,
    mark,
    steps,
    ticks,
    time_axis,
    value_axis,
)
from ansible_collections.golive.cutover.plugins.plugin_utils._report_evidence import thinned

MOST_POINTS = 360
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")
_ROW = 26
_LEFT = 64
_OTHERS = 4


@dataclass(frozen=True)
class Moment:
    """A moment that every drawing shows, in seconds since the start of the run."""

    at_s: float
    label: str


@dataclass
class Traffic:
    """Rows of one stream of live or preview traffic; times are seconds since the start of the run."""

    title: str
    rows: list[Mapping[str, Any]]
    moments: list[Moment] = field(default_factory=list)
    bands: list[tuple[str, float, float]] = field(default_factory=list)
    preview: bool = False


def phase_chart(phases: Sequence[Mapping[str, Any]], seconds: float, moments: Sequence[Moment], label: str) -> Html:
    """One row a phase, with bars where it worked."""
    width, left, upper = 1040, 150, 26
    panel = Panel(left, width - 150, upper, upper + _ROW * len(phases), 0, max(seconds, 1.0), 1)
    parts = [el("title", label), time_axis(panel, "minutes:seconds since the start")]
    for number, phase in enumerate(phases):
        parts.append(_phase_row(panel, phase, upper + number * _ROW))
    parts += [mark(panel, one.at_s, 8, one.label) for one in moments]
    return el(
        "svg", *parts, viewBox=f"0 0 {width} {panel.lower + 42:.0f}", role="img", aria_label=label, class_="chart"
    )


def _phase_row(panel: Panel, phase: Mapping[str, Any], top: float) -> Html:
    name = phase["phase"] or "other tasks"
    kind = "failed" if phase["failed"] else "done" if phase["tasks"] else "idle"
    note = f"{duration(phase['seconds'])}{' · failed' if phase['failed'] else ''}"
    text = f"{name}: {duration(phase['seconds'])}, {phase['tasks']} tasks, {phase['changed']} changed"
    bars = [
        el(
            "rect", el("title", f"{text}; from {clock(began)} to {clock(ended)}"), x=panel.x(began), y=top + 5, rx=3,
            width=max(panel.x(ended) - panel.x(began), 3), height=_ROW - 10, class_=f"bar {kind}",
        )
        for began, ended in phase["spans"]
    ]  # fmt: skip
    end = max((panel.x(ended) for _began, ended in phase["spans"]), default=panel.left)
    return join(
        el("line", x1=panel.left, x2=panel.right, y1=top + _ROW, y2=top + _ROW, class_="grid"),
        el("text", name, x=panel.left - 10, y=top + 17, text_anchor="end", class_="name"),
        *bars,
        el("text", note, x=end + 9, y=top + 17, class_=f"tick {kind}"),
    )


def traffic_chart(traffic: Traffic, wide: bool) -> Html:
    """Answers by colour, failures by kind and latency percentiles, one below the other on one time axis."""
    rows = thinned(list(traffic.rows), MOST_POINTS)
    width = 1040 if wide else 580
    begin, end = rows[0]["t"], rows[-1]["t"] + rows[-1]["seconds"]
    step = max(rows[0]["seconds"], 0.001)
    identities, kinds = names_of(rows, "ok"), names_of(rows, "failed")
    busiest = max((sum(row["ok"].values()) / row["seconds"] for row in rows), default=1)
    worst = max((sum(row["failed"].values()) / row["seconds"] for row in rows), default=0)
    slowest = max((row[key] or 0 for row in rows for key in PERCENTILES), default=1)
    marks = [ticks(busiest), ticks(worst, 2), ticks(slowest)]
    heights = (150, 56, 150)
    panels, top = [], 70
    for height, values in zip(heights, marks, strict=True):
        panels.append(Panel(_LEFT, width - 16, top, top + height, begin, end, values[-1]))
        top += height + 50
    label = _spoken(traffic, rows, worst)
    parts = [
        el("title", label),
        _bands(panels[0], panels[2], traffic),
        _area(panels[0], rows, step, "ok", [(name, colour_class(name)) for name in identities]),
        _area(panels[1], rows, step, "failed", [(kind, f"failure f{n % 3}") for n, kind in enumerate(kinds)]),
        *(
            line(panels[2], [r["t"] for r in rows], [r[key] for r in rows], key.partition("_")[0])
            for key in PERCENTILES
        ),
        time_axis(panels[2], "minutes:seconds since the start of the run"),
        *(mark(panels[2], one.at_s, 34, one.label) for one in traffic.moments if begin <= one.at_s <= end),
        value_axis(panels[0], marks[0], "Answers per second, by colour"),
        value_axis(panels[1], marks[1], "Failed requests per second" + ("" if kinds else ": none")),
        value_axis(panels[2], marks[2], "Latency in milliseconds, from the scheduled start"),
        legend(identities, kinds),
        _hover(panels[0], panels[2], rows),
    ]
    size = f"0 0 {width} {panels[2].lower + 42:.0f}"
    return el("svg", *parts, viewBox=size, role="img", aria_label=label, class_="chart")


def names_of(rows: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    """Identities or kinds of failure that occur; blue and green first, the seldom ones last."""
    total: dict[str, int] = {}
    for row in rows:
        for name, number in row[key].items():
            total[name] = total.get(name, 0) + number
    return sorted((name for name in total if total[name]), key=lambda name: (_colour(name), -total[name], name))


def colour_class(name: str) -> str:
    """``blue`` and ``green`` also for pods of a colour, one of a few others for what has none."""
    colour = _colour(name)
    return ("blue", "green", f"other o{sum(name.encode()) % _OTHERS}")[colour]


def meter(test: Mapping[str, Any]) -> Html:
    """Where the sequential test's ``z`` stands between ``passes_at`` and ``fails_at``."""
    low, high, z = (float(test[key]) for key in ("passes_at", "fails_at", "z"))
    span = high - low
    place = 12 + 216 * min(max((z - low + span * 0.1) / (span * 1.2), 0), 1)
    passes, fails = 12 + 216 / 12, 240 - 12 - 216 / 12
    text = f"z {z:.3g}: passes at {low:.3g} or below, fails at {high:.3g} or above"
    return el(
        "svg",
        el("title", text),
        el("rect", x=12, y=14, width=passes - 12, height=8, class_="zone good"),
        el("rect", x=passes, y=14, width=fails - passes, height=8, class_="zone open"),
        el("rect", x=fails, y=14, width=228 - fails, height=8, class_="zone bad"),
        el("path", d=f"M{place:.1f} 12l-5 -8h10z", class_="needle"),
        el("text", _signed(low), x=passes, y=36, text_anchor="middle", class_="tick"),
        el("text", _signed(high), x=fails, y=36, text_anchor="middle", class_="tick"),
        viewBox="0 0 240 40", role="img", aria_label=text, class_="meter",
    )  # fmt: skip


def _signed(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def legend(identities: Sequence[str], kinds: Sequence[str]) -> Html:
    """Names of everything that is drawn."""
    parts, place = [], float(_LEFT)
    shown = [(name, colour_class(name)) for name in identities[:8]]
    shown += [(kind, f"failure f{number % 3}") for number, kind in enumerate(kinds[:3])]
    shown += [(key.partition("_")[0], f"stroke {key.partition('_')[0]}") for key in PERCENTILES]
    for name, class_ in shown:
        parts.append(el("rect", x=place, y=4, width=14, height=10, rx=2, class_=f"key {class_}"))
        parts.append(el("text", name[:24], x=place + 19, y=13, class_="tick"))
        place += 34 + 7.2 * min(len(name), 24)
    return join(*parts)


def _area(
    panel: Panel, rows: Sequence[Mapping[str, Any]], step: float, key: str, classes: Sequence[tuple[str, str]]
) -> Html:
    """Counts per second on top of one another."""
    times = [row["t"] for row in rows]
    lower, parts = [0.0] * len(rows), []
    for name, class_ in classes:
        upper = [low + row[key].get(name, 0) / row["seconds"] for low, row in zip(lower, rows, strict=True)]
        parts.append(steps(panel, times, step, lower, upper, class_))
        lower = upper
    return join(*parts)


def _bands(first: Panel, last: Panel, traffic: Traffic) -> Html:
    parts = []
    for number, (name, began, ended) in enumerate(traffic.bands):
        left, right = first.x(began), first.x(ended)
        if right - left < 2:
            continue
        width, height = right - left, last.lower - first.upper + 8
        parts.append(el("rect", x=left, y=first.upper - 8, width=width, height=height, class_=f"band b{number % 2}"))
        if width > 8 * len(name):
            parts.append(el("text", name, x=right - 4, y=first.upper + 13, text_anchor="end", class_="banded"))
    return join(*parts)


def _hover(first: Panel, last: Panel, rows: Sequence[Mapping[str, Any]]) -> Html:
    parts = []
    for row in rows:
        left, right = first.x(row["t"]), first.x(row["t"] + row["seconds"])
        size = {"width": max(right - left, 0.5), "height": last.lower - first.upper}
        parts.append(el("rect", el("title", _sentence(row)), x=left, y=first.upper, **size))
    return el("g", *parts, class_="hover")


def _sentence(row: Mapping[str, Any]) -> str:
    answers = [f"{name} {figure(number / row['seconds'])}/s" for name, number in row["ok"].items()]
    failures = [f"{kind} failed {number}" for kind, number in row["failed"].items() if number]
    slow = [f"{key.partition('_')[0]} {figure(row[key])} ms" for key in PERCENTILES if row[key] is not None]
    return "\n".join([clock(row["t"]), *answers, *(failures or ["no failure"]), *slow])


def _spoken(traffic: Traffic, rows: Sequence[Mapping[str, Any]], worst: float) -> str:
    sent = sum(sum(row["ok"].values()) for row in rows)
    failed = sum(sum(row["failed"].values()) for row in rows)
    peak = f", at worst {figure(worst)} a second" if failed else ""
    return f"{traffic.title}: {sent:,} answers and {failed:,} failed requests{peak}"


def _colour(name: str) -> int:
    words = name.replace("-", " ").replace("_", " ").split()
    return 0 if "blue" in words else 1 if "green" in words else 2
