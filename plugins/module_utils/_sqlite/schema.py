# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a SQLite database consists of: tables, columns, keys, indexes, and what cannot be copied as it is."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace

VIRTUAL_COLUMN, STORED_COLUMN = 2, 3
_HIDDEN_COLUMN = 1
# Begins the names of the triggers that we make ourselves.
FROZEN = "golive_frozen_"
_BINARY = "BINARY"
_AUTOINCREMENT = re.compile(r"\bAUTOINCREMENT\b", re.IGNORECASE)
_DEFERRABLE = re.compile(r"\bDEFERRABLE\s+INITIALLY\s+DEFERRED\b", re.IGNORECASE)
_CHECK = re.compile(r"\bCHECK\s*\(", re.IGNORECASE)


def quoted(name: str) -> str:
    """A name as an identifier, in both dialects."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Column:
    """``key`` is the place in the primary key, counted from 1; 0 outside of it. ``generated``: not stored by copies."""

    name: str
    declared: str
    not_null: bool
    default: str | None
    key: int
    generated: bool


@dataclass(frozen=True)
class Index:
    """``columns`` has None for an expression. ``origin``: ``c`` by CREATE INDEX, ``u`` UNIQUE, ``pk`` primary key."""

    name: str
    unique: bool
    origin: str
    partial: bool
    columns: tuple[str | None, ...]
    collations: tuple[str, ...]
    descending: tuple[bool, ...]
    sql: str

    @property
    def plain(self) -> bool:
        """Whether PostgreSQL has the same index: columns, whole table, compared byte by byte."""
        return not self.partial and None not in self.columns and set(self.collations) == {_BINARY}


@dataclass(frozen=True)
class ForeignKey:
    """``parent_columns`` is empty for the parent's primary key."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_update: str
    on_delete: str
    deferred: bool


