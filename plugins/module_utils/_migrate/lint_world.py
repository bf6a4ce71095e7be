# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of tables while files are read: from the files themselves, and from the database if there is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import (
    Action,
    Column,
    Constraint,
    Index,
    Parsed,
    columns_not_null,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name


@dataclass
class Table:
    """A table, materialised view or view as it is before the next statement.

    ``new``: made by the files that are linted. ``known``: all columns, constraints and indexes are listed here.
    ``size`` is in bytes without indexes, None without a database.
    """

    name: Name
    new: bool = False
    known: bool = False
    kind: str = "table"
    partitioned: bool = False
    rows: int | None = None
    size: int | None = None
    index_size: int = 0
    calls: int | None = None
    columns: dict[str, Column] = field(default_factory=dict)
    constraints: dict[str, Constraint] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    referenced_by: frozenset[Name] = frozenset()
    dependent_views: dict[str, tuple[str, ...]] = field(default_factory=dict)
    default_partition_size: int | None = None

    @property
    def quiet(self) -> bool:
        """Whether locking and reading it disturbs nobody: it is new, or it is empty."""
        return self.new or self.size == 0

    def proves_not_null(self, column: str) -> bool:
        """Whether a valid constraint already says that the column is there."""
        known = self.columns.get(column)
        return bool(known and known.not_null) or any(
            one.kind == "check" and one.valid and column in columns_not_null(one.text)
            for one in self.constraints.values()
        )

    def has_index_on(self, columns: tuple[str, ...]) -> bool:
        """Whether an index begins with these columns in any order."""
        wanted = set(columns)
        return any(
            set(index.columns[: len(columns)]) == wanted and index.valid and not index.predicate
            for index in self.indexes.values()
        ) or any(
            one.kind in ("primary", "unique") and set(one.columns[: len(columns)]) == wanted
            for one in self.constraints.values()
        )


class Source(Protocol):
    """Where facts of tables that the files did not make come from."""

    def table(self, name: Name) -> Table | None:
        """The table, or None when there is none."""

    def table_of_index(self, name: Name) -> Name | None:
        """The table that has this index."""

    def domain_is_constrained(self, name: Name) -> bool | None:
        """Whether it is a domain with a CHECK or NOT NULL; None when it is no domain."""

    def volatile(self, function: str) -> bool | None:
        """Whether any function of this name is volatile; None when there is none."""

    def old_transactions(self) -> list[str]:
        """What is said of each transaction that CONCURRENTLY would wait for."""

    def any_row(self, query: str) -> bool | None:
        """Whether a query has a row; None when it cannot be answered in time."""


