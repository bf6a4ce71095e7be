# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source that takes no writes from its last copy on, and the way back to it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import sqlite_thaw
from tests.integration.sqlite.conftest import Move

SHOP = """
CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE "o'dd" (v REAL);
CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID;
CREATE TRIGGER theirs AFTER INSERT ON p BEGIN DELETE FROM w; END;
INSERT INTO p VALUES (1, 'a'), (2, 'b'); INSERT INTO "o'dd" VALUES (0.5); INSERT INTO w VALUES ('k', 1);
"""
WRITES = (
    "INSERT INTO p VALUES (9, 'x')",
    "INSERT OR IGNORE INTO p VALUES (9, 'x')",
    "INSERT OR REPLACE INTO p VALUES (1, 'x')",
    "INSERT OR ROLLBACK INTO p VALUES (9, 'x')",
    "INSERT INTO p VALUES (1, 'x') ON CONFLICT DO UPDATE SET name = 'y'",
    "UPDATE p SET name = 'x'",
    "UPDATE OR IGNORE p SET name = 'x'",
    "DELETE FROM p",
    'DELETE FROM "o\'dd"',
    "REPLACE INTO w VALUES ('k', 2)",
)
TABLES = ["o'dd", "p", "w"]


def thaw(move: Move, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """Run the verb."""
    defaults = {name: spec.get("default") for name, spec in sqlite_thaw.SPEC["argument_spec"].items()}
    given = {**defaults, "path": str(move.path), "postgresql": move.database.options, **options}
    return sqlite_thaw.run(call_for_tests(given, check_mode))


def rows(move: Move) -> list[Any]:
    """What the file holds."""
    with closing(sqlite3.connect(move.path)) as file:
        return [file.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for name in TABLES]


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_every_kind_of_write_is_refused_and_reads_go_on(move: Move, mode: str) -> None:
    move.make(f"PRAGMA journal_mode = {mode};{SHOP}")
    before = rows(move)
    # It was there before the freeze, with a statement that is prepared already.
    with closing(sqlite3.connect(move.path, isolation_level=None)) as app:
        app.execute("INSERT INTO p VALUES (3, 'c')")
        app.execute("DELETE FROM p WHERE id = 3")
        app.execute("INSERT INTO w VALUES ('k', 1)")
        result = move.copy(freeze=True)
        assert (result["state"], len(result["frozen"]), result["rows"]) == ("copied", 16, 4)
        for write in WRITES:
            with pytest.raises(sqlite3.IntegrityError, match="golive: this file takes no writes"):
                app.execute(write)
        assert app.execute("SELECT count(*) FROM p").fetchall() == [(2,)]
        again = move.copy(freeze=True, replace=TABLES)
        assert (again["changed"], again["state"], again["frozen"]) == (False, "present", result["frozen"])
        assert [row["name"] for row in result["review"] if row["kind"] == "trigger"] == ["theirs"]
        assert rows(move) == before

        assert thaw(move, check_mode=True)["changed"]
        assert thaw(move) == {"changed": True, "frozen": False, "written": []}
        assert thaw(move) == {"changed": False, "frozen": False, "written": []}
        app.execute("INSERT INTO p VALUES (9, 'x')")
    with closing(sqlite3.connect(move.path)) as file:
        assert file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall() == [("theirs",)]


def test_a_writer_at_work_is_waited_for_and_its_row_is_copied(move: Move) -> None:
    move.make(SHOP)
    with closing(sqlite3.connect(move.path, isolation_level=None, check_same_thread=False)) as app:
        app.execute("BEGIN IMMEDIATE")
        app.execute("INSERT INTO p VALUES (7, 'late')")
        timer = threading.Timer(1.5, app.execute, ["COMMIT"])
        timer.start()
        move.copy(freeze=True)
        timer.join()
    assert move.query("SELECT id FROM p ORDER BY id") == [(1,), (2,), (7,)]


def test_a_copy_that_fails_lets_the_file_go(move: Move) -> None:
    move.make("CREATE TABLE t (v TEXT); INSERT INTO t VALUES (x'0041' || 'b'), (CAST(x'6100' AS TEXT));")
    assert move.error(freeze=True).code == "refused"
    move.make("INSERT INTO t VALUES ('again')")


def test_a_return_that_loses_something_is_refused_and_told(move: Move) -> None:
    move.make(SHOP)
    move.copy(refresh=True)
    move.make("INSERT INTO p VALUES (3, 'c')")
    assert move.copy(freeze=True, replace=TABLES)["rows"] == 4
    move.database.query("CREATE TABLE other (v int)")
    assert thaw(move, ask=True) == {"changed": False, "frozen": True, "written": []}
    for change, table, count in (
        ("INSERT INTO other VALUES (1)", "public.other", 1),
        ("UPDATE p SET name = 'new' WHERE id = 1", "public.p", 3),
    ):
        move.database.query(change)
        with pytest.raises(GoliveError) as caught:
            thaw(move)
        assert caught.value.code == "writes_lost"
        (found,) = (row for row in caught.value.details["written"] if row["table"] == table)
        assert found["now"] == count
        assert thaw(move, ask=True)["written"] == caught.value.details["written"]
    with pytest.raises(sqlite3.IntegrityError, match="golive"):
        move.make(WRITES[0])
    # Still the newest data are those of PostgreSQL: nothing copies over them.
    assert move.copy(refresh=True)["state"] == "present"
    assert move.query("SELECT name FROM p WHERE id = 1") == [("new",)]

    assert thaw(move, lose=True)["frozen"] is False
    move.make("INSERT INTO p VALUES (4, 'd')")
    # What was given up may be replaced; what came later not.
    assert move.copy(refresh=True)["rows"] == 5
    assert move.query("SELECT name FROM p WHERE id = 1") == [("a",)]
    move.make("INSERT INTO p VALUES (5, 'e')")
    move.database.query("DELETE FROM p WHERE id = 2")
    error = move.error(refresh=True)
    assert (error.code, "public.p" in error.message) == ("target_written", True)


def test_a_table_that_is_newer_than_the_freeze_is_found(move: Move) -> None:
    move.make(SHOP)
    move.copy(freeze=True)
    move.make("CREATE TABLE newer (v); INSERT INTO newer VALUES (1);")
    error = move.error(freeze=True)
    assert (error.code, "newer" in error.message) == ("frozen_changed", True)
