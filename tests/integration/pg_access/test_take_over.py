# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that one login has owned until now gets its groups, and nobody is shut out of it unasked."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from tests.integration.pg_access.conftest import Place

# One of each kind of object that has an owner and a schema.
OBJECTS = """
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number serial, body text);
CREATE TABLE parts (day date) PARTITION BY RANGE (day);
CREATE TABLE part PARTITION OF parts DEFAULT;
CREATE VIEW seen AS SELECT * FROM notes;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM notes;
CREATE SEQUENCE numbers;
CREATE FUNCTION one(a int, b text DEFAULT '') RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE nothing(INOUT a int) LANGUAGE sql AS 'SELECT a';
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TYPE pair AS (a int, b int);
CREATE TYPE span AS RANGE (SUBTYPE = float8);
CREATE DOMAIN words_of AS text CHECK (VALUE <> '');
CREATE FUNCTION same(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
CREATE COLLATION plain (locale = 'C');
CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION search (COPY = simple);
CREATE STATISTICS more ON id, number FROM notes;
INSERT INTO notes (body) VALUES ('kept');
"""
# What has an owner in a schema of the app, and is no other's than the group's.
FOREIGN = """
SELECT pg_describe_object(d.classid, d.objid, 0), pg_get_userbyid(d.refobjid) FROM pg_shdepend d
WHERE d.deptype = 'o' AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND pg_get_userbyid(d.refobjid) <> current_database() || '_owner'"""


@pytest.fixture
def old(place: Place) -> Place:
    """The app's only login ``x`` owns the database and all that is in it, and may do more than it should."""
    user, password = f"{place.name}_x", place.password("x")
    place.admin(f"CREATE ROLE {user} LOGIN CREATEROLE PASSWORD '{password}'")
    place.admin(f"CREATE DATABASE {place.name} OWNER {user}")
    place.as_("x", OBJECTS)
    for one in place.extensions("pg_trgm"):
        place.as_("x", f"CREATE EXTENSION {one['name']}")
    return place


def test_what_belongs_to_others_is_refused_and_named(old: Place) -> None:
    wish: dict[str, Any] = {"logins": [old.login("x"), old.login("migrate", "owner")]}
    assert sorted(set(old.refused(**wish))) == ["dangerous_attributes", "foreign_owner"]
    said = str(old.error(**wish))
    assert f"database {old.name} belongs to {old.name}_x" in said
    assert f"objects belong to {old.name}_x" in said
    assert f"{old.name}_x has CREATEROLE" in said


def test_take_over_check_run_check_run(old: Place) -> None:
    wish: dict[str, Any] = {"logins": [old.login("x"), old.login("migrate", "owner")], "take_over": True}
    before = old.roles()
    # The app goes on through it with the session that it has.
    with closing(old.connect("x")) as session, session.cursor() as cursor:
        planned = old.run(check_mode=True, **wish)
        assert old.roles() == before
        done = old.run(**wish)
        assert (done["plan"], done["diff"]) == (planned["plan"], planned["diff"])
        cursor.execute("INSERT INTO notes (body) VALUES ('after'); SELECT body FROM seen")
        assert cursor.fetchall() == [("kept",), ("after",)]
    for again in (old.run(check_mode=True, **wish), old.run(**wish), old.run(logins=wish["logins"])):
        assert (again["changed"], again["plan"]) == (False, [])
    # The extension's role is its own business, as are its objects.
    assert [row for row in old.admin(FOREIGN, old.name) if row[0] != "extension pg_trgm"] == []
    assert old.admin(f"SELECT rolcreaterole FROM pg_roles WHERE rolname = '{old.name}_x'") == [(False,)]
    old.as_("x", "SELECT nextval('numbers'), one(1), total(1), nextval('notes_number_seq')")
    old.denied("x", "ALTER TABLE notes ADD COLUMN more int")
    old.as_("migrate", "ALTER TABLE notes ADD COLUMN more mood")
    old.as_("migrate", "DROP VIEW seen; DROP OPERATOR === (int, int); DROP AGGREGATE total (int); DROP TYPE span")
    read = old.run(check_mode=True, logins=[*wish["logins"], old.login("y", state="disabled")])
    assert f"table public.notes: owner {old.name}_owner" in read["diff"][0]["before"].splitlines()


