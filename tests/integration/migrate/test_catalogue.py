# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue as lines, and what has changed in it without a migration."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._migrate.catalogue import Snapshot, snapshot
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import connect, settings
from ansible_collections.golive.cutover.plugins.module_utils._sqlite import ledger as sqlite_ledger
from tests.integration.conftest import Database
from tests.integration.migrate.conftest import Project
from tests.integration.migrate.test_metrics import numbers

BASE = (
    "CREATE SCHEMA app",
    "CREATE TABLE app.t (id bigint, name text)",
    "CREATE VIEW app.v AS SELECT id FROM app.t",
    "CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$",
    "CREATE DOMAIN app.d AS int",
    "CREATE TABLE app.p (at date) PARTITION BY RANGE (at)",
    "CREATE SEQUENCE app.s",
)
# What is done, the line that it makes or changes, and what takes it back.
CHANGES = [
    ("CREATE SCHEMA other", "schema other: owner {user}", "DROP SCHEMA other"),
    (
        "CREATE EXTENSION pgcrypto VERSION '1.3'",
        "extension pgcrypto: version 1.3, schema public",
        "DROP EXTENSION pgcrypto",
    ),
    ("CREATE UNLOGGED TABLE u ()", "table public.u: owner {user}, unlogged", "DROP TABLE u"),
    (
        "CREATE TABLE app.p1 PARTITION OF app.p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "table app.p1: owner {user}, partition of app.p, FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "DROP TABLE app.p1",
    ),
    (
        "ALTER TABLE app.t ENABLE ROW LEVEL SECURITY",
        "table app.t: owner {user}, row security",
        "ALTER TABLE app.t DISABLE ROW LEVEL SECURITY",
    ),
    (
        "ALTER TABLE app.t SET (fillfactor = 50)",
        "table app.t: owner {user}, with fillfactor=50",
        "ALTER TABLE app.t RESET (fillfactor)",
    ),
    ("ALTER TABLE app.t ADD c int", "column app.t.c: integer", "ALTER TABLE app.t DROP c"),
    (
        "ALTER TABLE app.t ALTER name SET DEFAULT 'x'",
        "column app.t.name: text default 'x'::text",
        "ALTER TABLE app.t ALTER name DROP DEFAULT",
    ),
    (
        "ALTER TABLE app.t ALTER id SET NOT NULL, ALTER id ADD GENERATED ALWAYS AS IDENTITY",
        "column app.t.id: bigint not null identity a (1 1 1 9223372036854775807 1 f)",
        "ALTER TABLE app.t ALTER id DROP IDENTITY, ALTER id DROP NOT NULL",
    ),
    (
        "ALTER TABLE app.t ADD g bigint GENERATED ALWAYS AS (id + 1) STORED",
        "column app.t.g: bigint generated s (id + 1)",
        "ALTER TABLE app.t DROP g",
    ),
    (
        'ALTER TABLE app.t ALTER name TYPE varchar(9) COLLATE "C"',
        'column app.t.name: character varying(9) collate "C"',
        'ALTER TABLE app.t ALTER name TYPE text COLLATE "default"',
    ),
    (
        "ALTER TABLE app.t ADD CONSTRAINT k CHECK (id > 0) NOT VALID",
        "constraint app.t.k: CHECK ((id > 0)) NOT VALID",
        "ALTER TABLE app.t DROP CONSTRAINT k",
    ),
    (
        "ALTER DOMAIN app.d ADD CONSTRAINT k CHECK (value > 0)",
        "constraint app.d.k: CHECK ((VALUE > 0))",
        "ALTER DOMAIN app.d DROP CONSTRAINT k",
    ),
    (
        "CREATE UNIQUE INDEX i ON app.t (lower(name)) WHERE id > 1",
        "index app.i: CREATE UNIQUE INDEX i ON app.t USING btree (lower(name)) WHERE (id > 1)",
        "DROP INDEX app.i",
    ),
    (
        "ALTER SEQUENCE app.s MAXVALUE 9 OWNED BY app.t.id",
        "sequence app.s: owner {user}, bigint, start 1, increment 1, 1 to 9, cache 1, cycle f, owned by app.t.id",
        "ALTER SEQUENCE app.s NO MAXVALUE OWNED BY NONE",
    ),
    (
        "CREATE OR REPLACE VIEW app.v AS SELECT t.id FROM app.t, app.p WHERE t.id > 7",
        "      WHERE t.id > 7;",
        "CREATE OR REPLACE VIEW app.v AS SELECT id FROM app.t",
    ),
    (
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS x",
        "materialized view public.m: owner {user}",
        "DROP MATERIALIZED VIEW m",
    ),
    (
        "CREATE OR REPLACE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN old; END $$",
        "    AS $function$ BEGIN RETURN old; END $function$",
        BASE[3].replace("CREATE", "CREATE OR REPLACE"),
    ),
    (
        "CREATE PROCEDURE r(int) LANGUAGE sql AS 'SELECT 1'",
        "procedure public.r(integer): owner {user}",
        "DROP PROCEDURE r(int)",
    ),
    (
        "CREATE AGGREGATE a (int) (SFUNC = int4pl, STYPE = int)",
        "    returns integer, int4pl, integer, -, -, u",
        "DROP AGGREGATE a (int)",
    ),
    (
        "CREATE TRIGGER g BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()",
        "trigger app.t.g: CREATE TRIGGER g BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()",
        "DROP TRIGGER g ON app.t",
    ),
    (
        "CREATE RULE e AS ON DELETE TO app.t DO INSTEAD NOTHING",
        "rule app.t.e: CREATE RULE e AS",
        "DROP RULE e ON app.t",
    ),
    (
        "CREATE POLICY o ON app.t FOR SELECT TO pg_monitor USING (id > 3)",
        "policy app.t.o: permissive for r to pg_monitor using ((id > 3))",
        "DROP POLICY o ON app.t",
    ),
    ("CREATE TYPE mood AS ENUM ('a', 'b')", "type public.mood: owner {user}, enum ('a', 'b')", "DROP TYPE mood"),
    ("CREATE TYPE pair AS (x int)", "column public.pair.x: integer", "DROP TYPE pair"),
    (
        "ALTER DOMAIN app.d SET NOT NULL",
        "type app.d: owner {user}, domain integer not null",
        "ALTER DOMAIN app.d DROP NOT NULL",
    ),
    (
        "CREATE STATISTICS n ON id, name FROM app.t",
        "statistics object public.n: CREATE STATISTICS public.n ON id, name FROM app.t",
        "DROP STATISTICS n",
    ),
    ("CREATE COLLATION c (provider = libc, locale = 'C')", "collation public.c", "DROP COLLATION c"),
    ("CREATE PUBLICATION b FOR TABLE app.t", "publication relation app.t in publication b", "DROP PUBLICATION b"),
    (
        "GRANT SELECT ON app.t TO pg_monitor",
        "grant on table app.t: pg_monitor=r/{user}",
        "REVOKE SELECT ON app.t FROM pg_monitor",
    ),
    (
        "GRANT UPDATE (name) ON app.t TO pg_monitor",
        "grant on column app.t.name: pg_monitor=w/{user}",
        "REVOKE UPDATE (name) ON app.t FROM pg_monitor",
    ),
    (
        "REVOKE EXECUTE ON FUNCTION app.f FROM PUBLIC",
        "no grant on function app.f(): =X/{user}",
        "GRANT EXECUTE ON FUNCTION app.f TO PUBLIC",
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO pg_monitor",
        "default grant for {user} in app on r: pg_monitor=r/{user}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA app REVOKE SELECT ON TABLES FROM pg_monitor",
    ),
    (
        "COMMENT ON COLUMN app.t.id IS 'why'",
        "comment on table column app.t.id: why",
        "COMMENT ON COLUMN app.t.id IS NULL",
    ),
]


