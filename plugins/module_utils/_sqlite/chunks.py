# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a table is cut into parts that are copied, recorded and proved by themselves."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._sqlite.schema import Table, quoted

_NUMBERS = ("rowid", "_rowid_", "oid")
_MOST_CHUNKS = 4096


@dataclass(frozen=True)
class Chunk:
    """Rows whose number is between ``low`` and ``high``, both included; all rows without them."""

    table: str
    number: int
    low: int | None = None
    high: int | None = None


def number_of(table: Table) -> str | None:
    """The expression that gives a row's number; None where it has none, or other columns hide it."""
    if table.rowid is not None:
        return quoted(table.rowid)
    taken = {column.name.lower() for column in table.columns}
    return next((name for name in _NUMBERS if name not in taken), None) if table.numbered else None


def condition(table: Table, chunk: Chunk) -> tuple[str, tuple[Any, ...], str]:
    """The condition for a chunk's rows, its values, and the order that SQLite reads them in."""
    number = number_of(table)
    if number is None:
        order = ", ".join(map(quoted, table.key))
        return "true", (), f" ORDER BY {order}" if order else ""
    if chunk.low is None:
        return "true", (), f" ORDER BY {number}"
    return f"{number} BETWEEN ? AND ?", (chunk.low, chunk.high), f" ORDER BY {number}"


def chunks_of(connection: sqlite3.Connection, table: Table, rows_each: float) -> list[Chunk]:
    """Parts of about ``rows_each`` rows where the numbers are spread evenly; the same ones for the same file."""
    number = number_of(table)
    if number is None:
        return [Chunk(table.name, 0)]
    low, high, rows = connection.execute(
        f"SELECT min({number}), max({number}), count(*) FROM {quoted(table.name)}"
    ).fetchone()
    if not rows:
        return [Chunk(table.name, 0)]
    count = min(_MOST_CHUNKS, max(1, math.ceil(rows / rows_each)))
    span = high - low + 1
    edges = [low + span * part // count for part in range(count + 1)]
    return [Chunk(table.name, part, edges[part], edges[part + 1] - 1) for part in range(count)]


def extended(connection: sqlite3.Connection, table: Table, known: Sequence[Chunk], rows_each: float) -> list[Chunk]:
    """The chunks of an earlier snapshot, and further ones for rows whose numbers lie beyond them."""
    number = number_of(table)
    lows = [chunk.low for chunk in known if chunk.low is not None]
    highs = [chunk.high for chunk in known if chunk.high is not None]
    if number is None or not lows:
        return list(known)
    first, last = min(lows), max(highs)
    low, high = connection.execute(f"SELECT min({number}), max({number}) FROM {quoted(table.name)}").fetchone()
    found = list(known)
    edges = [(low, first - 1)] if low is not None and low < first else []
    start = last + 1
    while high is not None and start <= high:
        # Numbers mostly grow by one: a span holds about as many rows.
        span = high - start + 1 if rows_each == math.inf else math.ceil(rows_each)
        span = max(span, (high - start) // _MOST_CHUNKS + 1)
        edges.append((start, min(high, start + span - 1)))
        start += span
    following = max(chunk.number for chunk in known) + 1
    return [*found, *(Chunk(table.name, following + at, *edge) for at, edge in enumerate(edges))]
