# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements outside of transactions: found by themselves, gone on from after a crash, nothing INVALID left."""

from __future__ import annotations

import json
import signal
import threading
from typing import Any

import pytest

from tests.integration.migrate.conftest import Project
from tests.integration.migrate.test_crashes import eventually, start

INDEX = "CREATE INDEX CONCURRENTLY notes_body ON notes (lower(body)) WHERE id > 0"
MIXED = f"""
SET search_path = public;
CREATE TABLE one (id int PRIMARY KEY);
{INDEX};
INSERT INTO one VALUES (1);
CREATE TABLE two (id int);
VACUUM notes;
DROP INDEX CONCURRENTLY notes_body;
CREATE UNIQUE INDEX CONCURRENTLY extra_id ON extra (id);
"""
EXTRA = "CREATE TABLE IF NOT EXISTS extra (id int)"
SCHEMA = """
SELECT c.relname, c.relkind::text, coalesce(pg_get_indexdef(i.indexrelid), ''), coalesce(i.indisvalid, true)
FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE relnamespace = 'public'::regnamespace ORDER BY 1"""


def invalid(project: Project) -> list[Any]:
    return project.database.query("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")


def state(project: Project) -> tuple[Any, ...]:
    query = "SELECT state, statements, statements_done, intent IS NULL FROM golive.migrations WHERE label = '0003'"
    return project.database.query(query)[0]


def test_a_mixed_file_runs_step_by_step(project: Project) -> None:
    project.database.query(EXTRA)
    project.write("0003_mixed.sql", MIXED)
    planned = project.migrate(check_mode=True)
    assert [(row["version"], row["kind"]) for row in planned["pending"]][-1] == ("0003", "autocommit")
    done = project.migrate()
    assert done["head"] == "0003"
    assert state(project) == ("applied", 8, 8, True)
    assert project.migrate()["changed"] is False
    names = [row[0] for row in project.database.query(SCHEMA)]
    assert names == ["extra", "extra_id", "notes", "notes_pkey", "one", "one_pkey", "two"]


@pytest.mark.parametrize("number", range(8))
def test_killed_at_each_statement_it_goes_on(project: Project, number: int) -> None:
    """The runner dies by SIGKILL while statement ``number`` waits for a lock that another session holds."""
    project.database.query(EXTRA)
    project.write("0003_mixed.sql", MIXED)
    expected = project.migrate()["head"] and project.database.query(SCHEMA)
    project.database.query(
        "DROP TABLE two, one; DROP INDEX extra_id; DELETE FROM golive.migrations WHERE label = '0003'"
    )
    statements = [part.strip() for part in MIXED.split(";") if part.strip()]
    slow = f"SELECT pg_advisory_lock(4711);\n{statements[number]}"
    if statements[number].split()[0] in ("VACUUM", "DROP") or "CONCURRENTLY" in statements[number]:
        slow = statements[number]
    text = ";\n".join([*statements[:number], slow, *statements[number + 1 :]])
    project.write("0003_mixed.sql", text)

    blocker = project.database.connect()
    blocker.autocommit = False
    with blocker.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(4711)")
        table = "extra" if "extra" in slow else "notes"
        mode = "ACCESS SHARE" if "DROP" in slow else "ROW EXCLUSIVE"
        if "CONCURRENTLY" in slow or "VACUUM" in slow:
            cursor.execute(f"LOCK TABLE {table} IN {'SHARE UPDATE EXCLUSIVE' if 'VACUUM' in slow else mode} MODE")
    process = start(project, old_transaction=600, lock_timeout=30)
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'golive%' AND wait_event_type = 'Lock'"
        " AND state = 'active'"
    )
    eventually(f"statement {number} waits", lambda: project.database.query(busy)[0][0])
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    blocker.close()

    done = project.migrate(wait=30)
    assert done["head"] == "0003"
    assert state(project)[0] == "applied"
    assert invalid(project) == []
    assert project.database.query(SCHEMA) == expected
    assert project.database.query("SELECT count(*) FROM one") == [(1,)]
    assert project.migrate()["changed"] is False


def test_a_failed_unique_build_leaves_no_invalid_index(project: Project) -> None:
    project.migrate()
    project.database.query("INSERT INTO notes (id, body) VALUES (1, 'same'), (2, 'same')")
    project.write("0003_unique.sql", "CREATE UNIQUE INDEX CONCURRENTLY notes_body ON notes (body);")
    error = project.refused()
    assert (error.details["sqlstate"], error.details["line"]) == ("23505", 1)
    assert invalid(project) == []
    project.database.query("DELETE FROM notes WHERE id = 2")
    assert project.migrate()["head"] == "0003"
    project.write("0003_unique.sql", "CREATE UNIQUE INDEX CONCURRENTLY notes_body ON notes (body, id);")
    assert project.refused().code == "checksum_changed"


