# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a statement anew so that it locks nobody out: the same end, in steps that each hold their lock for a moment.

The steps are those of PostgreSQL's manual (ALTER TABLE, «Notes»; CREATE INDEX, «Building Indexes Concurrently»).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import (
    Action,
    Column,
    Constraint,
    Parsed,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Cursor, between_commas

REWRITES = (
    "create-index-blocking",
    "drop-index-blocking",
    "add-column-serial-or-identity",
    "set-not-null-scan",
    "add-check-validated",
    "add-foreign-key-validated",
    "add-unique-or-primary-key",
)
_LONGEST = 63
# What a constraint may say that an index cannot take over, or that changes with the form of the statement.
_PECULIAR = {"INCLUDE", "NULLS", "WITH", "USING", "DEFERRABLE", "INITIALLY", "ENFORCED", "TABLESPACE"}


@dataclass(frozen=True)
class Later:
    """A file of its own, behind the one that is written anew: a part of its name, its text and its way back."""

    name: str
    text: str
    down: str


@dataclass(frozen=True)
class Rewritten:
    """``statements`` stand in place of the one; ``separate`` when each needs a transaction of its own."""

    statements: tuple[str, ...]
    separate: bool = False
    later: tuple[Later, ...] = ()


def rewritten(parsed: Parsed, rules: Collection[str], version: str) -> Rewritten | None:
    """A statement without what ``rules`` (of ``REWRITES``) find in it; None where that cannot be had.

    ``version`` is the file's, for names that nothing else gives.
    """
    if parsed.verb == "CREATE INDEX" and "create-index-blocking" in rules:
        return _create_index(parsed)
    if parsed.verb == "DROP INDEX" and "drop-index-blocking" in rules:
        return _drop_index(parsed)
    if parsed.verb == "ALTER TABLE" and parsed.target is not None:
        return _Alter(parsed, rules, version).rewritten()
    return None


def _create_index(parsed: Parsed) -> Rewritten | None:
    if parsed.index is None or not parsed.index.name:
        return None
    at = next(token.end for token in parsed.tokens if token.is_word("INDEX"))
    text = parsed.statement.text
    return Rewritten((f"{text[:at]} CONCURRENTLY{text[at:]}",))


def _drop_index(parsed: Parsed) -> Rewritten | None:
    if parsed.has("CASCADE"):
        return None
    text, first = parsed.statement.text, next(token for token in parsed.tokens if token.is_word("INDEX"))
    cursor = Cursor(parsed.tokens, text)
    cursor.until("INDEX")
    cursor.take("INDEX")
    head = text[: first.end] + " CONCURRENTLY" + (" IF EXISTS" if cursor.take("IF", "EXISTS") else "")
    names = [cursor.text_of(part) for part in between_commas(cursor.until("RESTRICT"))]
    return Rewritten(tuple(f"{head} {name}" for name in names))


