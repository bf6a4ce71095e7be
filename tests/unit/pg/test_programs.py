# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding PostgreSQL's client programs, and running them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._pg import programs
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings
from ansible_collections.golive.cutover.plugins.module_utils._pg.programs import Program, find_program, run_program

WHERE = Settings(
    host="db.example.org",
    port=6543,
    database="shop",
    user="ann",
    password="s3cret",
    address="127.0.0.1",
    sslmode="require",
)


def alive() -> None:
    """Nobody cancels."""


def put(directory: Path, text: str, name: str = "pg_dump") -> Path:
    """A program that runs ``text`` in a shell."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def version(number: str) -> str:
    return f'echo "pg_dump (PostgreSQL) {number} (Debian {number}-1)"'


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH and an empty place for packages."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(programs, "_DIRECTORIES", (str(tmp_path / "lib" / "*" / "bin"),))
    return tmp_path


def test_the_servers_own_version_is_taken_or_the_next_newer(places: Path) -> None:
    for number in ("14.9", "16.4", "17.1"):
        put(places / "lib" / number.partition(".")[0] / "bin", version(number))
    put(places / "path", version("17.2"))
    assert find_program("pg_dump", 160003, alive).path == str(places / "lib" / "16" / "bin" / "pg_dump")
    assert find_program("pg_dump", 150008, alive).major == 16
    assert find_program("pg_dump", 170000, alive).path == str(places / "path" / "pg_dump")


def test_an_older_program_is_refused_with_what_to_install(places: Path) -> None:
    put(places / "path", version("14.9"))
    with pytest.raises(GoliveError, match=r"is of version 14, and the server of version 16") as caught:
        find_program("pg_dump", 160003, alive)
    assert caught.value.code == "program_too_old"
    assert "postgresql-client-16" in str(caught.value.hint)


def test_no_program_says_where_it_was_looked_for(places: Path) -> None:
    put(places / "path", "echo something else")
    with pytest.raises(GoliveError, match="neither in PATH") as caught:
        find_program("pg_dump", 160003, alive)
    assert caught.value.code == "program_missing"


def test_a_named_directory_is_the_only_one(places: Path) -> None:
    put(places / "path", version("16.1"))
    put(places / "own", version("17.1"))
    assert find_program("pg_dump", 160003, alive, str(places / "own")).major == 17
    with pytest.raises(GoliveError, match="it is not in"):
        find_program("pg_dump", 160003, alive, str(places / "path" / "none"))


def test_where_to_connect_goes_by_environment(tmp_path: Path) -> None:
    path = put(tmp_path, 'echo "$PGHOST $PGHOSTADDR $PGPORT $PGDATABASE $PGUSER $PGPASSWORD $PGSSLMODE $*"')
    said = run_program(Program("pg_dump", str(path), 16), ["-s"], alive, 5, WHERE)
    assert said == "db.example.org 127.0.0.1 6543 shop ann s3cret require -s\n"


def test_a_failure_shows_its_words_and_no_password(tmp_path: Path) -> None:
    path = put(tmp_path, 'echo "pg_dump: error: FATAL: no s3cret" >&2\necho "pg_dump: hint: ask" >&2\nexit 1')
    with pytest.raises(GoliveError, match=r"Running pg_dump failed: FATAL: no \*{8} hint: ask\. Try") as caught:
        run_program(Program("pg_dump", str(path), 16), [], alive, 5, WHERE)
    assert caught.value.code == "program_failed"


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(GoliveError, match="Running pg_dump failed: No such file") as caught:
        run_program(Program("pg_dump", str(tmp_path / "none"), 16), [], alive, 5)
    assert caught.value.code == "program_failed"


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_program_is_ended_at_its_limit_and_when_the_run_is_cancelled(tmp_path: Path, cancelled: bool) -> None:
    ended = tmp_path / "pid"
    path = put(tmp_path, f"echo $$ > {ended}\nexec sleep 60")

    def asked() -> None:
        if cancelled and ended.exists() and ended.read_text():
            raise Interrupted("cancelled")

    with pytest.raises(Interrupted if cancelled else GoliveError):
        run_program(Program("pg_dump", str(path), 16), [], asked, 30 if cancelled else 0.3)
    assert not Path("/proc", ended.read_text().strip()).exists()
