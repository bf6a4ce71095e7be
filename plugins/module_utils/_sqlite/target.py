# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables in PostgreSQL that a copy goes into: those that are there already, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

NAME_BYTES = 63
_COLUMNS = """
SELECT c.relname AS table, c.relkind AS kind, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       a.attnotnull AND a.attidentity = '' AND NOT a.atthasdef AS needed, a.attgenerated <> '' AS generated
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = %s AND c.relname = ANY(%s) ORDER BY c.relname, a.attnum
"""
_PARENTS = """
SELECT c.relname AS child, p.relname AS parent FROM pg_catalog.pg_constraint AS k
JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
JOIN pg_catalog.pg_class AS p ON p.oid = k.confrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND n.nspname = %s
"""
_KEYS = """
SELECT c.relname AS table, (SELECT array_agg(a.attname::text ORDER BY k.place)
  FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number) AS columns
FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indisprimary AND n.nspname = %s AND c.relname = ANY(%s)
"""


def cut(name: str) -> str:
    """A name as PostgreSQL keeps it: at most 63 bytes (``NAMEDATALEN``), whole characters."""
    return name.encode()[:NAME_BYTES].decode(errors="ignore")


@dataclass(frozen=True)
class There:
    """A table that exists. ``types`` by column; ``needed`` are columns that take no row without a value."""

    name: str
    kind: str
    types: Mapping[str, str]
    needed: frozenset[str]
    generated: frozenset[str]
    key: tuple[str, ...]


def tables_there(session: Session, schema: str, names: Sequence[str]) -> dict[str, There]:
    """Which of the names exist, with what a copy must know of them."""
    keys = {row["table"]: tuple(row["columns"]) for row in session.rows(_KEYS, (schema, list(names)))}
    found: dict[str, There] = {}
    rows = session.rows(_COLUMNS, (schema, list(names)))
    for name in dict.fromkeys(row["table"] for row in rows):
        own = [row for row in rows if row["table"] == name and row["name"] is not None]
        kind = next(row["kind"] for row in rows if row["table"] == name)
        found[name] = There(
            name=name,
            kind=kind,
            types={row["name"]: row["type"] for row in own},
            needed=frozenset(row["name"] for row in own if row["needed"]),
            generated=frozenset(row["name"] for row in own if row["generated"]),
            key=keys.get(name, ()),
        )
    return found


def levels_of(session: Session, schema: str, names: Sequence[str]) -> tuple[list[list[str]], set[str]]:
    """The tables in groups, parents before children, and those that point to themselves.

    Raises GoliveError ``fk_cycle``.
    """
    wanted, graph, selfish = set(names), {name: set[str]() for name in names}, set()
    for row in session.rows(_PARENTS, (schema,)):
        child, parent = row["child"], row["parent"]
        if child in wanted and child == parent:
            selfish.add(child)
        elif child in wanted and parent in wanted:
            graph[child].add(parent)
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        raise GoliveError(
            "fk_cycle",
            f"Cannot find an order for the tables {', '.join(error.args[1])}: their foreign keys form a circle.",
            "Drop one of these foreign keys for the copy, or let it make the tables.",
        ) from error
    levels = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        levels.append(ready)
        sorter.done(*ready)
    return levels, selfish
