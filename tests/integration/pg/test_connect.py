# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions of a real server: what they are set to, how they fail, and that they can be cancelled."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, connect, settings
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from tests.integration.conftest import Database
from tests.integration.postgres import Server

CALL = call_for_tests({})


def refusal(options: dict[str, Any]) -> GoliveError:
    with pytest.raises(GoliveError) as caught, connect(CALL, settings(options)):
        pass
    return caught.value


def test_a_session_is_in_the_known_state(database: Database) -> None:
    with connect(CALL, settings(database.options), limits=Limits(lock=1.5, statement=20)) as session:
        shown = {
            name: session.value(f"SHOW {name}")
            for name in ("TimeZone", "search_path", "lock_timeout", "statement_timeout", "application_name")
        }
        version = session.server_version
        if version >= 140000:
            assert session.value("SHOW client_connection_check_interval") == "1s"
    assert shown == {
        "TimeZone": "UTC",
        "search_path": "public",
        "lock_timeout": "1500ms",
        "statement_timeout": "20s",
        "application_name": "golive",
    }
    assert session.closed


def test_a_read_only_session_cannot_write(database: Database) -> None:
    with connect(CALL, settings(database.options), read_only=True) as session, pytest.raises(SqlError) as caught:
        session.execute("CREATE TABLE t (a int)")
    assert caught.value.code == "read_only"


def test_a_wrong_password_is_not_echoed(database: Database) -> None:
    error = refusal({**database.options, "password": "open-sesame-42"})
    assert error.code == "auth_failed"
    assert "open-sesame-42" not in str(error)
    assert database.user in str(error)


def test_a_missing_database(database: Database) -> None:
    assert refusal({**database.options, "database": "nowhere"}).code == "database_missing"


def test_a_server_without_tls(database: Database) -> None:
    assert refusal({**database.options, "sslmode": "require"}).code == "tls"


def test_nobody_listens(database: Database) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        assert refusal({**database.options, "port": silent.getsockname()[1]}).code == "unreachable"


def test_a_server_that_never_answers_is_given_up(database: Database) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        error = refusal({**database.options, "port": silent.getsockname()[1], "connect_timeout": 1})
    assert error.code == "unreachable"
    assert "1 s" in error.message
    assert time.monotonic() - start < 5


def test_no_connection_slot_is_left(postgres: Server, database: Database) -> None:
    admin = postgres.connect()
    with admin.cursor() as cursor:
        cursor.execute(f"ALTER ROLE {database.user} CONNECTION LIMIT 0")
    admin.close()
    assert refusal(database.options).code == "too_many_connections"


def test_the_environment_stands_in(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PGHOST", "127.0.0.1"), ("PGPORT", str(database.server.port)), ("PGUSER", database.user)):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PGDATABASE", database.name)
    monkeypatch.setenv("PGPASSWORD", database.password)
    with connect(CALL, settings(None)) as session:
        assert session.value("SELECT current_database()") == database.name


def test_the_address_of_a_tunnel_wins_over_the_name(database: Database) -> None:
    where = settings(
        {**database.options, "host": "name.in.the.certificate"}, address=("127.0.0.1", database.server.port)
    )
    with connect(CALL, where) as session:
        assert session.value("SELECT 1") == 1


def test_a_cancelled_run_ends_its_statement_on_the_server(database: Database) -> None:
    stop_at = time.monotonic() + 1

    def alive() -> None:
        if time.monotonic() > stop_at:
            raise Interrupted("SIGTERM")

    with pytest.raises(Interrupted), connect(call_for_tests({}, alive=alive), settings(database.options)) as session:
        session.execute("SELECT pg_sleep(30)")
    assert time.monotonic() - stop_at < 3
    with connect(CALL, settings(database.options)) as session:
        query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%%' AND state = 'active'"
        assert session.value(query) == 0


@pytest.mark.parametrize(
    ("sql", "code", "sqlstate"),
    [
        ("SELECT nothing FROM nowhere", "sql_failed", "42P01"),
        ("SELECT pg_sleep(5)", "statement_timeout", "57014"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", "connection_lost", None),
        ("CREATE DATABASE x", "forbidden", "42501"),
    ],
)
def test_refused_statements_have_codes(database: Database, sql: str, code: str, sqlstate: str) -> None:
    with pytest.raises(SqlError) as caught, connect(CALL, settings(database.options), limits=Limits(statement=1)) as s:
        s.execute(sql)
    assert (caught.value.code, caught.value.sqlstate) == (code, sqlstate)


def test_rows_that_break_a_constraint_are_not_quoted(database: Database) -> None:
    with connect(CALL, settings(database.options)) as session:
        session.execute("CREATE TABLE people (mail text UNIQUE)")
        session.execute("INSERT INTO people VALUES ('someone@example.org')")
        with pytest.raises(SqlError) as caught:
            session.execute("INSERT INTO people VALUES ('someone@example.org')")
    assert caught.value.sqlstate == "23505"
    assert "someone" not in str(caught.value)
