# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs ``db_migrate`` and ``db_migrate_info`` on a real PostgreSQL."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.integration.migrate.conftest import NOTES, TAG, Project

APP_MIGRATIONS = Path(__file__).parents[2] / "app" / "migrations"


def test_check_run_check_run(project: Project) -> None:
    planned = project.migrate(check_mode=True)
    assert planned["changed"] is True
    assert [row["version"] for row in planned["pending"]] == ["0001", "0002"]
    assert [(row["before"], row["after"]) for row in planned["diff"]] == [("", NOTES), ("", TAG)]
    assert project.tables() == set()

    done = project.migrate()
    assert done["changed"] is True
    assert [(row["version"], row["name"]) for row in done["applied"]] == [("0001", "create_notes"), ("0002", "add_tag")]
    assert done["pending"] == []
    assert (done["previous_head"], done["head"]) == (None, "0002")
    assert done["ledger"] == "golive.migrations"
    assert project.tables() == {
        "public.notes",
        "golive.migrations",
        "golive.migrations_catalogue",
        "golive.migrations_runner",
    }

    for again in (project.migrate(check_mode=True), project.migrate()):
        assert again["changed"] is False
        assert again["applied"] == again["pending"] == again["diff"] == []
        assert (again["previous_head"], again["head"]) == ("0002", "0002")
    assert project.warnings == []


def test_a_run_without_pending_files_writes_nothing(project: Project) -> None:
    project.migrate()
    wal = "SELECT pg_current_wal_insert_lsn()::text"
    before = project.database.query(wal)
    project.migrate()
    assert project.database.query(wal) == before


def test_the_ledger_tells_what_was_applied(project: Project) -> None:
    project.migrate(run_id="r-1")
    rows = project.database.query(
        "SELECT place, label, name, kind, state, checksum, down_sql, down_checksum, run_id, application, applied_by"
        " FROM golive.migrations ORDER BY sequence"
    )
    down = "ALTER TABLE notes DROP COLUMN tag;\n"
    user = project.database.user
    assert rows == [
        ([1], "0001", "create_notes", "tx", "applied", digest(NOTES), None, None, "r-1", "golive/r-1", user),
        ([2], "0002", "add_tag", "tx", "applied", digest(TAG), down, digest(down), "r-1", "golive/r-1", user),
    ]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_target_leaves_the_rest_pending(project: Project) -> None:
    done = project.migrate(target="1")
    assert [row["version"] for row in done["applied"]] == ["0001"]
    assert [row["version"] for row in done["pending"]] == ["0002"]
    assert done["head"] == "0001"
    assert project.migrate()["head"] == "0002"
    assert project.migrate(target="0001")["changed"] is False
    assert project.refused(target="7").code == "target_unknown"


def test_line_ends_and_byte_order_mark_change_nothing(project: Project) -> None:
    project.migrate()
    project.write("0001_create_notes.sql", b"\xef\xbb\xbf" + NOTES.replace("\n", "\r\n").encode())
    again = project.migrate()
    assert again["changed"] is False
    assert project.warnings == []


def test_a_changed_file_is_an_error(project: Project) -> None:
    project.migrate()
    project.write("0001_create_notes.sql", NOTES.replace("text", "varchar"))
    for check_mode in (True, False):
        error = project.refused(check_mode=check_mode)
        assert error.code == "checksum_changed"
        assert error.details["files"] == ["0001_create_notes.sql"]
    assert [(row["kind"], row["version"]) for row in project.info()["drift"]] == [("checksum_changed", "0001")]


def test_a_file_that_was_merged_late_is_an_error_unless_asked_for(project: Project) -> None:
    project.migrate()
    project.write("0003_more.sql", "SELECT 1;")
    project.migrate()
    project.path.joinpath("0002_add_tag.sql").rename(project.path / "0002_add_tag.txt")
    project.path.joinpath("0002_add_tag.down.sql").unlink()
    project.database.query("DELETE FROM golive.migrations WHERE place = '{2}'; ALTER TABLE notes DROP COLUMN tag")
    project.path.joinpath("0002_add_tag.txt").rename(project.path / "0002_add_tag.sql")

    error = project.refused()
    assert error.code == "out_of_order"
    assert "0002_add_tag.sql" in error.message
    assert project.info()["drift"][0]["kind"] == "out_of_order"

    done = project.migrate(out_of_order=True)
    assert [row["version"] for row in done["applied"]] == ["0002"]
    assert (done["previous_head"], done["head"]) == ("0003", "0003")


def test_a_file_that_is_gone_is_a_warning(project: Project) -> None:
    project.migrate()
    project.path.joinpath("0002_add_tag.sql").unlink()
    project.path.joinpath("0002_add_tag.down.sql").unlink()
    again = project.migrate()
    assert again["changed"] is False
    assert again["head"] == "0002"
    assert project.warnings == ["missing_file: 0002_add_tag.sql was applied and is gone."]


def test_a_failing_statement_names_its_line_and_leaves_nothing(project: Project) -> None:
    project.write(
        "0003_wrong.sql",
        "CREATE TABLE half (id int);\n\nINSERT INTO half\nVALUES (1);\nSELECT id,\n  nothing\nFROM half;\n",
    )
    error = project.refused()
    assert error.code == "sql_failed"
    assert (error.details["file"], error.details["line"], error.details["sqlstate"]) == ("0003_wrong.sql", 6, "42703")
    assert [row["version"] for row in error.details["applied"]] == ["0001", "0002"]
    assert error.details["changed"] is True
    assert "0003_wrong.sql:6:3" in error.message
    assert error.details["column"] == 3
    assert "public.half" not in project.tables()
    assert project.info()["head"] == "0002"

    project.write("0003_wrong.sql", "CREATE TABLE half (id int);")
    assert project.migrate()["head"] == "0003"


