# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from a statement."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import (
    Parsed,
    columns_not_null,
    parse,
    type_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name, tokens
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_types import keeps_storage, volatility
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import split
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import SqlTextError


def read(sql: str) -> Parsed:
    (statement,) = split(sql)
    return parse(statement)


def test_names_are_folded_unless_quoted() -> None:
    assert read('DROP TABLE "Shop".Orders, "a ""b"""').names == (Name("orders", "Shop"), Name('a "b"', "public"))


def test_create_table() -> None:
    parsed = read(
        "CREATE TABLE IF NOT EXISTS shop.t (\n"
        " id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n"
        " price numeric(10, 2) DEFAULT (1 + (2)) NOT NULL, -- a comment, with a comma\n"
        " at timestamp with time zone DEFAULT now(),\n"
        " customer bigint REFERENCES customers (id) ON DELETE CASCADE,\n"
        " tags text[] NOT NULL DEFAULT ARRAY[]::text[],\n"
        " CONSTRAINT positive CHECK (price > 0 AND price < 10),\n"
        " UNIQUE (customer, price),\n"
        " FOREIGN KEY (customer, price) REFERENCES x (a, b)\n"
        ") PARTITION BY RANGE (at)"
    )
    assert (parsed.verb, parsed.target, parsed.has("IF NOT EXISTS", "PARTITION BY")) == (
        "CREATE TABLE",
        Name("t", "shop"),
        True,
    )
    assert [(one.name, one.type, one.not_null) for one in parsed.columns] == [
        ("id", "int8", True),
        ("price", "numeric(10,2)", True),
        ("at", "timestamptz", False),
        ("customer", "int8", False),
        ("tags", "text[]", True),
    ]
    assert [one.default for one in parsed.columns] == ["", "(1 + (2))", "now()", "", "ARRAY[]::text[]"]
    assert [(one.kind, one.name, one.columns) for one in parsed.constraints] == [
        ("primary", "", ("id",)),
        ("foreign", "", ("customer",)),
        ("check", "positive", ()),
        ("unique", "", ("customer", "price")),
        ("foreign", "", ("customer", "price")),
    ]


def test_alter_table_has_one_action_for_each_part() -> None:
    parsed = read(
        "ALTER TABLE ONLY t ADD a text DEFAULT 'x,y', ADD CONSTRAINT c CHECK (a IN ('x', 'y')) NOT VALID,"
        " ALTER b TYPE varchar(20) USING left(b, 20), DROP COLUMN IF EXISTS d CASCADE, ALTER e SET NOT NULL"
    )
    assert [(one.kind, one.name) for one in parsed.actions] == [
        ("add column", ""),
        ("add constraint", ""),
        ("retype", "b"),
        ("drop column", "d"),
        ("set not null", "e"),
    ]
    check = parsed.actions[1].constraint
    assert check is not None
    assert (check.valid, check.text) == (False, "a IN ('x', 'y')")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t USING btree (a, lower(b) DESC) WHERE c", ("a", "")),
        ("CREATE INDEX ON t (a COLLATE x, (b + c), d DESC NULLS LAST)", ("a", "", "d")),
    ],
)
def test_columns_of_an_index(sql: str, expected: Any) -> None:
    index = read(sql).index
    assert index is not None
    assert index.columns == expected