@pytest.mark.parametrize("optional", ["", "IF NOT EXISTS "])
def test_an_invalid_index_of_others_is_rebuilt(project: Project, optional: str) -> None:
    project.migrate()
    project.database.query(INDEX.replace("CONCURRENTLY ", ""))
    admin = project.database.server.connect(project.database.name)
    with admin.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.notes_body'::regclass")
    admin.close()
    project.write("0003_index.sql", INDEX.replace("notes_body", optional + "notes_body"))
    assert project.migrate()["head"] == "0003"
    assert invalid(project) == []


def test_an_index_of_that_name_with_another_definition_is_told(project: Project) -> None:
    project.migrate()
    project.database.query("CREATE INDEX notes_body ON notes (body)")
    project.write("0003_index.sql", INDEX.replace("CONCURRENTLY ", "CONCURRENTLY IF NOT EXISTS "))
    error = project.refused()
    assert error.code == "index_differs"
    assert "(body)" in error.message


def test_old_transactions_are_named_before_a_build(project: Project) -> None:
    project.migrate()
    project.write("0003_index.sql", INDEX)
    other = project.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("SELECT 1")
    error = project.refused(old_transaction=0, lock_wait=0.5)
    other.close()
    assert error.code == "old_transactions"
    assert error.details["blockers"][0]["user"] == project.database.user
    assert invalid(project) == []
    assert project.migrate(old_transaction=0)["head"] == "0003"


def test_a_build_that_waits_too_long_is_cancelled_and_cleaned(project: Project) -> None:
    project.migrate()
    project.write("0003_index.sql", INDEX)
    other = project.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE notes IN ROW EXCLUSIVE MODE")
    error = project.refused(lock_wait=1, lock_timeout=0.2)
    other.close()
    assert error.code == "lock_timeout"
    assert error.details["blockers"][0]["user"] == project.database.user
    assert "waiting for" in error.message
    assert ("the next run removes it" in error.message) == bool(invalid(project))
    assert project.migrate()["head"] == "0003"
    assert invalid(project) == []


def test_an_idle_transaction_in_the_way_is_named_and_may_be_ended(project: Project) -> None:
    project.migrate(target="1")
    other = project.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("SELECT count(*) AS mark_of_the_idle FROM notes")
    error = project.refused(lock_timeout=0.2, lock_wait=0.5)
    assert error.code == "lock_timeout"
    (blocker,) = error.details["blockers"]
    assert (blocker["state"], blocker["user"]) == ("idle in transaction", project.database.user)
    assert "mark_of_the_idle" in error.message
    assert project.migrate(lock_timeout=0.2, lock_wait=30, cancel_roles=[project.database.user])["head"] == "0002"
    other.close()


def test_a_lock_that_is_freed_in_time_is_got(project: Project) -> None:
    project.migrate(target="1")
    other = project.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE notes IN ACCESS SHARE MODE")
    timer = threading.Timer(1, other.close)
    timer.start()
    assert project.migrate(lock_timeout=0.2, lock_wait=30)["head"] == "0002"
    timer.join()


def test_what_ran_may_not_change_before_it_goes_on(project: Project) -> None:
    project.write("0003_mixed.sql", "CREATE TABLE one (id int);\nVACUUM notes;\nSELECT wrong;\n")
    error = project.refused()
    assert (error.details["line"], error.details["sqlstate"]) == (3, "42703")
    assert error.details["changed"] is True
    assert "2 statements before it are applied" in error.message
    assert state(project)[:3] == ("running", 3, 2)
    project.write("0003_mixed.sql", "CREATE TABLE two (id int);\nVACUUM notes;\nSELECT 1;\n")
    assert project.refused().code == "unfinished"
    project.write("0003_mixed.sql", "CREATE TABLE one (id int); -- the same\nVACUUM notes;\nSELECT 1;\n")
    assert project.migrate()["head"] == "0003"
    assert json.dumps(project.info()["drift"]) == "[]"


def test_a_check_query_decides_for_what_leaves_no_trace(project: Project) -> None:
    project.migrate()
    project.database.query(
        "CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO notes (id, body) VALUES (7, 'x'); COMMIT; PERFORM pg_sleep(30); END $$"
    )
    text = (
        "-- golive: kind autocommit\n-- golive: check SELECT EXISTS (SELECT FROM notes WHERE id = 7)\n"
        "CALL fill();\n-- golive: repeatable\nANALYZE notes;\n"
    )
    project.write("0003_fill.sql", text)
    process = start(project)
    eventually("the row", lambda: project.database.query("SELECT count(*) FROM notes WHERE id = 7")[0][0])
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert project.migrate(wait=40)["head"] == "0003"
    assert project.database.query("SELECT count(*) FROM notes") == [(1,)]
