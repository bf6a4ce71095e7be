# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prove that PostgreSQL has what was sent: every byte is read back, and every column is counted on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.census import BOOLEAN, Facts
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.columns import BIGINT, BYTEA, TEXT, Choice, Policy
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.ledger import Done, altered_of
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.plan import Plan
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.pool import Pool
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.schema import quoted
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.target import cut
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.work import ReadBack, Target, proof_worker

_PAGE_BYTES = 8192
_PAGES_EACH = 4096
_ALL_PAGES = (1 << 32) - 1


def prove(
    call: Call, where: Settings, session: Session, plan: Plan, done: Mapping[tuple[str, int], Done], processes: int
) -> None:
    """Return only when all of it is there. Raises GoliveError ``unproved``."""
    parts = [part for name in plan.targets for part in _parts(session, plan, name)]
    found: list[tuple[ReadBack, int, str]] = []

    def took(part: ReadBack, one: tuple[int, str]) -> None:
        found.append((part, *one))
        call.progress(f"reading back {part.table}", len(found), len(parts))

    if parts:
        with Pool(call, min(processes, len(parts)), lambda: proof_worker(where, plan.targets)) as pool:
            pool.run(parts, took)
    faults = [fault for name in plan.targets for fault in _faults(plan, name, done, found)]
    for name, target in plan.targets.items():
        call.progress(f"counting the columns of {name}")
        faults += _count_faults(session, plan, target, done)
    if faults:
        raise GoliveError(
            "unproved",
            f"The copy is not what was sent: {'; '.join(faults[:5])}.",
            "Find out what else writes to these tables (triggers, an app that is running) and begin anew with replace.",
            {"faults": faults},
        )


def _parts(session: Session, plan: Plan, name: str) -> list[ReadBack]:
    target = plan.targets[name]
    if target.ordered:
        if name in plan.appended and not plan.census[name].rows:
            return []
        return [ReadBack(name, chunk) for chunk in plan.chunks[name]]
    pages = session.value("SELECT pg_relation_size(%s::regclass)", (target.place,)) // _PAGE_BYTES
    if not pages:
        # Empty, or partitioned: pages are counted in each partition anew.
        return [ReadBack(name, None, 0, _ALL_PAGES)]
    return [ReadBack(name, None, low, low + _PAGES_EACH) for low in range(0, pages, _PAGES_EACH)]


def _faults(
    plan: Plan, name: str, done: Mapping[tuple[str, int], Done], found: list[tuple[ReadBack, int, str]]
) -> list[str]:
    sent = {chunk.number: done[chunk.table, chunk.number] for chunk in plan.chunks[name]}
    back = [(part, rows, digest) for part, rows, digest in found if part.table == name]
    if plan.targets[name].ordered:
        return [
            f"{name}: {rows} rows are there of the {sent[part.chunk.number].rows} of chunk {part.chunk.number}"
            if rows != sent[part.chunk.number].rows
            else f"{name}: the bytes of chunk {part.chunk.number} differ"
            for part, rows, digest in back
            if part.chunk is not None
            and (rows, digest) != (sent[part.chunk.number].rows, sent[part.chunk.number].digest)
        ]
    rows = sum(one.rows for one in sent.values())
    there = sum(count for _part, count, _digest in back)
    if rows != there:
        return [f"{name}: {there} rows are there of {rows}"]
    totals = [
        sum(int(digest, 16) for digest in side) % (1 << 256)
        for side in ([one.digest for one in sent.values()], [digest for _part, _count, digest in back])
    ]
    return [] if totals[0] == totals[1] else [f"{name}: the bytes of its rows differ"]


def _count_faults(session: Session, plan: Plan, target: Target, done: Mapping[tuple[str, int], Done]) -> list[str]:
    """What the census of SQLite says otherwise than the server's own aggregates."""
    census = plan.census[target.table.name]
    altered = altered_of(one for (name, _number), one in done.items() if name == target.table.name)
    asked, wanted = ["count(*)"], [("rows", census.rows)]
    for choice in target.choices:
        facts = census.columns[choice.column.name]
        nulled = altered.get(f"{choice.column.name} null", 0)
        for sql, what, value in _aggregates(choice, facts, nulled):
            asked.append(sql)
            wanted.append((f"{what} of {choice.column.name}", value))
    where = _range(plan, target)
    faults = []
    # A row of a result has at most as many columns as a table.
    for start in range(0, len(asked), 800):
        row = session.rows(
            f"SELECT {', '.join(f'{sql} AS a{at}' for at, sql in enumerate(asked[start : start + 800]))}"
            f" FROM {target.place}{where}"
        )[0]
        faults += [
            f"{target.table.name}: the {what} is {there}, where SQLite has {value}"
            for (what, value), there in zip(wanted[start : start + 800], row.values(), strict=True)
            if there != value
        ]
    return faults


def _range(plan: Plan, target: Target) -> str:
    """Only the rows that were copied, where others were there before."""
    if target.table.name not in plan.appended:
        return ""
    facts: Facts = plan.census[target.table.name].columns[target.table.rowid or ""]
    if facts.low is None:
        return " WHERE false"
    return f" WHERE {target.key} BETWEEN {facts.low} AND {facts.high}"


def _aggregates(choice: Choice, facts: Facts, nulled: int) -> list[tuple[str, str, Any]]:
    name = quoted(cut(choice.column.name))
    found: list[tuple[str, str, Any]] = [(f"count({name})", "number of values", facts.present - nulled)]
    if nulled:
        return found
    if choice.base == BIGINT and facts.present:
        found.append((f"min({name})", "least value", facts.low))
        found.append((f"max({name})", "greatest value", facts.high))
        found.append((f"sum({name})", "sum", facts.total))
    elif choice.base == BOOLEAN and facts.only == "integer":
        found.append((f"coalesce(sum({name}::int), 0)", "number of true values", facts.total))
    elif choice.base in (TEXT, BYTEA) and choice.policy == Policy():
        found.append((f"coalesce(sum(octet_length({name})::bigint), 0)", "number of bytes", facts.bytes))
    return found
