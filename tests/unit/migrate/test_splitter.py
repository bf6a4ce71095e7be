# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splitting SQL: what no semicolon may cut, and what is not SQL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement, split
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import SqlTextError

# Each of them is one token or a run of tokens in which no semicolon ends the statement.
ATOMS = [
    "'a;b'",
    "'it''s; --'",
    "'back\\'",
    "E'it\\'s;'",
    "e'\\\\'",
    "E'a''\\';'",
    "E'a'\n  '\\';'",
    "E'a' -- note;\n '\\';'",
    "U&'d\\0061;'",
    "B'1'",
    '"na;me"',
    '"quo""te;"',
    "$$body; 'x$$",
    "$tag$ $$ ; $other$ $tag$",
    "$täg$;$täg$",
    "a$b$c",
    "$1",
    "/* ; /* ' */ ; */",
    "-- to the end; '\n",
    "(a; b)",
    "1 - -1",
    "a::text",
    "x[1:2]",
    "'ünïcode;'",
]
WORDS = ["SELECT", "x", "FROM", "t", "+", ",", "begin", "end", "case"]
PIECES = st.lists(st.sampled_from(ATOMS + WORDS), min_size=1, max_size=8)
GAPS = st.sampled_from([" ", "\n", "\t", "\n\n", "/* gap */"])


def select(pieces: list[str], gap: str) -> str:
    """A statement. The comma matters: a literal after a line end would go on the one before, and be read as that is."""
    return "SELECT " + f",{gap}".join(pieces) + " z"


def test_every_atom_stays_whole() -> None:
    for atom in ATOMS:
        assert [one.text for one in split(f"SELECT {atom} x; SELECT 2")] == [f"SELECT {atom} x", "SELECT 2"]


@given(statements=st.lists(PIECES, max_size=6), gap=GAPS)
def test_joined_statements_come_back(statements: list[list[str]], gap: str) -> None:
    texts = [select(pieces, gap) for pieces in statements]
    assert [one.text for one in split(f" ;{gap}".join(texts) + ";")] == texts


@given(statements=st.lists(PIECES, min_size=1, max_size=6), gap=GAPS)
def test_lines_point_at_the_first_character(statements: list[list[str]], gap: str) -> None:
    text = ";\n\n".join(select(pieces, gap) for pieces in statements)
    lines = text.split("\n")
    for one in split(text):
        assert lines[one.line - 1].lstrip().startswith("SELECT")


@given(st.text(alphabet="';\"$-/*\\aEe\n (tag)", max_size=60))
def test_any_text_is_split_or_refused_and_nothing_is_lost(text: str) -> None:
    try:
        found = split(text)
    except SqlTextError as error:
        refused_at = error.line
    else:
        assert_nothing_lost(text, found)
        return
    assert 1 <= refused_at <= text.count("\n") + 1


def assert_nothing_lost(text: str, found: list[Statement]) -> None:
    at = 0
    for one in found:
        start = text.index(one.text, at)
        between = text[at:start]
        assert split(between) == []
        assert one.line == text.count("\n", 0, start) + 1
        at = start + len(one.text)


@pytest.mark.parametrize("text", ["", "  \n;;\n", "-- only\n/* comments */", "-- no line end"])
def test_nothing_is_nothing(text: str) -> None:
    assert split(text) == []


def test_comments_between_statements_are_left_out_and_lines_count() -> None:
    first, second = split("-- head\n\nSELECT 1; -- tail\n/* x\n*/ SELECT\n 2")
    assert (first.text, first.line) == ("SELECT 1", 3)
    assert (second.text, second.line) == ("SELECT\n 2", 5)
    assert second.line_of(8) == 6
    assert second.line_of(None) == 5


def test_the_body_of_a_standard_routine_stays_whole() -> None:
    body = (
        "CREATE OR REPLACE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END"
    )
    assert [one.text for one in split(f"{body}; SELECT 3")] == [body, "SELECT 3"]


def test_begin_outside_a_routine_ends_at_its_semicolon() -> None:
    assert [one.text for one in split("BEGIN; SELECT 1; END;")] == ["BEGIN", "SELECT 1", "END"]


def test_words_know_their_parentheses() -> None:
    (one,) = split('COPY (SELECT a FROM "stdin") TO stdout')
    assert [(word.text, word.depth) for word in one.words] == [
        ("COPY", 0),
        ("SELECT", 1),
        ("A", 1),
        ("FROM", 1),
        ("TO", 0),
        ("STDOUT", 0),
    ]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("SELECT 1;\nSELECT 'a", 2, "string"),
        ("SELECT E'a\\'", 1, "string"),
        ('\n\nSELECT "a', 3, "quoted name"),
        ("SELECT $x$ $y$", 1, r"string \$x\$"),
        ("SELECT 1\n/* /* */", 2, "comment"),
        ("SELECT 1;\n\\i other.sql", 2, "psql"),
        ("SELECT \0", 1, "NUL"),
    ],
)
def test_what_is_not_sql_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(SqlTextError, match=what) as caught:
        split(text)
    assert caught.value.line == line


def test_a_literal_that_goes_on_keeps_its_kind() -> None:
    assert len(split("SELECT 'a'\n'back\\'; SELECT 2")) == 2
    with pytest.raises(SqlTextError):
        split("SELECT E'a'\n'back\\'; SELECT 2")
    assert len(split("SELECT E'a', 'back\\'; SELECT 2")) == 2


def test_columns_count_from_the_start_of_the_line() -> None:
    first, second = split("\n  SELECT 1; SELECT\n  wrong;")
    assert (first.line, first.column, second.column) == (2, 3, 13)
    assert (second.line_of(8), second.column_of(1), second.column_of(10)) == (3, 13, 3)
