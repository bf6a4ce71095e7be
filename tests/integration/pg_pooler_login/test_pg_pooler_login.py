# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The login of a pooler on a real server of this test's own: it learns what it must, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import pg_pooler_login
from tests.integration.postgres import PASSWORD, SUPERUSER, Server

_LOGIN = "shop_pooler"
_FUNCTION = "SELECT login, verifier FROM golive_pooler.stored_password('{0}')"


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    server = Server.create()
    for role in ("shop_app", "shop_owner"):
        execute(server, f"CREATE ROLE {role} NOLOGIN")
    for login, group, more in (
        ("shop_a", "shop_app", "LOGIN"),
        ("shop_b", "shop_app", "NOLOGIN"),
        ("shop_old", "shop_app", "LOGIN VALID UNTIL '2001-01-01'"),
        ("shop_root", "shop_app", "LOGIN SUPERUSER"),
        ("shop_migrate", "shop_owner", "LOGIN"),
    ):
        execute(server, f"CREATE ROLE {login} PASSWORD 'of {login}' {more}; GRANT {group} TO {login}")
    yield server
    server.remove()


@pytest.fixture(autouse=True)
def fresh(own: Server) -> Iterator[None]:
    yield
    run(own, state="absent")


def execute(server: Server, sql: str) -> list[tuple[Any, ...]]:
    with closing(server.connect()) as session, session.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def as_pooler(server: Server, sql: str, password: str = "first") -> list[tuple[Any, ...]]:
    where = {"host": "127.0.0.1", "port": server.port, "dbname": "postgres", "user": _LOGIN}
    with closing(psycopg2.connect(password=password, **where)) as session, session.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def run(server: Server, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    spec = pg_pooler_login.SPEC["argument_spec"]
    reach = {"host": "127.0.0.1", "port": server.port, "user": SUPERUSER, "password": PASSWORD}
    wanted = {"name": _LOGIN, "group": "shop_app", "password": "first", "postgresql": reach, **options}
    params = {key: option.get("default") for key, option in spec.items()} | wanted
    return pg_pooler_login.run(call_for_tests(params, check_mode, diff_mode=True))


def catalogue(server: Server) -> list[tuple[Any, ...]]:
    """All that the verb could change, with the transaction that wrote it."""
    return execute(
        server,
        "SELECT rolname, xmin::text FROM pg_authid UNION ALL SELECT nspname, xmin::text FROM pg_namespace"
        " UNION ALL SELECT proname, xmin::text FROM pg_proc WHERE oid > 16000 ORDER BY 1",
    )


def test_check_run_check_run(own: Server) -> None:
    before = catalogue(own)
    planned = run(own, check_mode=True)
    assert planned["changed"]
    assert catalogue(own) == before
    made = run(own)
    assert made["plan"] == planned["plan"]
    assert "first" not in str(made)
    assert "SCRAM" not in str(made)
    kept = catalogue(own)
    for check in (True, False):
        again = run(own, check_mode=check)
        assert (again["changed"], again["plan"], again["diff"]) == (False, [], [])
    assert catalogue(own) == kept
    assert run(own, check_mode=True, state="absent")["changed"]
    assert catalogue(own) == kept
    assert run(own, state="absent")["changed"]
    assert catalogue(own) == before
    assert not run(own, state="absent")["changed"]


def test_it_learns_the_verifiers_of_the_group_and_nothing_else(own: Server) -> None:
    asked = run(own)["query"]
    assert asked == "SELECT login, verifier FROM golive_pooler.stored_password($1)"
    stored = execute(own, "SELECT rolname::text, rolpassword FROM pg_authid WHERE rolname = 'shop_a'")
    assert as_pooler(own, _FUNCTION.format("shop_a")) == stored
    assert stored[0][1].startswith("SCRAM-SHA-256$")
    for other in ("shop_b", "shop_old", "shop_root", "shop_migrate", _LOGIN, SUPERUSER, "nobody"):
        assert as_pooler(own, _FUNCTION.format(other)) == []
    for forbidden in ("SELECT rolpassword FROM pg_authid", "SELECT passwd FROM pg_shadow"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            as_pooler(own, forbidden)


def test_nobody_else_may_ask(own: Server) -> None:
    run(own)
    with closing(own.connect()) as session, session.cursor() as cursor:
        cursor.execute("SET ROLE shop_owner")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(_FUNCTION.format("shop_a"))
    # Nor when somebody has let everybody: the next run takes it back.
    execute(own, "GRANT EXECUTE ON FUNCTION golive_pooler.stored_password TO PUBLIC")
    assert run(own)["changed"]
    assert not run(own)["changed"]


def test_what_was_changed_behind_its_back_is_brought_back(own: Server) -> None:
    run(own)
    execute(own, f"ALTER ROLE {_LOGIN} NOLOGIN")
    execute(
        own,
        "CREATE OR REPLACE FUNCTION golive_pooler.stored_password(text) RETURNS TABLE (login text, verifier text)"
        " LANGUAGE sql AS 'SELECT rolname::text, rolpassword FROM pg_authid'",
    )
    assert len(run(own)["plan"]) == 2
    assert [row[0] for row in as_pooler(own, _FUNCTION.format("shop_a"))] == ["shop_a"]
    assert run(own, password="second")["plan"] == [f"ALTER ROLE \"{_LOGIN}\" PASSWORD '********'"]
    assert as_pooler(own, "SELECT 1", "second") == [(1,)]


def test_its_sessions_end_with_it(own: Server) -> None:
    run(own)
    where = {"host": "127.0.0.1", "port": own.port, "dbname": "postgres", "user": _LOGIN}
    with closing(psycopg2.connect(password="first", **where)) as session:
        assert run(own, state="absent")["changed"]
        with pytest.raises(psycopg2.OperationalError), session.cursor() as cursor:
            cursor.execute("SELECT 1")


def test_refusals(own: Server) -> None:
    before = catalogue(own)
    with pytest.raises(GoliveError) as missing:
        run(own, group="nosuch")
    with pytest.raises(GoliveError) as foreign:
        run(own, name="shop_migrate")
    with pytest.raises(GoliveError) as removed:
        run(own, name="shop_root", state="absent")
    login = {"host": "127.0.0.1", "port": own.port, "user": "shop_migrate", "password": "of shop_migrate"}
    with pytest.raises(GoliveError) as weak:
        run(own, postgresql={**login, "database": "postgres"})
    codes = [caught.value.code for caught in (missing, foreign, removed, weak)]
    assert codes == ["group_missing", "foreign_role", "foreign_role", "administrator"]
    assert catalogue(own) == before