@dataclass(frozen=True)
class Table:
    """``rowid``: the column that is the row's number itself (INTEGER PRIMARY KEY). ``numbered``: the row has a number
    at all. ``sequence`` is the greatest number that AUTOINCREMENT has given."""

    name: str
    sql: str
    columns: tuple[Column, ...]
    numbered: bool
    rowid: str | None
    sequence: int | None
    indexes: tuple[Index, ...]
    foreign_keys: tuple[ForeignKey, ...]
    has_checks: bool

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns that a copy carries."""
        return tuple(column for column in self.columns if not column.generated)

    @property
    def key(self) -> tuple[str, ...]:
        """Columns of the primary key, in its order."""
        keyed = sorted((column for column in self.columns if column.key), key=lambda column: column.key)
        return tuple(column.name for column in keyed)


@dataclass(frozen=True)
class Skipped:
    """What is not copied; ``sql`` is for whoever makes it anew by hand."""

    kind: str
    name: str
    reason: str
    sql: str = ""


@dataclass(frozen=True)
class Schema:
    """A database; ``skipped`` is all of it that ``tables`` does not hold."""

    tables: tuple[Table, ...]
    skipped: tuple[Skipped, ...]


def read_schema(connection: sqlite3.Connection) -> Schema:
    """The schema; the connection must give texts as str. Raises sqlite3.Error."""
    sqls = {name: sql or "" for name, sql in connection.execute("SELECT name, sql FROM sqlite_master")}
    tables, skipped = [], []
    sequences = _sequences(connection, sqls)
    rows = connection.execute("SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' ORDER BY name")
    for name, kind, without_rowid in rows.fetchall():
        if name.startswith("sqlite_"):
            if name not in ("sqlite_schema", "sqlite_temp_schema", "sqlite_sequence"):
                skipped.append(Skipped("table", name, "it belongs to SQLite itself"))
        elif kind == "table":
            tables.append(_table(connection, name, sqls.get(name, ""), bool(without_rowid), sequences.get(name)))
        elif kind == "view":
            skipped.append(Skipped("view", name, "its SQL must be read by a person", sqls.get(name, "")))
        elif kind == "virtual":
            skipped.append(Skipped("virtual table", name, "a module of SQLite makes its rows", sqls.get(name, "")))
        else:
            skipped.append(Skipped("table", name, "it belongs to a virtual table"))
    triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    skipped += [
        Skipped("trigger", name, "its SQL must be read by a person", sql or "")
        for name, sql in triggers
        if not name.startswith(FROZEN)
    ]
    by_name = {table.name.lower(): table for table in tables}
    return Schema(tuple(replace(table, foreign_keys=_as_named(table, by_name)) for table in tables), tuple(skipped))


def _as_named(table: Table, by_name: Mapping[str, Table]) -> tuple[ForeignKey, ...]:
    """Foreign keys with the names as they were given to tables and columns: SQLite does not look at their case."""

    def named(names: tuple[str, ...], owner: Table | None) -> tuple[str, ...]:
        known = {column.name.lower(): column.name for column in owner.columns} if owner else {}
        return tuple(known.get(name.lower(), name) for name in names)

    found = []
    for key in table.foreign_keys:
        parent = by_name.get(key.parent.lower())
        columns, theirs = named(key.columns, table), named(key.parent_columns, parent)
        found.append(replace(key, columns=columns, parent=parent.name if parent else key.parent, parent_columns=theirs))
    return tuple(found)


def _sequences(connection: sqlite3.Connection, sqls: dict[str, str]) -> dict[str, int]:
    if "sqlite_sequence" not in sqls:
        return {}
    return dict(connection.execute("SELECT name, seq FROM sqlite_sequence WHERE typeof(seq) = 'integer'").fetchall())


def _table(connection: sqlite3.Connection, name: str, sql: str, without_rowid: bool, sequence: int | None) -> Table:
    info = connection.execute(
        'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid', (name,)
    ).fetchall()
    columns = tuple(
        Column(row[0], row[1] or "", bool(row[2]), row[3], row[4], row[5] in (VIRTUAL_COLUMN, STORED_COLUMN))
        for row in info
        if row[5] != _HIDDEN_COLUMN
    )
    indexes = _indexes(connection, name)
    keys = [column for column in columns if column.key]
    # «INTEGER PRIMARY KEY DESC» is none: such a key has an index of its own (https://sqlite.org/lang_createtable.html).
    alias = (
        not without_rowid
        and len(keys) == 1
        and keys[0].declared.upper() == "INTEGER"
        and all(index.origin != "pk" for index in indexes)
    )
    return Table(
        name=name,
        sql=sql,
        columns=columns,
        numbered=not without_rowid,
        rowid=keys[0].name if alias else None,
        sequence=(sequence or 0) if _AUTOINCREMENT.search(sql) else None,
        indexes=indexes,
        foreign_keys=_foreign_keys(connection, name, bool(_DEFERRABLE.search(sql))),
        has_checks=bool(_CHECK.search(sql)),
    )


def _indexes(connection: sqlite3.Connection, table: str) -> tuple[Index, ...]:
    found = []
    rows = connection.execute(
        'SELECT l.name, l."unique", l.origin, l.partial, m.sql FROM pragma_index_list(?) AS l'
        " LEFT JOIN sqlite_master AS m ON m.type = 'index' AND m.name = l.name ORDER BY l.seq DESC",
        (table,),
    )
    for name, unique, origin, partial, sql in rows.fetchall():
        parts = connection.execute(
            'SELECT name, coll, "desc" FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno', (name,)
        ).fetchall()
        names, collations, descending = zip(*parts, strict=True)
        found.append(
            Index(name, bool(unique), origin, bool(partial), names, collations, tuple(map(bool, descending)), sql or "")
        )
    return tuple(found)


def _foreign_keys(connection: sqlite3.Connection, table: str, deferred: bool) -> tuple[ForeignKey, ...]:
    rows = connection.execute(
        'SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq',
        (table,),
    ).fetchall()
    found = []
    for number in sorted({row[0] for row in rows}):
        parts = [row for row in rows if row[0] == number]
        parents = tuple(row[3] for row in parts if row[3] is not None)
        first = parts[0]
        found.append(ForeignKey(tuple(row[2] for row in parts), first[1], parents, first[4], first[5], deferred))
    return tuple(found)
