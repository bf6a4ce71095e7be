# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: one row per applied migration, in the database it describes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration, Order
from ansible_collections.golive.cutover.plugins.module_utils._migrate.loss import loss_of
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import fingerprint
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

FORMAT = 3
_MARK = "golive.cutover migration ledger, format "
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,52}")
# `kind` is the step kind (tx, autocommit, batch) and `state` its progress: `applied` is the end of each of them.
_CREATE_LEDGER = """
CREATE TABLE {ledger} (
    place bigint[] PRIMARY KEY,
    label text NOT NULL,
    name text NOT NULL,
    file text NOT NULL,
    kind text NOT NULL,
    phase text NOT NULL,
    state text NOT NULL CHECK (state IN ('running', 'applied', 'reverting')),
    checksum text NOT NULL,
    checksum_raw text NOT NULL,
    checksum_normal text NOT NULL,
    statements integer NOT NULL,
    statements_done integer NOT NULL,
    done_fingerprint text,
    intent jsonb,
    cursor jsonb,
    down_sql text,
    down_checksum text,
    loss text NOT NULL CHECK (loss IN ('none', 'side_table', 'restore_only')),
    origin text,
    origin_checksum text,
    restore_point text,
    verified boolean,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_at timestamptz,
    duration_ms bigint NOT NULL,
    applied_by text NOT NULL DEFAULT session_user,
    application text NOT NULL DEFAULT current_setting('application_name'),
    run_id text,
    sequence bigint GENERATED ALWAYS AS IDENTITY
)"""
# What makes the next format of an older one.
_UPGRADES = {2: "ALTER TABLE {ledger} ADD COLUMN verified boolean"}
_CREATE_RUNNER = """
CREATE TABLE {runner} (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    pid integer NOT NULL,
    run_id text,
    started_at timestamptz NOT NULL DEFAULT now(),
    beat_at timestamptz NOT NULL DEFAULT now(),
    file text
)"""
_TIME = '\'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\''
_READ = f"""
SELECT label, name, file, place, checksum, checksum_normal, kind, phase, state, statements, statements_done,
    done_fingerprint, intent, cursor, applied_by, duration_ms, run_id, down_checksum,
    down_sql IS NOT NULL AS reversible, loss, origin, origin_checksum, restore_point,
    {{verified}} AS verified,
    to_char(started_at AT TIME ZONE 'UTC', {_TIME}) AS started_at,
    to_char(applied_at AT TIME ZONE 'UTC', {_TIME}) AS applied_at
FROM {{ledger}} WHERE place <> '{{}}' ORDER BY place"""
# One that did not end keeps its first restore point: a later one may lack what it has removed by then.
_RECORD = """
INSERT INTO {ledger} AS kept
    (place, label, name, file, kind, phase, state, checksum, checksum_raw, checksum_normal, statements, statements_done,
    done_fingerprint, down_sql, down_checksum, loss, origin, origin_checksum, restore_point, duration_ms, run_id,
    verified, applied_at)
VALUES (%s::bigint[], %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    CASE WHEN %s THEN now() END)
ON CONFLICT (place) DO UPDATE SET (state, checksum, checksum_raw, checksum_normal, statements, statements_done,
    done_fingerprint, down_sql, down_checksum, loss, origin, origin_checksum, restore_point, duration_ms, run_id,
    verified, applied_at, intent)
    = (excluded.state, excluded.checksum, excluded.checksum_raw, excluded.checksum_normal, excluded.statements,
    excluded.statements_done, excluded.done_fingerprint, excluded.down_sql, excluded.down_checksum, excluded.loss,
    excluded.origin, excluded.origin_checksum,
    CASE WHEN kept.state = 'applied' THEN excluded.restore_point
        ELSE coalesce(kept.restore_point, excluded.restore_point) END, kept.duration_ms + excluded.duration_ms,
    excluded.run_id, excluded.verified, excluded.applied_at, NULL)"""
# The row of a takeover has the place before all others: it is no migration, and `read` leaves it out.
_MARK_TAKEN = """
INSERT INTO {ledger} (place, label, name, file, kind, phase, state, checksum, checksum_raw, checksum_normal, statements,
    statements_done, loss, origin, origin_checksum, duration_ms, run_id, applied_at)
VALUES ('{}', %s, %s, '', 'baseline', 'expand', 'applied', %s, %s, %s, 0, 0, 'none', %s, %s, 0, %s, now())"""
_TAKEN = f"""
SELECT origin AS tool, name AS table, nullif(label, '') AS head, checksum, origin_checksum,
    to_char(applied_at AT TIME ZONE 'UTC', {_TIME}) AS taken_at FROM {{ledger}} WHERE place = '{{}}'"""
