# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status page: one file of HTML that needs nothing from outside and runs nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.html import Html, document, el
from ansible_collections.golive.cutover.plugins.module_utils._status.history import History, days_of, is_up, uptime

_BAR = 8
_SHOWN_OUTAGES = 20
STYLE = (
    ":root{color-scheme:light dark;--ground:#fff;--text:#1b1f24;--soft:#57606a;--edge:#d0d7de;--good:#1a7f37;"
    "--some:#9a6700;--bad:#cf222e;--none:#afb8c1}"
    "@media(prefers-color-scheme:dark){:root{--ground:#0d1117;--text:#e6edf3;--soft:#9ea7b3;--edge:#30363d;--good:#3fb950;"
    "--some:#d29922;--bad:#f85149;--none:#484f58}}"
    "body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,sans-serif}"
    "main{max-width:860px;margin:0 auto;padding:24px 16px}"
    "section{border:1px solid var(--edge);border-radius:8px;padding:12px 16px;margin:0 0 16px}"
    "h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:0 0 4px}p{margin:4px 0}"
    ".soft{color:var(--soft)}.up{color:var(--good)}.down{color:var(--bad)}"
    "svg{width:100%;height:32px;display:block;margin:8px 0}"
    ".good{fill:var(--good)}.some{fill:var(--some)}.bad{fill:var(--bad)}.none{fill:var(--none)}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:3px 12px 3px 0;border-bottom:1px solid var(--edge)}"
    "summary{cursor:pointer;color:var(--soft)}"
)


def page(title: str, history: History, incidents: Iterable[Mapping[str, Any]], now: datetime, days: int) -> str:
    """The page; ``incidents`` have ``severity, summary, status, opened, closed``."""
    told = list(incidents)
    components = history["components"]
    body = el(
        "main",
        el("header", el("h1", title), _now(components, told)),
        *(_component(name, one, now.date(), days) for name, one in sorted(components.items())),
        _incidents(told),
        el(
            "footer",
            el(
                "p",
                f"Written at {now:%Y-%m-%d %H:%M} UTC. If that is long ago, nobody has looked since.",
                class_="soft",
            ),
            el("p", "The same as data: ", el("a", "status.json", href="status.json"), class_="soft"),
        ),
    )
    return document(title, STYLE, body)


def _now(components: Mapping[str, Any], incidents: list[Mapping[str, Any]]) -> Html:
    down = [name for name, one in sorted(components.items()) if is_up(one) is False]
    known = [one for one in incidents if one["status"] == "open"]
    if down:
        return el("p", el("strong", f"✕ Not working: {', '.join(down)}"), class_="down", role="status")
    if known:
        return el("p", el("strong", "! There is a known incident"), class_="down", role="status")
    if not components:
        return el("p", "Nothing was looked at yet", class_="soft", role="status")
    return el("p", el("strong", "✓ Everything works"), class_="up", role="status")


def _component(name: str, one: Mapping[str, Any], today: date, days: int) -> Html:
    up, share = is_up(one), uptime(one)
    rows = days_of(one, today, days)
    state = "not looked at" if up is None else "✓ works" if up else "✕ does not work"
    said = (
        f"{share:.3f}".rstrip("0").rstrip(".") + f" % of the looks of {days} days were good"
        if share is not None
        else ""
    )
    seen = [el("tr", el("td", day), el("td", f"{good} of {asked}")) for day, asked, good in reversed(rows) if asked]
    gone = [_outage(row) for row in reversed(one["outages"][-_SHOWN_OUTAGES:])]
    return el(
        "section",
        el("h2", name),
        el("p", el("strong", state), f" · {said}" if said else "", class_="down" if up is False else "up"),
        _bars(name, rows, said),
        el(
            "details",
            el("summary", "By day"),
            el(
                "table",
                el("thead", el("tr", *(el("th", text, scope="col") for text in ("day (UTC)", "good looks")))),
                el("tbody", *seen),
            ),
        )
        if seen
        else None,
        el("details", el("summary", f"Outages ({len(one['outages'])})"), el("ul", *gone)) if gone else None,
    )


def _bars(name: str, rows: list[tuple[str, int, int]], said: str) -> Html:
    bars = [
        el(
            "rect",
            el("title", f"{day}: {f'{good} of {asked} looks were good' if asked else 'not looked at'}"),
            x=number * _BAR,
            y=0,
            width=_BAR - 2,
            height=32,
            class_="none" if not asked else "good" if good == asked else "bad" if good * 2 < asked else "some",
        )
        for number, (day, asked, good) in enumerate(rows)
    ]
    box = f"0 0 {len(rows) * _BAR} 32"
    label = f"{name} by day, the oldest first. {said}"
    return el("svg", *bars, viewBox=box, role="img", aria_label=label, preserveAspectRatio="none")


def _outage(row: Mapping[str, Any]) -> Html:
    ended = f"until {_moment(row['ended'])}" if row["ended"] else "and still"
    return el("li", f"from {_moment(row['began'])} {ended}")


def _incidents(incidents: list[Mapping[str, Any]]) -> Html | None:
    rows = [
        el(
            "li",
            el("strong", f"{one['severity']} {one['summary']}"),
            f" · since {_moment(one['opened'])}, {'closed at ' + _moment(one['closed']) if one['closed'] else 'open'}",
        )
        for one in incidents
    ]
    return el("section", el("h2", "Incidents"), el("ul", *rows)) if rows else None


def _moment(text: str) -> str:
    return f"{text[:10]} {text[11:16]} UTC"