def seen(database: Database, ledger: str = "migrations") -> Snapshot:
    """The catalogue now."""
    with connect(call_for_tests({}), settings(database.options), read_only=True) as session:
        return snapshot(session, Ledger("golive", ledger))


def test_everything_shows_and_goes_again(database: Database) -> None:
    ledger = Ledger("golive", "migrations")
    with connect(call_for_tests({}), settings(database.options)) as session:
        for sql in BASE:
            session.execute(sql)
        before = snapshot(session, ledger)
        for sql, line, back in CHANGES:
            session.execute(sql)
            changed = snapshot(session, ledger)
            assert line.format(user=database.user) in changed.text.splitlines(), sql
            assert changed.digest != before.digest, sql
            session.execute(back)
            assert before.diff(snapshot(session, ledger)) == [], sql


def test_the_order_in_which_objects_were_made_does_not_count(database: Database) -> None:
    pair = ("CREATE TABLE b (y int, x int)", "CREATE TABLE a (id int)")
    for sql in pair:
        database.query(sql)
    before = seen(database)
    for sql in ("DROP TABLE a, b", *reversed(pair), "ALTER TABLE b DROP y", "ALTER TABLE b ADD y int"):
        database.query(sql)
    assert seen(database).digest == before.digest


def test_the_ledger_and_what_the_session_sees_do_not_count(project: Project) -> None:
    project.database.query("CREATE TABLE notes (at date DEFAULT '2026-03-04')")
    before = seen(project.database)
    project.write("0001_create_notes.sql", "SELECT 1;")
    project.write("0002_add_tag.sql", "SELECT 2;")
    project.migrate()
    with connect(call_for_tests({}), settings(project.database.options)) as session:
        sqlite_ledger.prepare(session)
    assert seen(project.database).text == before.text
    assert "golive.migrations" in seen(project.database, "others").text
    name = project.database.name
    project.database.query(
        f"ALTER DATABASE {name} SET DateStyle = 'German'; ALTER DATABASE {name} SET search_path = golive"
    )
    assert seen(project.database).text == before.text


