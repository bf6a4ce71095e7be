# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change many rows in small transactions, by ranges of a key, as fast as the server bears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.budget import tried
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Order
from ansible_collections.golive.cutover.plugins.module_utils._migrate.pressure import Pressure
from ansible_collections.golive.cutover.plugins.module_utils._migrate.runner import Progress, Runner, failed
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import RANGE, Script, fault
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import tokens
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import begin
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

_FIRST_SIZE = 1000
_SMALLEST = 10
_LARGEST = 200_000
# Row locks are held for one batch: short enough that a user behind one hardly notices.
_AIM_S = 0.5
# Weight of the newest batch in the average, and the most that a batch may grow by.
_ALPHA = 0.4
_GROWTH = 1.5
_COLUMNS = """
SELECT pg_catalog.quote_ident(a.attname) AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
FROM pg_catalog.pg_attribute a """
_NAMED = (
    _COLUMNS
    + """
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attname = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY pg_catalog.array_position(%s::text[], a.attname::text)"""
)
_PRIMARY = (
    _COLUMNS
    + """
JOIN pg_catalog.pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey)
WHERE a.attrelid = pg_catalog.to_regclass(%s) ORDER BY pg_catalog.array_position(i.indkey::int2[], a.attnum)"""
)


@dataclass(frozen=True)
class Key:
    """The columns that rows are walked by, and their types, as SQL."""

    table: str
    columns: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def row(self) -> str:
        """The key as an SQL row."""
        return f"({', '.join(self.columns)})"

    @property
    def texts(self) -> str:
        """The key's values as texts."""
        return ", ".join(f"{column}::text AS k{at}" for at, column in enumerate(self.columns))

    def literal(self, values: Sequence[str]) -> str:
        """Values as an SQL row."""
        quoted = ("'" + value.replace("'", "''") + "'::" + kind for value, kind in zip(values, self.types, strict=True))
        return f"({', '.join(quoted)})"

    def between(self, low: Sequence[str] | None, high: Sequence[str]) -> str:
        """The condition for rows behind ``low`` up to ``high``."""
        upto = f"{self.row} <= {self.literal(high)}"
        return f"({upto})" if low is None else f"({self.row} > {self.literal(low)} AND {upto})"


@dataclass
class Cursor:
    """How far the walk has come: rows up to the key ``at`` are done, those up to ``until`` belong to it.

    ``size`` is that of the next batch, in rows; ``seconds`` is the time in batches so far.
    """

    until: list[str]
    at: list[str] | None = None
    size: int = _FIRST_SIZE
    rows: int = 0
    batches: int = 0
    seconds: float = 0.0
    average: float | None = None

    def sized(self, seconds: float) -> None:
        """Choose the next size from how long the last one took (exponential average, aimed at half a second)."""
        self.average = seconds if self.average is None else _ALPHA * seconds + (1 - _ALPHA) * self.average
        factor = max(0.5, min(_GROWTH, _AIM_S / max(self.average, 0.001)))
        self.size = max(_SMALLEST, min(_LARGEST, round(self.size * factor)))


def run_batches(runner: Runner, script: Script, progress: Progress, order: Order, kept: dict[str, Any] | None) -> None:
    """Walk the table of a batch script from where ``kept`` says, or from its first row.

    Rows that come behind the last key while it walks are not part of it: they are written by the new release. Raises
    GoliveError ``batch_key``, ``throttled``, and as ``run_script``; what was done stays, the next run goes on there.
    """
    runner.begin(script)
    work = runner.work
    key = _key(work, script)
    cursor = Cursor(**kept) if kept else _start(work, key, script)
    if kept is None:
        progress.save(0, ended=False)
        runner.commits.made = True
    total = _estimate(work, key)
    pressure = Pressure(runner, script, key.table)
    start, done_before = runner.call.now(), cursor.rows
    while cursor is not None and cursor.at != cursor.until:
        pressure.await_calm()
        before = runner.call.now()
        tried(
            runner.call,
            runner.budget,
            runner.limits_of(script).lock,
            runner.watch,
            _batch(runner, script, key, cursor, order),
        )
        seconds = runner.call.now() - before
        cursor.seconds += seconds
        cursor.sized(seconds)
        _show(runner, script, cursor, total, (runner.call.now() - start) / max(1, cursor.rows - done_before))
    progress.save(1, ended=True)


