# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy whose source, target, processes or server fail: nothing wrong is called copied, and the next run ends it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.conftest import Database
from tests.integration.postgres import PASSWORD, SUPERUSER, Server
from tests.integration.small_disk import small_disk
from tests.integration.sqlite.conftest import Move, children, chunks, started, until

pytestmark = pytest.mark.faults

NUMBERS = "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT NOT NULL); CREATE TABLE u (k TEXT PRIMARY KEY, v REAL)"


def fill(move: Move, rows: int = 20_000) -> None:
    """Two tables with enough rows for many chunks."""
    move.make(
        NUMBERS,
        ("INSERT INTO t VALUES (?, ?)", [(i, f"value {i} {'x' * (i % 90)}") for i in range(rows)]),
        ("INSERT INTO u VALUES (?, ?)", [(f"key {i}", i / 3) for i in range(rows)]),
    )


def killed(move: Move) -> None:
    """A copy that is killed after a few of its chunks of 100 rows."""
    process = started(move, chunk_rows=100)
    until(lambda: chunks(move) >= 3, process)
    process.kill()
    process.wait()


def same(move: Move) -> None:
    """Every row of both tables is in the target once, by an independent way: as texts."""
    with closing(sqlite3.connect(move.path)) as source:
        for query in ("SELECT id, v FROM t ORDER BY id", "SELECT k, v FROM u ORDER BY k"):
            there = move.query(query + (' COLLATE "C"' if "ORDER BY k" in query else ""))
            assert there == source.execute(query).fetchall()


@pytest.mark.parametrize("after", [1, pytest.param(40, marks=pytest.mark.series), 120])
@pytest.mark.parametrize("whom", ["controller", "worker"])
def test_a_killed_copy_is_gone_on_with(move: Move, whom: str, after: int) -> None:
    fill(move)
    process = started(move, chunk_rows=250)
    until(lambda: chunks(move) >= after, process)
    if whom == "controller":
        process.kill()
        process.wait()
    else:
        os.kill(children(process.pid)[0], signal.SIGKILL)
        assert json.loads(process.communicate()[0])["code"] == "worker_died"
    result = move.copy(chunk_rows=250)
    assert (result["rows"], result["changed"]) == (40_000, True)
    assert 250 * (after - 1) <= result["resumed"] < 40_000 or chunks(move) == 160
    assert move.query("SELECT count(*), sum(rows) FROM golive.sqlite_chunks") == [(160, 40_000)]
    same(move)


def test_no_process_outlives_a_killed_copy(move: Move) -> None:
    fill(move)
    process = started(move, chunk_rows=100)
    until(lambda: chunks(move) >= 3, process)
    family = children(process.pid)
    assert family
    process.kill()
    process.wait()
    end = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_copy_that_is_interrupted_leaves_at_once(move: Move) -> None:
    fill(move)
    process = started(move, chunk_rows=100)
    until(lambda: chunks(move) >= 3, process)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=20)
    assert 0 < chunks(move) < 400
    move.copy(chunk_rows=100)
    same(move)


def test_a_killed_server(move: Move) -> None:
    # A server of its own: others use the shared one.
    server = Server.create({"fsync": "on", "full_page_writes": "on"})
    try:
        move.database = Database(server, "postgres", SUPERUSER, PASSWORD)
        fill(move)
        process = started(move, chunk_rows=250)
        until(lambda: chunks(move) >= 20, process)
        server.stop(signal.SIGQUIT)
        error = json.loads(process.communicate()[0])
        assert error["failed"]
        assert error["code"] in ("copy_failed", "unreachable")
        server.start()
        result = move.copy(chunk_rows=250)
        assert result["resumed"] >= 20 * 250
        same(move)
    finally:
        server.remove()


def test_a_full_disk_of_the_target(move: Move) -> None:
    server, name = move.database.server, f"small_{move.database.name}"
    with (
        small_disk(server, move.database.name, SUPERUSER, 20) as disk,
        closing(server.connect()) as admin,
        admin.cursor() as cursor,
    ):
        cursor.execute(f"CREATE DATABASE {name} TABLESPACE {disk.tablespace}")
        try:
            move.database = Database(server, name, SUPERUSER, PASSWORD)
            fill(move, 150_000)
            error = move.error(chunk_rows=1000)
            assert error.code == "disk_full"
            assert "No space left on device" in str(error)
            assert "the same task goes on from there" in str(error)
            disk.grow(256)
            result = move.copy(chunk_rows=1000)
            assert result["resumed"] > 0
            same(move)
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_source_changes_between_two_runs(move: Move) -> None:
    fill(move, 5000)
    killed(move)
    move.make("UPDATE t SET v = 'changed' WHERE id = 7")
    assert move.error(chunk_rows=100).code == "source_changed"
    result = move.copy(chunk_rows=100, replace=["t", "u"])
    assert (result["resumed"], result["rows"]) == (0, 10_000)
    same(move)


