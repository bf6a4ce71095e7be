# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_migrate_lint`` on a real PostgreSQL: what the catalogue makes of a statement."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psycopg2
import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import lint
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_catalogue import Catalogue
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import lint_file
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import connect, settings
from ansible_collections.golive.cutover.plugins.modules import db_migrate_lint
from tests.integration.conftest import Database
from tests.integration.migrate.conftest import Project

SHOP = """
CREATE TABLE customers (id bigint PRIMARY KEY, name text);
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id bigint, state text, note varchar(20), price numeric(10,2), at timestamp
);
CREATE TABLE empty (id bigint PRIMARY KEY, name text);
INSERT INTO customers SELECT n, 'c' || n FROM generate_series(1, 100) n;
INSERT INTO orders SELECT n, n % 100 + 1, 'open', 'x', n, now() FROM generate_series(1, 5000) n;
ANALYZE
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """Tables with rows and one without, and no migration file."""
    for file in project.path.iterdir():
        file.unlink()
    for statement in SHOP.split(";\n"):
        project.database.query(statement)
    return project


def judged(shop: Project, sql: str, **options: Any) -> dict[str, Any]:
    """The result of the verb for one file."""
    shop.write("0009_x.sql", sql)
    spec = db_migrate_lint.SPEC["argument_spec"]
    defaults = {name: option.get("default") for name, option in spec.items()}
    where = {"path": str(shop.path), "postgresql": shop.database.options, "fail_on": "never", "second_opinion": False}
    shop.write("0009_x.down.sql", "SELECT 1;\n")
    return db_migrate_lint.run(call_for_tests({**defaults, **where, **options}))


def ids(shop: Project, sql: str, **options: Any) -> list[str]:
    return [one["id"] for one in judged(shop, sql, **options)["findings"]]


def test_size_and_seconds_of_a_table_with_rows(shop: Project) -> None:
    (found,) = judged(shop, "CREATE INDEX i ON orders (state);")["findings"]
    assert (found["id"], found["table"], found["rows"]) == ("create-index-blocking", "orders", 5000)
    assert found["size"] == shop.database.query("SELECT pg_relation_size('orders')")[0][0] > 0
    assert found["seconds"] == round(found["size"] / 25e6, 1)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX i ON empty (name);",
        "DROP TABLE empty;",
        "ALTER TABLE empty ALTER name SET NOT NULL;",
        "ALTER TABLE empty ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();",
        "TRUNCATE empty;",
        "DROP TABLE IF EXISTS never_there;",
        "DROP INDEX IF EXISTS never_there;",
        "DELETE FROM empty;",
    ],
)
def test_an_empty_table_is_safe(shop: Project, sql: str) -> None:
    assert ids(shop, sql) == []


def test_a_valid_check_lets_set_not_null_pass(shop: Project) -> None:
    sql = "ALTER TABLE orders ALTER state SET NOT NULL;"
    assert ids(shop, sql) == ["set-not-null-scan"]
    shop.database.query("ALTER TABLE orders ADD CONSTRAINT s CHECK (state IS NOT NULL) NOT VALID")
    assert ids(shop, sql) == ["set-not-null-scan"]
    shop.database.query("ALTER TABLE orders VALIDATE CONSTRAINT s")
    assert ids(shop, sql) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("note TYPE varchar(30)", "retype-column-safe"),
        ("note TYPE varchar(10)", "retype-column-rewrite"),
        ("price TYPE numeric(12,2)", "retype-column-safe"),
        ("price TYPE numeric(12,3)", "retype-column-rewrite"),
        ("at TYPE timestamptz", "retype-column-safe"),
        ("state TYPE varchar(5)", "retype-column-rewrite"),
    ],
)
def test_the_verdict_on_a_type_is_what_the_server_does(shop: Project, change: str, found: str) -> None:
    assert ids(shop, f"ALTER TABLE orders ALTER {change};") == [found]
    node = "SELECT pg_relation_filenode('orders')"
    before = shop.database.query(node)
    shop.database.query(f"SET TimeZone = 'UTC'; ALTER TABLE orders ALTER {change}")
    # varchar(5) of text is checked row by row by a rewrite as well.
    assert (shop.database.query(node) != before) is (found == "retype-column-rewrite")


def test_an_invalid_index_is_found_by_its_name(shop: Project) -> None:
    with pytest.raises(psycopg2.errors.UniqueViolation):
        shop.database.query("CREATE UNIQUE INDEX CONCURRENTLY orders_state ON orders (state)")
    assert ids(shop, "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_state ON orders (state);") == [
        "invalid-index-kept"
    ]
    shop.database.query("DROP INDEX orders_state; CREATE INDEX orders_state ON orders (state)")
    assert ids(shop, "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_state ON orders (state);") == []
    assert ids(shop, "DROP INDEX orders_state;") == ["drop-index-blocking"]


@contextlib.contextmanager
def old_transaction(database: Database) -> Iterator[int]:
    connection = database.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_backend_pid() FROM customers LIMIT 1")
            yield cursor.fetchone()[0]
    finally:
        connection.close()


def test_an_old_transaction_is_in_the_way_of_concurrently(shop: Project) -> None:
    file = lint_file("x.sql", "CREATE INDEX CONCURRENTLY i ON orders (state);")
    with connect(call_for_tests({}), settings(shop.database.options), read_only=True) as session:
        assert lint([file], source=Catalogue(session, old_after=0)) == []
        with old_transaction(shop.database) as pid:
            (found,) = lint([file], source=Catalogue(session, old_after=0))
            assert found.id == "concurrent-under-lock-timeout"
            assert f"pid {pid}" in found.message
            assert lint([file], source=Catalogue(session)) == []


@pytest.mark.parametrize(
    ("sql", "detail"),
    [
        ("CREATE UNIQUE INDEX CONCURRENTLY u ON orders (customer_id);", "customer_id is not unique"),
        ("ALTER TABLE orders ADD CONSTRAINT u UNIQUE (state, note);", "state, note is not unique"),
        ("ALTER TABLE orders ADD CONSTRAINT cheap CHECK (price < 10);", "cheap is not true of all rows"),
        ("ALTER TABLE orders ALTER state SET NOT NULL;", "state has nulls"),
        ("ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;", "has values that customers lacks"),
    ],
)
def test_rows_that_break_a_constraint(shop: Project, sql: str, detail: str) -> None:
    shop.database.query("UPDATE orders SET state = NULL, customer_id = 999 WHERE id = 7")
    broken = [one for one in judged(shop, sql)["findings"] if one["id"] == "constraint-broken-by-data"]
    assert len(broken) == 1
    assert detail in broken[0]["message"]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE UNIQUE INDEX CONCURRENTLY u ON orders (id);",
        "CREATE UNIQUE INDEX CONCURRENTLY u ON orders (customer_id) WHERE price < 0;",
        "ALTER TABLE orders ADD CONSTRAINT cheap CHECK (price > 0);",
        "ALTER TABLE orders ADD CONSTRAINT cheap CHECK (price < 10) NOT VALID;",
        "ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customers;",
        "UPDATE orders SET state = id::text WHERE true; CREATE UNIQUE INDEX u ON orders (state);",
    ],
)
def test_rows_that_break_nothing(shop: Project, sql: str) -> None:
    assert "constraint-broken-by-data" not in ids(shop, sql)


def test_linting_runs_nothing_of_the_files(shop: Project) -> None:
    shop.database.query("CREATE SEQUENCE ticks")
    shop.database.query("CREATE FUNCTION tick() RETURNS boolean LANGUAGE sql AS $$ SELECT nextval('ticks') > 0 $$")
    for condition in ("tick()", "price > 0); SELECT tick(); SELECT (true", "price IN (SELECT 1 WHERE tick())"):
        with contextlib.suppress(GoliveError):
            judged(shop, f"ALTER TABLE orders ADD CONSTRAINT c CHECK ({condition});")
    assert shop.database.query("SELECT is_called FROM ticks") == [(False,)]


def test_partitions(shop: Project) -> None:
    shop.database.query(
        "CREATE TABLE events (id bigint, at date NOT NULL) PARTITION BY RANGE (at);"
        "CREATE TABLE events_rest PARTITION OF events DEFAULT;"
        "INSERT INTO events SELECT n, '2020-01-01' FROM generate_series(1, 100) n;"
        "CREATE TABLE events_2026 (id bigint, at date NOT NULL); INSERT INTO events_2026 VALUES (1, '2026-02-02')"
    )
    attach = "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"
    assert ids(shop, "CREATE INDEX i ON events (at);") == ["index-on-partitioned-parent"]
    assert ids(shop, "CREATE INDEX CONCURRENTLY i ON events (at);") == ["index-on-partitioned-parent"]
    assert ids(shop, "CREATE INDEX i ON ONLY events (at);") == []
    found = judged(shop, attach)["findings"]
    assert {(one["id"], one["table"]) for one in found} == {
        ("attach-partition-scan", "events"),
        ("attach-partition-scan", "events_2026"),
    }
    shop.database.query(
        "ALTER TABLE events_2026 ADD CHECK (at >= '2026-01-01' AND at < '2027-01-01'); DELETE FROM events_rest"
    )
    assert [one["table"] for one in judged(shop, attach)["findings"]] == ["events"]


def test_foreign_keys_of_the_catalogue(shop: Project) -> None:
    sql = "ALTER TABLE orders ADD CONSTRAINT c FOREIGN KEY (customer_id) REFERENCES customers NOT VALID;"
    assert ids(shop, sql) == ["foreign-key-without-index"]
    shop.database.query("CREATE INDEX orders_customer ON orders (customer_id)")
    assert ids(shop, sql) == []
    shop.database.query(sql)
    assert "drop-referencing-table" in ids(shop, "DROP TABLE orders;")
    assert ids(shop, "TRUNCATE empty CASCADE;") == []
    shop.database.query("ALTER TABLE orders ADD CONSTRAINT e FOREIGN KEY (id) REFERENCES empty NOT VALID")
    assert ids(shop, "TRUNCATE empty CASCADE;") == ["truncate"]


def test_types_and_functions_of_the_catalogue(shop: Project) -> None:
    shop.database.query(
        "CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%'); CREATE DOMAIN label AS text;"
        "CREATE FUNCTION steady() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';"
        "CREATE FUNCTION shaky() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1'"
    )
    assert ids(shop, "ALTER TABLE orders ADD mail email DEFAULT 'a@b';") == ["add-column-constrained-domain"]
    assert ids(shop, "ALTER TABLE orders ADD name label DEFAULT 'a';") == []
    assert ids(shop, "ALTER TABLE orders ADD n int DEFAULT shaky();") == ["add-column-volatile-default"]
    assert ids(shop, "ALTER TABLE orders ADD n int DEFAULT steady();") == []


def test_a_primary_key_on_nullable_columns(shop: Project) -> None:
    shop.database.query("CREATE TABLE keyless (id bigint); INSERT INTO keyless VALUES (1)")
    shop.database.query("CREATE UNIQUE INDEX keyless_id ON keyless (id)")
    sql = "ALTER TABLE keyless ADD CONSTRAINT keyless_pkey PRIMARY KEY USING INDEX keyless_id;"
    assert ids(shop, sql) == ["primary-key-on-nullable"]
    shop.database.query("ALTER TABLE keyless ALTER id SET NOT NULL")
    assert ids(shop, sql) == []


def test_views_that_depend_on_a_table(shop: Project) -> None:
    shop.database.query("CREATE VIEW sums AS SELECT id, price FROM orders")
    drop = judged(shop, "ALTER TABLE orders DROP COLUMN price;")["findings"]
    assert [one["id"] for one in drop] == ["drop-column", "replace-view-in-use"]
    assert "price is used by sums" in drop[1]["message"]
    assert ids(shop, "ALTER TABLE orders DROP COLUMN note;") == ["drop-column"]
    assert ids(shop, "CREATE OR REPLACE VIEW sums AS SELECT id, price FROM orders;") == ["replace-view-in-use"]
    assert ids(shop, "CREATE OR REPLACE VIEW others AS SELECT id FROM orders;") == []


def test_many_indexes(shop: Project) -> None:
    for number in range(14):
        shop.database.query(f"CREATE INDEX i{number} ON orders (state)")
    assert ids(shop, "CREATE INDEX CONCURRENTLY more ON orders (note);") == ["index-budget"]
    shop.database.query("DROP INDEX i0")
    assert ids(shop, "CREATE INDEX CONCURRENTLY more ON orders (note);") == []


def test_a_condition_is_no_bound_in_a_large_table(shop: Project) -> None:
    shop.database.query("CREATE TABLE large (id bigint PRIMARY KEY, text text) WITH (fillfactor = 10)")
    shop.database.query("INSERT INTO large SELECT n, repeat('x', 500) FROM generate_series(1, 11000) n")
    assert ids(shop, "UPDATE large SET text = '' WHERE text LIKE 'x%';") == ["unbounded-dml"]
    assert ids(shop, "UPDATE large SET text = '' WHERE id = 7;") == []
    assert ids(shop, "DELETE FROM large WHERE id IN (7, 8);") == []
    assert ids(shop, "UPDATE orders SET state = '' WHERE note LIKE 'x%';") == []


def test_only_what_is_pending(project: Project) -> None:
    project.migrate()
    late = "ALTER TABLE notes DROP COLUMN body;"
    assert judged(project, late)["files"] == ["0009_x.sql"]
    everything = judged(project, late, pending_only=False)
    assert everything["files"] == ["0001_create_notes.sql", "0002_add_tag.sql", "0009_x.sql"]


def test_info_tells_what_is_unsafe_in_pending_files(project: Project) -> None:
    project.migrate()
    assert project.info()["findings"] == []
    project.database.query("INSERT INTO notes (id, body) VALUES (1, 'x')")
    project.write("0003_late.sql", "ALTER TABLE notes ALTER tag SET NOT NULL, DROP COLUMN body;")
    project.write("0003_late.down.sql", "SELECT 1;")
    assert [(one["file"], one["id"]) for one in project.info()["findings"]] == [("0003_late.sql", "drop-column")]


def test_check_run_check_run(shop: Project, tmp_path: Path) -> None:
    reports = {"sarif": str(tmp_path / "lint.sarif"), "junit": str(tmp_path / "lint.xml")}
    shop.write("0009_x.sql", "\nALTER TABLE orders DROP COLUMN note;\n")
    shop.write("0009_x.down.sql", "SELECT 1;\n")
    spec = db_migrate_lint.SPEC["argument_spec"]
    defaults = {name: option.get("default") for name, option in spec.items()}
    params = {**defaults, "path": str(shop.path), "postgresql": shop.database.options, **reports}

    def failure(check_mode: bool) -> dict[str, Any]:
        with pytest.raises(GoliveError) as caught:
            db_migrate_lint.run(call_for_tests(params, check_mode, diff_mode=True))
        assert caught.value.code == "lint_failed"
        return caught.value.details

    planned = failure(True)
    assert planned["changed"] is True
    assert not any(Path(place).exists() for place in reports.values())
    done = failure(False)
    assert (done["changed"], done["diff"]) == (True, planned["diff"])
    assert [one["after"] for one in done["diff"]] == [Path(place).read_text() for place in reports.values()]
    for again in (failure(True), failure(False)):
        assert (again["changed"], again["diff"]) == (False, [])

    log = json.loads((tmp_path / "lint.sarif").read_text())
    (result,) = log["runs"][0]["results"]
    assert (log["version"], result["ruleId"], result["level"]) == ("2.1.0", "drop-column", "error")
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == ("0009_x.sql", {"startLine": 2})
    suite = ElementTree.parse(tmp_path / "lint.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    failed = suite.find("testsuite/testcase/failure")
    assert failed is not None
    assert failed.get("type") == "drop-column"


def test_a_report_that_cannot_be_written(shop: Project, tmp_path: Path) -> None:
    with pytest.raises(GoliveError) as caught:
        judged(shop, "SELECT 1;", sarif=str(tmp_path / "nowhere" / "lint.sarif"))
    assert caught.value.code == "report_failed"
