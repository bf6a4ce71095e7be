# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Busy tables, two runs at once, a run that is killed, and a server that goes away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from tests.integration.migrate import runner_process
from tests.integration.pg_access.conftest import Place, standard


@pytest.fixture
def owned(place: Place) -> Place:
    """A database whose table belongs to the login ``x``."""
    place.admin(f"CREATE ROLE {place.name}_x LOGIN PASSWORD '{place.password('x')}'")
    place.admin(f"CREATE DATABASE {place.name} OWNER {place.name}_x")
    place.as_("x", "CREATE TABLE notes (id int)")
    return place


def until(wanted: Callable[[], object]) -> None:
    """Wait for something."""
    end = time.monotonic() + 30
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.01)


def started(place: Place, **options: Any) -> subprocess.Popen[str]:
    """The verb in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, runner_process.__file__, "pg_access"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(place.params(**options)))
    process.stdin.close()
    process.stdin = None
    return process


def test_a_busy_table_is_waited_for_while_others_read(owned: Place) -> None:
    """Nobody queues behind it for longer than a short try, and it goes on when the table is free."""
    wish = {"logins": [owned.login("x")], "take_over": True}
    with closing(owned.connect("x")) as busy, busy.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        busy.autocommit = False
        cursor.execute("SELECT * FROM notes")
        running = pool.submit(owned.run, **wish)
        until(lambda: any("In the way" in text for text in owned.shown))
        for _round in range(20):
            owned.as_("x", "SET statement_timeout = '4s'; SELECT * FROM notes")
        assert not running.done()
        busy.rollback()
        assert running.result(30)["changed"] is True
    assert owned.run(**wish)["changed"] is False


def test_a_table_that_stays_busy_ends_with_who_it_was(owned: Place) -> None:
    before = owned.roles()
    with closing(owned.connect("x")) as busy, busy.cursor() as cursor:
        busy.autocommit = False
        cursor.execute("SET application_name = 'report'; SELECT * FROM notes")
        error = owned.error(logins=[owned.login("x")], take_over=True, wait=1)
        assert error.code == "lock_timeout"
        assert [(one["pid"], one["application_name"]) for one in error.details["blockers"]] == [
            (busy.info.backend_pid, "report")
        ]
        assert f"In the way: pid {busy.info.backend_pid} ({owned.name}_x, application report" in str(error)
    assert owned.roles() == before
    assert owned.as_("x", "SELECT tableowner FROM pg_tables WHERE tablename = 'notes'") == [(f"{owned.name}_x",)]


def test_a_new_database_goes_again_when_the_rest_fails(place: Place) -> None:
    assert place.error(logins=[place.login("a", settings={"work_mem": "much"})]).code == "sql_failed"
    assert place.roles() == []


def test_two_at_once(place: Place) -> None:
    """One after the other; the second finds everything done, also where both began with nothing."""
    barrier = threading.Barrier(2)

    def run() -> dict[str, Any]:
        barrier.wait()
        return place.run(logins=standard(place))

    with ThreadPoolExecutor(2) as pool:
        results = [future.result(60) for future in [pool.submit(run), pool.submit(run)]]
    assert sorted(result["changed"] for result in results) == [False, True]
    place.as_("a", "SELECT 1")


def test_another_run_that_goes_on_is_waited_for_and_named(place: Place) -> None:
    half = "('x' || substr(encode(sha256(%s), 'hex'), 1, 8))::bit(32)::int"
    with closing(place.server.connect()) as other, other.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock(1735355489, {half})", (place.name.encode(),))
        error = place.error(logins=standard(place), wait=0.5)
    assert error.code == "timeout"
    assert "another run holds it" in str(error)
    assert place.roles() == []


@pytest.mark.faults
def test_killed_in_the_middle_the_next_run_ends_it(owned: Place) -> None:
    wish = {"logins": [owned.login("x")], "take_over": True}
    before = owned.roles()
    with closing(owned.connect("x")) as busy, busy.cursor() as cursor:
        busy.autocommit = False
        cursor.execute("SELECT * FROM notes")
        process = started(owned, **wish)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NOT NULL"
        until(lambda: owned.admin(waiting) != [(0,)])
        process.kill()
        process.communicate(timeout=30)
    assert owned.roles() == before
    assert owned.run(**wish)["changed"] is True
    assert owned.run(**wish)["changed"] is False


def test_a_database_that_a_killed_run_has_left(place: Place) -> None:
    """It is the administrator's then, empty, and no reason to refuse."""
    place.admin(f"CREATE DATABASE {place.name} TEMPLATE template0")
    place.run(logins=standard(place))
    place.as_("a", "SELECT 1")


def test_a_server_that_is_not_there(place: Place) -> None:
    reach = {**place.params()["postgresql"], "port": 1}
    assert place.error(logins=standard(place), postgresql=reach).code == "unreachable"
    wrong = {**place.params()["postgresql"], "password": "wrong-4711"}
    error = place.error(logins=standard(place), postgresql=wrong)
    assert error.code == "auth_failed"
    assert "wrong-4711" not in str(error)
