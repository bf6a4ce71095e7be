# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a statement outside of transactions leaves in the catalogue, so that a crash in it can be understood later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import needs_autocommit
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import Token, tokens

# Each of them may simply run again: it either ends the same, or changes nothing any more.
_AGAIN = ("VACUUM", "ALTER SYSTEM", "CLUSTER of all tables", "ALTER DATABASE SET TABLESPACE")
_OBJECTS = {
    "CREATE DATABASE": "database",
    "DROP DATABASE": "database",
    "CREATE TABLESPACE": "tablespace",
    "DROP TABLESPACE": "tablespace",
    "CREATE SUBSCRIPTION": "subscription",
    "DROP SUBSCRIPTION": "subscription",
}


@dataclass(frozen=True)
class Trace:
    """``kind``: ``create_index``, ``drop_index``, ``reindex``, ``detach``, ``again``, ``create`` or ``drop``.

    ``name`` is the object as the statement writes it, ``table`` the table an index or partition belongs to;
    ``optional`` is IF NOT EXISTS or IF EXISTS, ``after_table`` the text behind the table, ``object`` what kind it is.
    """

    kind: str
    name: str = ""
    table: str = ""
    optional: bool = False
    unique: bool = False
    after_table: str = ""
    object: str = ""


def trace(statement: Statement) -> Trace | None:
    """The trace of a statement that needs autocommit; None when it leaves none that could be found again."""
    command = needs_autocommit(statement)
    if command in _AGAIN:
        return Trace("again")
    reader = _Reader([token for token in tokens(statement.text) if not token.blank], statement.text)
    if command in ("CREATE INDEX CONCURRENTLY", "CREATE UNIQUE INDEX CONCURRENTLY"):
        return _create_index(reader)
    if command == "DROP INDEX CONCURRENTLY":
        reader.skip("DROP", "INDEX", "CONCURRENTLY")
        optional = reader.skip("IF", "EXISTS")
        return Trace("drop_index", reader.name(), optional=optional)
    if command.startswith("REINDEX"):
        return _reindex(reader)
    if command == "DETACH PARTITION CONCURRENTLY":
        reader.skip("ALTER", "TABLE")
        reader.skip("IF", "EXISTS")
        table = reader.name()
        reader.skip("DETACH", "PARTITION")
        return Trace("detach", reader.name(), table)
    if command in _OBJECTS:
        verb, what = command.split()
        reader.skip(verb, what)
        optional = reader.skip("IF", "EXISTS")
        return Trace(verb.lower(), reader.name(), optional=optional, object=_OBJECTS[command])
    return None


def _create_index(reader: _Reader) -> Trace | None:
    reader.skip("CREATE")
    unique = reader.skip("UNIQUE")
    reader.skip("INDEX", "CONCURRENTLY")
    optional = reader.skip("IF", "NOT", "EXISTS")
    if reader.skip("ON"):
        # The server would choose a name, another one each time.
        return None
    name = reader.name()
    reader.skip("ON")
    reader.skip("ONLY")
    table = reader.name()
    # Where it lies is no part of its definition, as the server tells it.
    return Trace("create_index", name, table, optional, unique, reader.rest_without("TABLESPACE"))


def _reindex(reader: _Reader) -> Trace:
    reader.skip("REINDEX")
    reader.skip_parentheses()
    for what in ("INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"):
        if reader.skip(what):
            reader.skip("CONCURRENTLY")
            return Trace("reindex", reader.name(), object=what.lower())
    return Trace("reindex", object="database")


class _Reader:
    """Reads a statement's tokens from left to right."""

    def __init__(self, found: Sequence[Token], text: str) -> None:
        self._tokens = found
        self._text = text
        self._at = 0

    def skip(self, *words: str) -> bool:
        """Whether these words come next; then they are behind."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if [token.text.upper() for token in ahead if token.kind == "word"] != list(words):
            return False
        self._at += len(words)
        return True

    def skip_parentheses(self) -> None:
        """Leave out one group in parentheses, if it comes next."""
        if self._at < len(self._tokens) and self._tokens[self._at].text == "(":
            while self._at < len(self._tokens) and self._tokens[self._at].text != ")":
                self._at += 1
            self._at += 1

    def name(self) -> str:
        """A name as it is written, with its schema; empty when none comes next."""
        parts = []
        while self._at < len(self._tokens) and self._tokens[self._at].name is not None:
            parts.append(self._tokens[self._at].text)
            self._at += 1
            if self._at >= len(self._tokens) or self._tokens[self._at].text != ".":
                break
            self._at += 1
        return ".".join(parts)

    def rest_without(self, word: str) -> str:
        """The text from here on, without ``word`` and the name behind it where both stand outside of parentheses."""
        depth = 0
        parts, begin = [], self._tokens[self._at].start if self._at < len(self._tokens) else len(self._text)
        for at in range(self._at, len(self._tokens) - 1):
            token, name = self._tokens[at : at + 2]
            depth += (token.text == "(") - (token.text == ")")
            if not depth and token.kind == "word" and token.text.upper() == word:
                parts.append(self._text[begin : token.start])
                begin = name.start + len(name.text)
        return "".join([*parts, self._text[begin:]])
