# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_migrate_rehearse``: a clone, what is measured on it, and that nothing of it stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.catalogue import snapshot
from ansible_collections.golive.cutover.plugins.module_utils._migrate.clone import PREFIX, cloned
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import BYTES_PER_S
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import connect, settings
from ansible_collections.golive.cutover.plugins.modules import db_migrate, db_migrate_rehearse
from tests.integration.migrate.conftest import Project
from tests.integration.postgres import Server

SHOP = """
CREATE TABLE customers (id bigint PRIMARY KEY, name text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, state text, price numeric(10,2));
CREATE INDEX orders_state ON orders (state);
CREATE TABLE events (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
INSERT INTO customers SELECT n, 'c' || n FROM generate_series(1, 10) n;
INSERT INTO orders SELECT n, n % 10 + 1, 'open', n FROM generate_series(1, 2000) n;
ANALYZE
"""
SLOW = "CREATE TABLE slow (id int);\nSELECT pg_sleep(30);\n"


@dataclass
class Shop(Project):
    """A database with rows, whose owner may create databases, and no migration file."""

    def params(self, **options: Any) -> dict[str, Any]:
        """Options of ``db_migrate_rehearse`` as Ansible would hand them over."""
        spec = db_migrate_rehearse.SPEC["argument_spec"]
        defaults = {name: option.get("default") for name, option in spec.items()}
        return {**defaults, "path": str(self.path), "postgresql": self.database.options, **options}

    def rehearse(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Run the verb."""
        call = call_for_tests(self.params(**options), check_mode, diff_mode=True, warn=self.warnings.append)
        return db_migrate_rehearse.run(call)

    def fails(self, **options: Any) -> GoliveError:
        """The error of the verb; the database is as it was, and no clone is left."""
        before = self.text()
        with pytest.raises(GoliveError) as caught:
            self.rehearse(**options)
        assert (self.text(), self.clones()) == (before, [])
        return caught.value

    def pair(self, number: str, up: str, down: str | None = None) -> None:
        """A migration with its down script."""
        self.write(f"{number}_x.sql", up)
        if down is not None:
            self.write(f"{number}_x.down.sql", down)

    def text(self) -> str:
        """The catalogue of the database itself."""
        with connect(call_for_tests({}), settings(self.database.options)) as session:
            return snapshot(session, Ledger("golive", "nothing")).text

    def clones(self) -> list[str]:
        """Names of the clones that are there."""
        rows = self.database.query(f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'")
        return [row[0] for row in rows]


@pytest.fixture
def shop(project: Project, postgres: Server) -> Iterator[Shop]:
    """See the class."""
    for file in project.path.iterdir():
        file.unlink()
    for statement in SHOP.split(";\n"):
        project.database.query(statement)
    administer(postgres, f"ALTER ROLE {project.database.user} CREATEDB")
    made = Shop(project.path, project.database)
    yield made
    for name in made.clones():
        administer(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


def administer(server: Server, sql: str, database: str = "postgres") -> None:
    """Run a statement as superuser."""
    admin = server.connect(database)
    with admin.cursor() as cursor:
        cursor.execute(sql)
    admin.close()


def test_check_run_check_run_and_nothing_stays(shop: Shop) -> None:
    shop.pair("0001", "CREATE TABLE notes (id int);", "DROP TABLE notes;")
    shop.pair("0002", "ALTER TABLE notes ADD COLUMN tag text;")
    before = shop.text()
    results = [shop.rehearse(check_mode=one) for one in (True, False, True, False)]
    for done in results:
        assert (done["changed"], done["pending"]) == (False, ["0001", "0002"])
        assert done["proved"] == [{"version": "0001", "name": "x"}]
        assert done["unproved"] == [{"version": "0002", "name": "x", "reason": "it has no down script"}]
        assert done["forecast"] == []
        assert done["clone"].startswith(PREFIX)
        (shown,) = done["diff"]
        assert "column public.notes.tag: text" in shown["after"]
        assert "notes" not in shown["before"]
    assert (shop.text(), shop.clones(), shop.warnings) == (before, [], [])


def test_only_what_is_pending_runs_and_the_clone_has_what_was_applied(shop: Shop) -> None:
    shop.pair("0001", "CREATE TABLE notes (id int);", "DROP TABLE notes;")
    Project(shop.path, shop.database).migrate()
    done = shop.rehearse()
    assert (done["changed"], done["pending"], done["proved"], done["clone"], done["diff"]) == (False, [], [], None, [])
    shop.pair("0002", "ALTER TABLE notes ADD COLUMN tag text;", "ALTER TABLE notes DROP COLUMN tag;")
    done = shop.rehearse(run_id="Release 7")
    assert (done["pending"], [one["version"] for one in done["proved"]]) == (["0002"], ["0002"])
    assert "_release_7_" in done["clone"]
    assert [(one["table"], one["lock"]) for one in done["forecast"]] == [("notes", "ACCESS EXCLUSIVE")]


def test_locks_rewrites_and_scans_are_measured_per_statement(shop: Shop) -> None:
    shop.pair(
        "0001",
        "ALTER TABLE orders ADD COLUMN tag text;\n"
        "ALTER TABLE orders ALTER COLUMN price TYPE numeric(12,4);\n"
        "ALTER TABLE orders ADD CONSTRAINT owned FOREIGN KEY (customer_id) REFERENCES customers;\n",
    )
    shop.pair("0002", "ALTER TABLE orders ADD CONSTRAINT positive CHECK (price > 0) NOT VALID;")
    shop.pair("0003", "ALTER TABLE orders VALIDATE CONSTRAINT positive;")
    shop.pair("0004", "CREATE INDEX orders_price ON orders (price);")
    shop.pair("0005", "CREATE INDEX CONCURRENTLY orders_tag ON orders (tag);\nDROP INDEX CONCURRENTLY orders_state;")
    shop.pair("0006", "UPDATE orders SET state = 'new';")
    shop.pair("0007", "ALTER TABLE events ALTER COLUMN id TYPE int;\nSELECT count(*) FROM customers;")
    shop.pair("0008", "VACUUM FULL orders;\nVACUUM orders;")
    done = shop.rehearse()
    rows = done["forecast"]
    both = "reads and writes"
    assert [
        (one["file"][3], one["line"], one["table"], one["lock"], one["blocks"], one["rewritten"], one["scanned"],
         one["indexes_built"], one["measured"])
        for one in rows
    ] == [
        ("1", 1, "orders", "ACCESS EXCLUSIVE", both, False, False, 0, True),
        ("1", 2, "orders", "ACCESS EXCLUSIVE", both, True, True, 2, True),
        ("1", 3, "orders", "ACCESS EXCLUSIVE", both, False, True, 0, True),
        ("1", 3, "customers", "SHARE ROW EXCLUSIVE", "writes", False, False, 0, True),
        ("2", 1, "orders", "ACCESS EXCLUSIVE", both, False, False, 0, True),
        ("3", 1, "orders", "SHARE UPDATE EXCLUSIVE", "nothing", False, True, 0, True),
        ("4", 1, "orders", "SHARE", "writes", False, False, 1, True),
        ("5", 1, "orders", "SHARE UPDATE EXCLUSIVE", "nothing", False, True, 1, False),
        ("5", 2, "orders", "SHARE UPDATE EXCLUSIVE", "nothing", False, False, 0, False),
        ("6", 1, "orders", "ROW EXCLUSIVE", "nothing", False, True, 0, True),
        ("7", 1, "events", "ACCESS EXCLUSIVE", both, True, True, 0, True),
        ("8", 1, "orders", "ACCESS EXCLUSIVE", both, True, True, 1, False),
    ]  # fmt: skip
    assert done["unmeasured"] == [{"file": "0008_x.sql", "line": 2}]
    size = shop.database.query("SELECT pg_relation_size('orders')")[0][0]
    assert {(one["rows"], one["size"]) for one in rows if one["table"] == "orders"} == {(2000, size)}


def test_a_lock_is_held_for_all_that_comes_behind_it_in_its_transaction(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for work in BYTES_PER_S:
        monkeypatch.setitem(BYTES_PER_S, work, 8192)
    customers, orders = (
        shop.database.query(f"SELECT pg_relation_size('{table}') / 8192.0")[0][0] for table in ("customers", "orders")
    )
    shop.pair("0001", "ALTER TABLE customers ADD COLUMN a text;\nCREATE INDEX ON orders (price);")
    shop.pair("0002", "-- golive: kind separate\n-- golive: repeatable\nALTER TABLE customers ADD COLUMN b text;\n")
    rows = shop.rehearse()["forecast"]
    assert [(one["table"], one["seconds"]) for one in rows] == [
        ("customers", float(orders)),
        ("orders", float(orders)),
        ("customers", 0.0),
    ]
    assert customers == 1
    error = shop.fails(max_block=2)
    assert error.code == "blocks_too_long"
    assert f"0001_x.sql:1 keeps reads and writes of customers for about {int(orders)} s" in error.message
    assert error.details["forecast"] == rows


def test_a_down_script_that_does_not_bring_the_catalogue_back_is_an_error(shop: Shop) -> None:
    shop.pair("0001", "CREATE TABLE notes (id int);", "DROP TABLE notes;")
    shop.pair(
        "0002",
        "ALTER TABLE orders ADD COLUMN tag text DEFAULT 'x';\nCREATE INDEX orders_tag ON orders (tag);",
        "ALTER TABLE orders ALTER COLUMN tag DROP DEFAULT;",
    )
    error = shop.fails()
    assert (error.code, error.details["file"]) == ("not_reversible", "0002_x.down.sql")
    assert "+column public.orders.tag: text\n+index public.orders_tag: CREATE INDEX orders_tag" in error.message
    assert "+column public.orders.tag: text" in error.details["catalogue_diff"]


def test_a_side_table_outlives_the_way_back_and_its_copy_is_measured(shop: Shop) -> None:
    shop.pair(
        "0001",
        "-- golive: side_table id\nALTER TABLE orders DROP COLUMN price;",
        "ALTER TABLE orders ADD COLUMN price numeric(10,2);\n"
        "UPDATE orders SET price = kept.price FROM golive.side_0001_x kept WHERE kept.id = orders.id;",
    )
    done = shop.rehearse()
    assert [one["version"] for one in done["proved"]] == ["0001"]
    assert [(one["lock"], one["scanned"]) for one in done["forecast"]] == [
        ("SHARE", True),
        ("ACCESS EXCLUSIVE", False),
    ]


def test_a_file_that_leaves_something_else_the_second_time_is_an_error(shop: Shop) -> None:
    shop.pair(
        "0001",
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM customers) THEN CREATE TABLE first (id int); END IF; END $$;\n"
        "INSERT INTO customers VALUES (1) ON CONFLICT DO NOTHING;",
        "DROP TABLE first;",
    )
    error = shop.fails()
    assert (error.code, error.details["file"]) == ("not_repeatable", "0001_x.sql")
    assert "-table public.first" in error.message


def test_what_cannot_be_applied_fails_with_its_line(shop: Shop) -> None:
    shop.pair("0001", "CREATE TABLE notes (id int);\nALTER TABLE nowhere ADD COLUMN a int;")
    error = shop.fails()
    assert (error.code, error.details["line"]) == ("sql_failed", 2)
    assert "On a clone, which has no rows: Applying 0001_x.sql:2 failed" in error.message
    shop.pair("0001", "CREATE TABLE notes (id int);", "DROP TABLE other;")
    assert "0001_x.down.sql:1 failed" in shop.fails().message


@pytest.mark.parametrize(
    ("sql", "command"),
    [
        ("CREATE ROLE other;", "CREATE ROLE"),
        ("SELECT 1;\nDO $$ BEGIN EXECUTE 'create  user other'; END $$;", "CREATE USER"),
    ],
)
def test_what_changes_the_whole_server_is_refused_before_anything_runs(shop: Shop, sql: str, command: str) -> None:
    shop.pair("0001", sql)
    error = shop.fails()
    assert (error.code, command in error.message) == ("not_rehearsable", True)
    assert error.details["line"] == sql.count("\n") + 1


def test_without_the_right_or_the_program_the_error_says_what_to_do(
    shop: Shop, postgres: Server, tmp_path: Path
) -> None:
    shop.pair("0001", "CREATE TABLE notes (id int);")
    program = tmp_path / "pg_dump"
    assert (shop.fails(programs=str(tmp_path)).code, program.exists()) == ("program_missing", False)
    program.write_text('#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.24"\n')
    program.chmod(0o755)
    assert shop.fails(programs=str(tmp_path)).code == "program_too_old"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.0" && exit\necho no >&2; exit 1\n'
    )
    error = shop.fails(programs=str(tmp_path))
    assert (error.code, error.message) == ("program_failed", "Running pg_dump failed: no.")
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump (PostgreSQL) 99.0" && exit\n'
        f'echo "SET setting_of_tomorrow = 0;"\nexec {postgres.bin / "pg_dump"} "$@"\n'
    )
    assert shop.rehearse(programs=str(tmp_path))["pending"] == ["0001"]
    administer(postgres, f"ALTER ROLE {shop.database.user} NOCREATEDB")
    error = shop.fails()
    assert (error.code, "CREATEDB" in str(error.hint)) == ("clone_forbidden", True)


def test_leftovers_go_and_the_clone_of_another_run_stays(shop: Shop, postgres: Server) -> None:
    oid = shop.database.query("SELECT oid FROM pg_database WHERE datname = current_database()")[0][0]
    left, other = f"{PREFIX}{oid}_killed", f"{PREFIX}{oid + 1}_of_another_database"
    for name in (left, other):
        administer(postgres, f'CREATE DATABASE "{name}" OWNER {shop.database.user}')
    where = settings(shop.database.options)
    with cloned(call_for_tests({}), where, "first") as first:
        assert set(shop.clones()) == {other, first.where.database}
        with cloned(call_for_tests({}), where, "second") as second:
            assert set(shop.clones()) == {other, first.where.database, second.where.database}
    assert shop.clones() == [other]


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.series)])
def test_a_run_that_ends_early_leaves_nothing_for_long(shop: Shop, how: signal.Signals) -> None:
    shop.pair("0001", SLOW)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.migrate.runner_process", "db_migrate_rehearse"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(shop.params()))
    process.stdin.close()
    process.stdin = None
    end, pause = time.monotonic() + 30, threading.Event()
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%' AND state = 'active'"
    while not shop.database.query(query)[0][0]:
        assert time.monotonic() < end, "the statement did not begin"
        pause.wait(0.05)
    process.send_signal(how)
    process.communicate(timeout=20)
    assert len(shop.clones()) == (1 if how == signal.SIGKILL else 0)
    shop.pair("0001", SLOW.replace("30", "0"))
    shop.rehearse()
    assert shop.clones() == []


def test_owners_rights_and_odd_names_are_cloned_as_far_as_the_user_may(shop: Shop, postgres: Server) -> None:
    user = shop.database.user
    for sql in (
        "CREATE EXTENSION pgcrypto",
        'CREATE SCHEMA "Odd Name" AUTHORIZATION CURRENT_USER',
        'CREATE TABLE "Odd Name"."it\'s" (id bigint GENERATED ALWAYS AS IDENTITY, "a;b" text DEFAULT \';\')',
        "CREATE FUNCTION half() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END",
        "CREATE FUNCTION body() RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RETURN 'a; -- b'; END $f$",
        "CREATE VIEW seen AS SELECT id, CASE WHEN id > 1 THEN 'x' END AS y FROM orders",
        "CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM orders",
        f"GRANT SELECT ON seen TO pg_monitor; COMMENT ON VIEW seen IS 'it''s'; ALTER VIEW seen OWNER TO {user}",
    ):
        shop.database.query(sql)
    where = settings(shop.database.options)
    with cloned(call_for_tests({}), where, None) as clone, connect(call_for_tests({}), clone.where) as session:
        assert snapshot(session, Ledger("golive", "nothing")).text == shop.text()
        assert session.value("SELECT count(*) FROM orders") == 0
    assert clone.left_out == []

    name = shop.database.name
    administer(postgres, "CREATE EXTENSION pg_stat_statements", name)
    administer(postgres, "CREATE TABLE foreign_owned (id int); GRANT ALL ON foreign_owned TO PUBLIC", name)
    with cloned(call_for_tests({}), where, None) as clone:
        assert [text.partition(": ")[0] for text in clone.left_out] == [
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements WITH SCHEMA public",
            "COMMENT ON EXTENSION pg_stat_statements IS 'track planning and execution statist",
            "ALTER TABLE public.foreign_owned OWNER TO golive_admin",
        ]
    shop.pair("0001", "CREATE TABLE notes (id int);")
    shop.rehearse()
    assert "The clone lacks 3 things that this user may not make" in shop.warnings[-1]

    # Now something needs what is left out.
    administer(postgres, "CREATE EXTENSION earthdistance CASCADE", name)
    shop.database.query("CREATE VIEW far AS SELECT earth()")
    error = shop.fails()
    assert error.code == "clone_failed"
    assert "Filling the clone failed at CREATE VIEW public.far" in error.message
    assert "CREATE EXTENSION IF NOT EXISTS earthdistance" in error.message


def test_no_password_of_another_server_is_cloned(shop: Shop, postgres: Server) -> None:
    administer(postgres, f"ALTER ROLE {shop.database.user} SUPERUSER")
    for sql in (
        "CREATE EXTENSION postgres_fdw",
        "CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1')",
        "CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (password 'planted-9d2c')",
    ):
        shop.database.query(sql)
    where = settings(shop.database.options)
    with cloned(call_for_tests({}), where, None) as clone, connect(call_for_tests({}), clone.where) as session:
        assert session.value("SELECT count(*) FROM pg_foreign_server") == 1
        assert session.value("SELECT count(*) FROM pg_user_mappings") == 0
    assert "user mapping" in shop.text()
    assert "planted-9d2c" not in shop.text()


def test_check_mode_of_db_migrate_shows_the_catalogue_of_a_clone(shop: Shop, postgres: Server) -> None:
    shop.pair("0001", "CREATE TABLE notes (id int);")
    real = Project(shop.path, shop.database)
    before = shop.text()
    planned = real.migrate(check_mode=True)
    assert [one["after"] for one in planned["diff"]] == [
        "CREATE TABLE notes (id int);\n", planned["diff"][1]["after"]
    ]  # fmt: skip
    assert "table public.notes" in planned["diff"][1]["after"]
    assert (shop.text(), shop.clones(), real.warnings) == (before, [], [])
    done = real.migrate()
    assert done["diff"] == planned["diff"]

    shop.pair("0002", "CREATE TABLE more (id int);")
    administer(postgres, f"ALTER ROLE {shop.database.user} NOCREATEDB")
    told: list[str] = []
    call = call_for_tests(real.params(), check_mode=True, diff_mode=True, warn=told.append)
    assert len(db_migrate.run(call)["diff"]) == 1
    assert [text.partition(" of ")[0] for text in told] == ["The diff shows no catalogue: Making a clone"]
