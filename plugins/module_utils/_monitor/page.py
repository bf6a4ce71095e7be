# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dashboards as one page of HTML that needs nothing from outside and runs nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.figures import duration, figure
from ansible_collections.golive.cutover.plugins.module_utils._core.html import Html, document, el, join
from ansible_collections.golive.cutover.plugins.module_utils._core.plot import Panel as Frame
from ansible_collections.golive.cutover.plugins.module_utils._core.plot import line, ticks, time_axis, value_axis
from ansible_collections.golive.cutover.plugins.module_utils._core.style import STYLE
from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboard import (
    BYTES,
    NUMBERS,
    OPERATIONS,
    REQUESTS,
    SECONDS,
    SHARE,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.drawn import Drawn, Happened, Line, Span
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import CRITICAL
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import Settings

_WIDTH, _HEIGHT, _LEFT = 580, 150, 64
_MOST_MARKS = 40
_COLOURS = ("blue", "fail", "green", "other1", "fail1", "other", "fail2", "other2")
_OWN = "".join(
    f".line.s{number}{{stroke:var(--{name})}}.dot.s{number}{{background:var(--{name})}}"
    for number, name in enumerate(_COLOURS)
)
PAGE_STYLE = (
    f"{STYLE}{_OWN}"
    ".dot{display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:6px}"
    ".keys{display:flex;flex-wrap:wrap;gap:2px 16px;margin:6px 0 0;padding:0;list-style:none;font-size:13px}"
    ".bound{stroke:var(--bad);stroke-dasharray:2 4}.mark{stroke-opacity:.35}"
)


def page(
    settings: Settings,
    boards: Sequence[tuple[str, Sequence[Drawn]]],
    alerts: Sequence[Mapping[str, Any]],
    marks: Sequence[Happened],
    span: Span,
) -> str:
    """The page: ``boards`` are titles with their panels, ``alerts`` the labels of each alert that fires."""
    body = el(
        "main",
        _head(settings, alerts, span),
        _firing(settings, alerts),
        *(_board(settings, title, panels, marks, span, len(boards) > 1) for title, panels in boards),
        _list(marks),
        el("footer", el("p", "Drawn from Prometheus by golive.cutover. It is not renewed by itself.")),
    )
    return document(f"{settings.app}: monitoring", PAGE_STYLE, body)


def _head(settings: Settings, alerts: Sequence[Mapping[str, Any]], span: Span) -> Html:
    grave = sum(one["severity"] == CRITICAL for one in alerts)
    many = "1 alert fires" if len(alerts) == 1 else f"{len(alerts)} alerts fire"
    word, kind = (many, "bad" if grave else "unsure") if alerts else ("nothing fires", "good")
    return el(
        "header",
        el(
            "div",
            el("h1", f"{settings.app}: monitoring"),
            el("span", word, class_=f"badge {kind}", role="status"),
            class_="head",
        ),
        el(
            "p",
            f"{_moment(span.begin)} to {_moment(span.end)} · namespace {settings.namespace} ({settings.profile})",
            class_="soft",
        ),
    )


def _firing(settings: Settings, alerts: Sequence[Mapping[str, Any]]) -> Html | None:
    if not alerts:
        return None
    rows = [
        el(
            "tr",
            el("td", el("a", one["alertname"], href=f"{settings.runbooks}/{one['alertname']}.md")),
            el("td", one["severity"]),
            el("td", ", ".join(f"{name} {one[name]}" for name in sorted(one) if name not in _USUAL)),
        )
        for one in sorted(alerts, key=lambda one: (one["severity"] != CRITICAL, one["alertname"]))
    ]
    head = el("tr", *(el("th", text, scope="col") for text in ("Alert, with its runbook", "Severity", "Of")))
    return el("section", el("h2", "What fires"), el("table", el("thead", head), el("tbody", *rows)), class_="card")


# What every alert has, and the page says already.
_USUAL = ("__name__", "alertname", "alertstate", "app", "cluster", "namespace", "severity")


def _board(
    settings: Settings, title: str, panels: Sequence[Drawn], marks: Sequence[Happened], span: Span, named: bool
) -> Html:
    return join(
        el("h2", title) if named else None,
        el("div", *(_panel(settings, one, marks, span) for one in panels), class_="grid2"),
    )


def _panel(settings: Settings, drawn: Drawn, marks: Sequence[Happened], span: Span) -> Html:
    panel = drawn.panel
    units = list(dict.fromkeys(one.unit for one in drawn.lines))
    bounds = [settings.bound(name) for name in panel.bands]
    first = panel.queries[0].unit
    charts: Iterable[Html] = (
        [_numbers(drawn)]
        if panel.kind == NUMBERS
        else [_chart(drawn, unit, bounds if unit == first else [], marks, span) for unit in units]
    )
    return el(
        "figure",
        el("h3", panel.title),
        el("p", panel.text, class_="soft"),
        *charts,
        el("p", f"{drawn.left_out} smaller ones are not drawn.", class_="soft") if drawn.left_out else None,
        *(el("p", f"No data: {_plain(one.legend)}{_why(one.silent)}", class_="soft") for one in drawn.empty),
    )


def _numbers(drawn: Drawn) -> Html:
    tiles = [
        el("div", el("b", _written(one.values[-1] or 0.0, one.unit)), el("span", one.name), class_="tile")
        for one in drawn.lines
    ]
    return el("div", *tiles, class_="tiles")


def _chart(drawn: Drawn, unit: str, bounds: Sequence[float], marks: Sequence[Happened], span: Span) -> Html:
    lines = [one for one in drawn.lines if one.unit == unit]
    most = max((value for one in lines for value in one.values if value is not None), default=0.0)
    factor, sign = _scale(unit, most)
    values = ticks(most * factor)
    frame = Frame(_LEFT, _WIDTH - 16, 26, 26 + _HEIGHT, span.begin, span.end, values[-1])
    near = [bound for bound in bounds if 0 < bound * factor <= values[-1]]
    label = f"{drawn.panel.title}: " + ", ".join(f"{one.name} {_written(_last(one), unit)}" for one in lines)
    parts = [
        el("title", label),
        value_axis(frame, values, "", sign),
        time_axis(frame, "time (UTC)", lambda at: _clock(at, span)),
        *(_upright(frame, one) for one in marks[:_MOST_MARKS]),
        *(_level(frame, bound * factor, _written(bound, unit)) for bound in near),
        *(
            line(
                frame, one.times, [None if v is None else v * factor for v in one.values], f"s{number % len(_COLOURS)}"
            )
            for number, one in enumerate(lines)
        ),
    ]
    keys = [
        el(
            "li",
            el("span", class_=f"dot s{number % len(_COLOURS)}"),
            f"{one.name} ",
            el("b", _written(_last(one), unit)),
        )
        for number, one in enumerate(lines)
    ]
    box = f"0 0 {_WIDTH} {frame.lower + 42:.0f}"
    return join(
        el("svg", *parts, viewBox=box, role="img", aria_label=label, class_="chart"), el("ul", *keys, class_="keys")
    )


def _upright(frame: Frame, one: Happened) -> Html:
    place = frame.x(one.at)
    title = el("title", f"{_moment(one.at)}: {one.text}")
    return el("line", title, x1=place, x2=place, y1=frame.upper, y2=frame.lower, class_="mark")


def _level(frame: Frame, value: float, text: str) -> Html:
    height = frame.y(value)
    title = el("title", f"bound {text}")
    return el("line", title, x1=frame.left, x2=frame.right, y1=height, y2=height, class_="bound")


def _list(marks: Sequence[Happened]) -> Html | None:
    if not marks:
        return None
    rows = [el("tr", el("td", _moment(one.at)), el("td", one.kind), el("td", one.text)) for one in marks[-_MOST_MARKS:]]
    head = el("tr", *(el("th", text, scope="col") for text in ("Time", "Kind", "What")))
    title = el("h2", "What happened")
    return el("section", title, el("table", el("thead", head), el("tbody", *rows)), class_="card")


def _last(one: Line) -> float:
    return next((value for value in reversed(one.values) if value is not None), 0.0)


def _scale(unit: str, most: float) -> tuple[float, str]:
    """By what values are multiplied to be read, and the sign behind them."""
    if unit == SHARE:
        return 100.0, " %"
    if unit == BYTES:
        return 1 / 2**20, " MiB"
    if unit == SECONDS:
        sizes = ((172800.0, 1 / 86400, " d"), (7200.0, 1 / 3600, " h"), (1.0, 1.0, " s"))
        return next(((factor, sign) for least, factor, sign in sizes if most >= least), (1000.0, " ms"))
    return 1.0, "/s" if unit in (REQUESTS, OPERATIONS) else ""


def _written(value: float, unit: str) -> str:
    if unit == SECONDS and value >= 1:
        return duration(value)
    factor, sign = _scale(unit, value)
    if unit == SHARE:
        return f"{figure(round(value * factor, 3))}{sign}"
    return f"{figure(float(f'{value * factor:.4g}'))}{sign}"


def _plain(legend: str) -> str:
    return legend.replace("{{", "").replace("}}", "")


def _why(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _clock(at: float, span: Span) -> str:
    moment = datetime.fromtimestamp(at, timezone.utc)
    return f"{moment:%d. %H:%M}" if span.end - span.begin > 86400 else f"{moment:%H:%M}"


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, timezone.utc):%Y-%m-%d %H:%M} UTC"
