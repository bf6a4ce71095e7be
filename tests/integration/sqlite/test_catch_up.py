# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source that is written after its copy: what has changed is sent again, all of it is proved again."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.sqlite.conftest import Move, children, chunks, started, until

SHOP = """
CREATE TABLE p (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE c (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES p, v REAL);
CREATE TABLE log (at TEXT, what TEXT);
"""
CHANGES = """
UPDATE p SET name = CASE id WHEN 5 THEN 'swapped' ELSE name END;
UPDATE p SET name = 'name 5' WHERE id = 1900; UPDATE p SET name = 'name 1900' WHERE id = 5;
DELETE FROM c WHERE id BETWEEN 40 AND 60; INSERT INTO p VALUES (-7, 'before'), (5000, 'far beyond');
INSERT INTO c VALUES (9000, 5000, 1.5), (9001, -7, NULL); INSERT INTO log VALUES ('t', 'one more');
"""


def shop(move: Move) -> None:
    """Three tables in many chunks; one has no key."""
    move.make(
        SHOP,
        ("INSERT INTO p VALUES (?, ?)", [(i, f"name {i}") for i in range(1, 2001)]),
        ("INSERT INTO c VALUES (?, ?, ?)", [(i, i % 2000 + 1, i / 7) for i in range(1, 3001)]),
        ("INSERT INTO log VALUES (?, ?)", [(f"t{i}", "x") for i in range(700)]),
    )


def same(move: Move) -> None:
    """Every row is there, and what was promised of them."""
    with closing(sqlite3.connect(move.path)) as source:
        for query in ("SELECT * FROM p ORDER BY id", "SELECT * FROM c ORDER BY id"):
            assert move.query(query) == source.execute(query).fetchall()
        log = sorted(source.execute("SELECT * FROM log").fetchall())
    assert sorted(move.query("SELECT * FROM log")) == log
    foreign = move.query("SELECT convalidated FROM pg_constraint WHERE contype = 'f' AND conrelid = 'c'::regclass")
    assert foreign == [(True,)]
    assert len(move.query("SELECT 1 FROM pg_constraint WHERE contype = 'u' AND conrelid = 'p'::regclass")) == 1


def test_only_what_has_changed_is_sent(move: Move) -> None:
    shop(move)
    move.copy(chunk_rows=100)
    move.make(CHANGES)
    assert move.error(chunk_rows=100).code == "target_not_empty"
    planned = move.copy(check_mode=True, chunk_rows=100, catch_up=True)
    assert (planned["state"], planned["changed"]) == ("planned", True)
    result = move.copy(chunk_rows=100, catch_up=True)
    # Two chunks of p and one of c were other ones; log has got one more.
    assert (result["rows"], result["resumed"]) == (2002 + 2981 + 701, 1800 + 2900 + 700)
    same(move)
    again = move.copy(chunk_rows=100, catch_up=True)
    assert (again["state"], again["changed"]) == ("present", False)
    assert move.query("INSERT INTO p (name) VALUES ('new') RETURNING id") == [(5001,)]


def test_the_last_rows_go_and_come(move: Move) -> None:
    shop(move)
    move.copy(chunk_rows=100)
    move.make("DELETE FROM c; DELETE FROM log; DELETE FROM p WHERE id > 3")
    move.copy(chunk_rows=100, catch_up=True)
    same(move)
    move.make("INSERT INTO c VALUES (1, 1, 0.5); INSERT INTO log VALUES ('a', NULL), ('b', 'x')")
    move.copy(chunk_rows=100, catch_up=True)
    same(move)
    move.make("UPDATE log SET what = 'y' WHERE at = 'b'")
    move.copy(chunk_rows=100, catch_up=True)
    same(move)


@pytest.mark.faults
@pytest.mark.parametrize("text", ["comparing", "removing", "copying", "reading back"])
def test_a_killed_catch_up_is_gone_on_with(move: Move, text: str) -> None:
    shop(move)
    move.copy(chunk_rows=100)
    move.make(CHANGES)
    move.make("UPDATE c SET v = v + 1 WHERE id % 3 = 0")
    process = started(move, show=True, chunk_rows=100, catch_up=True)
    until(lambda: text in move.told(), process)
    process.kill()
    process.wait()
    # Without the option as well: it is the same copy, and its snapshot is there.
    move.copy(chunk_rows=100)
    same(move)


@pytest.mark.faults
def test_a_source_that_changes_again_after_a_kill(move: Move) -> None:
    shop(move)
    process = started(move, chunk_rows=20)
    until(lambda: chunks(move) >= 20, process)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    process.wait()
    move.make(CHANGES)
    assert move.error(chunk_rows=20).code == "source_changed"
    result = move.copy(chunk_rows=20, catch_up=True)
    assert result["resumed"] > 0
    same(move)


def test_values_that_do_not_fit_any_more(move: Move) -> None:
    shop(move)
    move.copy(chunk_rows=100)
    move.make("INSERT INTO c VALUES (9000, 1, 'a text')")
    error = move.error(chunk_rows=100, catch_up=True)
    assert [(row["code"], row["column"]) for row in error.details["refused"]] == [("mixed", "v")]
    move.make("DELETE FROM c WHERE id = 9000")
    move.copy(chunk_rows=100, catch_up=True)
    same(move)


def test_tables_that_are_others(move: Move, tmp_path: Path) -> None:
    shop(move)
    move.copy()
    move.make("ALTER TABLE c ADD COLUMN w TEXT")
    assert move.error(catch_up=True).code == "schema_changed"


def test_tables_that_the_copy_has_not_made(move: Move) -> None:
    move.make("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'a')")
    move.query("CREATE TABLE t (id bigint PRIMARY KEY, v text)")
    move.copy()
    move.make("UPDATE t SET v = 'b'")
    assert move.error(catch_up=True).code == "catch_up_not_made"


def test_what_others_have_written_is_found(move: Move) -> None:
    shop(move)
    move.copy(chunk_rows=100)
    move.query("UPDATE c SET v = 0 WHERE id = 2500")
    move.make("UPDATE c SET v = 0 WHERE id = 7")
    assert move.error(chunk_rows=100, catch_up=True).code == "unproved"
