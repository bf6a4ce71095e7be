# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_access`` on a real PostgreSQL: a database from nothing, and what each login can really do."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.modules import db_migrate
from tests.integration.pg_access.conftest import Place, standard


def test_check_run_check_run(place: Place) -> None:
    logins = [
        place.login("migrate", "owner"),
        place.login("a", settings={"statement_timeout": "30s", "search_path": "app, public"}, connection_limit=7),
        place.login("b", state="disabled"),
        place.login("metrics", "reader"),
    ]
    wish: dict[str, Any] = {
        "logins": logins,
        "schemas": ["public", "app"],
        "extensions": [{**one, "schema": "app"} for one in place.extensions("pg_trgm", "hstore")],
    }
    before = place.roles()
    planned = place.run(check_mode=True, **wish)
    assert planned["changed"] is planned["created"] is True
    assert place.roles() == before
    done = place.run(**wish)
    assert (done["plan"], done["changed"], done["created"]) == (planned["plan"], True, True)
    assert done["diff"] == planned["diff"]
    for again in (place.run(check_mode=True, **wish), place.run(**wish)):
        assert (again["changed"], again["plan"], again["diff"]) == (False, [], [])
        assert again["unlisted"] == []
    assert [(one["can_login"], one["other_roles"]) for one in done["logins"]] == [
        (True, []),
        (True, []),
        (False, []),
        (True, []),
    ]
    assert place.as_("a", "SHOW statement_timeout") == [("30s",)]
    assert place.as_("a", "SHOW search_path") == [("app, public",)]
    assert place.admin(f"SELECT rolconnlimit FROM pg_roles WHERE rolname = '{place.name}_a'") == [(7,)]
    place.shut_out("b", "not permitted to log in|password authentication failed")


def test_the_diff_is_what_the_next_run_reads(place: Place) -> None:
    """What check mode says will be is what is there afterwards, line by line."""
    planned = place.run(check_mode=True, logins=standard(place))["diff"][0]
    place.run(logins=standard(place))
    changed = [{**one, "connection_limit": 3} for one in standard(place)]
    read = place.run(check_mode=True, logins=changed)["diff"][0]
    expected = [line for line in planned["after"].splitlines() if not line.endswith("new password")]
    assert planned["before"] == ""
    assert read["before"].splitlines() == expected
    assert sorted(set(read["after"].splitlines()) - set(expected)) == [
        f"role {place.name}_{short}: connection limit 3" for short in ("a", "metrics", "migrate")
    ]


