# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""constraint-broken-by-data: whether rows that are there now would make a constraint fail midway."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_scene import Hit, Scene
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Constraint
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name, tokens
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_types import is_steady
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Table

# What no condition of a constraint may hold; a file must not get its own statements run by being linted.
_NOT_IN_A_CONDITION = ("SELECT", "WITH", "TABLE", "VALUES", "INTO", "INSERT", "UPDATE", "DELETE")


def broken_by_data(scene: Scene) -> Iterator[Hit]:
    """Ask the database, one row at most, for each new constraint of a table that has rows."""
    table = scene.table
    if table is None or table.quiet or table.size is None:
        return
    for query, detail in _questions(scene, table):
        if query and scene.world.breaks(table.name, query):
            yield Hit("constraint-broken-by-data", table, detail)


def _questions(scene: Scene, table: Table) -> Iterator[tuple[str, str]]:
    index = scene.parsed.index
    if index is not None and index.unique and all(index.columns):
        yield _doubles(table, index.columns, index.predicate), f"{', '.join(index.columns)} is not unique"
    for action in scene.actions("set not null"):
        yield _nulls(table, (action.name,)), f"{action.name} has nulls"
    for action in scene.actions("add constraint", "validate"):
        one = action.constraint if action.constraint is not None else table.constraints.get(action.name)
        if one is not None and (one.valid or action.kind == "validate"):
            yield from _of_constraint(scene, table, one)


def _of_constraint(scene: Scene, table: Table, one: Constraint) -> Iterator[tuple[str, str]]:
    columns = ", ".join(one.columns)
    if one.kind == "check":
        yield _violations(table, one.text), f"{one.name or one.text} is not true of all rows"
    elif one.kind == "foreign" and one.target is not None:
        yield _orphans(scene, table, one), f"{columns} has values that {one.target} lacks"
    elif one.kind in ("unique", "primary") and not one.using_index:
        yield _doubles(table, one.columns, ""), f"{columns} is not unique"
        if one.kind == "primary":
            yield _nulls(table, one.columns), f"{columns} has nulls"
    elif one.kind == "not null":
        yield _nulls(table, one.columns), f"{columns} has nulls"


def _doubles(table: Table, columns: Sequence[str], predicate: str) -> str:
    if predicate and not _is_harmless(predicate):
        return ""
    listed = ", ".join(map(_quoted, columns))
    there = " AND ".join(f"{_quoted(column)} IS NOT NULL" for column in columns)
    where = f"{there} AND ({predicate})" if predicate else there
    return f"SELECT 1 FROM {_table(table.name)} WHERE {where} GROUP BY {listed} HAVING count(*) > 1 LIMIT 1"


def _nulls(table: Table, columns: Sequence[str]) -> str:
    where = " OR ".join(f"{_quoted(column)} IS NULL" for column in columns)
    return f"SELECT 1 FROM {_table(table.name)} WHERE {where} LIMIT 1"


def _violations(table: Table, condition: str) -> str:
    return f"SELECT 1 FROM {_table(table.name)} WHERE NOT ({condition}) LIMIT 1" if _is_harmless(condition) else ""


def _orphans(scene: Scene, table: Table, one: Constraint) -> str:
    target = scene.world.table(one.target) if one.target is not None else None
    if target is None or target.new:
        return ""
    keys = one.target_columns or next(
        (other.columns for other in target.constraints.values() if other.kind == "primary"), ()
    )
    if len(keys) != len(one.columns):
        return ""
    pairs = " AND ".join(
        f"there.{_quoted(key)} = here.{_quoted(column)}" for key, column in zip(keys, one.columns, strict=True)
    )
    known = " AND ".join(f"here.{_quoted(column)} IS NOT NULL" for column in one.columns)
    return (
        f"SELECT 1 FROM {_table(table.name)} here WHERE {known} AND NOT EXISTS"
        f" (SELECT 1 FROM {_table(target.name)} there WHERE {pairs}) LIMIT 1"
    )


def _is_harmless(condition: str) -> bool:
    found = tokens(condition)
    return is_steady(found) and not any(one.is_sign(";") or one.is_word(*_NOT_IN_A_CONDITION) for one in found)


def _table(name: Name) -> str:
    return f"{_quoted(name.schema)}.{_quoted(name.name)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
