# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry a SQLite file over: snapshot, plan, rows in chunks, keys, proof. Run again, it goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, Settings, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._sqlite import definitions, ledger
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.catch_up import remove, stale_chunks
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.chunks import Chunk
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.frozen import (
    freeze,
    frozen_by,
    refuse_new_tables,
    source_tables,
    thaw,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.ledger import (
    MARK,
    Copy,
    Done,
    frozen_copy,
    unmarked,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.mark import mark_of, told, written_since
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.plan import (
    Plan,
    Wish,
    findings,
    make_plan,
    refusal,
    wanted_tables,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.pool import Pool
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.proof import prove
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.report import write_report
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.schema import Table, quoted, read_schema
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.source import (
    Snapshot,
    check_source,
    known_snapshot,
    opened,
    take_snapshot,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.target import cut, levels_of, tables_there
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.work import APPLICATION, copy_worker

_APPLICATION = "golive sqlite_copy"
# A copy has no limit of its own.
LIMITS = Limits(lock=10, statement=0, idle_in_transaction=0)
_TOLD_EVERY_S = 0.5
_COUNTER = slice(24, 28)


def copy_sqlite(call: Call, where: Settings, wish: Wish) -> dict[str, Any]:
    """The verb's result. Raises GoliveError, SqlError as GoliveError, or Interrupted; what is committed stays."""
    check_source(wish.path)
    with connect(call, where, limits=LIMITS, application_name=_APPLICATION) as session:
        if not ledger.lock(call, session, wish.wait):
            raise GoliveError(
                "locked",
                f"Another copy goes into {where} right now.",
                "Wait for its end, or set wait; look for sessions named «golive sqlite_copy» in pg_stat_activity.",
            )
        try:
            ledger.await_workers(call, session, APPLICATION)
            return _Run(call, where, wish, session).result()
        except SqlError as error:
            raise GoliveError("copy_failed", f"PostgreSQL refused a statement of the copy: {error}") from error


@dataclass
class _Progress:
    call: Call
    plan: Plan
    before: int
    begin: float = field(default_factory=time.monotonic)
    rows: int = 0
    bytes: int = 0
    told: float = 0.0

    def add(self, chunk: Chunk, done: Done) -> None:
        self.rows += done.rows
        self.bytes += done.bytes
        now = time.monotonic()
        if now - self.told < _TOLD_EVERY_S:
            self.call.alive()
            return
        self.told = now
        seconds = max(0.001, now - self.begin)
        there = self.before + self.rows
        left = (self.plan.rows - there) / max(1.0, self.rows / seconds)
        speed = f"{self.rows / seconds:,.0f} rows/s, {self.bytes / seconds / 1e6:.1f} MB/s, {left:.0f} s left"
        self.call.progress(f"copying {chunk.table}: {speed}", there, self.plan.rows)


class _Run:
    def __init__(self, call: Call, where: Settings, wish: Wish, session: Session) -> None:
        self._call = call
        self._where = where
        self._wish = wish
        self._session = session
        self._begin = time.monotonic()
        # Copies of one file into several databases do not take each other's; a tunnel has another port each time.
        goal = hashlib.sha256(repr((where.host, where.database, wish.schema)).encode()).hexdigest()[:8]
        name = f"{os.path.basename(wish.path)}.{goal}.golive-snapshot"
        self._snapshot_path = os.path.join(wish.work_dir, name)
        self._keep_snapshot = False
        # What is replaced by a refresh is found out, not asked for.
        self._asked = _asked(wish)
        self._frozen = ""

    def result(self) -> dict[str, Any]:
        path, known = self._wish.path, ledger.copies(self._session, self._wish.schema)
        self._frozen = frozen_by(path)
        carried = frozen_copy(known, path, self._frozen)
        if carried is not None:
            refuse_new_tables(path)
            return {**unmarked(carried), "changed": False, "state": "present", "resumed": 0}
        if self._wish.refresh:
            self._wish = replace(self._wish, replace=self._replaced(known))
        if not self._wish.freeze or self._call.check_mode:
            return self._copied(known)
        was = self._frozen
        self._frozen = freeze(self._call, path)
        try:
            return self._copied(known)
        except BaseException:
            # Nobody uses what was not carried over in full, so that the source is the only place to write to.
            if not was:
                thaw(self._call.for_undo(), path)
            raise

    def _replaced(self, known: list[Copy]) -> list[str]:
        """The tables that a refresh copies again. Raises GoliveError ``target_written``."""
        mine = [one for one in known if one.source == self._wish.path]
        tables = {name for one in mine for name in one.tables}
        there = tables_there(self._session, self._wish.schema, [cut(name) for name in sorted(tables)])
        # An unfinished one has told nobody that its rows may be used.
        if there and mine[0].finished:
            names = {f"{self._wish.schema}.{name}" for name in there}
            mark = (mine[0].report or {}).get(MARK)
            written = None if mark is None else written_since(self._session, mark, names)
            if written is None or written:
                raise GoliveError(
                    "target_written",
                    f"The tables of the copy of {self._wish.path} have been written to since: {told(written)}."
                    if written
                    else f"Nothing tells whether the tables of the copy of {self._wish.path} were written to since.",
                    "Name them in replace if the rows that are there may go, or use another database.",
                    {"written": written or []},
                )
        inside = set(source_tables(self._wish.path))
        return sorted({*self._wish.replace, *(name for name in tables if name in inside and cut(name) in there)})

    def _copied(self, known: list[Copy]) -> dict[str, Any]:
        wish, asked = self._wish, self._asked
        state = _state_of(wish.path)
        same = next((one for one in known if (one.source, one.asked) == (wish.path, asked)), None)
        if same is not None and same.finished:
            there = tables_there(self._session, wish.schema, [cut(name) for name in same.tables])
            # Whoever drops a table wants it anew.
            same = same if len(there) == len(same.tables) else None
        if same is not None and same.finished and same.source_state == state and not wish.replace:
            return {**unmarked(same), "changed": False, "state": "present", "resumed": 0}
        resumed, anew = same, False
        if same is not None and same.source_state != state:
            anew = wish.catch_up
            if not anew:
                resumed = None
            if not same.finished and not wish.catch_up and not wish.replace:
                raise _source_changed(wish.path)
        elif same is not None and same.finished:
            resumed = None
        snapshot = self._snapshot_of(None if anew else resumed)
        try:
            others = [one for one in known if not one.finished and (resumed is None or one.id != resumed.id)]
            return self._with_snapshot(snapshot, state, resumed, anew, others)
        finally:
            if not self._keep_snapshot:
                Path(self._snapshot_path).unlink(missing_ok=True)

    def _snapshot_of(self, resumed: Copy | None) -> Snapshot:
        if resumed is None:
            return take_snapshot(self._call, self._wish.path, self._snapshot_path)
        self._keep_snapshot = True
        with suppress(OSError):
            there = known_snapshot(self._wish.path, self._snapshot_path)
            if there.sha256 == resumed.sha256:
                return there
        anew = take_snapshot(self._call, self._wish.path, self._snapshot_path)
        if anew.sha256 != resumed.sha256:
            Path(self._snapshot_path).unlink(missing_ok=True)
            raise _source_changed(self._wish.path)
        return anew

    def _with_snapshot(
        self, snapshot: Snapshot, state: str, resumed: Copy | None, anew: bool, others: list[Copy]
    ) -> dict[str, Any]:
        """``anew``: the copy that is gone on with was of another snapshot."""
        call, wish, session = self._call, self._wish, self._session
        with opened(snapshot.path, text=True) as connection:
            schema = read_schema(connection)
        tables = wanted_tables(schema, wish)
        names = [table.name for table in tables]
        given_up = self._given_up(names, others)
        # What an unfinished copy has made is planned as if it was not there.
        mine = {cut(name) for name in resumed.made} if resumed is not None else set()
        theirs = {cut(name) for one in given_up for name in one.made}
        there = tables_there(session, wish.schema, [cut(name) for name in names])
        own = {name: row for name, row in there.items() if name in mine}
        there = {name: row for name, row in there.items() if name not in mine | theirs}
        cuts = {} if resumed is None else _chunks_of(resumed.cuts, _schema_digest(tables))
        levels, whole = levels_of(session, wish.schema, list(there))
        if anew and (there or wish.append):
            raise GoliveError(
                "catch_up_not_made",
                f"Cannot catch up with {', '.join(sorted(there) or wish.append)}: the copy has not made these tables.",
                "Name them in replace, which copies all of their rows again.",
            )
        plan = make_plan(call, wish, snapshot, tables, there, whole, own, cuts)
        plan.review[:0] = schema.skipped
        if resumed is not None and not anew and plan.digest != resumed.plan:
            raise GoliveError(
                "plan_changed",
                "The copy that was begun was planned otherwise: its target has changed, or this module.",
                "Name its tables in replace to begin anew.",
            )
        self._refuse_full(plan, resumed)
        if plan.refused:
            raise refusal(plan)
        if call.check_mode:
            return self._told(plan, "planned", {}, 0)
        row = self._row(plan, state, _schema_digest(tables))
        number = resumed.id if resumed is not None else self._start(plan, row, given_up)
        # From here on a second run goes on with it.
        self._keep_snapshot = True
        keyed = resumed.keyed if resumed is not None else 0
        if anew:
            keyed = min(keyed, self._leave_snapshot(plan, number, row))
        self._make_tables(plan)
        if anew or (resumed is not None and not resumed.checked):
            for statement in definitions.without_foreign_keys(plan):
                session.execute(statement)
            stale = stale_chunks(call, plan, ledger.chunks_done(session, number), wish.processes)
            remove(call, session, plan, number, stale)
            ledger.all_checked(session, number)
        done = ledger.chunks_done(session, number)
        before = sum(one.rows for one in done.values())
        made = [cut(name) for name in plan.made]
        self._send(plan, number, done, [made, *levels])
        self._finish_tables(plan, number, keyed)
        prove(call, self._where, session, plan, done, wish.processes)
        result = self._told(plan, "copied", done, before)
        mark = {MARK: mark_of(session)} if wish.freeze or wish.refresh else {}
        write_report(wish.report, result)
        ledger.end_copy(session, number, {**result, **mark})
        self._keep_snapshot = False
        return result

    def _given_up(self, names: list[str], others: list[Copy]) -> list[Copy]:
        """The unfinished copies of these tables that ``replace`` ends."""
        found = [one for one in others if set(one.tables) & set(names)]
        for one in found:
            left = sorted((set(one.tables) & set(names)) - set(self._wish.replace))
            if left:
                raise GoliveError(
                    "copy_unfinished",
                    f"A copy of {one.source} with other options was begun and is not finished: {', '.join(left)}.",
                    "Run it again as it was, or name its tables in replace.",
                )
        return found

    def _refuse_full(self, plan: Plan, resumed: Copy | None) -> None:
        """Rows in a target that neither ``append`` nor ``replace`` names, or that ``append`` would run into."""
        for name, target in plan.targets.items():
            if name in plan.made or name in self._wish.replace:
                continue
            if resumed is not None:
                # Its own rows are there by now.
                plan.appended |= {name} & set(self._wish.append)
                continue
            rows = self._session.value(f"SELECT count(*) FROM {target.place}")
            if not rows:
                continue
            if name not in self._wish.append:
                raise GoliveError(
                    "target_not_empty",
                    f"The table {target.place} holds {rows} rows.",
                    "Name it in append to add rows to them, or in replace to remove them first. With catch_up a copy of"
                    " this file is brought up to date.",
                    {"table": name, "rows": rows},
                )
            plan.appended.add(name)
            if plan.census[name].rows:
                self._refuse_overlap(plan, name)

    def _refuse_overlap(self, plan: Plan, name: str) -> None:
        target = plan.targets[name]
        if not target.ordered:
            raise GoliveError(
                "append_unproved",
                f"Cannot append to {target.place}: without an integer primary key its new rows cannot be told apart.",
                "Copy into an empty table.",
            )
        facts = plan.census[name].columns[target.table.rowid or ""]
        both = self._session.value(
            f"SELECT count(*) FROM {target.place} WHERE {target.key} BETWEEN {facts.low} AND {facts.high}"
        )
        if both:
            raise GoliveError(
                "append_overlap",
                f"{both} rows of {target.place} have keys between those that are copied ({facts.low} to {facts.high}).",
                "Copy into an empty table, or renumber.",
            )

    def _row(self, plan: Plan, state: str, schema_digest: str) -> dict[str, Any]:
        """The record of a copy."""
        cuts = {name: [[chunk.number, chunk.low, chunk.high] for chunk in row] for name, row in plan.chunks.items()}
        return {
            "schema": self._wish.schema,
            "tables": list(plan.targets),
            "source": self._wish.path,
            "source_state": state,
            "asked": self._asked,
            "sha256": plan.snapshot.sha256,
            "plan": plan.digest,
            "cuts": json.dumps({"schema": schema_digest, "tables": cuts}),
            "made": plan.made,
            "run_id": self._wish.run_id or None,
        }

    def _leave_snapshot(self, plan: Plan, number: int, row: Mapping[str, Any]) -> int:
        """Let the copy be one of the new snapshot; how many of its keys stay when the foreign keys go."""
        session = self._session
        kept = definitions.before_foreign_keys(definitions.keys(plan, self._wish.policies))
        with ledger.transaction(session):
            ledger.begin_catch_up(session, number, row, kept)
        return kept

    def _start(self, plan: Plan, row: Mapping[str, Any], given_up: list[Copy]) -> int:
        """Empty the tables to be replaced, and record that the copy begins."""
        wish, session = self._wish, self._session
        ledger.prepare(session)
        session.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(wish.schema)}")
        for one in given_up:
            for name in one.made:
                session.execute(f"DROP TABLE IF EXISTS {quoted(wish.schema)}.{quoted(cut(name))} CASCADE")
        with ledger.transaction(session):
            for one in given_up:
                ledger.forget(session, one.id)
            emptied = [plan.targets[name].place for name in wish.replace if name not in plan.made]
            if emptied:
                session.execute(f"TRUNCATE {', '.join(emptied)}")
            return ledger.begin_copy(session, row)

    def _send(self, plan: Plan, number: int, done: dict[tuple[str, int], Done], levels: list[list[str]]) -> None:
        by_cut = {target.name: name for name, target in plan.targets.items()}
        progress = _Progress(self._call, plan, sum(one.rows for one in done.values()))

        def took(chunk: Chunk, one: Done) -> None:
            done[chunk.table, chunk.number] = one
            progress.add(chunk, one)

        todo = [
            [chunk for name in level for chunk in plan.chunks[by_cut[name]] if (chunk.table, chunk.number) not in done]
            for level in levels
        ]
        most = max(map(len, todo), default=0)
        if not most:
            return
        make = partial(copy_worker, plan.snapshot.path, self._where, number, plan.targets)
        with Pool(self._call, min(self._wish.processes, most), make) as pool:
            for tasks in todo:
                pool.run(tasks, took)

    def _make_tables(self, plan: Plan) -> None:
        """Each by itself: a server has room for the locks of some hundred tables at once."""
        for name in plan.made:
            self._session.execute(definitions.create(plan.targets[name]))

    def _finish_tables(self, plan: Plan, number: int, keyed: int) -> None:
        """Keys and indexes that are not there yet; how many are is recorded with each."""
        session = self._session
        for at, statement in enumerate(definitions.keys(plan, self._wish.policies)):
            if at < keyed:
                continue
            self._call.progress(statement)
            try:
                with ledger.transaction(session):
                    session.execute(statement)
                    ledger.keys_made(session, number, at + 1)
            except SqlError as error:
                raise GoliveError(
                    "key_failed",
                    f"PostgreSQL refused a key or an index of the copied rows: {error}",
                    "Mend the source and begin anew with replace, or leave the table out.",
                    {"statement": statement},
                ) from error
        for target in plan.targets.values():
            definitions.continue_sequence(session, target)
            session.execute(f"ANALYZE {target.place}")

    def _told(self, plan: Plan, state: str, done: Mapping[tuple[str, int], Done], before: int) -> dict[str, Any]:
        seconds = time.monotonic() - self._begin
        rows = sum(one.rows for one in done.values())
        tables = [_table_told(plan, name, done) for name in plan.targets]
        return {
            **({"diff": {"before": "", "after": definitions_shown(tables)}} if self._call.diff_mode else {}),
            "changed": bool(plan.targets),
            "state": state,
            "tables": tables,
            "rows": rows if done else plan.rows,
            "bytes": sum(one.bytes for one in done.values()),
            "seconds": round(seconds, 3),
            "resumed": before,
            "snapshot": {"sha256": plan.snapshot.sha256, "bytes": plan.snapshot.bytes},
            "frozen": self._frozen,
            "notices": findings(plan.notices),
            "review": [row.__dict__ for row in plan.review],
        }


def _state_of(path: str) -> str:
    """Size and time of a SQLite file and of its WAL, and the file's change counter: whoever writes changes one of them
    (https://www.sqlite.org/fileformat2.html#file_change_counter)."""
    found = []
    for name in (path, f"{path}-wal"):
        with suppress(FileNotFoundError):
            status = os.stat(name)
            if status.st_size:
                found.append(f"{status.st_size} {status.st_mtime_ns}")
    with open(path, "rb") as file:
        found.append(file.read(_COUNTER.stop)[_COUNTER].hex())
    return " ".join(found)


def _asked(wish: Wish) -> str:
    """The options that decide what a copy is."""
    policies = {name: repr(policy) for name, policy in wish.policies.items()}
    lists = [sorted(names) for names in (wish.tables, wish.exclude, wish.append, wish.replace)]
    return json.dumps([lists, policies, wish.orphans, wish.chunk_rows], sort_keys=True)


def _schema_digest(tables: Sequence[Table]) -> str:
    """The same while tables, indexes and keys of the source are."""
    told = [[table.name, table.sql, [index.sql for index in table.indexes]] for table in tables]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _chunks_of(cuts: Mapping[str, Any], schema_digest: str) -> dict[str, list[Chunk]]:
    """How the tables were cut before."""
    if cuts["schema"] != schema_digest:
        raise GoliveError(
            "schema_changed",
            "The tables of the source are not what they were when the copy was begun.",
            "Name them in replace to begin anew.",
        )
    return {name: [Chunk(name, *chunk) for chunk in row] for name, row in cuts["tables"].items()}


def _source_changed(path: str) -> GoliveError:
    return GoliveError(
        "source_changed",
        f"The source {path} has changed since the copy that was begun and is not finished.",
        "Set catch_up to go on with what it has now, or name its tables in replace to begin anew.",
    )


def definitions_shown(tables: Sequence[Mapping[str, Any]]) -> str:
    """The tables of a result with their types, for a diff."""
    lines = []
    for table in tables:
        columns = ", ".join(f"{column['name']} {column['type']}" for column in table["columns"])
        lines.append(f"{table['name']}: {table['rows']} rows of ({columns})\n")
    return "".join(lines)


def _table_told(plan: Plan, name: str, done: Mapping[tuple[str, int], Done]) -> dict[str, Any]:
    target, census = plan.targets[name], plan.census[name]
    chunks = [done[chunk.table, chunk.number] for chunk in plan.chunks[name] if (chunk.table, chunk.number) in done]
    return {
        "name": name,
        "made": name in plan.made,
        "rows": census.rows,
        "bytes": sum(one.bytes for one in chunks),
        "chunks": len(plan.chunks[name]),
        "proof": "in order" if target.ordered else "in any order",
        "digests": [one.digest for one in chunks],
        "altered": ledger.altered_of(chunks),
        "columns": [
            {
                "name": choice.column.name,
                "declared": choice.column.declared,
                "type": choice.type,
                "present": census.columns[choice.column.name].present,
            }
            for choice in target.choices
        ],
    }
