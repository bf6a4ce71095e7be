# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at before anything is applied, on a real PostgreSQL that has each of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.conftest import Database
from tests.integration.migrate.conftest import Project
from tests.integration.migrate.test_crashes import eventually

REWRITE = "ALTER TABLE notes ADD COLUMN at timestamptz NOT NULL DEFAULT clock_timestamp();\n"


@pytest.fixture
def ready(project: Project) -> Project:
    """One table with rows is there, a change of it pending."""
    project.migrate(target="1")
    project.database.query(
        "INSERT INTO notes SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n; ANALYZE notes"
    )
    return project


def administer(database: Database, *statements: str) -> None:
    admin = database.server.connect(database.name)
    with admin.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    admin.close()


def of(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["id"] == name]


def test_a_quiet_server_says_nothing(ready: Project) -> None:
    assert ready.info()["preflight"] == []
    assert ready.migrate(check_mode=True)["preflight"] == []
    assert ready.migrate()["preflight"] == []
    assert ready.warnings == []
    assert ready.info()["preflight"] == []


def test_an_old_transaction_is_named(ready: Project) -> None:
    other = ready.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("SELECT 1")
    (row,) = ready.migrate(old_transaction=0, check_mode=True)["preflight"]
    pid = other.info.backend_pid
    other.close()
    assert (row["id"], row["severity"]) == ("old_transaction", "warning")
    assert f"pid {pid} (user {ready.database.user}" in row["message"]
    assert f"pg_terminate_backend({pid})" in row["hint"]
    assert ready.warnings == [f"old_transaction: {row['message']} {row['hint']}"]


@pytest.fixture
def prepared(ready: Project) -> Iterator[Project]:
    """A prepared transaction holds a lock on the table, as one that a lost coordinator left."""
    session = ready.database.connect()
    with session.cursor() as cursor:
        cursor.execute("BEGIN; UPDATE notes SET body = 'y' WHERE id = 1; PREPARE TRANSACTION 'it''s lost'")
    session.close()
    yield ready
    ready.database.query("ROLLBACK PREPARED 'it''s lost'")


def test_a_prepared_transaction_in_the_way_is_refused_before_anything_is_applied(prepared: Project) -> None:
    for check_mode in (True, False):
        error = prepared.refused(check_mode=check_mode)
        assert error.code == "preflight"
        assert "it's lost" in error.message
        assert "public.notes" in error.message
        assert error.hint
        assert "ROLLBACK PREPARED 'it''s lost'" in error.hint
    assert prepared.info()["head"] == "0001"
    assert [row["severity"] for row in prepared.info()["preflight"]] == ["error"]

    planned = prepared.migrate(check_mode=True, preflight_ignore=["prepared_transaction"])
    assert [row["version"] for row in planned["pending"]] == ["0002"]
    assert len(prepared.warnings) == 1


def test_a_prepared_transaction_elsewhere_is_a_warning(prepared: Project) -> None:
    prepared.path.joinpath("0002_add_tag.sql").unlink()
    prepared.path.joinpath("0002_add_tag.down.sql").unlink()
    prepared.write("0002_other.sql", "CREATE TABLE other (id int);\nINSERT INTO notes VALUES (0, 'z');\n")
    done = prepared.migrate()
    assert [(row["id"], row["severity"]) for row in done["preflight"]] == [("prepared_transaction", "warning")]


def test_a_replication_slot_that_nobody_reads(ready: Project) -> None:
    slot = ready.database.name
    administer(ready.database, f"SELECT pg_create_physical_replication_slot('{slot}', true)")
    try:
        (row,) = of(ready.info()["preflight"], "inactive_slot")
        assert (row["severity"], row["where"]) == ("info", f"replication slot {slot}")
        # Seventeen segments of 16 MiB.
        administer(ready.database, *["SELECT pg_logical_emit_message(false, '', 'x'); SELECT pg_switch_wal()"] * 17)
        (row,) = of(ready.migrate()["preflight"], "inactive_slot")
    finally:
        administer(ready.database, f"SELECT pg_drop_replication_slot('{slot}')")
    assert row["severity"] == "warning"
    assert "MiB of WAL" in row["message"]
    assert f"pg_drop_replication_slot('{slot}')" in row["hint"]


