# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements of HTML and SVG that escape everything they are given, and numbers as people read them."""

from __future__ import annotations

import html
from typing import Any

_EMPTY = {"br", "meta", "rect", "line", "path", "circle", "polyline"}


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def el(tag: str, /, *children: Any, **attributes: Any) -> Html:
    """An element; children that are not Html are escaped, None is left out. ``class_`` is spelled so."""
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(_number(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in _EMPTY and not children:
        return Html(f"<{tag}{named}/>")
    return Html(f"<{tag}{named}>{join(*children)}</{tag}>")


def join(*children: Any) -> Html:
    """Markup of all children, one after the other."""
    return Html("".join(one if isinstance(one, Html) else html.escape(str(one)) for one in children if one is not None))


def table(head: list[str], rows: list[list[Any]], caption: str | None = None) -> Html:
    """A table with a head; numbers are set right. It scrolls by itself when the page is too narrow."""
    lines = [el("tr", *(el("td", cell, class_="n" if _is_number(cell) else None) for cell in row)) for row in rows]
    whole = el(
        "table",
        el("caption", caption) if caption else None,
        el("thead", el("tr", *(el("th", one, scope="col") for one in head))),
        el("tbody", *lines),
    )
    return el("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption or " ".join(head))


def fold(title: str, *children: Any) -> Html:
    """What opens on a click."""
    return el("details", el("summary", title), *children)


def badge(text: str, kind: str) -> Html:
    """A word on a ground: ``good``, ``bad``, ``unsure`` or ``plain``."""
    return el("span", text, class_=f"badge {kind}")


def duration(seconds: float) -> str:
    """``0.25 s``, ``8.1 s``, ``3 min 12 s``, ``2 h 05 min``."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60) if seconds >= 3600 else int(seconds // 60)
    if seconds < 3600:
        return f"{minutes} min {int(seconds % 60):02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def clock(seconds: float) -> str:
    """Time since the start, ``0:42`` or ``1:02:07``."""
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"


def figure(value: float) -> str:
    """At most four digits that matter, thousands apart: ``12,040``, ``3.14``, ``0.052``, ``0``."""
    if abs(value) >= 1000 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) or (isinstance(cell, str) and cell[:1].isdigit() and len(cell) < 16)


def _number(value: Any) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