def test_what_each_login_can_really_do(place: Place) -> None:
    place.run(logins=standard(place))
    place.as_("migrate", "CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)")
    place.as_("migrate", "CREATE SEQUENCE numbers")
    place.as_("migrate", "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    place.as_("migrate", "REVOKE EXECUTE ON FUNCTION one() FROM PUBLIC")
    assert place.as_("migrate", "SELECT tableowner FROM pg_tables WHERE tablename = 'notes'") == [
        (f"{place.name}_owner",)
    ]
    # The new table is at once usable by the app, and readable by the reader.
    place.as_("a", "INSERT INTO notes (body) VALUES ('first'), ('second')")
    place.as_("a", "UPDATE notes SET body = 'third' WHERE body = 'second'")
    place.as_("a", "DELETE FROM notes WHERE body = 'first'")
    assert place.as_("a", "SELECT nextval('numbers'), one()") == [(1, 1)]
    assert place.as_("metrics", "SELECT body FROM notes") == [("third",)]
    place.as_("metrics", "SELECT query FROM pg_stat_activity")
    assert place.as_("metrics", "SELECT pg_has_role(current_user, 'pg_monitor', 'USAGE')") == [(True,)]
    place.denied("a", "CREATE TABLE mine (id int)")
    place.denied("a", "CREATE SCHEMA mine")
    place.denied("a", "CREATE TEMPORARY TABLE mine (id int)")
    place.denied("a", "TRUNCATE notes")
    place.denied("a", "ALTER TABLE notes ADD COLUMN x int")
    place.denied("a", "DROP TABLE notes")
    place.denied("a", f"SET ROLE {place.name}_owner")
    place.denied("metrics", "INSERT INTO notes (body) VALUES ('x')")
    place.denied("metrics", "UPDATE notes SET body = ''")
    place.denied("metrics", "DELETE FROM notes")
    place.denied("metrics", "SELECT nextval('numbers')")
    place.denied("metrics", "SELECT one()")
    place.denied("metrics", "CREATE TABLE mine (id int)")
    # Rights that somebody gave the reader beside this are taken again; those of the app on single tables stay.
    place.as_("migrate", f"GRANT INSERT, TRUNCATE ON notes TO {place.name}_reader")
    place.as_("migrate", f"GRANT TRUNCATE ON notes TO {place.name}_app")
    assert place.run(logins=standard(place))["plan"] == [
        f'REVOKE INSERT, TRUNCATE ON TABLE public.notes FROM "{place.name}_reader"'
    ]
    place.as_("a", "TRUNCATE notes")


def test_everybody_else_is_shut_out(place: Place) -> None:
    place.run(logins=standard(place))
    place.admin(f"CREATE ROLE {place.name}_stranger LOGIN PASSWORD '{place.password('stranger')}'")
    place.shut_out("stranger", "permission denied for database")
    # Also where it may connect, it may do nothing.
    place.admin(f"GRANT CONNECT ON DATABASE {place.name} TO {place.name}_stranger")
    place.as_("migrate", "CREATE TABLE notes (id int)")
    place.denied("stranger", "SELECT * FROM notes")
    place.denied("stranger", "CREATE TABLE mine (id int)")
    place.denied("stranger", "CREATE TEMPORARY TABLE mine (id int)")
    assert place.run(logins=standard(place))["changed"] is False


def test_migrations_of_an_owner_login_belong_to_the_group(place: Place, tmp_path: Path) -> None:
    """Also with the sessions of ``db_migrate``, which reset their role; its ledger is closed to the app."""
    place.run(logins=standard(place))
    (tmp_path / "0001_notes.sql").write_text("CREATE TABLE notes (id bigint PRIMARY KEY);\n")
    defaults = {name: option.get("default") for name, option in db_migrate.SPEC["argument_spec"].items()}
    reach = {**place.params()["postgresql"], "database": place.name, "user": f"{place.name}_migrate"}
    reach["password"] = place.password("migrate")
    db_migrate.run(call_for_tests({**defaults, "path": str(tmp_path), "postgresql": reach}))
    owners = place.admin(
        "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
        " WHERE relnamespace IN ('public'::regnamespace, 'golive'::regnamespace)",
        place.name,
    )
    assert owners == [(f"{place.name}_owner",)]
    place.as_("a", "INSERT INTO notes VALUES (1)")
    assert place.as_("metrics", "SELECT name FROM golive.migrations") == [("notes",)]
    place.denied("a", "SELECT * FROM golive.migrations")
    assert place.run(logins=standard(place))["changed"] is False


def test_what_was_made_before_gets_its_rights(place: Place) -> None:
    """Tables, views, sequences, routines of all kinds and odd names, also very many."""
    place.run(logins=standard(place))
    group = f"{place.name}_owner"
    place.admin(
        f"SET ROLE {group}; ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON TABLES FROM {place.name}_app;"
        ' CREATE SCHEMA "Odd ""one"""; CREATE TABLE "Odd ""one"""."Ta.ble, (x)" ("a b" int);'
        " CREATE VIEW seen AS SELECT 1 AS one; CREATE MATERIALIZED VIEW kept AS SELECT 1 AS one;"
        " CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');"
        " CREATE PROCEDURE nothing(a int DEFAULT 0, INOUT b text DEFAULT '') LANGUAGE sql AS 'SELECT b';"
        " CREATE TABLE parts (day date) PARTITION BY RANGE (day);"
        " CREATE TABLE part PARTITION OF parts DEFAULT;"
        " DO $$ BEGIN FOR i IN 1..250 LOOP EXECUTE format('CREATE TABLE many_%s (id int)', i); END LOOP; END $$",
        place.name,
    )
    wish = {"logins": standard(place), "schemas": ["public", 'Odd "one"']}
    done = place.run(**wish)
    assert len(done["plan"]) < 30
    assert place.run(**wish)["changed"] is False
    place.as_("a", 'INSERT INTO "Odd ""one"""."Ta.ble, (x)" VALUES (1)')
    place.as_("a", "INSERT INTO many_250 VALUES (1); INSERT INTO part VALUES (now()); CALL nothing()")
    assert place.as_("a", "SELECT total(1), (SELECT one FROM seen), (SELECT one FROM kept)") == [(1, 1, 1)]


def test_a_login_changes_its_group_and_its_limits(place: Place) -> None:
    place.run(logins=[place.login("x", "owner", settings={"work_mem": "8MB"}, connection_limit=2)])
    moved = place.run(logins=[place.login("x", "reader", settings={"work_mem": None}, connection_limit=-1)])
    assert len(moved["plan"]) == 5, moved["plan"]
    place.denied("x", f"SET ROLE {place.name}_owner")
    place.denied("x", "CREATE TABLE mine (id int)")
    assert place.as_("x", "SELECT current_user::text, current_setting('work_mem')") == [(f"{place.name}_x", "4MB")]


def test_disabled_and_absent_end_their_sessions(place: Place) -> None:
    place.run(logins=[place.login("a"), place.login("b")])
    with closing(place.connect("a")) as first, closing(place.connect("b")) as second:
        done = place.run(logins=[place.login("a", state="disabled"), place.login("b", state="absent")])
        assert [one["sessions"] for one in done["logins"]] == [0, 0]
        for connection in (first, second):
            with pytest.raises(Exception, match=r"terminating|closed"), connection.cursor() as cursor:
                cursor.execute("SELECT 1")
    place.shut_out("a", "not permitted to log in")
    place.shut_out("b", "password authentication failed")
    assert place.run(logins=[place.login("a", state="disabled"), place.login("b", state="absent")])["changed"] is False
    assert place.admin(f"SELECT count(*) FROM pg_roles WHERE rolname = '{place.name}_b'") == [(0,)]
    # It comes back with a new password.
    place.run(logins=[place.login("a", password="another one")])
    place.connect("a", "another one").close()


def test_unlisted_logins_are_named_and_stay(place: Place) -> None:
    place.run(logins=standard(place))
    done = place.run(logins=[place.login("a")])
    assert done["changed"] is False
    assert [(one["name"], one["of"]) for one in done["unlisted"]] == [
        (f"{place.name}_metrics", "reader"),
        (f"{place.name}_migrate", "owner"),
    ]
    place.as_("metrics", "SELECT 1")


def test_a_right_that_was_given_aside_does_not_keep_a_login(place: Place) -> None:
    place.run(logins=[place.login("a")])
    place.admin(f"CREATE TABLE notes (id int); GRANT SELECT ON notes TO {place.name}_a", place.name)
    place.admin("DROP TABLE notes; CREATE TABLE IF NOT EXISTS golive.kept (id int)", place.name)
    place.admin(f"GRANT USAGE ON SCHEMA golive TO {place.name}_a", place.name)
    place.admin("DROP TABLE golive.kept", place.name)
    place.run(logins=[place.login("a", state="absent")])
    assert place.admin(f"SELECT count(*) FROM pg_roles WHERE rolname = '{place.name}_a'") == [(0,)]


def test_temporary_tables_where_the_app_needs_them(place: Place) -> None:
    place.run(logins=[place.login("a")], temporary=True)
    place.as_("a", "CREATE TEMPORARY TABLE mine (id int)")
    place.run(logins=[place.login("a")])
    place.denied("a", "CREATE TEMPORARY TABLE mine (id int)")


def test_a_database_gets_encoding_and_locale(place: Place) -> None:
    form = {"encoding": "UTF8", "locale": "C"}
    place.run(**form)
    assert place.admin(
        f"SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = '{place.name}'"
    ) == [("UTF8", "C")]
    assert place.run(**form)["changed"] is False
    assert place.refused(encoding="LATIN1", locale="de_DE.UTF-8") == ["database_differs", "database_differs"]


def test_an_extension_is_the_owners_and_updated(place: Place) -> None:
    if not place.extensions("pg_trgm"):
        pytest.skip("this build of the server brings no extensions")
    ((version,),) = place.admin(
        "SELECT min(version) FROM pg_available_extension_versions WHERE name = 'pg_trgm' AND version >= '1.5'"
    )
    wish: dict[str, Any] = {"logins": standard(place)}
    place.run(**wish, extensions=[{"name": "pg_trgm", "version": version}])
    owner = "SELECT pg_get_userbyid(extowner) FROM pg_extension WHERE extname = 'pg_trgm'"
    assert place.admin(owner, place.name) == [(f"{place.name}_owner",)]
    place.as_("migrate", "ALTER EXTENSION pg_trgm UPDATE")
    place.as_("migrate", "DROP EXTENSION pg_trgm")
    # One that is no trusted one needs the superuser, and is there the same.
    assert place.run(**wish, extensions=[{"name": "pageinspect"}])["changed"] is True
    assert place.run(**wish, extensions=[{"name": "pageinspect"}])["changed"] is False


def test_the_owner_may_what_migrations_need_of_the_server(place: Place) -> None:
    logins = [place.login("migrate", "owner"), place.login("a")]
    place.run(logins=logins)
    place.denied("migrate", f"CREATE DATABASE {place.name}_clone")
    powers = ["monitor", "signal", "create_database"]
    planned = place.run(check_mode=True, logins=logins, owner_may=powers)
    done = place.run(logins=logins, owner_may=powers)
    assert done["plan"] == planned["plan"]
    assert len(done["plan"]) == len(powers)
    assert place.run(logins=logins, owner_may=powers)["changed"] is False
    # As the group, which the login becomes: attributes are not inherited.
    place.as_("migrate", f"CREATE DATABASE {place.name}_clone")
    with closing(place.connect("a")) as session, session.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone() or (0,)
        assert place.as_("migrate", f"SELECT query FROM pg_stat_activity WHERE pid = {pid}") != [
            ("<insufficient privilege>",)
        ]
        assert place.as_("migrate", f"SELECT pg_terminate_backend({pid}, 5000)") == [(True,)]
    # Nothing of it is taken away because another run does not ask for it.
    assert place.run(logins=logins)["changed"] is False


def test_who_may_not_give_it_refuses(managed: Place) -> None:
    logins = [managed.login("a")]
    version = managed.admin("SHOW server_version_num")[0][0]
    managed.run(logins=logins, monitor=False, owner_may=["create_database"])
    if int(version) >= 160000:
        assert managed.refused(logins=logins, monitor=False, owner_may=["signal", "monitor"]) == ["monitor", "monitor"]