@pytest.mark.parametrize(
    ("name", "sql", "does"),
    [
        ("0002_rewrite.sql", REWRITE, "writes public.notes anew"),
        ("0002_index.sql", "CREATE INDEX CONCURRENTLY notes_body ON notes (body);", "builds an index of public.notes"),
    ],
)
def test_room_for_what_is_written_anew(ready: Project, name: str, sql: str, does: str) -> None:
    ready.path.joinpath("0002_add_tag.sql").unlink()
    ready.path.joinpath("0002_add_tag.down.sql").unlink()
    ready.write(name, f"SELECT 1;\n{sql}")
    # The maps of free room and visibility come with the first vacuum, which may be one of the server's own.
    ready.database.query("VACUUM notes")
    (row,) = ready.info()["preflight"]
    assert (row["id"], row["severity"], row["where"]) == ("disk", "info", "table public.notes")
    assert f"{name}:2 {does}" in row["message"]
    size, indexes = ready.database.query("SELECT pg_table_size('notes'), pg_indexes_size('notes')")[0]
    need = 2 * (size + (indexes if "anew" in does else 0))

    error = ready.refused(disk_free=need - 1)
    assert error.code == "preflight"
    assert f"{need / (1 << 20):.1f} MiB" in error.message
    assert ready.info(disk_free=need - 1)["preflight"][0]["severity"] == "error"
    assert ready.info()["head"] == "0001"
    assert ready.migrate(disk_free=need)["preflight"] == []


def test_a_table_that_is_locked_does_not_hold_the_look_up(ready: Project) -> None:
    ready.write("0003_rewrite.sql", REWRITE)
    other = ready.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE notes")
    (row,) = ready.migrate(check_mode=True)["preflight"]
    other.close()
    assert (row["id"], row["severity"]) == ("not_visible", "info")
    assert "lock timeout" in row["message"]


@pytest.mark.series
def test_a_vacuum_that_prevents_wraparound(ready: Project) -> None:
    database = ready.database
    # So slow that it is still there when it is looked for; dropping the database ends it.
    database.query(
        "ALTER TABLE notes SET (autovacuum_freeze_max_age = 100000, autovacuum_vacuum_cost_delay = 100,"
        " autovacuum_vacuum_cost_limit = 1)"
    )
    database.query(
        "CREATE TABLE burnt (id int); DO $$ BEGIN FOR n IN 1..100100 LOOP BEGIN INSERT INTO burnt VALUES (n);"
        " EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$; DROP TABLE burnt"
    )
    (row,) = ready.info()["preflight"]
    assert (row["id"], row["severity"], row["where"]) == ("wraparound_vacuum", "warning", "table public.notes")
    assert "is due (age 1" in row["message"]

    administer(database, f"GRANT pg_monitor TO {database.user}", "ALTER SYSTEM SET autovacuum_naptime = '1s'")
    administer(database, "SELECT pg_reload_conf()")
    try:
        eventually("the vacuum", lambda: "works (pid" in ready.info()["preflight"][0]["message"], seconds=60)
    finally:
        administer(database, "ALTER SYSTEM RESET autovacuum_naptime")
        administer(database, "SELECT pg_reload_conf()")
    ready.path.joinpath("0002_add_tag.sql").write_text("CREATE TABLE other (id int);")
    ready.path.joinpath("0002_add_tag.down.sql").unlink()
    assert ready.info()["preflight"] == []


def test_the_age_of_transaction_ids(ready: Project) -> None:
    administer(ready.database, f"ALTER DATABASE {ready.database.name} SET vacuum_failsafe_age = 1")
    (row,) = ready.migrate()["preflight"]
    assert (row["id"], row["severity"]) == ("xid_age", "warning")
    assert "the server stops" in row["message"]


def test_files_without_a_table_are_no_matter(project: Project) -> None:
    assert project.migrate(disk_free=0)["preflight"] == []