def test_a_change_without_a_migration_is_drift_until_a_run_takes_it_as_given(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "migrate.prom"
    fresh = project.info()["catalogue"]
    assert (fresh["recorded_digest"], fresh["drifted"], fresh["diff"]) == (None, None, [])
    assert project.migrate()["catalogue_drift"] is None
    kept = project.info()["catalogue"]
    assert (kept["digest"], kept["drifted"], kept["diff"]) == (kept["recorded_digest"], False, [])

    project.database.query("ALTER TABLE notes ALTER tag DROP DEFAULT; CREATE INDEX hot ON notes (tag)")
    found = project.info()["catalogue"]
    assert (found["recorded_digest"], found["drifted"]) == (kept["digest"], True)
    assert {line for line in found["diff"] if line[:1] in "+-"} == {
        "-column public.notes.tag: text not null default ''::text",
        "+column public.notes.tag: text not null",
        "+index public.hot: CREATE INDEX hot ON public.notes USING btree (tag)",
    }
    assert project.migrate(metrics_file=str(file))["catalogue_drift"] == 3
    assert numbers(file)["catalogue_drift"] == 3
    assert "without a migration, in 3 lines" in project.warnings[-1]

    project.write("0003_more.sql", "CREATE TABLE more (id int);")
    project.migrate(metrics_file=str(file))
    project.migrate(metrics_file=str(file))
    assert (numbers(file)["catalogue_drift"], project.info()["catalogue"]["drifted"]) == (0, False)


def test_after_a_run_that_failed_midway_drift_is_not_known(project: Project) -> None:
    project.migrate()
    project.write("0003_more.sql", "CREATE TABLE more (id int);")
    project.write("0004_wrong.sql", "SELECT 1 / 0;")
    project.refused()
    assert project.info()["catalogue"]["drifted"] is None
    project.write("0004_wrong.sql", "SELECT 1;")
    assert project.migrate()["catalogue_drift"] is None
    assert project.info()["catalogue"]["drifted"] is False


def test_a_ledger_without_the_record_gets_it_with_the_next_run(project: Project) -> None:
    project.migrate(target="0001")
    project.database.query("DROP TABLE golive.migrations_catalogue")
    assert project.info()["catalogue"]["drifted"] is None
    project.migrate()
    assert project.info()["catalogue"]["drifted"] is False


def test_a_lock_that_hides_the_catalogue_is_a_warning(project: Project) -> None:
    project.migrate()
    project.database.query("CREATE VIEW seen AS SELECT id FROM notes")
    other = project.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE notes")
    try:
        assert project.migrate()["catalogue_drift"] is None
        assert "Reading the catalogue failed" in project.warnings[-1]
    finally:
        other.close()


def test_the_diff_of_a_run_is_what_the_catalogue_became(project: Project) -> None:
    done = project.migrate()
    assert [one["before_header"] for one in done["diff"]] == [
        "0001_create_notes.sql", "0002_add_tag.sql", f"catalogue of {project.database.name}"
    ]  # fmt: skip
    assert "column public.notes.tag: text not null default ''::text\n" in done["diff"][2]["after"]
    assert "notes" not in done["diff"][2]["before"]
    back = project.migrate(revert_to="0001")
    assert back["diff"][-1]["before"].count("column public.notes.tag") == 1
    assert "column public.notes.tag" not in back["diff"][-1]["after"]
