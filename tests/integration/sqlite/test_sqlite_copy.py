# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole copy: rows, types, keys, sequences, proof; again; killed and gone on with."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.both_ways.harness import PLAYBOOKS, run_both
from tests.integration.sqlite.conftest import Move

SHOP = """
CREATE TABLE customers (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT UNIQUE, joined DATETIME, active BOOLEAN DEFAULT 1
);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES Customers (ID) ON DELETE CASCADE, total REAL, note TEXT
);
CREATE TABLE tags ("order" INTEGER REFERENCES orders, tag TEXT, PRIMARY KEY ("order", tag)) WITHOUT ROWID;
CREATE TABLE log (at TEXT, what BLOB);
CREATE INDEX orders_by_customer ON orders (customer, total DESC);
"""


def shop(move: Move, customers: int = 300, orders: int = 2000) -> None:
    """A small shop with rows of every kind."""
    move.make(
        SHOP,
        (
            "INSERT INTO customers VALUES (?, ?, ?, ?, ?)",
            [
                (
                    i,
                    f"Zoë {i}",
                    f"c{i}@example.org" if i % 7 else None,
                    f"2024-02-{i % 28 + 1:02} 10:00:00.{i:03}",
                    i % 2,
                )
                for i in range(1, customers + 1)
            ],
        ),
        (
            "INSERT INTO orders VALUES (?, ?, ?, ?)",
            [
                (i, i % customers + 1, i / 7, None if i % 3 else f"note {i}\n\t\\N {'ü' * (i % 40)}")
                for i in range(1, orders + 1)
            ],
        ),
        ("INSERT INTO tags VALUES (?, ?)", [(i, f"tag {i % 5}") for i in range(1, orders + 1, 2)]),
        ("INSERT INTO log VALUES (?, ?)", [(f"t{i}", bytes(range(i % 256))) for i in range(900)]),
        ("DELETE FROM customers WHERE id = ?", [(customers,)] if not orders else []),
    )


def test_check_run_check_run(move: Move) -> None:
    shop(move)
    planned = move.copy(check_mode=True)
    assert (planned["state"], planned["changed"], planned["rows"]) == ("planned", True, 4200)
    assert move.tables() == []
    assert list(move.path.parent.iterdir()) == [move.path]
    result = move.copy(chunk_rows=300, report=str(move.path.parent / "report.json"))
    assert (result["state"], result["changed"], result["rows"], result["resumed"]) == ("copied", True, 4200, 0)
    assert planned["diff"] == result["diff"]
    assert (
        "customers: 300 rows of (id bigint, name text, email text, joined timestamp, active boolean)"
        in result["diff"]["after"]
    )
    assert {row["name"]: (row["rows"], row["chunks"], row["proof"]) for row in result["tables"]} == {
        "customers": (300, 1, "in order"),
        "log": (900, 3, "in any order"),
        "orders": (2000, 7, "in order"),
        "tags": (1000, 1, "in any order"),
    }
    report = move.path.parent / "report.json"
    assert json.loads(report.read_text())["rows"] == 4200
    assert report.stat().st_mode & 0o777 == 0o600
    for check_mode in (True, False):
        again = move.copy(check_mode, chunk_rows=300, report=str(report))
        assert (again["changed"], again["state"], again["rows"]) == (False, "present", 4200)
    assert not list(move.path.parent.glob("*.golive-snapshot*"))
    assert any("rows/s" in text and "MB/s" in text for text in move.shown)


def test_rows_keys_indexes_and_sequences_are_as_they_were(move: Move) -> None:
    shop(move)
    move.copy(chunk_rows=300)
    with closing(sqlite3.connect(move.path)) as source:
        for table, order, there in (
            ("customers", "id", "id"),
            ("orders", "id", "id"),
            ("tags", '"order", tag', '"order", tag COLLATE "C"'),
            ("log", "at", 'at COLLATE "C"'),
        ):
            theirs = source.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()
            ours = move.query(f"SELECT * FROM {table} ORDER BY {there}")
            assert [_plain(row) for row in ours] == [_plain(row) for row in theirs], table
    rows = move.query(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND contype <> 'n'"
    )
    constraints = {text for (text,) in rows}
    assert constraints == {
        "PRIMARY KEY (id)",
        'PRIMARY KEY ("order", tag)',
        "UNIQUE (email)",
        "FOREIGN KEY (customer) REFERENCES customers(id) ON DELETE CASCADE",
        'FOREIGN KEY ("order") REFERENCES orders(id)',
    }
    ((definition,),) = move.query("SELECT indexdef FROM pg_indexes WHERE indexname = 'orders_by_customer'")
    assert definition.endswith("(customer, total DESC)")
    assert move.query("INSERT INTO customers (name) VALUES ('new') RETURNING id, active") == [(301, True)]


def _plain(row: tuple[Any, ...]) -> list[Any]:
    """A row as SQLite gives it."""
    found = [bytes(value) if isinstance(value, memoryview) else value for value in row]
    return [value.isoformat(" ", "milliseconds") if isinstance(value, datetime) else value for value in found]


@pytest.mark.parametrize("executable", PLAYBOOKS)
def test_both_ways(move: Move, tmp_path: Path, executable: str) -> None:
    """In process and as a module, from real playbooks: each copies into a schema of its own."""
    shop(move)
    given = {"path": str(move.path), "postgresql": move.database.options, "chunk_rows": 200, "processes": 2}
    cases: dict[str, Any] = {
        "check": {"golive.cutover.sqlite_copy": {**given, "schema": "{{ way }}"}, "check_mode": True},
        "run": {"golive.cutover.sqlite_copy": {**given, "schema": "{{ way }}"}},
        "again": {"golive.cutover.sqlite_copy": {**given, "schema": "{{ way }}"}},
        "unknown": {"golive.cutover.sqlite_copy": {**given, "tables": ["nope"]}},
    }
    for case in cases.values():
        case["vars"] = {"way": "{{ 'w' ~ ('GOLIVE_RUN_AS_MODULE' in lookup('pipe', 'env')) | lower }}"}
    inside, module = run_both(executable, cases, tmp_path / "ways")
    for case, state, changed in (("check", "planned", True), ("run", "copied", True), ("again", "present", False)):
        for way in (inside, module):
            result = way.result(case)
            assert (result.get("state"), result["changed"]) == (state, changed), result
            assert result["rows"] == 4200
    assert inside.result("run")["tables"] == module.result("run")["tables"]
    assert inside.result("unknown")["code"] == module.result("unknown")["code"] == "unknown_table"
    assert move.database.password not in inside.out + module.out
    rows = move.query("SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname = 'orders'")
    assert sorted(rows) == [("wfalse",), ("wtrue",)]
