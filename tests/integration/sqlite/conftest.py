# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SQLite file beside a real database, and the verb on both."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import sqlite_copy
from tests.integration.conftest import Database
from tests.integration.migrate import runner_process


@dataclass
class Move:
    """The file ``path`` on its way to ``database``."""

    path: Path
    database: Database
    shown: list[str] = field(default_factory=list)

    def make(self, script: str, *rows: tuple[str, list[tuple[Any, ...]]]) -> None:
        """Run a script in the SQLite file, then statements with many rows."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.executescript(script)
            for statement, values in rows:
                connection.executemany(statement, values)
            connection.commit()

    def params(self, **options: Any) -> dict[str, Any]:
        """Options as Ansible would hand them over."""
        spec = sqlite_copy.SPEC["argument_spec"]
        defaults = {name: option.get("default") for name, option in spec.items()}
        policy = {name: option.get("default") for name, option in spec["columns"]["options"].items()}
        columns = [{**policy, **one} for one in options.pop("columns", [])]
        given = {"path": str(self.path), "postgresql": self.database.options, "columns": columns, "processes": 2}
        return {**defaults, **given, **options}

    def copy(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Run the verb."""

        def show(text, *_numbers) -> None:
            return self.shown.append(text)

        call = call_for_tests(self.params(**options), check_mode, diff_mode=True, show=show)
        return sqlite_copy.run(call)

    def error(self, **options: Any) -> GoliveError:
        """The error that it ends with."""
        with pytest.raises(GoliveError) as caught:
            self.copy(**options)
        return caught.value

    def refused(self, **options: Any) -> list[tuple[str, str, str, int]]:
        """Code, table, column and count of all that stands against the copy; nothing was made then."""
        error = self.error(**options)
        assert error.code == "refused", error
        for row in error.details["refused"]:
            assert row["text"] in str(error) or len(error.details["refused"]) > 5
        assert self.tables() == []
        return [(row["code"], row["table"], row["column"], row["count"]) for row in error.details["refused"]]

    @property
    def log(self) -> Path:
        """What a process of its own shows."""
        return self.path.with_name("progress.log")

    def told(self) -> str:
        """All of it so far."""
        return self.log.read_text() if self.log.exists() else ""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the target."""
        return self.database.query(sql)

    def tables(self) -> list[str]:
        """The tables of the target."""
        rows = self.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'")
        return sorted(name for (name,) in rows)

    def type_of(self, table: str, column: str) -> str:
        """The type of a column of the target."""
        ((found,),) = self.query(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            f" WHERE attrelid = '\"{table}\"'::regclass AND attname = '{column}'"
        )
        return str(found)


def started(move: Move, show: bool = False, **options: Any) -> subprocess.Popen[str]:
    """The verb in a process of its own; with ``show`` its progress goes where ``told`` reads it."""
    process = subprocess.Popen(
        [sys.executable, runner_process.__file__, "sqlite_copy", *([str(move.log)] if show else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(move.params(**options)))
    process.stdin.close()
    process.stdin = None
    return process


def chunks(move: Move) -> int:
    """Chunks that are committed."""
    if not move.query("SELECT to_regclass('golive.sqlite_chunks')")[0][0]:
        return 0
    return int(move.query("SELECT count(*) FROM golive.sqlite_chunks")[0][0])


def until(wanted: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait for something while the process works."""
    end = time.monotonic() + 60
    while not wanted():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end
        time.sleep(0.005)


def children(pid: int) -> list[int]:
    """Processes that a process has forked."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def move(tmp_path: Path, database: Database) -> Iterator[Move]:
    """An empty file and an empty database; no snapshot stays behind that nobody needs."""
    return Move(tmp_path / "app.db", database)
