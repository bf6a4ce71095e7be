# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database holds at one moment, in a snapshot that a dump can share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# What pg_dump writes rows of: not a partitioned table, whose partitions have them, and nothing that an extension makes.
_TABLES = """
SELECT n.nspname AS schema, c.relname AS name
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
        AND (d.classid, d.objid) IN (('pg_catalog.pg_class'::regclass, c.oid),
            ('pg_catalog.pg_namespace'::regclass, n.oid)))
ORDER BY n.nspname, c.relname"""
_FACTS = """
SELECT pg_catalog.current_database() AS database, pg_catalog.current_setting('server_version') AS server_version,
    pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS taken_at,
    (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
        ELSE pg_catalog.pg_current_wal_lsn() END)::text AS lsn,
    (SELECT pg_catalog.pg_encoding_to_char(encoding) FROM pg_catalog.pg_database
        WHERE datname = pg_catalog.current_database()) AS encoding,
    (SELECT coalesce(pg_catalog.jsonb_object_agg(extname, extversion), '{}') FROM pg_catalog.pg_extension)
        AS extensions"""
_MAY_IDENTIFY = "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')"
_IDENTIFY = "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"

TableName = tuple[str, str]


@dataclass(frozen=True)
class Scene:
    """What ``snapshot`` shows: ``tables`` are schema and name of all that have rows.

    ``facts`` are ``database``, ``system_identifier`` (None where it is not told), ``server_version``, ``encoding``,
    ``extensions`` with their versions, ``taken_at`` in UTC, and the ``lsn`` then.
    """

    snapshot: str
    facts: dict[str, Any]
    tables: tuple[TableName, ...]


@contextmanager
def dump_scene(session: Session) -> Iterator[Scene]:
    """Keep a snapshot open while the block runs; the session must have no limit of idle transactions."""
    session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    facts = session.rows(_FACTS)[0]
    # Some providers keep it for themselves.
    facts["system_identifier"] = session.value(_IDENTIFY) if session.value(_MAY_IDENTIFY) else None
    tables = tuple((str(row["schema"]), str(row["name"])) for row in session.rows(_TABLES))
    yield Scene(str(session.value("SELECT pg_catalog.pg_export_snapshot()")), facts, tables)
