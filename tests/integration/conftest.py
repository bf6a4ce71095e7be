# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every integration test may use: a real PostgreSQL, and a database of one's own in it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from tests.integration.postgres import Server


@dataclass(frozen=True)
class Database:
    """A database and its owner, who is not a superuser."""

    server: Server
    name: str
    user: str
    password: str

    @property
    def options(self) -> dict[str, Any]:
        """The option ``postgresql`` of a verb."""
        return {
            "host": "127.0.0.1",
            "port": self.server.port,
            "database": self.name,
            "user": self.user,
            "password": self.password,
            "sslmode": "disable",
            "connect_timeout": 10,
        }

    def connect(self) -> psycopg2.extensions.connection:
        """A session of the owner in autocommit."""
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.server.port, dbname=self.name, user=self.user, password=self.password
        )
        connection.autocommit = True
        return connection

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query, as the owner."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for the whole run: of the machine's package, or of the major version in ``GOLIVE_POSTGRES``."""
    major = int(os.environ.get("GOLIVE_POSTGRES") or 0) or None
    server = Server.create(major=major)
    if major:
        # Its client programs are looked for there, and must not be older than it.
        os.environ["PATH"] = f"{server.bin}{os.pathsep}{os.environ['PATH']}"
    yield server
    server.remove()


@pytest.fixture
def database(postgres: Server) -> Iterator[Database]:
    """An empty database with an owner of its own; both are dropped afterwards."""
    name = f"t_{secrets.token_hex(6)}"
    password = f"pw-{secrets.token_hex(12)}"
    _administer(postgres, f"CREATE ROLE {name} LOGIN PASSWORD '{password}'", f"CREATE DATABASE {name} OWNER {name}")
    yield Database(postgres, name, name, password)
    _administer(postgres, f"DROP DATABASE {name} WITH (FORCE)", f"DROP ROLE {name}")


def _administer(server: Server, *statements: str) -> None:
    # A connection of its own each time: a test may have restarted the server in between.
    admin = server.connect()
    with admin.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    admin.close()
