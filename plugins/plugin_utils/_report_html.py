# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a page."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.html import Html, el


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


def _is_number(cell: Any) -> bool:
    return isinstance(cell, (int, float)) or (isinstance(cell, str) and cell[:1].isdigit() and len(cell) < 16)
