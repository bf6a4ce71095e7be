# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test application as a process on a real PostgreSQL: its releases, its migrations, its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.build import go_environment, toolchain
from tests.cluster.progress import Part, wait_until
from tests.cluster.record import locked
from tests.images import programs
from tests.integration.conftest import Database

APP = Path(__file__).resolve().parents[2] / "app"


def settings(database: Database) -> dict[str, str]:
    return {
        "DATABASE_HOST": "127.0.0.1",
        "DATABASE_PORT": str(database.server.port),
        "DATABASE_NAME": database.name,
        "DATABASE_USER": database.user,
        "DATABASE_PASSWORD": database.password,
        "DATABASE_SSLMODE": "disable",
    }


def test_releases_and_migrations_against_a_real_database(database: Database, tmp_path: Path) -> None:
    work = programs.work_folder()
    with locked(work / "lock"):
        environment = {**go_environment(work, tmp_path), **settings(database)}
        go = toolchain(Part("go toolchain"))
        done = subprocess.run(
            [go, "test", "-trimpath", "-buildvcs=false", "-count=1", "-run", "TestReleasesAndMigrations", "-v", "."],
            cwd=APP,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "--- PASS: TestReleasesAndMigrations" in done.stdout


class Notes:
    """One process of the application."""

    def __init__(self, log: Path, environment: dict[str, str]) -> None:
        programs.ensure(programs.NOTES)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.log = log
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                [programs.NOTES.path], env={**environment, "APP_PORT": str(self.port)}, stdout=output, stderr=output
            )

    def get(self, path: str) -> tuple[int, dict[str, str]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def wait_until_it_answers(self) -> None:
        wait_until(self._listens, 20, "an answer of the application")

    def _listens(self) -> bool:
        with contextlib.suppress(OSError):
            return self.get("/healthz")[0] == 200
        return False


Start = Callable[..., Notes]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Notes] = []

    def begin(**environment: str) -> Notes:
        started.append(Notes(tmp_path / f"log-{len(started)}", environment))
        return started[-1]

    yield begin
    for notes in started:
        notes.process.kill()
        notes.process.wait()


def test_it_starts_without_a_database_and_says_what_is_missing(start: Start, database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        nobody = str(probe.getsockname()[1])
    lonely = start(**{**settings(database), "DATABASE_PORT": nobody})
    lonely.wait_until_it_answers()
    code, answer = lonely.get("/readyz")
    assert code == 503
    assert "database does not answer" in answer["error"]
    assert database.password not in lonely.log.read_text()

    empty = start(**settings(database))
    empty.wait_until_it_answers()
    assert empty.get("/readyz") == (503, {"error": "table notes is missing: run migration 0001_create_notes.sql"})


def test_a_wrong_password_is_named_and_never_logged(start: Start, database: Database) -> None:
    notes = start(**{**settings(database), "DATABASE_PASSWORD": "planted-secret-77"})
    notes.wait_until_it_answers()
    code, answer = notes.get("/readyz")
    assert code == 503
    assert "password authentication failed" in answer["error"]
    assert "planted-secret-77" not in answer["error"] + notes.log.read_text()


def test_sigterm_ends_it_with_code_0(start: Start, database: Database) -> None:
    notes = start(**settings(database), APP_DRAIN_DELAY="100ms")
    notes.wait_until_it_answers()
    notes.process.send_signal(signal.SIGTERM)
    assert notes.process.wait(20) == 0
    assert [json.loads(line)["msg"] for line in notes.log.read_text().splitlines()] == [
        "serving",
        "draining",
        "drained",
    ]


def test_the_crash_release_says_why_and_ends_with_code_1(start: Start, database: Database) -> None:
    notes = start(**settings(database), APP_FAULT="crash", APP_FAULT_AFTER="200ms")
    assert notes.process.wait(20) == 1
    assert "cannot go on" in notes.log.read_text().splitlines()[-1]


def test_wrong_settings_end_it_with_code_2(start: Start) -> None:
    notes = start(PATH=os.environ["PATH"])
    assert notes.process.wait(20) == 2
    assert "DATABASE_HOST is missing" in notes.log.read_text()
