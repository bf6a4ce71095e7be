# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SQLite file beside a real database, and the verb on both."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import sqlite_copy
from tests.integration.conftest import Database


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


@pytest.fixture
def move(tmp_path: Path, database: Database) -> Iterator[Move]:
    """An empty file and an empty database; no snapshot stays behind that nobody needs."""
    return Move(tmp_path / "app.db", database)
