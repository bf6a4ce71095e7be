# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verification, and going back by the down scripts that were stored."""

from __future__ import annotations

import signal

import pytest

from tests.integration.migrate.conftest import Project
from tests.integration.migrate.test_crashes import eventually, start

MORE = "CREATE TABLE more (id int);\nCREATE INDEX CONCURRENTLY more_id ON more (id);\nCREATE TABLE most (id int);\n"
MORE_BACK = "DROP TABLE most;\nDROP INDEX CONCURRENTLY more_id;\nDROP TABLE more;\n"


@pytest.fixture
def reversible(project: Project) -> Project:
    """Every migration has a way back, the last in several steps."""
    project.write("0001_create_notes.down.sql", "DROP TABLE notes;\n")
    project.write("0003_more.sql", MORE)
    project.write("0003_more.down.sql", MORE_BACK)
    return project


def test_back_to_a_version_and_all_the_way_without_the_files(reversible: Project) -> None:
    reversible.migrate()
    for file in reversible.path.glob("0003*"):
        file.unlink()
    planned = reversible.migrate(check_mode=True, revert_to="0001")
    assert planned["changed"] is True
    assert [row["before_header"] for row in planned["diff"]] == ["0003_more.sql", "0002_add_tag.sql"]
    assert reversible.info()["head"] == "0003"

    done = reversible.migrate(revert_to="0001")
    assert [row["version"] for row in done["reverted"]] == ["0003", "0002"]
    assert (done["previous_head"], done["head"], done["changed"]) == ("0003", "0001", True)
    assert "public.more" not in reversible.tables()
    for again in (reversible.migrate(check_mode=True, revert_to="0001"), reversible.migrate(revert_to="0001")):
        assert (again["changed"], again["reverted"]) == (False, [])
    assert reversible.migrate(revert_to="")["head"] is None
    assert reversible.tables() == {"golive.migrations", "golive.migrations_catalogue", "golive.migrations_runner"}
    assert reversible.migrate()["head"] == "0002"


def test_a_version_that_is_nowhere(reversible: Project) -> None:
    reversible.migrate()
    assert reversible.refused(revert_to="0009").code == "target_unknown"


def test_what_has_removed_data_is_not_taken_back_and_names_the_backup(reversible: Project) -> None:
    reversible.migrate()
    reversible.write("0004_drop.sql", "ALTER TABLE notes DROP COLUMN tag;")
    reversible.write("0004_drop.down.sql", "ALTER TABLE notes ADD COLUMN tag text NOT NULL DEFAULT '';")
    reversible.migrate(restore_point="run-7-before")
    for check_mode in (True, False):
        error = reversible.refused(check_mode=check_mode, revert_to="0001")
        assert error.code == "restore_only"
        assert error.details["files"] == ["0004_drop.sql"]
        assert "run-7-before" in error.message
    assert reversible.info()["head"] == "0004"
    row = reversible.info()["applied"][-1]
    assert (row["loss"], row["restore_point"]) == ("restore_only", "run-7-before")


def test_a_migration_without_a_way_back_keeps_all(project: Project) -> None:
    project.migrate()
    error = project.refused(revert_to="")
    assert error.code == "restore_only"
    assert "0001_create_notes.sql (has no down script)" in error.message
    assert project.info()["head"] == "0002"


def test_a_killed_return_goes_on(reversible: Project) -> None:
    reversible.migrate()
    other = reversible.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE more IN ACCESS SHARE MODE")
    process = start(reversible, revert_to="", lock_timeout=30)
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DROP INDEX CONC%' AND wait_event_type = 'Lock'"
    eventually("the waiting DROP", lambda: reversible.database.query(query)[0][0])
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    other.close()
    assert reversible.refused(wait=30).code == "unfinished"
    assert reversible.migrate(revert_to="", wait=30)["head"] is None
    assert reversible.tables() == {"golive.migrations", "golive.migrations_catalogue", "golive.migrations_runner"}
    assert reversible.migrate()["head"] == "0003"


@pytest.mark.parametrize("how", ["stop", "revert"])
def test_a_failing_file_stops_or_takes_the_batch_back(reversible: Project, how: str) -> None:
    reversible.migrate(target="1")
    reversible.write("0004_wrong.sql", "SELECT 1;\nSELECT wrong;\n")
    error = reversible.refused(on_failure=how)
    assert (error.code, error.details["line"]) == ("sql_failed", 2)
    if how == "stop":
        assert [row["version"] for row in error.details["applied"]] == ["0002", "0003"]
        assert reversible.info()["head"] == "0003"
        return
    assert "was taken back: 0003_more, 0002_add_tag" in error.message
    assert (error.details["applied"], error.details["changed"]) == ([], False)
    assert reversible.info()["head"] == "0001"
    assert "public.more" not in reversible.tables()


def test_a_refused_index_build_leaves_nothing_to_take_back(reversible: Project) -> None:
    reversible.migrate(target="2")
    reversible.database.query("INSERT INTO notes (id, body) VALUES (1, 'same'), (2, 'same')")
    reversible.write("0004_unique.sql", "CREATE UNIQUE INDEX CONCURRENTLY notes_body ON notes (body);")
    error = reversible.refused(on_failure="revert")
    assert "was taken back: 0003_more" in error.message
    assert reversible.info()["head"] == "0002"
    assert len(reversible.info()["applied"]) == 2


