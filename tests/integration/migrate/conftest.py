# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of migrations beside a real database, and the verbs on both."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import db_migrate, db_migrate_info
from tests.integration.conftest import Database

NOTES = "CREATE TABLE notes (id bigint PRIMARY KEY, body text NOT NULL);\n"
TAG = "-- Expand.\nALTER TABLE notes ADD COLUMN tag text NOT NULL DEFAULT '';\n"


@dataclass
class Project:
    """Migrations in ``path`` for ``database``."""

    path: Path
    database: Database
    warnings: list[str] = field(default_factory=list)

    def write(self, name: str, text: str | bytes) -> None:
        """Put a file into the directory."""
        self.path.joinpath(name).write_bytes(text if isinstance(text, bytes) else text.encode())

    def params(self, **options: Any) -> dict[str, Any]:
        """Options of ``db_migrate`` as Ansible would hand them over."""
        spec = db_migrate.SPEC["argument_spec"]
        defaults = {name: option.get("default") for name, option in spec.items()}
        return {**defaults, "path": str(self.path), "postgresql": self.database.options, **options}

    def migrate(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Run ``db_migrate``."""
        call = call_for_tests(self.params(**options), check_mode, diff_mode=True, warn=self._warn)
        return db_migrate.run(call)

    def _warn(self, text: str) -> None:
        # The owner of these databases may not make a clone; that of test_rehearse may, and sees this warning too.
        if "permission denied to create database" not in text:
            self.warnings.append(text)

    def refused(self, **options: Any) -> GoliveError:
        """The error of ``db_migrate``."""
        with pytest.raises(GoliveError) as caught:
            self.migrate(**options)
        return caught.value

    def info(self, **options: Any) -> dict[str, Any]:
        """Run ``db_migrate_info``."""
        return db_migrate_info.run(call_for_tests(self.params(**options)))

    def tables(self) -> set[str]:
        """Schema and name of all tables of the database."""
        rows = self.database.query(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname !~ '^pg_|^information_schema$'"
        )
        return {row[0] for row in rows}


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Project:
    """Two migrations, nothing applied."""
    made = Project(tmp_path / "migrations", database)
    made.path.mkdir()
    made.write("0001_create_notes.sql", NOTES)
    made.write("0002_add_tag.sql", TAG)
    made.write("0002_add_tag.down.sql", "ALTER TABLE notes DROP COLUMN tag;\n")
    return made