def _batch(runner: Runner, script: Script, key: Key, cursor: Cursor, order: Order) -> Any:
    statement = script.statements[0]

    def attempt(rung: float) -> None:
        work = runner.work
        begin(work, lock=rung)
        try:
            high = _next(work, key, cursor) or cursor.until
            runner.watch_try(script.file, rung)
            try:
                rows = work.affected(_with_range(statement.text, key.between(cursor.at, high)))
            except SqlError as error:
                kept = f"The {cursor.batches} batches before it are applied; the next run goes on behind them."
                raise failed(script, statement, None, error, kept) from error
            moved = Cursor(**{**asdict(cursor), "at": high, "rows": cursor.rows + rows, "batches": cursor.batches + 1})
            runner.ledger.move(work, order, asdict(moved))
            runner.mutex.ensure(runner.guard)
            runner.commits.made = True
            work.execute("COMMIT")
            cursor.at, cursor.rows, cursor.batches = moved.at, moved.rows, moved.batches
        except GoliveError as error:
            runner.leave(error)
            # A batch that runs into a limit is too large for what else goes on.
            cursor.size = max(_SMALLEST, cursor.size // 2)
            raise
        finally:
            runner.watch.end()

    return attempt


def _key(session: Session, script: Script) -> Key:
    table = script.directives.batch_table or ""
    wanted = [name.strip().strip('"') for name in (script.directives.batch_key or "").split(",") if name.strip()]
    rows = session.rows(_NAMED, (table, wanted, wanted)) if wanted else session.rows(_PRIMARY, (table,))
    if not rows or (wanted and len(rows) != len(wanted)):
        reason = f"the table {table} has no primary key" if not wanted else f"{table} has not all columns of batch_key"
        if not session.value("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", (table,)):
            reason = f"there is no table {table}"
        hint = "Name a table, and in batch_key the columns of one of its unique indexes."
        raise fault("batch_key", script.file, script.statements[0].line, reason, hint)
    return Key(table, tuple(row["name"] for row in rows), tuple(row["type"] for row in rows))


def _start(session: Session, key: Key, script: Script) -> Cursor:
    down = ", ".join(f"{column} DESC" for column in key.columns)
    last = session.rows(f"SELECT {key.texts} FROM {key.table} ORDER BY {down} LIMIT 1")
    until = list(last[0].values()) if last else []
    return Cursor(until=until, at=None if last else [], size=script.directives.batch_size or _FIRST_SIZE)


def _next(session: Session, key: Key, cursor: Cursor) -> list[str] | None:
    order = ", ".join(key.columns)
    where = key.between(cursor.at, cursor.until)
    found = session.rows(
        f"SELECT {key.texts} FROM {key.table} WHERE {where} ORDER BY {order} OFFSET {cursor.size - 1} LIMIT 1"
    )
    return list(found[0].values()) if found else None


def _with_range(text: str, condition: str) -> str:
    parts: list[str] = []
    found = list(tokens(text))
    skip = -1
    for at, token in enumerate(found):
        if at == skip:
            continue
        following = found[at + 1].text if at + 1 < len(found) else ""
        if token.text == RANGE[0] and following == RANGE[1:] and (not parts or parts[-1] != RANGE[0]):
            parts.append(condition)
            skip = at + 1
        else:
            parts.append(token.text)
    return "".join(parts)


def _estimate(session: Session, key: Key) -> int:
    found = session.value(
        "SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass(%s)", (key.table,)
    )
    return max(0, found or 0)


def _show(runner: Runner, script: Script, cursor: Cursor, total: int, per_row: float) -> None:
    if total <= cursor.rows:
        runner.call.progress(f"{script.file}: {cursor.rows} rows in {cursor.batches} batches")
        return
    left = (total - cursor.rows) * per_row
    text = f"{script.file}: {cursor.rows} of about {total} rows, {cursor.size} a batch, about {left:.0f} s left"
    runner.call.progress(text, cursor.rows, total)
