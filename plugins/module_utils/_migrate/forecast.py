# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What statements lock, rewrite and read, seen by running them on a clone, and how long that takes on the real tables.

Source of the method: the server's own views of the transaction that has just run a statement. ``pg_locks`` has its
locks, another ``relfilenode`` is a rewrite, and ``pg_stat_get_xact_numscans`` counts also the scans of ALTER TABLE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import BYTES_PER_S
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Table
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement
from ansible_collections.golive.cutover.plugins.module_utils._migrate.traces import trace
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# From the weakest to the strongest, as in the server's documentation of explicit locking.
_MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
_NAMES = (
    "ACCESS SHARE",
    "ROW SHARE",
    "ROW EXCLUSIVE",
    "SHARE UPDATE EXCLUSIVE",
    "SHARE",
    "SHARE ROW EXCLUSIVE",
    "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)
_ROW_EXCLUSIVE, _WEAK, _SHARE, _STRONGEST = 2, 3, 4, 7
_RELATIONS = """
SELECT c.oid::bigint AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
    c.relfilenode::bigint AS file, coalesce(i.indrelid, t.oid)::bigint AS owner, h.inhparent::bigint AS parent
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_catalog.pg_class t ON t.reltoastrelid = c.oid
LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid AND c.relispartition
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'm', 'v', 'i', 'I', 't')
    AND NOT (n.nspname = %s AND c.relname = ANY(%s))"""
_LOOK = """
SELECT 'at' AS what, 0::bigint AS oid, pg_catalog.transaction_timestamp()::text AS value
UNION ALL
SELECT 'lock', relation::bigint, mode FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND relation >= 16384
UNION ALL
SELECT 'scans', oid, scans::text
FROM (SELECT oid, pg_catalog.pg_stat_get_xact_numscans(oid::oid) AS scans FROM unnest(%s::bigint[]) oid) s
WHERE scans > 0
UNION ALL
SELECT 'file', c.oid::bigint, c.relfilenode::text FROM pg_catalog.pg_class c JOIN unnest(%s::bigint[]) o ON o = c.oid
UNION ALL
SELECT 'index', indexrelid::bigint, indrelid::text FROM pg_catalog.pg_index WHERE indexrelid >= 16384"""


@dataclass
class _Work:
    """What a statement does with a table; ``scanned`` and ``built`` count reads of it and indexes that are built."""

    rewritten: bool = False
    scanned: int = 0
    built: int = 0

    def __bool__(self) -> bool:
        return self.rewritten or bool(self.scanned or self.built)

    def add(self, other: _Work) -> None:
        """Take over what happens to a partition: all of them together are the table."""
        self.rewritten = self.rewritten or other.rewritten
        self.scanned, self.built = max(self.scanned, other.scanned), max(self.built, other.built)


@dataclass(frozen=True)
class _Statement:
    """One statement: what it has newly locked by table and how strongly, and its work; both by number of the table.

    Statements with the same ``transaction`` share one. ``measured`` is False where the server holds the locks no more
    when the statement is done; then they are what its documentation says.
    """

    file: str
    line: int
    transaction: str
    locks: Mapping[int, int]
    work: Mapping[int, _Work]
    measured: bool = True


@dataclass(frozen=True)
class Look:
    """The state of a session's transaction at one moment."""

    at: str
    locks: Mapping[int, int]
    scans: Mapping[int, int]
    files: Mapping[int, int]
    indexes: Mapping[int, int]


@dataclass
class Forecast:
    """Collects what statements do to the tables that were there when it began.

    ``unmeasured`` are statements, as ``file`` and ``line``, whose locks nobody saw and no documentation tells.
    """

    names: dict[int, Name] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)
    parents: dict[int, int] = field(default_factory=dict)
    files: dict[int, int] = field(default_factory=dict)
    seen: list[_Statement] = field(default_factory=list)
    unmeasured: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def begin(cls, session: Session, ledger: Ledger) -> Forecast:
        """A forecast for the tables of a database without those of the ledger."""
        forecast = cls()
        rows = session.rows(_RELATIONS, (ledger.schema, list(ledger.tables)))
        owners = {row["oid"]: row["owner"] or row["oid"] for row in rows}
        for row in rows:
            # The index of a TOAST table belongs to that, and that to its table.
            owner = owners.get(owners[row["oid"]], owners[row["oid"]])
            forecast.owners[row["oid"]] = owner
            forecast.files[row["oid"]] = row["file"]
            if owner == row["oid"]:
                forecast.names[owner] = Name(row["name"], row["schema"])
                if row["parent"]:
                    forecast.parents[owner] = row["parent"]
        return forecast

    def look(self, session: Session) -> Look:
        """The state of the session's transaction now."""
        values: dict[str, dict[int, str]] = {}
        locks: dict[int, int] = {}
        for row in session.rows(_LOOK, (list(self.names), list(self.files))):
            table = self.owners.get(row["oid"])
            if row["what"] == "lock" and table in self.names:
                locks[table] = max(locks.get(table, 0), _MODES.index(row["value"]))
            values.setdefault(row["what"], {})[row["oid"]] = row["value"]
        numbers = {what: {oid: int(text) for oid, text in values.get(what, {}).items()} for what in ("scans", "file")}
        indexes = {oid: int(table) for oid, table in values.get("index", {}).items()}
        return Look(values["at"][0], locks, numbers["scans"], numbers["file"], indexes)

    def note(self, file: str, statement: Statement, before: Look, after: Look) -> None:
        """A statement that has run inside a transaction that is still open."""
        work = self._work(statement, before, after)
        locks = {table: mode for table, mode in after.locks.items() if mode > before.locks.get(table, -1)}
        held = {table: after.locks.get(table, _STRONGEST) for table in work}
        self._add(file, statement, after.at, {**held, **locks}, work, True)

    def note_alone(self, file: str, statement: Statement, before: Look, after: Look, table: int | None) -> None:
        """A statement that the server runs in transactions of its own; ``table`` is the one that it names."""
        work = self._work(statement, before, after)
        # Nothing is written anew under a weaker lock.
        locks = {one: _STRONGEST for one, done in work.items() if done.rewritten}
        if table is not None:
            locks.setdefault(table, _WEAK)
        if not locks:
            self.unmeasured.append({"file": file, "line": statement.line})
        self._add(file, statement, after.at, locks, {one: done for one, done in work.items() if one in locks}, False)

    def table_of(self, session: Session, statement: Statement) -> int | None:
        """The table whose concurrent change a statement is; None when it is something else."""
        found = trace(statement)
        if found is None or found.kind not in ("create_index", "drop_index", "reindex", "detach"):
            return None
        oid = session.value("SELECT pg_catalog.to_regclass(%s)::oid::bigint", (found.table or found.name,))
        return self.owners.get(oid)

    def rows(self, live: Callable[[Name], Table | None]) -> list[dict[str, Any]]:
        """One row for each statement and table: ``file, line, table, lock, blocks, seconds, rewritten, scanned``,
        ``indexes_built, rows, size, measured``.

        ``live`` tells of the real table. ``blocks`` is what others must wait with. ``seconds`` is an estimate of how
        long: the work of this statement and of those behind it in its transaction; None when no size is known.
        """
        sizes = {oid: live(self.names[oid]) for oid in {oid for one in self.seen for oid in (*one.locks, *one.work)}}
        costs = [sum(_seconds(work, sizes[oid]) or 0.0 for oid, work in one.work.items()) for one in self.seen]
        found = []
        for at, one in enumerate(self.seen):
            rest = zip(self.seen[at:], costs[at:], strict=True)
            held = sum((cost for other, cost in rest if other.transaction == one.transaction), 0.0)
            for oid, mode in one.locks.items():
                table, work = sizes[oid], one.work.get(oid, _Work())
                found.append(
                    {
                        "file": one.file,
                        "line": one.line,
                        "table": str(self.names[oid]),
                        "lock": _NAMES[mode],
                        "blocks": _blocks(mode),
                        "seconds": round(held, 1) if table is not None and table.size is not None else None,
                        "rewritten": work.rewritten,
                        "scanned": bool(work.scanned),
                        "indexes_built": work.built,
                        "rows": table.rows if table is not None else None,
                        "size": table.size if table is not None else None,
                        "measured": one.measured,
                    }
                )
        return found

    def _add(
        self,
        file: str,
        statement: Statement,
        transaction: str,
        locks: Mapping[int, int],
        work: Mapping[int, _Work],
        measured: bool,
    ) -> None:
        """Keep what matters: of a partition only what happens to it and not to its parent."""
        kept, done = dict(locks), dict(work)
        for oid in sorted(locks, key=self._depth, reverse=True):
            parent = self.parents.get(oid)
            if parent in kept and kept[parent] >= kept[oid]:
                del kept[oid]
                if oid in done:
                    done.setdefault(parent, _Work()).add(done.pop(oid))
        kept = {oid: mode for oid, mode in kept.items() if mode >= _ROW_EXCLUSIVE}
        if kept or done:
            self.seen.append(_Statement(file, statement.line, transaction, kept, done, measured))

    def _depth(self, oid: int) -> int:
        depth = 0
        while oid in self.parents:
            oid, depth = self.parents[oid], depth + 1
        return depth

    def _work(self, statement: Statement, before: Look, after: Look) -> dict[int, _Work]:
        work: dict[int, _Work] = {}
        truncates = statement.outer_words[:1] == ("TRUNCATE",)
        for oid, file in after.files.items():
            if file == before.files.get(oid, file) or truncates:
                continue
            table = self.owners[oid]
            one = work.setdefault(table, _Work())
            one.rewritten = one.rewritten or oid == table
            one.built += oid != table and oid in after.indexes and after.indexes[oid] == table
        for oid, indexed in after.indexes.items():
            if oid not in before.indexes and indexed in self.names:
                work.setdefault(indexed, _Work()).built += 1
        for table, scans in after.scans.items():
            # Each build of an index reads the table, too.
            read = scans - before.scans.get(table, 0) - (work[table].built if table in work else 0)
            if read > 0:
                work.setdefault(table, _Work()).scanned = read
        return {table: one for table, one in work.items() if one}


def _seconds(work: _Work, table: Table | None) -> float | None:
    if table is None or table.size is None:
        return None
    if work.rewritten:
        return (table.size + table.index_size) / BYTES_PER_S["rewrite"]
    return work.scanned * table.size / BYTES_PER_S["scan"] + work.built * table.size / BYTES_PER_S["build"]


def _blocks(mode: int) -> str:
    if mode == _STRONGEST:
        return "reads and writes"
    return "writes" if mode >= _SHARE else "nothing"