@pytest.mark.parametrize(
    ("sql", "verb", "target", "bounded"),
    [
        (
            "WITH a AS (SELECT 1 FOR UPDATE) INSERT INTO t SELECT * FROM a ON CONFLICT DO UPDATE SET x = 1",
            "INSERT",
            "t",
            False,
        ),
        (
            "WITH a (x) AS MATERIALIZED (SELECT 1), b AS (SELECT 2) UPDATE t SET x = 1 WHERE id IN (1)",
            "UPDATE",
            "t",
            True,
        ),
        ("WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM gone", "DELETE", "t", False),
        ("WITH a AS (SELECT 1) SELECT * FROM a WHERE true", "SELECT", None, False),
    ],
)
def test_what_stands_behind_with(sql: str, verb: str, target: str | None, bounded: bool) -> None:
    parsed = read(sql)
    assert (parsed.verb, parsed.has("WHERE")) == (verb, bounded)
    assert (parsed.target.name if parsed.target else None) == target


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("INT", "int4"),
        ("character varying (20)", "varchar(20)"),
        ("timestamp(3) without time zone", "timestamp(3)"),
        ("pg_catalog.int8", "int8"),
        ("integer ARRAY[4]", "int4[]"),
        ("double precision", "float8"),
        ("shop.email", "shop.email"),
        ("decimal(10,2)[]", "numeric(10,2)[]"),
    ],
)
def test_types(written: str, name: str) -> None:
    assert type_of(tokens(written)) == name


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("varchar(10)", "varchar(20)", True),
        ("varchar(20)", "varchar(10)", False),
        ("varchar(20)", "text", True),
        ("varchar", "varchar(20)", False),
        ("text", "varchar", True),
        ("numeric(10,2)", "numeric(12,2)", True),
        ("numeric(10,2)", "numeric(12,3)", False),
        ("numeric(10,2)", "numeric", True),
        ("numeric", "numeric(10,2)", False),
        ("numeric(10)", "numeric(12,0)", True),
        ("cidr", "inet", True),
        ("inet", "cidr", False),
        ("timestamp", "timestamptz", True),
        ("timestamp(3)", "timestamp", True),
        ("timestamp", "timestamp(3)", False),
        ("int4", "int8", False),
        ("char(4)", "char(5)", False),
        ("varchar(10)[]", "varchar(20)", False),
    ],
)
def test_which_types_need_no_rewrite(old: str, new: str, kept: bool) -> None:
    assert keeps_storage(old, new, 15) is kept


def test_time_zones_were_rewritten_before_12() -> None:
    assert not keeps_storage("timestamp", "timestamptz", 11)


@pytest.mark.parametrize(
    ("expression", "calls"),
    [
        ("now()", {"now": False}),
        ("md5(random()::text)", {"md5": False, "random": True}),
        ("shop.next_number('x')", {"next_number": None}),
        ("'random()'::text", {}),
        ("(a IN (1, 2))", {}),
    ],
)
def test_volatile_calls(expression: str, calls: dict[str, bool | None]) -> None:
    assert {one.name: one.volatile for one in volatility(tokens(expression))} == calls


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("a IS NOT NULL", {"a"}),
        ("((a IS NOT NULL) AND (b > 0))", {"a"}),
        ('"a" is not null and b is not null', {"a", "b"}),
        ("a IS NOT NULL OR b IS NOT NULL", set()),
        ("length(a) IS NOT NULL", set()),
    ],
)
def test_what_a_check_proves(expression: str, columns: set[str]) -> None:
    assert columns_not_null(expression) == columns


PIECES = st.sampled_from(
    [
        *("ALTER TABLE", "CREATE INDEX", "DROP COLUMN", "ADD CONSTRAINT", "CHECK", "NOT NULL", "NOT VALID", "DEFAULT"),
        *("TYPE", "ON", "(", ")", ",", ";", ".", "t", "a", "'x'", '"n"', "$$y$$", "1", "::", "UNIQUE", "PRIMARY KEY"),
        *("REFERENCES", "USING", "WHERE", "UPDATE", "SET", "DELETE FROM", "VACUUM FULL", "CLUSTER", "ATTACH PARTITION"),
        *("PARTITION OF", "GENERATED ALWAYS AS", "IDENTITY", "STORED", "CREATE DOMAIN", "POLICY", "RENAME", "TO"),
        *("LOCK", "IN", "MODE", "[", "]", "*", "REINDEX", "CREATE TABLE", "VALIDATE", "DROP", "TRIGGER"),
    ]
)


@given(st.lists(PIECES, max_size=25))
def test_no_text_is_too_strange(pieces: list[str]) -> None:
    try:
        statements = split(" ".join(pieces))
    except SqlTextError:
        return
    for statement in statements:
        assert parse(statement).statement is statement
