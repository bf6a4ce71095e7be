# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login that has pg_monitor and nothing else, and what it sees through the verb and through a gate."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from ansible_collections.golive.cutover.plugins.filter.pg_health_checks import pg_health_checks
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_catalogue import FACTS
from ansible_collections.golive.cutover.plugins.modules import health_gate, pg_health
from tests.integration.postgres import Server

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Watch:
    """A server's database as a monitoring login sees it."""

    server: Server
    database: str
    user: str
    password: str

    @property
    def postgresql(self) -> dict[str, Any]:
        """The option ``postgresql``."""
        return {
            "host": "127.0.0.1",
            "port": self.server.port,
            "database": self.database,
            "user": self.user,
            "password": self.password,
            "sslmode": "disable",
            "connect_timeout": 10,
        }

    def params(self, **options: Any) -> dict[str, Any]:
        """Options of ``pg_health`` as Ansible would hand them over."""
        defaults = {name: option.get("default") for name, option in pg_health.SPEC["argument_spec"].items()}
        return {**defaults, "postgresql": self.postgresql, **options}

    def look(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Run ``pg_health``."""
        return pg_health.run(call_for_tests(self.params(**options), check_mode))

    def fact(self, name: str, **options: Any) -> dict[str, Any]:
        """The row of one fact."""
        role = FACTS[name].role or "primary"
        (row,) = self.look(**{"facts": [name], "role": role, **options})["facts"]
        return dict(row)

    def gate(self, names: list[str], seconds: float = 20, **options: Any) -> dict[str, Any]:
        """What one look of ``health_gate`` says of the same facts, also when it does not pass."""
        checks = pg_health_checks(names, self.postgresql, **options)
        defaults = {name: option.get("default") for name, option in health_gate.SPEC["argument_spec"].items()}
        params = {**defaults, "checks": checks, "consecutive": 1, "interval": 0.1, "timeout": seconds, "failures": 1}
        try:
            return health_gate.run(call_for_tests(params))
        except GoliveError as error:
            if error.code not in ("gate_failed", "gate_inconclusive"):
                raise
            return error.details

    def alike(self, name: str, state: str, **options: Any) -> dict[str, Any]:
        """The fact, after ``pg_health`` has called it ``state`` and gates at both thresholds have judged the same."""
        row = self.fact(name, **options)
        assert row["state"] == state, row
        bad = {"ok": [], "warning": ["warning"], "critical": ["warning", "critical"]}[state]
        for level in ("warning", "critical"):
            if row[level] is None and (level == "critical" or row["critical"] is None):
                continue
            wanted = "fail" if level in bad else "pass"
            gate = self.gate([name], thresholds=options.get("thresholds"), fails_at=level)
            assert gate["verdict"] == wanted, (level, gate["checks"])
        return row

    def until(self, name: str, good: Callable[[dict[str, Any]], bool], **options: Any) -> dict[str, Any]:
        """The fact as soon as it is so: the server tells its counters a moment later."""
        end = time.monotonic() + PATIENCE_S
        while True:
            row = self.fact(name, **options)
            if good(row):
                return row
            assert time.monotonic() < end, row

    def admin(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the superuser, each alone; the rows of the last one."""
        connection = self.server.connect(self.database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


def watch_of(server: Server, database: str = "postgres") -> Watch:
    """A new login of a server with pg_monitor alone."""
    watch = Watch(server, database, f"m_{secrets.token_hex(5)}", f"pw-{secrets.token_hex(8)}")
    watch.admin(f"CREATE ROLE {watch.user} LOGIN PASSWORD '{watch.password}'", f"GRANT pg_monitor TO {watch.user}")
    return watch


@pytest.fixture
def watch(postgres: Server) -> Iterator[Watch]:
    """On the shared server, in a database of this test's own."""
    name = f"h_{secrets.token_hex(5)}"
    admin = postgres.connect()
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        made = watch_of(postgres, name)
        yield made
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
        cursor.execute(f"DROP OWNED BY {made.user}")
        cursor.execute(f"DROP ROLE {made.user}")
    admin.close()


@contextmanager
def own_server(**settings: str) -> Iterator[Watch]:
    """A server of a test's own, to be broken."""
    server = Server.create(settings, int(os.environ.get("GOLIVE_POSTGRES") or 0) or None)
    try:
        yield watch_of(server)
    finally:
        server.remove()


@pytest.fixture
def own() -> Iterator[Watch]:
    """A server of this test's own, which archives WAL by a command that fails."""
    with own_server(archive_mode="on", archive_command="/bin/false", max_slot_wal_keep_size="1MB") as made:
        yield made


@contextmanager
def busy(watch: Watch, *statements: str) -> Iterator[int]:
    """A session that runs these statements, the last of them in the background; its process on the server.

    What the last one raises is dropped: it ends with the session.
    """
    connection = watch.server.connect(watch.database)
    pid = connection.info.backend_pid
    with connection.cursor() as cursor:
        for statement in statements[:-1]:
            cursor.execute(statement)

        def run() -> None:
            try:
                cursor.execute(statements[-1])
            except psycopg2.Error:
                return

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield pid
        finally:
            watch.admin(f"SELECT pg_terminate_backend({pid})")
            thread.join(PATIENCE_S)
            connection.close()
