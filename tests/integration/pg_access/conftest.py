# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that no database or role of the real server has yet, and the verb on it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import pg_access
from tests.integration.postgres import PASSWORD, SUPERUSER, Server


@dataclass
class Place:
    """The database ``name``, which is not there yet; logins get this name before their own."""

    server: Server
    name: str
    administrator: tuple[str, str] = (SUPERUSER, PASSWORD)
    shown: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def login(self, short: str, of: str = "app", **options: Any) -> dict[str, Any]:
        """One entry of ``logins``, as Ansible would hand it over; with a password unless it says otherwise."""
        spec = pg_access.SPEC["argument_spec"]["logins"]["options"]
        defaults = {key: option.get("default") for key, option in spec.items()}
        return {**defaults, "name": f"{self.name}_{short}", "of": of, "password": self.password(short), **options}

    def password(self, short: str, round_: int = 1) -> str:
        """The password of a login; another one for each round."""
        return f"secret-{round_}-{self.name}-{short}"

    def params(self, **options: Any) -> dict[str, Any]:
        """Options as Ansible would hand them over."""
        spec = pg_access.SPEC["argument_spec"]
        defaults = {key: option.get("default") for key, option in spec.items()}
        user, password = self.administrator
        reach = {"host": "127.0.0.1", "port": self.server.port, "user": user, "password": password}
        options["extensions"] = [{"schema": None, "version": None, **one} for one in options.get("extensions", [])]
        return {**defaults, "database": self.name, "postgresql": {**reach, "sslmode": "disable"}, "wait": 20, **options}

    def extensions(self, *names: str) -> list[dict[str, Any]]:
        """Those of the extensions that this server brings: not every build has them."""
        there = self.admin("SELECT name FROM pg_available_extensions")
        return [{"name": name} for name in names if (name,) in there]

    def run(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Run the verb."""
        call = call_for_tests(
            self.params(**options),
            check_mode,
            diff_mode=True,
            show=lambda text, *_numbers: self.shown.append(text),
            warn=self.warnings.append,
        )
        return pg_access.run(call)

    def error(self, **options: Any) -> GoliveError:
        """The error that it ends with."""
        with pytest.raises(GoliveError) as caught:
            self.run(**options)
        return caught.value

    def refused(self, **options: Any) -> list[str]:
        """Codes of all that stands against it; check mode says the same, and nothing was changed."""
        before = self.roles()
        checked = self.error(check_mode=True, **options)
        error = self.error(**options)
        assert error.code == "refused", error
        assert str(error) == str(checked)
        assert self.roles() == before
        return [one["code"] for one in error.details["refused"]]

    def connect(self, short: str, password: str | None = None, database: str = "") -> psycopg2.extensions.connection:
        """A session of a login in autocommit."""
        connection = psycopg2.connect(
            host="127.0.0.1",
            port=self.server.port,
            dbname=database or self.name,
            user=f"{self.name}_{short}",
            password=password or self.password(short),
        )
        connection.autocommit = True
        return connection

    def as_(self, short: str, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement as a login; its rows."""
        with closing(self.connect(short)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def admin(self, sql: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run a statement as the superuser; its rows."""
        with closing(self.server.connect(database)) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def roles(self) -> list[tuple[Any, ...]]:
        """All roles of this place with what matters, and the database with its owner."""
        return self.admin(
            "SELECT rolname, rolcanlogin, rolsuper, rolpassword, rolconnlimit FROM pg_authid"
            f" WHERE rolname LIKE '{self.name}%' ORDER BY 1"
        ) + self.admin(f"SELECT datname, datdba, datacl::text FROM pg_database WHERE datname = '{self.name}'")

    def denied(self, short: str, sql: str) -> None:
        """Assert that a login may not run a statement."""
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            self.as_(short, sql)

    def shut_out(self, short: str, words: str, password: str | None = None, database: str = "") -> None:
        """Assert that a login cannot connect, for the reason in ``words``."""
        with pytest.raises(psycopg2.OperationalError, match=words):
            self.connect(short, password, database).close()

    def remove(self) -> None:
        """Drop whatever there is of it."""
        names = [row[0] for row in self.admin(f"SELECT rolname FROM pg_roles WHERE rolname LIKE '{self.name}%'")]
        for (database,) in self.admin(f"SELECT datname FROM pg_database WHERE datname LIKE '{self.name}%'"):
            self.admin(f'DROP DATABASE "{database}" WITH (FORCE)')
        for role in names:
            self.admin(f'DROP OWNED BY "{role}"')
        for role in names:
            self.admin(f'DROP ROLE IF EXISTS "{role}"')


@pytest.fixture
def place(postgres: Server) -> Iterator[Place]:
    """Nothing there; whatever is made is dropped afterwards."""
    made = Place(postgres, f"p_{secrets.token_hex(5)}")
    yield made
    made.remove()


@pytest.fixture
def managed(place: Place) -> Place:
    """The same with an administrator as managed services give one: it may make roles and databases."""
    name = f"{place.name}_admin"
    place.admin(f"CREATE ROLE {name} LOGIN CREATEROLE CREATEDB PASSWORD '{PASSWORD}'")
    place.administrator = (name, PASSWORD)
    return place


def standard(place: Place) -> list[dict[str, Any]]:
    """One login of each group."""
    return [place.login("migrate", "owner"), place.login("a"), place.login("metrics", "reader")]