def test_a_transaction_that_fails_at_its_end_is_told(project: Project) -> None:
    project.write(
        "0003_deferred.sql",
        "CREATE TABLE child (n bigint REFERENCES notes DEFERRABLE INITIALLY DEFERRED); INSERT INTO child VALUES (9);",
    )
    error = project.refused()
    assert (error.code, error.details["line"], error.details["sqlstate"]) == ("sql_failed", None, "23503")
    assert "public.child" not in project.tables()


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;", "transaction_control"),
        ("SELECT 1;\nCREATE INDEX CONCURRENTLY ON notes (body);", "needs_check"),
        ("SELECT 1;\nCOPY notes FROM STDIN;", "copy_stream"),
        ("SELECT 1;\nSELECT 'open;", "invalid_sql"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_runs(project: Project, sql: str, code: str) -> None:
    project.write("0003_x.sql", sql)
    error = project.refused()
    assert (error.code, error.details["file"], error.details["line"]) == (code, "0003_x.sql", 2)
    assert error.hint
    assert project.tables() == set()


def test_a_waiting_lock_ends_with_lock_timeout(project: Project) -> None:
    project.migrate(target="1")
    other = project.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE notes IN ACCESS SHARE MODE")
    error = project.refused(lock_timeout=0.3, lock_wait=1)
    other.close()
    assert (error.code, error.details["sqlstate"], error.details["line"]) == ("lock_timeout", "55P03", 2)
    assert project.migrate()["head"] == "0002"


def test_directives_of_a_file_apply_to_it_alone(project: Project) -> None:
    project.write(
        "0003_slow.sql",
        "-- golive: statement_timeout 90s\n-- golive: lock_timeout = 250ms\nCREATE TABLE seen AS SELECT"
        " current_setting('statement_timeout') AS s, current_setting('lock_timeout') AS l;",
    )
    project.write(
        "0004_usual.sql",
        "INSERT INTO seen SELECT current_setting('statement_timeout'), current_setting('lock_timeout');",
    )
    project.migrate(statement_timeout=7, lock_timeout=2)
    assert project.database.query("SELECT s, l FROM seen") == [("90s", "100ms"), ("7s", "100ms")]
    project.write(
        "0005_short.sql", "-- golive: lock_timeout 50ms\nINSERT INTO seen SELECT current_setting('lock_timeout');"
    )
    project.migrate()
    assert project.database.query("SELECT s FROM seen WHERE l IS NULL") == [("50ms",)]


def test_what_a_file_sets_does_not_reach_the_next(project: Project) -> None:
    project.write(
        "0003_sets.sql",
        "SET search_path = pg_catalog; SET statement_timeout = 300; SET timezone = 'Asia/Tokyo'; SET LOCAL ROLE NONE;",
    )
    project.write(
        "0004_sees.sql",
        "CREATE TABLE seen AS SELECT current_setting('search_path') AS p, current_setting('TimeZone') AS z;",
    )
    project.migrate()
    assert project.database.query("SELECT p, z FROM public.seen") == [("public", "UTC")]


def test_another_ledger_stands_beside(project: Project) -> None:
    project.migrate(target="1")
    done = project.migrate(schema="public", table="history", check_mode=True)
    assert len(done["pending"]) == 2
    assert project.refused(schema="public", table="notes").code == "ledger_foreign"
    assert project.refused(schema="Public").code == "invalid"


def test_a_user_without_rights_is_told(project: Project) -> None:
    admin = project.database.server.connect(project.database.name)
    with admin.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {project.database.name} OWNER TO CURRENT_USER")
    admin.close()
    error = project.refused()
    assert error.code == "forbidden"
    assert "golive.migrations" in error.message
    assert project.tables() == set()


def test_ledgers_of_other_tools_are_seen(project: Project) -> None:
    project.database.query("CREATE TABLE flyway_schema_history (installed_rank int, version text)")
    project.database.query("CREATE TABLE schema_migrations (version bigint, dirty bool)")
    project.migrate()
    assert len(project.warnings) == 1
    assert "flyway (public.flyway_schema_history)" in project.warnings[0]
    assert {row["tool"] for row in project.info()["other_ledgers"]} == {"flyway", "golang-migrate"}


def test_info_before_and_after(project: Project) -> None:
    before = project.info()
    assert (before["ledger_exists"], before["head"], before["mutex_holder"]) == (False, None, None)
    assert [row["file"] for row in before["pending"]] == ["0001_create_notes.sql", "0002_add_tag.sql"]
    assert project.tables() == set()
    project.migrate()
    after = project.info()
    assert (after["ledger_exists"], after["head"], after["pending"], after["drift"]) == (True, "0002", [], [])
    assert [(row["version"], row["reversible"], row["state"]) for row in after["applied"]] == [
        ("0001", False, "applied"),
        ("0002", True, "applied"),
    ]
    assert after["applied"][0]["applied_at"].endswith("Z")


def test_the_apps_own_migrations(project: Project) -> None:
    assert project.migrate(path=str(APP_MIGRATIONS))["changed"] is True
    assert project.migrate(path=str(APP_MIGRATIONS))["changed"] is False


def test_a_missing_directory(project: Project) -> None:
    assert project.refused(path=str(project.path / "nowhere")).code == "files_missing"
