# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shop that is carried over: five tables, of 3 million rows in all at scale 1, a third of a gigabyte."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

TABLES = {
    "customers": (
        "id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT, balance REAL, active BOOLEAN, joined DATETIME",
        500_000,
    ),
    "products": ("id INTEGER PRIMARY KEY, title TEXT NOT NULL, price REAL NOT NULL, stock INTEGER", 200_000),
    "orders": ("id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, total REAL, note TEXT, placed DATETIME", 1_000_000),
    "order_items": (
        "id INTEGER PRIMARY KEY, item_order INTEGER NOT NULL, product INTEGER NOT NULL, quantity INTEGER",
        1_200_000,
    ),
    "files": ("id INTEGER PRIMARY KEY, name TEXT, body BLOB", 100_000),
}


def write(path: Path, scale: float) -> int:
    """Make the file; how many rows it has."""
    total = 0
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous = off")
        for table, (columns, full) in TABLES.items():
            count = max(1, round(full * scale))
            connection.execute(f"CREATE TABLE {table} ({columns})")
            marks = ", ".join("?" * (columns.count(",") + 1))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", _rows(table, count, scale))
            total += count
        connection.commit()
    return total


def _rows(table: str, count: int, scale: float) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(20261129)
    others = {name: max(1, round(full * scale)) for name, (_columns, full) in TABLES.items()}
    for number in range(1, count + 1):
        moment = f"20{number % 25:02}-{number % 12 + 1:02}-{number % 28 + 1:02} {number % 24:02}:{number % 60:02}:07"
        if table == "customers":
            email = f"c{number}@example.org" if number % 5 else None
            yield number, f"Zoë Müller {number}", email, chance.random() * 1000, number % 2, moment
        elif table == "products":
            yield number, f"Product {number}, a good one", chance.random() * 100, number % 97
        elif table == "orders":
            note = None if number % 3 else f"leave it at door {number}\nplease"
            yield number, chance.randrange(others["customers"]) + 1, chance.random() * 500, note, moment
        elif table == "order_items":
            yield (
                number,
                chance.randrange(others["orders"]) + 1,
                chance.randrange(others["products"]) + 1,
                number % 9 + 1,
            )
        else:
            yield number, f"file-{number}.bin", chance.randbytes(number % 1200)
