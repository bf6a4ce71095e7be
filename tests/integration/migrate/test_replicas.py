# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real streaming standby: a batch that waits for it, and a fail-over to it in the middle of a run."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.modules import db_migrate
from tests.integration.migrate.conftest import Project
from tests.integration.migrate.settled import assert_settled, undisturbed
from tests.integration.migrate.test_autocommit import invalid
from tests.integration.migrate.test_batches import BACKFILL, COUNT, fill
from tests.integration.migrate.test_crashes import eventually, start
from tests.integration.migrate.test_faults import MIXED, WAITS, on_notes, writer_of_one
from tests.integration.postgres import Server

pytestmark = [pytest.mark.faults, pytest.mark.series]


@pytest.fixture
def postgres() -> Iterator[Server]:
    """A server of its own: it has a standby, and may not live to the end."""
    server = Server.create(major=int(os.environ.get("GOLIVE_POSTGRES") or 0) or None)
    yield server
    server.remove()


@pytest.fixture
def standby(postgres: Server) -> Iterator[Server]:
    """A standby of it."""
    server = postgres.standby("second")
    yield server
    server.remove()


def ask(server: Server, database: str, sql: str) -> Any:
    """The first value of a query of the superuser."""
    session = server.connect(database)
    with session.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    session.close()
    return row[0] if row else None


def test_a_batch_waits_for_a_replica_that_stands_still(project: Project, standby: Server) -> None:
    project.migrate()
    # More than a fast machine changes before it sees the lag.
    rows = 30_000
    fill(project, rows)
    primary, name = project.database.server, project.database.name
    ask(primary, name, f"GRANT pg_monitor TO {project.database.user}; SELECT 1")
    ask(standby, name, "SELECT pg_wal_replay_pause()::text")
    project.write("0003_backfill.sql", BACKFILL)
    shown: list[str] = []
    kept: list[int] = []

    def show(text: str, done: int | None, total: int | None) -> None:
        shown.append(text)
        if "a replica is" in text and not kept:
            kept.append(project.database.query(COUNT)[0][0])
            ask(standby, name, "SELECT pg_wal_replay_resume()::text")

    assert db_migrate.run(call_for_tests(project.params(replica_lag=0.05), show=show))["head"] == "0003"
    assert kept[0] < rows
    assert project.database.query(COUNT) == [(rows, rows)]
    there = "SELECT count(*) FILTER (WHERE tag = 'b' || id) FROM notes"
    eventually("the replica has it all", lambda: ask(standby, name, there) == rows)


def test_a_replica_behind_is_told_before_a_run(project: Project, standby: Server) -> None:
    name = project.database.name
    assert [row["id"] for row in project.info()["preflight"]] == ["not_visible"]
    ask(project.database.server, name, f"GRANT pg_monitor TO {project.database.user}; SELECT 1")
    project.database.query("CREATE TABLE made (id int)")
    ask(standby, name, "SELECT pg_wal_replay_pause()::text")
    project.database.query("INSERT INTO made SELECT generate_series(1, 1000)")
    found = eventually("the lag", lambda: project.migrate(check_mode=True, replica_lag=0)["preflight"])
    assert (found[0]["id"], found[0]["severity"], found[0]["where"]) == ("replica_lag", "warning", "replica second")
    assert project.refused(postgresql={**project.database.options, "port": standby.port}).code == "read_only"


def test_a_fail_over_in_the_middle_of_a_build(project: Project, standby: Server) -> None:
    project.migrate()
    project.write("0003_mixed.sql", on_notes(MIXED))
    project.write("0004_more.sql", "CREATE TABLE more (id int);\n")
    expected = undisturbed(project)
    old = project.database
    new = Project(project.path, replace(old, server=standby))
    with writer_of_one(project):
        process = start(project, run_id="before")
        eventually("the waiting build", lambda: old.query(WAITS)[0][0])
        begun = "SELECT intent IS NOT NULL FROM golive.migrations WHERE label = '0003'"
        eventually("the standby has its begin", lambda: new.database.query(begun) == [(True,)] and invalid(new))
        old.server.stop(signal.SIGQUIT)
    result = json.loads(process.communicate(timeout=40)[0])
    assert result["code"] in ("connection_lost", "mutex_lost")
    assert new.refused().code == "read_only"

    assert ask(standby, old.name, "SELECT pg_promote()")
    try:
        seen = new.info()
        assert (seen["head"], seen["mutex_holder"]) == ("0002", None)
        assert (seen["applied"][-1]["state"], seen["applied"][-1]["statements_done"]) == ("running", 2)
        assert seen["applied"][-1]["run_id"] == "before"
        assert_settled(new, expected)
    finally:
        # For the fixture that drops the database.
        old.server.start()