_RUNNER = """
SELECT file, to_char(beat_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS beat_at FROM {runner}"""


@dataclass(frozen=True)
class Row:
    """How far a migration has come: ``done`` statements, in ``duration_ms`` since its row was last written.

    ``origin`` and ``origin_checksum`` as in ``Applied``.
    """

    migration: Migration
    done: int
    duration_ms: int
    run_id: str | None
    restore_point: str | None = None
    ended: bool = False
    origin: str | None = None
    origin_checksum: str | None = None


@dataclass(frozen=True)
class Taken:
    """That the ledger of another tool was taken over: its newest version, the checksum of its rows and that of ours."""

    tool: str
    table: str
    head: str | None
    origin_checksum: str
    checksum: str


@dataclass(frozen=True)
class Ledger:
    """Names of schema and table; plain lower-case names, so that nobody ever needs to quote them."""

    schema: str
    table: str

    def __post_init__(self) -> None:
        for name in (self.schema, self.table):
            if not _NAME.fullmatch(name):
                raise GoliveError(
                    "invalid",
                    f"Cannot name the ledger {self.schema}.{self.table}.",
                    "Use lower-case letters, digits and _ for schema and table, at most 53.",
                )

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables that belong to it."""
        return self.table, f"{self.table}_runner", f"{self.table}_catalogue"

    def sql(self, text: str) -> str:
        """``text`` with the names of ``{schema}`` and of the tables ``{ledger}``, ``{runner}`` (the sign of life) and
        ``{catalogue}`` (what the last run has left)."""
        names = {
            "{schema}": f'"{self.schema}"',
            "{ledger}": f'"{self.schema}"."{self.table}"',
            "{runner}": f'"{self.schema}"."{self.table}_runner"',
            "{catalogue}": f'"{self.schema}"."{self.table}_catalogue"',
        }
        for mark, name in names.items():
            text = text.replace(mark, name)
        return text

    def exists(self, session: Session) -> bool:
        """Whether the ledger is there. Raises GoliveError ``ledger_foreign`` when the table is something else."""
        return self._format(session) is not None

    def _format(self, session: Session) -> int | None:
        found = session.rows(
            "SELECT pg_catalog.obj_description(c.oid, 'pg_class') AS mark FROM pg_catalog.pg_class c"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
            (self.schema, self.table),
        )
        if not found:
            return None
        mark = found[0]["mark"] or ""
        known = {f"{_MARK}{number}": number for number in (*_UPGRADES, FORMAT)}
        if mark not in known:
            newer = mark.startswith(_MARK)
            raise GoliveError(
                "ledger_foreign",
                f"Cannot use the table {self} as ledger: "
                + (f"its format {mark.removeprefix(_MARK)} is not known here." if newer else "it is something else."),
                "Use the newer version of this collection." if newer else "Choose another schema or table.",
            )
        return known[mark]

    def create(self, session: Session) -> bool:
        """Make schema and tables when they are missing, or of an older format; True when so. Hold the mutex."""
        there = self._format(session)
        if there == FORMAT:
            return False
        try:
            if there is None:
                self._create(session)
            else:
                self._upgrade(session, there)
        except SqlError as error:
            raise GoliveError(
                error.code,
                f"{'Creating' if there is None else 'Upgrading'} the ledger {self} failed: {error.message}.",
                "Let the database's owner migrate, or create the schema and give it to this user.",
                error.details,
            ) from error
        return True

    def _upgrade(self, session: Session, there: int) -> None:
        session.execute("BEGIN")
        for number in range(there, FORMAT):
            session.execute(self.sql(_UPGRADES[number]))
        session.execute(self.sql("COMMENT ON TABLE {ledger} IS %s"), (f"{_MARK}{FORMAT}",))
        session.execute("COMMIT")

    def _create(self, session: Session) -> None:
        session.execute("BEGIN")
        # Not IF NOT EXISTS: that asks for the right to create even when the schema is there.
        if not session.value("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = %s", (self.schema,)):
            session.execute(self.sql("CREATE SCHEMA {schema}"))
        session.execute(self.sql(_CREATE_LEDGER))
        session.execute(self.sql(_CREATE_RUNNER))
        session.execute(self.sql("COMMENT ON TABLE {ledger} IS %s"), (f"{_MARK}{FORMAT}",))
        session.execute("COMMIT")

    def read(self, session: Session) -> list[Applied]:
        """All rows in the order of versions; none when the ledger does not exist."""
        there = self._format(session)
        if there is None:
            return []
        query = _READ.replace("{verified}", "verified" if there == FORMAT else "NULL::boolean")
        return [_applied(row) for row in session.rows(self.sql(query))]

    def taken(self, session: Session) -> dict[str, Any] | None:
        """``tool, table, head, checksum, origin_checksum, taken_at`` of the ledger that was taken over, if one was."""
        rows = session.rows(self.sql(_TAKEN)) if self.exists(session) else []
        return rows[0] if rows else None

    def mark_taken(self, session: Session, taken: Taken, run_id: str | None) -> None:
        """Write down that another tool's ledger was taken over."""
        session.execute(
            self.sql(_MARK_TAKEN),
            (
                taken.head or "",
                taken.table,
                *(taken.checksum,) * 3,
                taken.tool,
                taken.origin_checksum,
                run_id,
            ),
        )

    def runner_state(self, session: Session) -> dict[str, Any]:
        """``file`` and ``beat_at`` of the running migration's sign of life; None each without one."""
        rows = session.rows(self.sql(_RUNNER))
        return rows[0] if rows else {"file": None, "beat_at": None}

    def record(self, session: Session, row: Row) -> None:
        """Write how far a migration has come: inside the open transaction, or at once without one."""
        migration, down = row.migration, row.migration.down
        script = migration.up
        session.execute(
            self.sql(_RECORD),
            (
                list(migration.order),
                migration.version,
                migration.name,
                script.file,
                script.kind,
                script.directives.phase,
                "applied" if row.ended else "running",
                script.checksum,
                script.checksum_raw,
                script.checksum_normal,
                len(script.statements),
                row.done,
                fingerprint(script.statements[: row.done]),
                down.text if down else None,
                down.checksum if down else None,
                loss_of(script, down),
                row.origin,
                row.origin_checksum,
                row.restore_point,
                row.duration_ms,
                row.run_id,
                False if row.ended and migration.verify and not row.origin else None,
                row.ended,
            ),
        )

    def verify(self, session: Session, order: Order, verified: bool | None) -> None:
        """Write down that an applied migration is verified, or None when there is nothing to verify it by."""
        session.execute(
            self.sql("UPDATE {ledger} SET verified = %s WHERE place = %s::bigint[]"), (verified, list(order))
        )

    def intend(self, session: Session, order: Order, statement: int, text: str) -> None:
        """Write down the statement that ``session`` begins next outside of a transaction, and who it is."""
        session.execute(
            self.sql(
                "UPDATE {ledger} SET intent"
                " = pg_catalog.jsonb_build_object('statement', %s, 'fingerprint', %s, 'pid', pid,"
                " 'backend_start', backend_start, 'at', now()) FROM pg_catalog.pg_stat_activity"
                " WHERE pid = pg_catalog.pg_backend_pid() AND place = %s::bigint[]"
            ),
            (statement, text, list(order)),
        )

    def move(self, session: Session, order: Order, cursor: dict[str, Any]) -> None:
        """Write down how far a batch has come."""
        session.execute(
            self.sql("UPDATE {ledger} SET cursor = %s::jsonb WHERE place = %s::bigint[]"),
            (json.dumps(cursor), list(order)),
        )

    def revert(self, session: Session, order: Order, done: int) -> None:
        """Write down how many statements of the down script are done."""
        session.execute(
            self.sql(
                "UPDATE {ledger} SET state = 'reverting', statements_done = %s, intent = NULL"
                " WHERE place = %s::bigint[]"
            ),
            (done, list(order)),
        )

    def forget(self, session: Session, order: Order) -> None:
        """Remove a row: its migration was taken back, or has left nothing."""
        session.execute(self.sql("DELETE FROM {ledger} WHERE place = %s::bigint[]"), (list(order),))

    def copy(self, source: Session, target: Session) -> None:
        """Put all rows of ``source`` into the empty ledger of ``target``, another database; none when it has none."""
        if self.exists(source):
            rows = source.value(
                self.sql("SELECT coalesce(pg_catalog.json_agg(l ORDER BY place), '[]')::text FROM {ledger} l")
            )
            target.execute(
                self.sql(
                    "INSERT INTO {ledger} OVERRIDING SYSTEM VALUE"
                    " SELECT * FROM pg_catalog.json_populate_recordset(NULL::{ledger}, %s)"
                ),
                (rows,),
            )

    def down_text(self, session: Session, order: Order) -> str:
        """The down script as it was when the migration was applied."""
        text: str = session.value(self.sql("SELECT down_sql FROM {ledger} WHERE place = %s::bigint[]"), (list(order),))
        return text


def _applied(row: Mapping[str, Any]) -> Applied:
    values = dict(row)
    return Applied(version=values.pop("label"), order=tuple(values.pop("place")), **values)
