# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An administrator that may make roles and databases, and is no superuser, as managed services give one."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from tests.integration.pg_access.conftest import Place, standard


def may_monitor(place: Place) -> None:
    """From 16 on it must have been told so; before it always may."""
    place.admin(f"GRANT pg_monitor TO {place.administrator[0]} WITH ADMIN OPTION")


def test_check_run_check_run(managed: Place) -> None:
    may_monitor(managed)
    logins = [*standard(managed), managed.login("b", state="disabled")]
    wish: dict[str, Any] = {"logins": logins, "extensions": managed.extensions("pg_trgm")}
    before = managed.roles()
    planned = managed.run(check_mode=True, **wish)
    assert managed.roles() == before
    done = managed.run(**wish)
    assert (done["plan"], done["diff"]) == (planned["plan"], planned["diff"])
    for again in (managed.run(check_mode=True, **wish), managed.run(**wish)):
        assert (again["changed"], again["plan"]) == (False, [])
    managed.as_("migrate", "CREATE TABLE notes (id int)")
    managed.as_("a", "INSERT INTO notes VALUES (1)")
    assert managed.as_("metrics", "SELECT id FROM notes") == [(1,)]
    managed.denied("metrics", "DELETE FROM notes")
    managed.denied("a", "CREATE TABLE mine (id int)")
    # It acted for the owner only while it worked.
    acts = f"SELECT pg_has_role('{managed.administrator[0]}', '{managed.name}_owner', 'USAGE')"
    assert managed.admin(acts) == [(False,)]


def test_passwords_are_found_out_by_logging_in(managed: Place) -> None:
    may_monitor(managed)
    managed.run(logins=standard(managed))
    new = managed.login("a", password="another one")
    with closing(managed.connect("a")):
        assert managed.refused(logins=[new]) == ["password_in_use"]
    assert managed.run(logins=[new])["plan"] == [f"ALTER ROLE \"{managed.name}_a\" PASSWORD '********'"]
    managed.connect("a", "another one").close()
    assert managed.run(logins=[new])["changed"] is False


def test_sessions_end_and_logins_go(managed: Place) -> None:
    may_monitor(managed)
    managed.run(logins=standard(managed))
    with closing(managed.connect("a")) as first, closing(managed.connect("metrics")) as second:
        managed.run(logins=[managed.login("a", state="disabled"), managed.login("metrics", "reader", state="absent")])
        for connection in (first, second):
            with pytest.raises(Exception, match=r"terminating|closed"), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
    managed.shut_out("a", "not permitted to log in")
    managed.shut_out("metrics", "password authentication failed")


def test_it_takes_over_from_a_role_of_its_own(managed: Place) -> None:
    may_monitor(managed)
    name = f"{managed.name}_x"
    administrator = managed.server.connect()
    with closing(administrator), administrator.cursor() as cursor:
        cursor.execute(f"SET SESSION AUTHORIZATION {managed.administrator[0]}")
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{managed.password('x')}'")
    managed.admin(f"CREATE DATABASE {managed.name} OWNER {name}")
    managed.as_("x", "CREATE TABLE notes (id serial); CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    wish = {"logins": [managed.login("x"), managed.login("migrate", "owner")], "take_over": True}
    managed.run(**wish)
    assert managed.run(**wish)["changed"] is False
    managed.as_("x", "INSERT INTO notes DEFAULT VALUES")
    managed.as_("migrate", "ALTER TABLE notes ADD COLUMN body text")


def test_what_it_may_not_is_told_before(managed: Place) -> None:
    """From 16 on it may change only roles that it has made or was given."""
    if managed.server.connect().server_version < 160000:
        managed.admin(f"CREATE ROLE {managed.name}_a SUPERUSER LOGIN")
        refused = ["dangerous_attributes", "not_administered"]
    else:
        managed.admin(f"CREATE ROLE {managed.name}_a LOGIN")
        refused = ["monitor", "not_administered"]
    assert managed.refused(logins=[managed.login("a")]) == refused
    managed.run(logins=[managed.login("b")], monitor=False)
    managed.as_("b", "SELECT 1")


def test_one_without_any_right(place: Place) -> None:
    place.admin(f"CREATE ROLE {place.name}_weak LOGIN PASSWORD 'weak'")
    place.administrator = (f"{place.name}_weak", "weak")
    assert "administrator" in place.refused(monitor=False)
