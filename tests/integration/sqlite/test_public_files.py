# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that nobody made for this test go over, and somebody else's reader finds the same in both."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.integration.sqlite.conftest import Move
from tests.integration.sqlite.public import public_file, rows_of_postgres, rows_of_sqlite


def compared(move: Move) -> int:
    """How many rows are the same; fails for the first table that differs."""
    source = rows_of_sqlite(move.path)
    target = rows_of_postgres(move.database, list(source))
    for name, rows in source.items():
        assert target[name] == rows, name
    return sum(rows.total() for rows in source.values())


def test_the_data_sets_of_r(move: Move) -> None:
    shutil.copy(public_file("r-cran-rsqlite"), move.path)
    done = move.copy()
    assert compared(move) == done["rows"] > 4000
    assert not move.copy()["changed"]


def test_coordinate_systems_of_proj(move: Move) -> None:
    shutil.copy(public_file("proj-data"), move.path)
    # Its codes are numbers or texts in one column, and keys with nulls, which SQLite takes: each is refused by name.
    assert {code for code, *_where in move.refused()} == {"mixed", "key_null"}
    policy = [{"name": name, "type": "text"} for name in columns_of(move.path, "INTEGER_OR_TEXT")]
    assert {(code, table) for code, table, _column, _count in move.refused(columns=policy)} == {("key_null", "usage")}
    with closing(sqlite3.connect(move.path)) as connection:
        connection.execute("UPDATE usage SET auth_name = 'X', code = 'X' || rowid WHERE auth_name IS NULL")
        connection.commit()
    done = move.copy(columns=policy)
    assert compared(move) == done["rows"] > 50_000
    assert not move.copy(columns=policy)["changed"]


def columns_of(path: Path, declared: str) -> list[str]:
    """Names with their tables of all columns that were declared so."""
    with closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [
            f"{table}.{row[1]}"
            for table in tables
            for row in connection.execute(f'PRAGMA table_info("{table}")')
            if row[2].upper().startswith(declared)
        ]