def test_the_owner_before_must_be_listed(old: Place) -> None:
    """Or the app that still logs in as it would lose its tables in the middle of its work."""
    assert set(old.refused(logins=[old.login("a")], take_over=True)) == {"owner_not_listed"}
    with closing(old.connect("x")):
        assert sorted(set(old.refused(logins=[old.login("a")], take_over=True))) == [
            "owner_not_listed",
            "would_lock_out",
        ]
    old.run(logins=[old.login("a"), old.login("x", state="disabled")], take_over=True)
    old.as_("a", "SELECT * FROM notes")


def test_objects_of_the_superuser_are_taken(place: Place) -> None:
    """Such as what the first user of the official image has made, whom no dependency records."""
    place.admin(f"CREATE DATABASE {place.name}")
    place.admin(OBJECTS, place.name)
    wish = {"logins": [place.login("a"), place.login("migrate", "owner")]}
    assert set(place.refused(**wish)) == {"foreign_owner"}
    place.run(**wish, take_over=True)
    assert place.run(**wish)["changed"] is False
    place.as_("a", "INSERT INTO notes (body) VALUES ('x')")
    place.as_("migrate", "DROP TABLE notes CASCADE; DROP DOMAIN words_of; DROP STATISTICS IF EXISTS more")


def test_whoever_is_connected_is_not_shut_out(place: Place) -> None:
    place.admin(f"CREATE DATABASE {place.name}")
    place.admin(f"CREATE ROLE {place.name}_other LOGIN PASSWORD '{place.password('other')}'")
    with closing(place.connect("other")):
        assert place.refused(logins=[place.login("a")]) == ["would_lock_out"]
        place.admin(f"GRANT CONNECT ON DATABASE {place.name} TO {place.name}_other")
        place.run(logins=[place.login("a")])
    place.connect("other").close()


def test_a_login_that_owns_something_is_not_dropped(place: Place) -> None:
    place.run(logins=[place.login("a"), place.login("migrate", "owner")])
    place.admin(f"CREATE TABLE golive.mine (id int); ALTER TABLE golive.mine OWNER TO {place.name}_a", place.name)
    wish = {"logins": [place.login("a", state="absent")], "take_over": True}
    assert place.refused(**wish) == ["owns_objects"]
    assert "table golive.mine" in str(place.error(**wish))
    place.run(logins=[place.login("a", state="disabled")], take_over=True)
    place.run(**wish)
    assert place.admin("SELECT tableowner FROM pg_tables WHERE tablename = 'mine'", place.name) == [
        (f"{place.name}_owner",)
    ]


def test_rights_in_another_database_keep_a_login(place: Place) -> None:
    place.run(logins=[place.login("a")])
    place.admin(f"CREATE DATABASE {place.name}_other")
    place.admin(f"CREATE TABLE notes (id int); GRANT SELECT ON notes TO {place.name}_a", f"{place.name}_other")
    wish = {"logins": [place.login("a", state="absent")]}
    assert place.refused(**wish) == ["owns_objects"]
    assert f"the database {place.name}_other" in str(place.error(**wish))


def test_a_group_that_somebody_logs_in_as(place: Place) -> None:
    place.admin(f"CREATE ROLE {place.name}_app LOGIN SUPERUSER")
    assert place.refused() == ["group_can_login", "dangerous_attributes"]
    place.run(app=f"{place.name}_writers")


def test_the_administrator_is_no_login(place: Place) -> None:
    admin = {**place.login("a"), "name": place.administrator[0]}
    assert place.refused(logins=[admin]) == ["administrator_listed"]


def test_an_unknown_extension_version_and_setting(place: Place) -> None:
    wish: dict[str, Any] = {
        "extensions": [{"name": "nosuch"}, {"name": "hstore", "version": "99"}],
        "logins": [place.login("a", settings={"statment_timeout": "1s"})],
    }
    assert place.refused(**wish) == ["extension_missing", "extension_missing", "setting_unknown"]
    assert "install the package" in str(place.error(**wish))


def test_a_value_that_the_server_refuses_leaves_nothing(place: Place) -> None:
    error = place.error(logins=[place.login("a", settings={"work_mem": "much"})])
    assert error.code == "sql_failed"
    assert "work_mem" in str(error)
    assert place.roles() == []