def test_a_batch_that_cannot_be_taken_back_stays_whole(reversible: Project) -> None:
    reversible.migrate(target="1")
    reversible.path.joinpath("0003_more.down.sql").unlink()
    reversible.write("0004_wrong.sql", "SELECT wrong;")
    error = reversible.refused(on_failure="revert")
    assert error.code == "sql_failed"
    assert "stays" in error.message
    assert "0003_more.sql (has no down script)" in error.message
    assert reversible.info()["head"] == "0003"


@pytest.mark.parametrize(
    ("verification", "line", "said"),
    [
        ("SELECT true;\nSELECT count(*) > 0 FROM notes;\n", 2, "false or NULL"),
        ("SELECT tag FROM notes WHERE false;\nSELECT wrong FROM notes;\n", 2, "wrong"),
        ("SELECT NULL;", 1, "false or NULL"),
        ("INSERT INTO notes (id, body) VALUES (1, 'x');", 1, "read-only"),
    ],
)
def test_a_failing_verification_takes_the_batch_back(
    reversible: Project, verification: str, line: int, said: str
) -> None:
    reversible.migrate(target="1")
    reversible.write("0002_add_tag.verify.sql", verification)
    error = reversible.refused(on_failure="revert")
    assert (error.code, error.details["file"], error.details["line"]) == (
        "verify_failed",
        "0002_add_tag.verify.sql",
        line,
    )
    assert said in error.message
    assert reversible.info()["head"] == "0001"


def test_a_verification_that_holds(reversible: Project) -> None:
    reversible.write("0002_add_tag.verify.sql", "SELECT count(*) = 0 FROM notes;\nSELECT tag FROM notes WHERE false;\n")
    assert reversible.migrate()["head"] == "0003"


def test_the_phase_of_a_file_decides_when_it_runs(project: Project) -> None:
    project.write("0002_add_tag.down.sql", "ALTER TABLE notes DROP COLUMN tag;\n")
    project.write("0003_drop_body.sql", "-- golive: phase contract\nALTER TABLE notes DROP COLUMN body;\n")
    project.write("0004_more.sql", "CREATE TABLE more (id int);\n")
    done = project.migrate(phase="expand")
    assert [row["version"] for row in done["applied"]] == ["0001", "0002", "0004"]
    assert [(row["version"], row["phase"]) for row in done["pending"]] == [("0003", "contract")]
    assert project.migrate(phase="expand")["changed"] is False
    assert [row["version"] for row in project.migrate(phase="contract")["applied"]] == ["0003"]
    assert project.migrate()["changed"] is False


def test_what_was_not_verified_is_verified_by_the_next_run(project: Project) -> None:
    project.write("0002_add_tag.verify.sql", "SELECT count(*) > 0 FROM notes;\n")
    error = project.refused()
    assert (error.code, error.details["changed"]) == ("verify_failed", True)
    assert [row["version"] for row in project.info()["unverified"]] == ["0002"]
    assert [row["verified"] for row in project.info()["applied"]] == [None, False]
    assert project.refused().details["changed"] is False

    project.database.query("INSERT INTO notes (id, body) VALUES (1, 'x')")
    planned = project.migrate(check_mode=True)
    assert (planned["changed"], planned["pending"]) == (True, [])
    assert [row["name"] for row in planned["unverified"]] == ["add_tag"]
    done = project.migrate()
    assert (done["changed"], done["applied"], done["unverified"]) == (True, [], [])
    assert project.info()["unverified"] == []
    assert project.info()["applied"][1]["verified"] is True
    for again in (project.migrate(check_mode=True), project.migrate()):
        assert (again["changed"], again["diff"]) == (False, [])


def test_a_verify_script_that_is_gone_verifies_nothing(project: Project) -> None:
    project.write("0002_add_tag.verify.sql", "SELECT false;\n")
    project.refused()
    project.path.joinpath("0002_add_tag.verify.sql").unlink()
    assert project.migrate()["changed"] is True
    assert project.info()["applied"][1]["verified"] is None
    assert project.migrate()["changed"] is False


def test_a_ledger_of_the_older_format_is_read_and_upgraded_by_the_next_change(project: Project) -> None:
    project.migrate(target="1")
    project.database.query(
        "ALTER TABLE golive.migrations DROP COLUMN verified;"
        " COMMENT ON TABLE golive.migrations IS 'golive.cutover migration ledger, format 2'"
    )
    assert project.info()["applied"][0]["verified"] is None
    assert project.migrate(target="1")["changed"] is False
    assert project.migrate()["head"] == "0002"
    assert [row["version"] for row in project.info()["applied"]] == ["0001", "0002"]
    project.database.query("COMMENT ON TABLE golive.migrations IS 'golive.cutover migration ledger, format 9'")
    assert project.refused().code == "ledger_foreign"


def test_killed_before_the_verification_the_next_run_verifies(project: Project) -> None:
    project.write("0002_add_tag.verify.sql", "SELECT pg_sleep(30);\nSELECT count(*) > 0 FROM notes;\n")
    process = start(project)
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%' AND state = 'active'"
    eventually("the verification", lambda: project.database.query(query)[0][0])
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert project.info()["head"] == "0002"
    assert [row["version"] for row in project.info()["unverified"]] == ["0002"]
    project.write("0002_add_tag.verify.sql", "SELECT count(*) > 0 FROM notes;\n")
    assert project.refused(wait=30).code == "verify_failed"
