# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed runners, lost sessions, and two runners at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.migrate.conftest import Project

SLOW = "CREATE TABLE half (id int);\nSELECT pg_sleep(30);\n"


def eventually(what: str, look: Callable[[], Any], seconds: float = 25) -> Any:
    """What ``look`` returns once it is true."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not happen within {seconds} s"
        pause.wait(0.05)


def start(project: Project, **options: Any) -> subprocess.Popen[str]:
    """``db_migrate`` in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.migrate.runner_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(project.params(**options)))
    process.stdin.close()
    process.stdin = None
    return process


def sleeping(project: Project) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%' AND state = 'active'"
    return bool(project.database.query(query)[0][0])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_runner_leaves_nothing_and_the_next_converges(project: Project, how: signal.Signals) -> None:
    project.write("0003_slow.sql", SLOW)
    process = start(project, run_id="r-1")
    eventually("the slow statement", lambda: sleeping(project))
    assert project.info()["mutex_holder"]["application_name"] == "golive/r-1"
    eventually("its sign of life", lambda: project.info()["mutex_holder"]["file"] == "0003_slow.sql")

    process.send_signal(how)
    process.communicate(timeout=20)
    killed = time.monotonic()
    project.write("0003_slow.sql", SLOW.replace("30", "0"))
    done = project.migrate(wait=20)
    assert [row["version"] for row in done["applied"]] == ["0003"]
    assert done["previous_head"] == "0002"
    assert time.monotonic() - killed < 10
    assert not sleeping(project)


def test_two_runners_apply_each_file_once(project: Project) -> None:
    project.write("0003_slow.sql", SLOW.replace("30", "1"))
    runners = [start(project, run_id=f"r-{number}") for number in range(3)]
    results = [json.loads(runner.communicate(timeout=60)[0]) for runner in runners]
    applied = [row["version"] for result in results for row in result["applied"]]
    assert sorted(applied) == ["0001", "0002", "0003"]
    assert [result["head"] for result in results] == ["0003"] * 3
    assert sorted(result["changed"] for result in results) == [False, False, True]


def test_a_second_runner_gives_up_naming_the_first(project: Project) -> None:
    project.write("0003_slow.sql", SLOW)
    first = start(project, run_id="the-first")
    eventually("the slow statement", lambda: sleeping(project))
    error = project.refused(wait=0.5)
    holder = project.info()["mutex_holder"]
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=20)
    assert error.code == "timeout"
    for part in (f"pid {holder['pid']}", f"user {project.database.user}", "application golive/the-first", "since 2"):
        assert part in error.message
    assert error.hint
    assert "pg_terminate_backend" in error.hint


def test_a_lost_mutex_stops_the_work_within_seconds(project: Project) -> None:
    project.write("0003_slow.sql", SLOW)
    process = start(project)
    eventually("the slow statement", lambda: sleeping(project))
    holder = project.info()["mutex_holder"]
    project.database.query(f"SELECT pg_terminate_backend({holder['pid']})")
    start_of_end = time.monotonic()
    result = json.loads(process.communicate(timeout=25)[0])
    assert result["code"] == "mutex_lost"
    assert result["changed"] is True
    assert time.monotonic() - start_of_end < 12
    assert "public.half" not in project.tables()
    project.write("0003_slow.sql", SLOW.replace("30", "0"))
    assert project.migrate()["head"] == "0003"


def test_a_lost_session_of_work_is_told(project: Project) -> None:
    project.write("0003_slow.sql", SLOW)
    process = start(project)
    eventually("the slow statement", lambda: sleeping(project))
    project.database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%'"
    )
    result = json.loads(process.communicate(timeout=25)[0])
    assert (result["code"], result["file"], result["line"]) == ("connection_lost", "0003_slow.sql", 2)
    assert project.info()["mutex_holder"] is None
    assert project.info()["head"] == "0002"


def test_a_crash_of_the_server_leaves_nothing(project: Project) -> None:
    project.write("0003_slow.sql", SLOW)
    process = start(project)
    eventually("the slow statement", lambda: sleeping(project))
    server = project.database.server
    server.stop(signal.SIGQUIT)
    result = json.loads(process.communicate(timeout=25)[0])
    assert result["code"] in ("connection_lost", "mutex_lost")
    assert project.refused().code == "unreachable"
    server.start()
    assert project.info()["head"] == "0002"
    assert "public.half" not in project.tables()


def test_a_wrong_password_is_never_echoed(project: Project) -> None:
    options = {**project.database.options, "password": "planted-4f1c"}
    process = start(project, postgresql=options)
    output, errors = process.communicate(timeout=30)
    assert json.loads(output)["code"] == "auth_failed"
    assert "planted-4f1c" not in output + errors


def test_the_password_is_masked_where_a_server_message_repeats_it(project: Project) -> None:
    password = project.database.password
    project.write("0003_leak.sql", f"SELECT 1;\nSELECT '{password}'::int;\n")
    error = project.refused()
    assert error.details["line"] == 2
    assert password not in f"{error} {error.details} {error.args}"
    shown = project.migrate(check_mode=True)["diff"]
    assert password not in json.dumps(shown)