def test_other_options_do_not_go_on_with_it(move: Move) -> None:
    fill(move, 5000)
    killed(move)
    assert move.error(chunk_rows=200).code == "copy_unfinished"
    move.copy(chunk_rows=100)
    same(move)


def test_a_lost_snapshot_is_taken_again(move: Move) -> None:
    fill(move, 5000)
    killed(move)
    (snapshot,) = move.path.parent.glob("*.golive-snapshot")
    snapshot.unlink()
    assert move.copy(chunk_rows=100)["resumed"] >= 300
    same(move)


def test_two_at_once(move: Move) -> None:
    fill(move)
    process = started(move, chunk_rows=100)
    until(lambda: chunks(move) >= 3, process)
    process.send_signal(signal.SIGSTOP)
    assert move.error(chunk_rows=100).code == "locked"
    process.send_signal(signal.SIGCONT)
    assert json.loads(process.communicate()[0])["rows"] == 40_000
    same(move)


def test_a_target_that_holds_rows(move: Move) -> None:
    fill(move, 100)
    move.query("CREATE TABLE t (id integer PRIMARY KEY, v varchar(200) NOT NULL); INSERT INTO t VALUES (5, 'theirs')")
    error = move.error()
    assert (error.code, error.details["rows"]) == ("target_not_empty", 1)
    assert move.error(append=["t"]).code == "append_overlap"
    move.query("UPDATE t SET id = 5000")
    result = move.copy(append=["t"], chunk_rows=10)
    assert [row["made"] for row in result["tables"]] == [False, True]
    assert move.query("SELECT count(*) FROM t") == [(101,)]
    move.query("DELETE FROM t WHERE id = 5000")
    same(move)
    assert move.copy(replace=["t", "u"])["changed"]
    same(move)


def test_existing_tables_are_filled_parents_first(move: Move) -> None:
    move.make(
        "CREATE TABLE a_child (id INTEGER PRIMARY KEY, parent INT REFERENCES z_parent, other INT REFERENCES a_child);"
        "CREATE TABLE z_parent (id INTEGER PRIMARY KEY, at TEXT, ok INT, price TEXT, extra TEXT)",
        (
            "INSERT INTO z_parent VALUES (?, ?, ?, ?, ?)",
            [(i, "2024-01-01 10:00:00", i % 2, "1.50", "e") for i in range(500)],
        ),
        ("INSERT INTO a_child VALUES (?, ?, ?)", [(i, i, 499 - i) for i in range(500)]),
    )
    move.query(
        "CREATE TABLE z_parent"
        " (id serial PRIMARY KEY, at timestamp, ok boolean, price numeric(8,2), more text DEFAULT 'd');"
        "CREATE TABLE a_child (id int PRIMARY KEY, parent int REFERENCES z_parent, other int REFERENCES a_child)"
    )
    error = move.error(chunk_rows=50)
    assert [(row["code"], row["column"]) for row in error.details["refused"]] == [("column_missing", "extra")]
    move.query("ALTER TABLE z_parent ADD COLUMN extra text")
    move.copy(chunk_rows=50)
    rows = move.query("SELECT at::text, ok, price::text, more FROM z_parent WHERE id = 3")
    assert rows == [("2024-01-01 10:00:00", True, "1.50", "d")]
    assert move.query("INSERT INTO z_parent (ok) VALUES (true) RETURNING id") == [(500,)]


def test_a_partitioned_table(move: Move) -> None:
    move.make("CREATE TABLE t (k TEXT, v INT)", ("INSERT INTO t VALUES (?, ?)", [(f"k{i}", i % 2) for i in range(999)]))
    move.query(
        "CREATE TABLE t (k text, v bigint) PARTITION BY LIST (v);"
        "CREATE TABLE t0 PARTITION OF t FOR VALUES IN (0); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)"
    )
    move.copy(chunk_rows=100)
    assert move.query("SELECT count(*), count(DISTINCT k) FROM t") == [(999, 999)]


def test_a_circle_of_foreign_keys_between_existing_tables(move: Move) -> None:
    move.make("CREATE TABLE a (id INTEGER PRIMARY KEY, b INT); CREATE TABLE b (id INTEGER PRIMARY KEY, a INT)")
    move.query(
        "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);"
        "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b"
    )
    assert move.error().code == "fk_cycle"


