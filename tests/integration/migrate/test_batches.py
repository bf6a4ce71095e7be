# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backfills in small transactions: by ranges of a key, throttled, and gone on from where they were killed."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.modules import db_migrate
from tests.integration.migrate.conftest import Project
from tests.integration.migrate.test_crashes import eventually, start

HEAD = "-- golive: kind batch\n-- golive: batch_table notes\n"
BACKFILL = f"{HEAD}-- golive: batch_size 100\nUPDATE notes SET tag = 'b' || id WHERE :range AND tag = '';\n"
COUNT = "SELECT count(*) FILTER (WHERE tag = 'b' || id), count(*) FROM notes"


def fill(project: Project, rows: int) -> None:
    project.database.query(
        f"INSERT INTO notes (id, body) SELECT n * 3, 'x' FROM generate_series(1, {rows}) n; ANALYZE notes"
    )


def cursor(project: Project) -> dict[str, Any]:
    rows = project.database.query("SELECT cursor FROM golive.migrations WHERE label = '0003' AND cursor IS NOT NULL")
    found: dict[str, Any] = rows[0][0] if rows else {"batches": 0}
    return found


def test_all_rows_in_batches(project: Project) -> None:
    project.migrate()
    fill(project, 5000)
    project.write("0003_backfill.sql", BACKFILL)
    shown: list[str] = []
    call = call_for_tests(project.params(), show=lambda text, done, total: shown.append(text))
    assert db_migrate.run(call)["head"] == "0003"
    assert project.database.query(COUNT) == [(5000, 5000)]
    seen = cursor(project)
    assert seen["rows"] == 5000
    assert 2 < seen["batches"] < 50
    assert any("of about 5000 rows" in text and "s left" in text for text in shown)
    assert project.migrate()["changed"] is False


def test_an_empty_table_has_nothing_to_walk(project: Project) -> None:
    project.write("0003_backfill.sql", BACKFILL)
    assert project.migrate()["head"] == "0003"


def test_a_key_of_several_columns_and_types(project: Project) -> None:
    project.migrate()
    project.database.query(
        "CREATE TABLE pairs (day date, name text, note text, PRIMARY KEY (name, day));"
        " INSERT INTO pairs SELECT date '2026-01-01' + d, 'it''s ' || n, '' FROM generate_series(1, 40) d,"
        " generate_series(1, 40) n"
    )
    text = BACKFILL.replace("batch_table notes", "batch_table pairs")
    text = text.replace(
        "UPDATE notes SET tag = 'b' || id WHERE :range AND tag = ''", "UPDATE pairs SET note = 'n' WHERE :range"
    )
    project.write("0003_backfill.sql", text)
    project.write(
        "0004_again.sql", text.replace("batch_size 100", "batch_size 70").replace("note = 'n'", "note = note || 'm'")
    )
    project.migrate()
    assert project.database.query("SELECT note, count(*) FROM pairs GROUP BY 1") == [("nm", 1600)]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("-- golive: batch_table nowhere", "there is no table nowhere"),
        ("-- golive: batch_table bare", "has no primary key"),
        ("-- golive: batch_table bare\n-- golive: batch_key id, gone", "has not all columns"),
    ],
)
def test_a_table_that_cannot_be_walked(project: Project, head: str, message: str) -> None:
    project.migrate()
    project.database.query("CREATE TABLE bare (id int)")
    project.write("0003_backfill.sql", f"-- golive: kind batch\n{head}\nDELETE FROM bare WHERE :range;")
    error = project.refused()
    assert error.code == "batch_key"
    assert "0003_backfill.sql:" in error.message
    assert message in error.message


def test_killed_it_goes_on_behind_the_batches_that_are_done(project: Project) -> None:
    project.migrate()
    fill(project, 3000)
    project.database.query(
        "CREATE TABLE seen (id bigint); CREATE FUNCTION slowly(id bigint) RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_sleep(0.001); RETURN 'b' || id; END $$"
    )
    # A row that were changed twice would show it.
    text = f"{HEAD}-- golive: batch_size 100\nUPDATE notes SET tag = tag || slowly(id) WHERE :range;\n"
    project.write("0003_backfill.sql", text)
    process = start(project)
    eventually("the third batch", lambda: cursor(project)["batches"] > 2)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    half = cursor(project)["rows"]
    assert 0 < half < 3000
    project.write("0003_backfill.sql", text.replace("slowly(id)", "'b' || id"))
    assert project.refused().code == "unfinished"
    project.write("0003_backfill.sql", "-- a comment changes nothing\n" + text)
    assert project.migrate(wait=30)["head"] == "0003"
    assert project.database.query(COUNT) == [(3000, 3000)]
    assert cursor(project)["rows"] == 3000


def test_rows_that_somebody_locks_make_it_wait_and_smaller(project: Project) -> None:
    project.migrate()
    fill(project, 300)
    project.write("0003_backfill.sql", BACKFILL)
    other = project.database.connect()
    other.autocommit = False
    with other.cursor() as locking:
        locking.execute("SELECT FROM notes WHERE id = 600 FOR UPDATE")
    error = project.refused(lock_timeout=0.2, lock_wait=1)
    other.close()
    assert error.code == "lock_timeout"
    assert "batches before it are applied" in error.message
    assert (error.details["applied"], error.details["changed"]) == ([], True)
    assert error.details["blockers"][0]["state"] == "idle in transaction"
    assert project.migrate()["head"] == "0003"
    assert project.database.query(COUNT) == [(300, 300)]


def test_sessions_that_wait_for_locks_make_it_pause(project: Project) -> None:
    project.migrate()
    fill(project, 300)
    project.database.query("CREATE TABLE crowded (id int)")
    project.write("0003_backfill.sql", BACKFILL)
    holder = project.database.connect()
    holder.autocommit = False
    with holder.cursor() as locking:
        locking.execute("LOCK TABLE crowded")
    waiters = [project.database.connect(), project.database.connect(), project.database.connect()]
    threads = [threading.Thread(target=_read, args=(waiter,), daemon=True) for waiter in waiters]
    for thread in threads:
        thread.start()
    eventually(
        "three waiting sessions",
        lambda: project.database.query("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0] >= 3,
    )
    shown: list[str] = []

    def show(text: str, done: int | None, total: int | None) -> None:
        shown.append(text)
        if "3 sessions wait for locks" in text:
            holder.close()

    assert db_migrate.run(call_for_tests(project.params(), show=show))["head"] == "0003"
    assert any("3 sessions wait for locks" in text for text in shown)
    for thread in threads:
        thread.join(timeout=10)
    for waiter in waiters:
        waiter.close()


def test_more_wal_than_allowed_makes_it_pause(project: Project) -> None:
    project.migrate()
    fill(project, 1500)
    project.write("0003_backfill.sql", BACKFILL.replace("batch_size 100", "batch_size 500"))
    shown: list[str] = []
    params = project.params(wal_rate=60_000)
    call = call_for_tests(params, show=lambda text, done, total: shown.append(text))
    assert db_migrate.run(call)["head"] == "0003"
    assert any("MiB of WAL a second" in text for text in shown)
    assert project.database.query(COUNT) == [(1500, 1500)]


def _read(connection: Any) -> None:
    with connection.cursor() as reading:
        reading.execute("SELECT count(*) FROM crowded")
