# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of tables from the live catalogue, read in a read-only session and only for what the files name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import (
    Column,
    Constraint,
    Index,
    type_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name, tokens
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Table
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# CONCURRENTLY waits for every older transaction; one that is done within this time is no reason to put it off.
OLD_TRANSACTION_S = 30.0
_KINDS = {"r": "table", "p": "table", "m": "materialized view", "v": "view", "f": "foreign table"}
_CONSTRAINTS = {"c": "check", "u": "unique", "p": "primary", "f": "foreign", "x": "exclude"}
_TABLE = """
SELECT c.oid::bigint AS oid, c.relkind::text AS kind, coalesce(p.rows, c.reltuples)::bigint AS rows,
    coalesce(p.size, pg_catalog.pg_relation_size(c.oid)) AS size,
    coalesce(p.index_size, CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_indexes_size(c.oid) END, 0)
        AS index_size, s.calls, d.size AS default_size
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT sum(pg_catalog.pg_relation_size(t.relid))::bigint AS size, sum(greatest(l.reltuples, 0)) AS rows,
        sum(pg_catalog.pg_indexes_size(t.relid))::bigint AS index_size
    FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class l ON l.oid = t.relid WHERE t.isleaf
) p ON c.relkind = 'p'
LEFT JOIN LATERAL (
    SELECT coalesce(seq_scan, 0) + coalesce(idx_scan, 0) + n_tup_ins + n_tup_upd + n_tup_del AS calls
    FROM pg_catalog.pg_stat_all_tables WHERE relid = c.oid
) s ON true
LEFT JOIN LATERAL (
    SELECT pg_catalog.pg_relation_size(partdefid) AS size FROM pg_catalog.pg_partitioned_table
    WHERE partrelid = c.oid AND partdefid <> 0
) d ON true
WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'm', 'v', 'f')"""
_COLUMNS = """
SELECT attname AS name, pg_catalog.format_type(atttypid, atttypmod) AS type, attnotnull AS not_null
FROM pg_catalog.pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_CONSTRAINTS_OF = """
SELECT o.conname AS name, o.contype::text AS kind, o.convalidated AS valid, n.nspname AS target_schema,
    f.relname AS target, coalesce(pg_catalog.pg_get_expr(o.conbin, o.conrelid), '') AS text,
    ARRAY(SELECT a.attname::text FROM unnest(o.conkey) WITH ORDINALITY k (number, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = k.number ORDER BY k.place) AS columns
FROM pg_catalog.pg_constraint o
LEFT JOIN pg_catalog.pg_class f ON f.oid = o.confrelid LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.relnamespace
WHERE o.conrelid = %s"""
_INDEXES = """
SELECT c.relname AS name, i.indisunique AS unique, i.indisvalid AS valid, m.amname AS method,
    coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') AS predicate,
    ARRAY(SELECT coalesce(a.attname::text, '') FROM unnest(i.indkey::smallint[]) WITH ORDINALITY k (number, place)
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS columns
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = c.relam WHERE i.indrelid = %s"""
_REFERENCED_BY = """
SELECT DISTINCT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_constraint o
JOIN pg_catalog.pg_class c ON c.oid = o.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE o.confrelid = %s AND o.contype = 'f'"""
_VIEWS = """
SELECT n.nspname AS schema, v.relname AS name, array_agg(DISTINCT coalesce(a.attname::text, '')) AS columns
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
JOIN pg_catalog.pg_class v ON v.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND a.attnum > 0
WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.refobjid = %s AND v.oid <> d.refobjid GROUP BY 1, 2"""
_OWNER_OF_INDEX = """
SELECT tn.nspname AS schema, t.relname AS name FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
WHERE n.nspname = %s AND c.relname = %s"""
_DOMAIN = """
SELECT t.typnotnull OR EXISTS (SELECT 1 FROM pg_catalog.pg_constraint o WHERE o.contypid = t.oid) AS constrained
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'd' AND n.nspname = %s AND t.typname = %s"""
_OLD = """
SELECT pid, coalesce(nullif(application_name, ''), usename::text) AS who,
    extract(epoch FROM pg_catalog.clock_timestamp() - xact_start)::bigint AS age
FROM pg_catalog.pg_stat_activity
WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()
    AND backend_type <> 'autovacuum worker' AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
    AND xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => %s) ORDER BY xact_start"""
_PREPARED = """
SELECT gid, extract(epoch FROM pg_catalog.clock_timestamp() - prepared)::bigint AS age
FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database() ORDER BY prepared"""


class Catalogue:
    """A ``Source`` on a session; ``old_after`` are the seconds from which a transaction counts as old.

    ``ask_rows``: whether rows of tables may be read; else only the catalogue is.
    """

    def __init__(self, session: Session, old_after: float = OLD_TRANSACTION_S, ask_rows: bool = True) -> None:
        self._session = session
        self._old_after = old_after
        self._ask_rows = ask_rows

    @property
    def version(self) -> int:
        """Major version of the server."""
        return self._session.server_version // 10000

    def table(self, name: Name) -> Table | None:
        """The table, view or materialised view; None when there is none."""
        rows = self._session.rows(_TABLE, (name.schema, name.name))
        return self._table(name, rows[0]) if rows else None

    def _table(self, name: Name, row: Mapping[str, Any]) -> Table:
        oid = (row["oid"],)
        stored = row["kind"] in ("r", "p", "m")
        return Table(
            name,
            known=True,
            kind=_KINDS[row["kind"]],
            partitioned=row["kind"] == "p",
            rows=row["rows"] if stored and row["rows"] >= 0 else None,
            size=int(row["size"]) if stored else None,
            index_size=int(row["index_size"]),
            calls=None if row["calls"] is None else int(row["calls"]),
            columns={
                one["name"]: Column(one["name"], type_of(tokens(one["type"])), one["not_null"])
                for one in self._session.rows(_COLUMNS, oid)
            },
            constraints={
                one["name"]: _constraint(one)
                for one in self._session.rows(_CONSTRAINTS_OF, oid)
                if one["kind"] in _CONSTRAINTS
            },
            indexes={
                one["name"]: Index(
                    one["name"], tuple(one["columns"]), one["unique"], one["method"], one["predicate"], one["valid"]
                )
                for one in self._session.rows(_INDEXES, oid)
            },
            referenced_by=frozenset(Name(one["name"], one["schema"]) for one in self._session.rows(_REFERENCED_BY, oid))
            - {name},
            dependent_views={
                str(Name(one["name"], one["schema"])): tuple(one["columns"]) for one in self._session.rows(_VIEWS, oid)
            },
            default_partition_size=None if row["default_size"] is None else int(row["default_size"]),
        )

    def table_of_index(self, name: Name) -> Name | None:
        """The table that has this index."""
        rows = self._session.rows(_OWNER_OF_INDEX, (name.schema, name.name))
        return Name(rows[0]["name"], rows[0]["schema"]) if rows else None

    def domain_is_constrained(self, name: Name) -> bool | None:
        """Whether it is a domain with a CHECK or NOT NULL; None when it is no domain."""
        found: bool | None = self._session.value(_DOMAIN, (name.schema, name.name))
        return found

    def volatile(self, function: str) -> bool | None:
        """Whether any function of this name is volatile; None when there is none."""
        query = "SELECT pg_catalog.bool_or(provolatile = 'v') FROM pg_catalog.pg_proc WHERE proname = %s"
        found: bool | None = self._session.value(query, (function,))
        return found

    def old_transactions(self) -> list[str]:
        """What is said of each transaction that CONCURRENTLY would wait for; others' need pg_read_all_stats."""
        found = [
            f"{one['who']} (pid {one['pid']}) has a transaction open for {one['age']} s"
            for one in self._session.rows(_OLD, (self._old_after,))
        ]
        return found + [
            f"the prepared transaction {one['gid']} is {one['age']} s old" for one in self._session.rows(_PREPARED)
        ]

    def any_row(self, query: str) -> bool | None:
        """Whether a query has a row; None when it fails or takes longer than the session's statement_timeout."""
        if not self._ask_rows:
            return None
        try:
            return bool(self._session.rows(query))
        except SqlError:
            if self._session.closed:
                raise
            return None


def _constraint(row: Mapping[str, Any]) -> Constraint:
    target = Name(row["target"], row["target_schema"]) if row["target"] else None
    return Constraint(
        _CONSTRAINTS[row["kind"]], row["name"], tuple(row["columns"]), row["text"], target, valid=row["valid"]
    )