class _Alter:
    """An ALTER TABLE: its harmless actions stay together, each of the others becomes steps of its own."""

    def __init__(self, parsed: Parsed, rules: Collection[str], version: str) -> None:
        self._text = parsed.statement.text
        cursor = Cursor(parsed.tokens, self._text)
        cursor.take("ALTER", "TABLE")
        self._flags = "IF EXISTS " if cursor.take("IF", "EXISTS") else ""
        self._flags += "ONLY " if cursor.take("ONLY") else ""
        start = cursor.at
        name = cursor.name()
        self._table = cursor.text_of(parsed.tokens[start : cursor.at])
        self._name = name.name if name is not None else ""
        cursor.sign("*")
        self._texts = [cursor.text_of(part) for part in between_commas(cursor.rest())]
        self._words = [{token.text for token in part if token.kind == "word"} for part in between_commas(cursor.rest())]
        self._actions = parsed.actions
        self._rules = rules
        self._version = version

    def rewritten(self) -> Rewritten | None:
        """The statements, or None when no action can be written anew."""
        plain: list[str] = []
        found = Rewritten(())
        for number, (action, text) in enumerate(zip(self._actions, self._texts, strict=True)):
            steps = self._steps(action, text, self._words[number], number)
            if steps is None:
                plain.append(text)
                continue
            before = (self._alter(", ".join(plain)),) if plain else ()
            plain.clear()
            found = Rewritten(
                (*found.statements, *before, *steps.statements),
                found.separate or steps.separate,
                (*found.later, *steps.later),
            )
        if not found.statements:
            return None
        return replace(found, statements=(*found.statements, *((self._alter(", ".join(plain)),) if plain else ())))

    def _steps(self, action: Action, text: str, words: set[str], number: int) -> Rewritten | None:
        one = action.constraint
        if action.kind == "set not null" and "set-not-null-scan" in self._rules:
            return Rewritten(self._not_null(action.name), separate=True)
        if action.kind == "add column" and action.column and "add-column-serial-or-identity" in self._rules:
            return self._automatic(action.column, "ALWAYS" in words)
        if action.kind != "add constraint" or one is None or not one.valid:
            return None
        if one.kind in ("check", "foreign"):
            rule = {"check": "add-check-validated", "foreign": "add-foreign-key-validated"}[one.kind]
            return self._validated(one, text, number) if rule in self._rules else None
        if one.kind in ("unique", "primary") and "add-unique-or-primary-key" in self._rules and not words & _PECULIAR:
            return self._key(one)
        return None

    def _not_null(self, column: str) -> tuple[str, ...]:
        # A valid CHECK spares SET NOT NULL its scan (PostgreSQL 12).
        proof = self._quoted(_name(self._name, column, "not_null"))
        return (
            self._alter(f"ADD CONSTRAINT {proof} CHECK ({self._quoted(column)} IS NOT NULL) NOT VALID"),
            self._alter(f"VALIDATE CONSTRAINT {proof}"),
            self._alter(f"ALTER COLUMN {self._quoted(column)} SET NOT NULL"),
            self._alter(f"DROP CONSTRAINT {proof}"),
        )

    def _validated(self, one: Constraint, text: str, number: int) -> Rewritten:
        name = one.name
        if not name:
            end = "_".join((*one.columns, "fkey")) if one.kind == "foreign" else f"{self._version}_{number + 1}_check"
            name = _name(self._name, end)
            text = f"ADD CONSTRAINT {self._quoted(name)}{text[len('ADD') :]}"
        return Rewritten(
            (self._alter(f"{text} NOT VALID"), self._alter(f"VALIDATE CONSTRAINT {self._quoted(name)}")), separate=True
        )

    def _key(self, one: Constraint) -> Rewritten | None:
        if not one.columns or not all(one.columns):
            return None
        ends = ("pkey",) if one.kind == "primary" else (*one.columns, "key")
        name = self._quoted(one.name or _name(self._name, *ends))
        columns = ", ".join(self._quoted(column) for column in one.columns)
        proved = [self._not_null(column) for column in one.columns] if one.kind == "primary" else []
        word = "PRIMARY KEY" if one.kind == "primary" else "UNIQUE"
        return Rewritten(
            (
                f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {self._table} ({columns})",
                *(statement for steps in proved for statement in steps),
                self._alter(f"ADD CONSTRAINT {name} {word} USING INDEX {name}"),
            ),
            separate=bool(proved),
        )

    def _automatic(self, column: Column, always: bool) -> Rewritten | None:
        if not column.automatic or column.constraints or column.default:
            return None
        name, kind = self._quoted(column.name), column.type
        sequence = self._beside(_name(self._name, column.name, "seq"))
        fill = (
            f"-- golive: kind batch\n-- golive: batch_table {self._table}\n"
            f"UPDATE {self._table} SET {name} = nextval('{sequence}') WHERE :range AND {name} IS NULL;\n"
        )
        required = "".join(f"{one};\n" for one in self._not_null(column.name))
        later = [
            Later(f"fill_{self._name}_{column.name}", fill, "-- golive: loss none\nSELECT 1;\n"),
            Later(
                f"require_{self._name}_{column.name}",
                f"-- golive: kind separate\n{required}",
                f"{self._alter(f'ALTER COLUMN {name} DROP NOT NULL')};\n",
            ),
        ]
        if column.automatic == "identity":
            later.append(self._identity(column, sequence, "ALWAYS" if always else "BY DEFAULT"))
        return Rewritten(
            (
                f"CREATE SEQUENCE {sequence} AS {kind}",
                self._alter(f"ADD COLUMN {name} {kind}"),
                self._alter(f"ALTER COLUMN {name} SET DEFAULT nextval('{sequence}')"),
                f"ALTER SEQUENCE {sequence} OWNED BY {self._table}.{name}",
            ),
            later=tuple(later),
        )

    def _identity(self, column: Column, sequence: str, when: str) -> Later:
        name = self._quoted(column.name)
        own = f"pg_get_serial_sequence('{self._table}', '{column.name}')"
        text = (
            f"{self._alter(f'ALTER COLUMN {name} DROP DEFAULT')};\n"
            f"ALTER SEQUENCE {sequence} OWNED BY NONE;\n"
            f"{self._alter(f'ALTER COLUMN {name} ADD GENERATED {when} AS IDENTITY')};\n"
            f"SELECT setval({own}, last_value, is_called) FROM {sequence};\n"
            f"DROP SEQUENCE {sequence};\n"
        )
        down = (
            f"CREATE SEQUENCE {sequence} AS {column.type};\n"
            f"SELECT setval('{sequence}', nextval({own}), false);\n"
            f"{self._alter(f'ALTER COLUMN {name} DROP IDENTITY')};\n"
            f"{self._alter(f'''ALTER COLUMN {name} SET DEFAULT nextval('{sequence}')''')};\n"
            f"ALTER SEQUENCE {sequence} OWNED BY {self._table}.{name};\n"
        )
        return Later(f"identity_{self._name}_{column.name}", text, f"-- golive: loss none\n{down}")

    def _beside(self, name: str) -> str:
        """A name in the schema of the table."""
        schema = self._table.rpartition(".")[0]
        return f"{schema}.{self._quoted(name)}" if schema else self._quoted(name)

    def _quoted(self, name: str) -> str:
        """In quotes where it needs them: where the statement has them, because a word of SQL may be a name."""
        quoted = '"' + name.replace('"', '""') + '"'
        return name if re.fullmatch("[a-z_][a-z0-9_]*", name) and quoted not in self._text else quoted

    def _alter(self, action: str) -> str:
        return f"ALTER TABLE {self._flags}{self._table} {action}"


def _name(*parts: str) -> str:
    """As long as a name may be; cut where only the server would cut it."""
    return "_".join(parts).encode()[:_LONGEST].decode(errors="ignore")
