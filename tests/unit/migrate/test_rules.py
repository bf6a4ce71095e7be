# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which statements cannot be part of a file that runs in one transaction, or that is rehearsed on a clone."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import (
    beyond_database,
    needs_autocommit,
    refusal,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import split


def code_of(sql: str) -> str | None:
    (statement,) = split(sql)
    refused = refusal(statement)
    return refused.code if refused else None


@pytest.mark.parametrize(
    "sql",
    [
        "BEGIN",
        "begin work",
        "START TRANSACTION READ WRITE",
        "COMMIT AND CHAIN",
        "END",
        "ROLLBACK",
        "ROLLBACK WORK",
        "ABORT",
        "PREPARE TRANSACTION 'x'",
        "COMMIT PREPARED 'x'",
        "ROLLBACK PREPARED 'x'",
    ],
)
def test_transaction_control(sql: str) -> None:
    assert code_of(sql) == "transaction_control"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "create unique index concurrently if not exists i on t (a)",
        "CREATE /* now */ INDEX -- then\n CONCURRENTLY i ON t (a)",
        "DROP INDEX CONCURRENTLY IF EXISTS i",
        "REINDEX INDEX CONCURRENTLY i",
        "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
        "REINDEX SCHEMA public",
        "REINDEX (VERBOSE) DATABASE shop",
        "VACUUM",
        "VACUUM (FULL) t",
        "CLUSTER",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "CREATE DATABASE x",
        "DROP DATABASE x",
        "CREATE TABLESPACE x LOCATION '/x'",
        "ALTER DATABASE x SET TABLESPACE y",
        "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
        "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
    ],
)
def test_needs_autocommit(sql: str) -> None:
    (statement,) = split(sql)
    assert needs_autocommit(statement)
    assert code_of(sql) is None


def test_a_reset_of_the_session_is_refused() -> None:
    assert code_of("DISCARD ALL") == "session_reset"


@pytest.mark.parametrize("sql", ["COPY t FROM STDIN", "COPY t (a, b) FROM stdin WITH (FORMAT csv)", "COPY t TO STDOUT"])
def test_copy_of_a_stream(sql: str) -> None:
    assert code_of(sql) == "copy_stream"


@pytest.mark.parametrize(
    "sql",
    ["SET standard_conforming_strings = off", "SET SESSION standard_conforming_strings TO 'off'"],
)
def test_settings_that_change_the_language(sql: str) -> None:
    assert code_of(sql) == "unsupported_setting"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX i ON t (a)",
        'CREATE INDEX "concurrently" ON t (a)',
        "CREATE TABLE vacuum_log (id int)",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "REINDEX TABLE t",
        "CLUSTER t USING i",
        "ALTER TABLE t DETACH PARTITION p",
        "ALTER TYPE mood ADD VALUE 'calm'",
        "SAVEPOINT a",
        "RELEASE SAVEPOINT a",
        "ROLLBACK TO SAVEPOINT a",
        "ROLLBACK WORK TO a",
        "PREPARE q AS SELECT 1",
        "COPY t FROM '/file'",
        "COPY stdin FROM PROGRAM 'x'",
        "DO $$ BEGIN PERFORM 1; END $$",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$",
        "SET standard_conforming_strings = on",
        "SET standard_conforming_strings TO 'on'",
        "SELECT 'BEGIN'",
        "(SELECT 1)",
        "DISCARD TEMP",
    ],
)
def test_what_runs_in_a_transaction(sql: str) -> None:
    (statement,) = split(sql)
    assert not needs_autocommit(statement)
    assert code_of(sql) is None


@pytest.mark.parametrize(
    ("sql", "command"),
    [
        ("CREATE ROLE a", "CREATE ROLE"),
        ("alter user a PASSWORD 'x'", "ALTER USER"),
        ("DROP DATABASE a", "DROP DATABASE"),
        ("ALTER DATABASE a SET search_path = b", "ALTER DATABASE"),
        ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "CREATE SUBSCRIPTION"),
        ("ALTER SYSTEM SET work_mem = 1", "ALTER SYSTEM"),
        ("REASSIGN OWNED BY a TO b", "REASSIGN OWNED"),
        ("GRANT a TO b", "GRANT of a role"),
        ("REVOKE CONNECT ON DATABASE a FROM PUBLIC", "REVOKE of a right on DATABASE"),
        ("COMMENT ON ROLE a IS 'x'", "COMMENT ON ROLE"),
        ("COPY t TO PROGRAM 'cat'", "COPY to a file or program"),
        ("DO $$ BEGIN EXECUTE 'create  role a'; END $$", "CREATE ROLE"),
        ("SELECT dblink_exec('x', 'DELETE FROM t')", "DBLINK_EXEC"),
    ],
)
def test_what_changes_more_than_its_database(sql: str, command: str) -> None:
    (statement,) = split(sql)
    assert beyond_database(statement) == command


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE role (database text, tablespace text)",
        "CREATE USER MAPPING FOR a SERVER s",
        "CREATE EXTENSION dblink",
        "GRANT SELECT ON t TO a",
        "GRANT SELECT ON ALL TABLES IN SCHEMA s TO a",
        "COMMENT ON TABLE role IS 'create role'",
        "COPY t FROM '/tmp/x'",
        "ALTER TABLE t OWNER TO a",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a",
        "INSERT INTO t VALUES ('create role a')",
        "DO $$ BEGIN PERFORM 1; END $$",
        "SELECT 1",
        "VALUES (1)",
    ],
)
def test_what_stays_in_its_database(sql: str) -> None:
    (statement,) = split(sql)
    assert beyond_database(statement) == ""
