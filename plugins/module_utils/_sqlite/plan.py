# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a copy would do: types by the census, and everything that stands against it, found before a row is sent."""

from __future__ import annotations

import hashlib
import json
import math
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.census import Census, batch_rows
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.chunks import Chunk, chunks_of, extended
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.columns import (
    Finding,
    Policy,
    base_of,
    decide,
    literal,
    looked_for,
    scale_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.pool import Pool
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.schema import (
    Index,
    Schema,
    Skipped,
    Table,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.source import Snapshot, opened
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.target import There, cut
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.work import Target, census_worker

# https://www.postgresql.org/docs/current/limits.html
_MOST_COLUMNS = 1600
_TABLE_KINDS = ("r", "p")


@dataclass(frozen=True)
class Wish:
    """What the user asks for; ``policies`` by ``table.column``."""

    path: str
    work_dir: str
    schema: str
    tables: Sequence[str]
    exclude: Sequence[str]
    policies: Mapping[str, Policy]
    append: Sequence[str]
    replace: Sequence[str]
    orphans: str
    catch_up: bool
    refresh: bool
    freeze: bool
    processes: int
    chunk_rows: int
    wait: float
    run_id: str
    report: str


@dataclass
class Plan:
    """``chunks`` by table. ``made``: the tables that are not there yet; ``appended``:
    those that hold other rows."""

    snapshot: Snapshot
    targets: dict[str, Target] = field(default_factory=dict)
    chunks: dict[str, list[Chunk]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    census: dict[str, Census] = field(default_factory=dict)
    refused: list[Finding] = field(default_factory=list)
    notices: list[Finding] = field(default_factory=list)
    review: list[Skipped] = field(default_factory=list)
    orphaned: set[str] = field(default_factory=set)
    appended: set[str] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(census.rows for census in self.census.values())

    @property
    def digest(self) -> str:
        """The same for the same file, options and code; what a second run must share to go on."""
        told = [
            [
                target.name,
                target.schema,
                target.ordered,
                [[one.column.name, one.base, scale_of(one.type), repr(one.policy)] for one in target.choices],
            ]
            for target in self.targets.values()
        ]
        cuts = [[chunk.table, chunk.number, chunk.low, chunk.high] for row in self.chunks.values() for chunk in row]
        return hashlib.sha256(json.dumps([self.snapshot.sha256, told, cuts]).encode()).hexdigest()


def make_plan(
    call: Call,
    wish: Wish,
    snapshot: Snapshot,
    tables: Sequence[Table],
    there: Mapping[str, There],
    whole: set[str],
    own: Mapping[str, There],
    cuts: Mapping[str, Sequence[Chunk]],
) -> Plan:
    """Look at every row of the snapshot's ``tables``. ``there``: the tables that the target has, by name; those in
    ``whole`` are copied in one piece. ``own``: those that this copy has made before; ``cuts``: how it has cut them.

    Raises GoliveError ``source_corrupt``; what stands against the copy is in ``refused``.
    """
    plan = Plan(snapshot)
    with opened(snapshot.path, text=True) as connection:
        for table in tables:
            rows_each = math.inf if cut(table.name) in whole else wish.chunk_rows
            known = cuts.get(table.name)
            plan.chunks[table.name] = (
                extended(connection, table, known, rows_each) if known else chunks_of(connection, table, rows_each)
            )
        orphans = _orphans(connection, {table.name for table in tables})
    typed = {**there, **own}
    copied = {one.name for one in tables}
    _take_census(call, wish, plan, tables, typed)
    for table in tables:
        _plan_table(wish, plan, table, there.get(cut(table.name)), typed.get(cut(table.name)), copied)
    _orphan_findings(wish, plan, orphans)
    _name_findings(plan, tables)
    return plan


def wanted_tables(schema: Schema, wish: Wish) -> list[Table]:
    """The tables that the options choose. Raises GoliveError ``unknown_table`` or ``unknown_column``."""
    known = {table.name for table in schema.tables}
    for option, names in (
        ("tables", wish.tables),
        ("exclude", wish.exclude),
        ("append", wish.append),
        ("replace", wish.replace),
    ):
        unknown = sorted(set(names) - known)
        if unknown:
            raise GoliveError(
                "unknown_table",
                f"The option {option} names {', '.join(unknown)}, which the SQLite file does not have as tables.",
                f"Its tables are {', '.join(sorted(known)[:20]) or 'none'}.",
            )
    chosen = [table for table in schema.tables if not wish.tables or table.name in wish.tables]
    chosen = [table for table in chosen if table.name not in wish.exclude]
    columns = {f"{table.name}.{column.name}" for table in chosen for column in table.columns}
    strange = sorted(set(wish.policies) - columns)
    if strange:
        raise GoliveError(
            "unknown_column",
            f"The option columns names {', '.join(strange)}, which is no column of a table that is copied.",
            "Write it as table.column.",
        )
    return chosen


def _take_census(call: Call, wish: Wish, plan: Plan, tables: Sequence[Table], there: Mapping[str, There]) -> None:
    looked: dict[str, tuple[Table, Mapping[str, str]]] = {}
    for table in tables:
        types = there[cut(table.name)].types if cut(table.name) in there else {}
        looked[table.name] = (
            table,
            {
                column.name: looked_for(column, _policy(wish, table, column.name), types.get(cut(column.name)))
                for column in table.stored
            },
        )
    found: dict[tuple[str, int], Census] = {}
    chunks = [chunk for row in plan.chunks.values() for chunk in row]

    def took(chunk: Chunk, census: Census) -> None:
        found[chunk.table, chunk.number] = census
        call.progress(f"looking at the rows: {chunk.table}", len(found), len(chunks))

    with Pool(
        call, min(wish.processes, max(1, len(chunks))), partial(census_worker, plan.snapshot.path, looked)
    ) as pool:
        pool.run(chunks, took)
    for table in tables:
        census = plan.census[table.name] = Census()
        for chunk in plan.chunks[table.name]:
            census.merge(found[table.name, chunk.number])


def _policy(wish: Wish, table: Table, column: str) -> Policy:
    return wish.policies.get(f"{table.name}.{column}", Policy())


def _plan_table(
    wish: Wish, plan: Plan, table: Table, there: There | None, typed: There | None, copied: set[str]
) -> None:
    census = plan.census[table.name]
    choices = []
    for column in table.stored:
        type_ = None if typed is None else typed.types.get(cut(column.name))
        choice = decide(
            table.name, column, census.rows, census.columns[column.name], _policy(wish, table, column.name), type_
        )
        choices.append(choice)
        plan.refused += choice.refused
        plan.notices += choice.notices
    names = [cut(column.name) for column in table.stored]
    if len(table.columns) > _MOST_COLUMNS:
        what = f"it has {len(table.columns)} columns, PostgreSQL takes {_MOST_COLUMNS}"
        plan.refused.append(Finding("too_many_columns", table.name, "", len(table.columns), "", what))
    key = (cut(table.rowid),) if table.rowid is not None else ()
    ordered = bool(key) and (there is None or there.key == key)
    if there is None:
        plan.made.append(table.name)
        plan.review += _review(table, wish, copied)
    else:
        plan.refused += _against(table, there, names)
    widest = sum(facts.longest for facts in census.columns.values())
    plan.targets[table.name] = Target(
        table, wish.schema, cut(table.name), tuple(choices), tuple(names), ordered, batch_rows(widest)
    )


def _against(table: Table, there: There, names: Sequence[str]) -> list[Finding]:
    if there.kind not in _TABLE_KINDS:
        return [Finding("no_table", table.name, "", 1, "", "the target has something of this name that is no table")]
    found = []
    for name in names:
        if name not in there.types:
            found.append(Finding("column_missing", table.name, name, 1, "", "the target's table has no such column"))
        elif name in there.generated:
            what = "the target's column is generated, the source's is not"
            found.append(Finding("column_generated", table.name, name, 1, "", what))
        elif base_of(there.types[name]) == "real":
            what = "the target's type real would change values"
            found.append(
                Finding("type_unsupported", table.name, name, 1, "", what, "a target column of type double precision")
            )
    for name in sorted(there.needed - set(names)):
        what = "the target's column needs a value that the source does not have"
        found.append(Finding("column_needed", table.name, name, 1, "", what))
    return found


def _review(table: Table, wish: Wish, copied: set[str]) -> list[Skipped]:
    """What a person must make by hand in a new table."""
    found = []
    for column in table.columns:
        place = f"{table.name}.{column.name}"
        if column.generated:
            found.append(Skipped("generated column", place, "its expression is SQLite's", table.sql))
        elif column.default is not None and literal(column.default) is None:
            found.append(Skipped("default", place, "it is an expression of SQLite's", column.default))
    if table.has_checks:
        found.append(Skipped("check", table.name, "its expressions are SQLite's", table.sql))
    for index in table.indexes:
        if not index.plain and not lowered(table, index, wish.policies):
            why = (
                "its expression or condition is SQLite's"
                if index.partial or None in index.columns
                else "it compares otherwise than byte by byte"
            )
            found.append(Skipped("index", index.name, why, index.sql or table.sql))
    found += [
        Skipped("foreign key", table.name, f"its parent {key.parent} is not copied", ", ".join(key.columns))
        for key in table.foreign_keys
        if key.parent not in copied
    ]
    return found


def lowered(table: Table, index: Index, policies: Mapping[str, Policy]) -> bool:
    """Whether an index without regard to case becomes one on small letters, because all its columns ask for it."""
    nocase = [name for name, collation in zip(index.columns, index.collations, strict=True) if collation == "NOCASE"]
    if index.partial or None in index.columns or not set(index.collations) <= {"NOCASE", "BINARY"}:
        return False
    return bool(nocase) and all(policies.get(f"{table.name}.{name}", Policy()).nocase == "lower" for name in nocase)


def _orphans(connection: sqlite3.Connection, names: set[str]) -> list[tuple[str, str, int, str]]:
    """Child, parent, rows without a parent, and the number of the first one."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    try:
        for child, rowid, parent, _key in connection.execute("PRAGMA foreign_key_check"):
            counts[child, parent] += 1
            first.setdefault((child, parent), "" if rowid is None else str(rowid))
    except sqlite3.DatabaseError as error:
        if "foreign key mismatch" in str(error):
            # A key whose parent has no such columns; SQLite finds it only when somebody writes.
            return []
        raise GoliveError("source_corrupt", f"Cannot check the foreign keys: {error}.") from error
    return [(*pair, count, first[pair]) for pair, count in counts.items() if pair[0] in names]


def _orphan_findings(wish: Wish, plan: Plan, orphans: Sequence[tuple[str, str, int, str]]) -> None:
    for child, parent, count, example in orphans:
        plan.orphaned.add(child)
        what = f"{count} rows point to no row of {parent}"
        finding = Finding("fk_orphans", child, "", count, example, what, "orphans: keep")
        (plan.refused if wish.orphans == "fail" else plan.notices).append(finding)


def _name_findings(plan: Plan, tables: Sequence[Table]) -> None:
    groups = [("", [table.name for table in tables])]
    groups += [(table.name, [column.name for column in table.stored]) for table in tables]
    for table, names in groups:
        for short, count in Counter(map(cut, names)).items():
            long = [name for name in names if cut(name) == short and name != short]
            if count > 1:
                what = f"{count} names are the same once PostgreSQL has cut them to 63 bytes: {short}"
                plan.refused.append(Finding("name_collision", table or short, "", count, "", what))
            elif long:
                what = f"the name {long[0]} is cut to {short}, because PostgreSQL keeps 63 bytes"
                plan.notices.append(Finding("name_cut", table or long[0], long[0] if table else "", 1, "", what))


def refusal(plan: Plan) -> GoliveError:
    """Why nothing is copied."""
    shown = "; ".join(finding.text for finding in plan.refused[:5])
    more = f"; and {len(plan.refused) - 5} more" if len(plan.refused) > 5 else ""
    return GoliveError(
        "refused",
        f"Nothing was copied, because not everything fits: {shown}{more}.",
        "Mend the source, or set a policy in columns for what may change.",
        {"refused": findings(plan.refused), "notices": findings(plan.notices)},
    )


def findings(rows: Sequence[Finding]) -> list[dict[str, Any]]:
    """For a result."""
    return [{**row.__dict__, "text": row.text} for row in rows]