@pytest.mark.parametrize("table", ["t", "u"])
def test_what_else_writes_is_found_by_the_proof(move: Move, table: str) -> None:
    """A trigger of the target stands in for whatever changes rows behind the copy."""
    fill(move, 3000)
    move.query(
        "CREATE TABLE t (id bigint PRIMARY KEY, v text NOT NULL);"
        "CREATE TABLE u (k text PRIMARY KEY, v double precision);"
        "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        "  IF TG_TABLE_NAME = 'u' THEN IF NEW.k = 'key 77' THEN NEW.k := 'KEY 77'; END IF;"
        "  ELSIF NEW.id = 1234 THEN NEW.v := upper(NEW.v); END IF; RETURN NEW; END $$;"
        f"CREATE TRIGGER odd BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION odd()"
    )
    error = move.error(chunk_rows=500)
    assert error.code == "unproved"
    assert [fault.split(":")[0] for fault in error.details["faults"]] == [table]
    # Nor does a second run call it copied.
    assert move.error(chunk_rows=500).code == "unproved"


def test_rows_that_get_lost_are_found(move: Move) -> None:
    fill(move, 1000)
    move.query(
        "CREATE TABLE t (id bigint PRIMARY KEY, v text NOT NULL);"
        "CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        "  IF NEW.id = 500 THEN RETURN NULL; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER odd BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION odd()"
    )
    assert move.error().code == "rows_lost"


def test_a_key_that_does_not_hold_in_postgresql(move: Move) -> None:
    """SQLite compares keys of several types otherwise; here a key with a NUL loses what tells it apart."""
    move.make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT UNIQUE); INSERT INTO t (v) VALUES ('a'), ('a' || char(0))"
    )
    error = move.error(columns=[{"name": "t.v", "nul": "strip"}])
    assert error.code == "key_failed"
    assert "UNIQUE" in error.details["statement"]
    assert move.query("SELECT conname FROM pg_constraint WHERE contype = 'u' AND conrelid = 't'::regclass") == []
    # Nor does a second run call it copied.
    assert move.error(columns=[{"name": "t.v", "nul": "strip"}]).code == "key_failed"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "source_empty"), (b"PK\x03\x04 no database at all" * 99, "not_sqlite"), (None, "not_found")],
)
def test_a_file_that_is_no_database(move: Move, content: bytes | None, code: str) -> None:
    if content is not None:
        move.path.write_bytes(content)
    assert move.error().code == code
    assert [path.name for path in move.path.parent.iterdir()] == ([move.path.name] if content is not None else [])


def test_damaged_pages(move: Move) -> None:
    fill(move, 5000)
    data = bytearray(move.path.read_bytes())
    data[4096 * 20 : 4096 * 20 + 600] = os.urandom(600)
    move.path.write_bytes(data)
    error = move.error()
    assert error.code == "source_corrupt"
    assert ".recover" in (error.hint or "")
    assert move.tables() == []
    assert not list(move.path.parent.glob("*.golive-snapshot*"))


def test_a_cut_off_file(move: Move) -> None:
    fill(move, 5000)
    with open(move.path, "rb+") as file:
        file.truncate(move.path.stat().st_size // 2)
    assert move.error().code == "source_corrupt"


def test_a_locked_source(move: Move) -> None:
    fill(move, 10)
    with closing(sqlite3.connect(move.path)) as writer:
        writer.execute("PRAGMA locking_mode = EXCLUSIVE")
        writer.execute("BEGIN EXCLUSIVE")
        error = move.error()
    assert error.code == "source_locked"
    move.copy()
    same(move)


def test_no_room_for_the_snapshot(move: Move, tmp_path: Path) -> None:
    fill(move, 10)
    error = move.error(work_dir=str(tmp_path / "nowhere"))
    assert error.code == "snapshot_failed"
    assert "work_dir" in (error.hint or "")


@pytest.mark.series
def test_two_thousand_tables(move: Move) -> None:
    one = "CREATE TABLE t{0} (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t{0} VALUES ({0}, 'x')"
    move.make(";".join(one.format(number) for number in range(2000)))
    result = move.copy()
    assert (result["rows"], len(result["tables"]), len(move.tables())) == (2000, 2000, 2000)


def test_no_table_at_all(move: Move) -> None:
    move.make("CREATE TABLE t (id INTEGER); DROP TABLE t")
    result = move.copy()
    assert (result["rows"], result["tables"], result["changed"]) == (0, [], False)


def test_names_that_are_not_there(move: Move) -> None:
    fill(move, 1)
    assert move.error(tables=["t", "nope"]).code == "unknown_table"
    assert move.error(columns=[{"name": "t.nope"}]).code == "unknown_column"
