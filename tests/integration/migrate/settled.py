# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true once a run has been repeated after a fault: the catalogue of an undisturbed run, a true ledger."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

from tests.integration.conftest import Database
from tests.integration.migrate.conftest import Project
from tests.integration.postgres import PASSWORD, SUPERUSER


def dumped(database: Database) -> str:
    """The catalogue without the ledger, as pg_dump writes it."""
    options = ["-h", "127.0.0.1", "-p", str(database.server.port), "-U", SUPERUSER, "-d", database.name, "-s"]
    done = subprocess.run(
        [database.server.bin / "pg_dump", *options, "-N", "golive"],
        env={**os.environ, "PGPASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    # Newer versions write a key there that is another one each time.
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def undisturbed(project: Project) -> str:
    """The catalogue that the files of a project make when nothing goes wrong, in a database of its own."""
    database = project.database
    twin = replace(database, name=f"{database.name}_twin")
    admin = database.server.connect()
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {twin.name} OWNER {database.user}")
        try:
            Project(project.path, twin).migrate()
            return dumped(twin)
        finally:
            cursor.execute(f"DROP DATABASE {twin.name} WITH (FORCE)")
            admin.close()


def assert_settled(project: Project, expected: str) -> None:
    """Run again: everything is applied once, nothing is left behind, and one more run has nothing to do."""
    assert project.migrate(wait=30)["pending"] == []
    assert dumped(project.database) == expected
    seen = project.info()
    assert {row["state"] for row in seen["applied"]} == {"applied"}
    assert (seen["pending"], seen["drift"], seen["unverified"], seen["mutex_holder"]) == ([], [], [], None)
    query = project.database.query
    assert query("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid") == []
    assert (
        query(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database())"
        )
        == []
    )
    assert project.migrate()["changed"] is False
