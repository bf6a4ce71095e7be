# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out from the catalogue whether a statement outside of transactions has run, and what a crash in it has left."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.directives import Marks
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement
from ansible_collections.golive.cutover.plugins.module_utils._migrate.traces import Trace, trace
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

_INDEX = """
SELECT i.indisvalid AND i.indisready AS valid, pg_catalog.pg_get_indexdef(c.oid) AS definition,
    pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS full_name,
    i.indrelid = pg_catalog.to_regclass(%s) AS same_table
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = (pg_catalog.parse_ident(%s))[1]
    AND n.oid = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s))"""
# REINDEX CONCURRENTLY builds beside the old index and swaps; a crash leaves either of the two, always invalid.
_LEFT_BY_REINDEX = """
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS full_name
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' AND n.nspname !~ '^pg_toast'
    AND (%s IS NULL OR i.indrelid = pg_catalog.to_regclass(%s)
        OR i.indrelid = (SELECT indrelid FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass(%s)))"""
_EXISTS = {
    "database": "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = (pg_catalog.parse_ident(%s))[1]",
    "tablespace": "SELECT count(*) FROM pg_catalog.pg_tablespace WHERE spcname = (pg_catalog.parse_ident(%s))[1]",
    "subscription": "SELECT count(*) FROM pg_catalog.pg_subscription s"
    " JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = pg_catalog.current_database()"
    " AND s.subname = (pg_catalog.parse_ident(%s))[1]",
}
_DETACH = """
SELECT inhdetachpending AS half FROM pg_catalog.pg_inherits
WHERE inhparent = pg_catalog.to_regclass(%s) AND inhrelid = pg_catalog.to_regclass(%s)"""


@dataclass(frozen=True)
class Outcome:
    """Whether the statement has done its work; if not, what to run before it runs (again)."""

    done: bool
    clean: tuple[str, ...] = ()


def resolve(session: Session, statement: Statement, marks: Marks, begun: bool) -> Outcome:
    """What the catalogue says of a statement; ``begun`` when it was started before and nobody knows how it ended.

    An index that a concurrent build has left INVALID is cleaned in any case: IF NOT EXISTS would take it for a success.
    Raises GoliveError ``index_differs`` for an index of that name with another definition, and SqlError.
    """
    if marks.check and begun:
        return Outcome(bool(session.value(marks.check)))
    found = trace(statement)
    if found is None:
        return Outcome(False)
    if found.kind == "create_index":
        return _created(session, found, begun)
    if found.kind == "reindex":
        name = found.name if found.object in ("index", "table") else None
        left = session.rows(_LEFT_BY_REINDEX, (name, name, name))
        return Outcome(False, tuple(f"DROP INDEX CONCURRENTLY IF EXISTS {row['full_name']}" for row in left))
    if not begun:
        return Outcome(False)
    if found.kind == "drop_index":
        return Outcome(session.value("SELECT pg_catalog.to_regclass(%s) IS NULL", (found.name,)))
    if found.kind == "detach":
        return _detached(session, found)
    if found.kind in ("create", "drop"):
        return Outcome(bool(session.value(_EXISTS[found.object], (found.name,))) == (found.kind == "create"))
    return Outcome(False)


def _created(session: Session, found: Trace, begun: bool) -> Outcome:
    rows = session.rows(_INDEX, (found.table, found.name, found.table))
    if not rows:
        return Outcome(False)
    row = rows[0]
    same = row["same_table"] and _form(row["definition"]) == _form(_wanted(session, found))
    if same and not row["valid"]:
        return Outcome(False, (f"DROP INDEX CONCURRENTLY IF EXISTS {row['full_name']}",))
    if same and (begun or found.optional):
        return Outcome(True)
    if not same and (begun or found.optional or not row["valid"]):
        raise GoliveError(
            "index_differs",
            f"Cannot create the index {found.name}: one of that name is there with another definition,"
            f" {row['definition']}.",
            "Give the new one another name, or drop the old one first.",
        )
    return Outcome(False)


def _wanted(session: Session, found: Trace) -> str:
    """The definition as the server itself would write it, of the same index on an empty copy of the table."""
    session.execute("BEGIN")
    try:
        session.execute(f"CREATE TEMPORARY TABLE golive_same (LIKE {found.table}) ON COMMIT DROP")
        unique = "UNIQUE " if found.unique else ""
        session.execute(f"CREATE {unique}INDEX golive_same_index ON pg_temp.golive_same {found.after_table}")
        definition: str = session.value("SELECT pg_catalog.pg_get_indexdef('pg_temp.golive_same_index'::regclass)")
        return definition
    finally:
        if not session.closed:
            session.execute("ROLLBACK")


def _form(definition: str) -> tuple[bool, str]:
    return definition.startswith("CREATE UNIQUE"), definition.partition(" USING ")[2]


def _detached(session: Session, found: Trace) -> Outcome:
    rows = session.rows(_DETACH, (found.table, found.name))
    if not rows:
        return Outcome(True)
    if not rows[0]["half"]:
        return Outcome(False)
    session.execute(f"ALTER TABLE {found.table} DETACH PARTITION {found.name} FINALIZE")
    return Outcome(True)