class World:
    """Tables as the statements so far have left them; ``history`` tells files that were applied before."""

    def __init__(self, source: Source | None = None) -> None:
        self._source = source
        self._tables: dict[Name, Table] = {}
        self._gone: set[Name] = set()
        self._made: dict[Name, str] = {}
        self._domains: dict[str, bool] = {}
        self._written: set[Name | None] = set()

    @property
    def live(self) -> bool:
        """Whether a database tells of tables that the files did not make."""
        return self._source is not None

    def volatile(self, function: str) -> bool | None:
        """Whether a function is volatile; None when that is not known."""
        return self._source.volatile(function) if self._source is not None else None

    def old_transactions(self) -> list[str]:
        """What is said of each transaction that CONCURRENTLY would wait for."""
        return self._source.old_transactions() if self._source is not None else []

    def note_write(self, name: Name | None) -> None:
        """Rows of a table change in the files; None when nobody can tell of which one."""
        self._written.add(name)

    def breaks(self, name: Name, query: str) -> bool:
        """Whether rows that are in the database now, and that no file changes first, answer the query."""
        if self._source is None or {name, None} & self._written:
            return False
        return bool(self._source.any_row(query))

    def table(self, name: Name) -> Table:
        """What is known of a table; an unknown one is neither new nor known."""
        if name not in self._tables:
            found = self._source.table(name) if self._source is not None and name not in self._gone else None
            self._tables[name] = found or Table(name)
        return self._tables[name]

    def made(self, name: Name) -> bool:
        """Whether the linted files made this object of any kind."""
        return name in self._made

    def table_of_index(self, name: Name) -> Table | None:
        """The table of an index, if it is known."""
        for table in self._tables.values():
            if name.name in table.indexes and name.schema == table.name.schema:
                return table
        found = self._source.table_of_index(name) if self._source is not None else None
        return self.table(found) if found else None

    def constrained_domain(self, kind: str) -> bool:
        """Whether a type is a domain with constraints."""
        if kind in self._domains:
            return self._domains[kind]
        if self._source is None:
            return False
        schema, _dot, name = kind.rpartition(".")
        return bool(self._source.domain_is_constrained(Name(name, schema or "public")))

    def apply(self, parsed: Parsed, new: bool = True) -> None:
        """Let a statement happen; ``new`` is False for one that was applied before this run."""
        if parsed.verb == "CREATE TABLE" and parsed.target is not None:
            self._create(parsed, parsed.target, new)
        elif parsed.verb == "CREATE INDEX" and parsed.target is not None and parsed.index is not None:
            table = self.table(parsed.target)
            label = parsed.index.name or f"{table.name.name}_{'_'.join(parsed.index.columns)}_idx"
            table.indexes.setdefault(label, replace(parsed.index, name=label))
        elif parsed.verb == "ALTER TABLE" and parsed.target is not None:
            for action in parsed.actions:
                self._alter(self.table(parsed.target), action)
        elif parsed.verb.startswith("DROP "):
            self._drop(parsed)
        elif parsed.verb.startswith("CREATE ") and parsed.target is not None:
            self._create_other(parsed, parsed.target, new)

    def _create(self, parsed: Parsed, name: Name, new: bool) -> None:
        there = self.table(name)
        if parsed.has("IF NOT EXISTS") and (there.known or there.new):
            return
        complete = not parsed.flags & {"LIKE", "INHERITS", "AS", "PARTITION OF"}
        table = Table(name, new=new, known=complete, partitioned=parsed.has("PARTITION BY"))
        for column in parsed.columns:
            self._add_column(table, column)
        for constraint in parsed.constraints:
            self._add_constraint(table, constraint)
        self._tables[name] = table
        if new:
            self._made[name] = "TABLE"

    def _create_other(self, parsed: Parsed, name: Name, new: bool) -> None:
        if parsed.verb == "CREATE DOMAIN":
            column = parsed.columns[0]
            self._domains[name.name] = self._domains[str(name)] = column.not_null or bool(parsed.constraints)
        if new and not parsed.has("OR REPLACE"):
            self._made[name] = parsed.verb.removeprefix("CREATE ")
        if parsed.verb in ("CREATE MATERIALIZED VIEW", "CREATE VIEW") and not parsed.has("OR REPLACE"):
            self._tables[name] = Table(name, new=new, kind=parsed.verb.removeprefix("CREATE ").lower())

    def _add_column(self, table: Table, column: Column) -> None:
        table.columns[column.name] = column

    def _add_constraint(self, table: Table, constraint: Constraint) -> None:
        columns = constraint.columns
        if constraint.using_index:
            index = table.indexes.get(constraint.using_index)
            columns = index.columns if index else ()
        label = constraint.name or _label(table.name.name, constraint, columns)
        table.constraints[label] = replace(constraint, name=label, columns=columns)
        if constraint.kind == "primary":
            self._not_null(table, columns)
        if constraint.kind == "not null" and constraint.valid:
            self._not_null(table, columns)
        if constraint.kind == "foreign" and constraint.target is not None:
            target = self.table(constraint.target)
            target.referenced_by |= {table.name}

    def _not_null(self, table: Table, columns: Iterable[str], wanted: bool = True) -> None:
        for name in columns:
            if name in table.columns:
                table.columns[name] = replace(table.columns[name], not_null=wanted)

    def _alter(self, table: Table, action: Action) -> None:
        if action.kind == "add column" and action.column is not None:
            self._add_column(table, action.column)
            for constraint in action.column.constraints:
                self._add_constraint(table, constraint)
        elif action.kind == "add constraint" and action.constraint is not None:
            self._add_constraint(table, action.constraint)
        elif action.kind == "drop constraint":
            table.constraints.pop(action.name, None)
        elif action.kind == "validate" and action.name in table.constraints:
            table.constraints[action.name] = replace(table.constraints[action.name], valid=True)
        elif action.kind == "drop column":
            table.columns.pop(action.name, None)
        elif action.kind in ("set not null", "drop not null"):
            self._not_null(table, (action.name,), action.kind == "set not null")
        elif action.kind == "retype" and action.name in table.columns:
            table.columns[action.name] = replace(table.columns[action.name], type=action.text)
        elif action.kind == "rename column" and action.name in table.columns:
            table.columns[action.text] = replace(table.columns.pop(action.name), name=action.text)
        elif action.kind == "rename constraint" and action.name in table.constraints:
            table.constraints[action.text] = replace(table.constraints.pop(action.name), name=action.text)
        elif action.kind in ("rename", "set schema"):
            self._move(table, action)

    def _move(self, table: Table, action: Action) -> None:
        old = table.name
        table.name = Name(action.name, old.schema) if action.kind == "rename" else Name(old.name, action.name)
        self._tables[table.name] = table
        self._tables.pop(old, None)
        self._gone.add(old)
        if old in self._made:
            self._made[table.name] = self._made.pop(old)

    def _drop(self, parsed: Parsed) -> None:
        for name in parsed.names:
            self._made.pop(name, None)
            if parsed.verb == "DROP INDEX":
                table = self.table_of_index(name)
                if table is not None:
                    table.indexes.pop(name.name, None)
            elif parsed.verb in ("DROP TABLE", "DROP VIEW", "DROP MATERIALIZED VIEW"):
                self._tables.pop(name, None)
                self._gone.add(name)


def _label(table: str, constraint: Constraint, columns: tuple[str, ...]) -> str:
    """The name that the server gives a constraint without one."""
    ends = {"primary": "pkey", "foreign": "fkey", "unique": "key", "check": "check", "exclude": "excl"}
    middle = "" if constraint.kind == "primary" else "".join(f"_{column}" for column in columns)
    return f"{table}{middle}_{ends.get(constraint.kind, 'not_null')}"
