# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on columns."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_scene import Hit, Scene
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Column, Constraint
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_types import keeps_storage, volatility
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Table

_CONSTANT_DEFAULT_SINCE = 11
_SCAN_SKIPPED_SINCE = 12
_NARROW = ("int4", "int2")


def add_column(scene: Scene) -> Iterator[Hit]:
    """The rules whose ids begin with add-column."""
    for action in scene.actions("add column"):
        column, table = action.column, scene.table
        if column is None or table is None or table.quiet:
            continue
        if action.text and column.name in table.columns:
            continue
        yield from _values(scene, table, column)
        for constraint in column.constraints:
            references = constraint.kind == "foreign"
            yield Hit("add-column-references" if references else "add-column-inline-constraint", table, column.name)


def _values(scene: Scene, table: Table, column: Column) -> Iterator[Hit]:
    if column.type == "json":
        yield Hit("add-column-json", table, column.name)
    if scene.world.constrained_domain(column.type):
        yield Hit("add-column-constrained-domain", table, f"{column.name} {column.type}")
    elif column.automatic:
        yield Hit("add-column-serial-or-identity", table, column.name)
    elif column.generated == "stored":
        yield Hit("add-column-stored-generated", table, column.name)
    elif column.default and column.default.upper() != "NULL":
        reason = _why_each_row(scene, column)
        if reason:
            yield Hit("add-column-volatile-default", table, f"{column.name}: {reason}")
    elif column.not_null and not column.generated:
        yield Hit("add-column-required", table, column.name)


def _why_each_row(scene: Scene, column: Column) -> str:
    if scene.version is not None and scene.version < _CONSTANT_DEFAULT_SINCE:
        return "before PostgreSQL 11 any default rewrites the table"
    for function in volatility(column.default_tokens):
        known = function.volatile if function.volatile is not None else scene.world.volatile(function.name)
        if known is None:
            return f"{function.name}() may be volatile"
        if known:
            return f"{function.name}() is volatile"
    return ""


def change_column(scene: Scene) -> Iterator[Hit]:
    """drop-column, set-not-null-scan, drop-not-null, change-default, retype-column-rewrite, retype-column-safe."""
    table = scene.table
    if table is None or table.quiet:
        return
    for action in scene.actions("drop column"):
        yield Hit("drop-column", table, action.name)
    for action in scene.actions("set not null"):
        if not _is_proved(scene, table, action.name):
            yield Hit("set-not-null-scan", table, action.name)
    for action in scene.actions("drop not null"):
        yield Hit("drop-not-null", table, action.name)
    for action in scene.actions("set default", "drop default"):
        yield Hit("change-default", table, action.name)
    for action in scene.actions("retype"):
        yield _retyped(scene, table, action.name, action.text, action.column.default if action.column else "")


def _is_proved(scene: Scene, table: Table, column: str) -> bool:
    known = table.columns.get(column)
    if known is not None and known.not_null:
        return True
    skips = scene.version is None or scene.version >= _SCAN_SKIPPED_SINCE
    return skips and table.proves_not_null(column)


def _retyped(scene: Scene, table: Table, name: str, new: str, rest: str) -> Hit:
    known = table.columns.get(name)
    plain = re.fullmatch(rf'(?:using\s+"?{re.escape(name)}"?(?:\s*::\s*[\w\s(),.]+)?)?', rest, re.IGNORECASE)
    if known is None:
        return Hit("retype-column-rewrite", table, f"{name} to {new}; the type it has is not known")
    if plain and keeps_storage(known.type, new, scene.version):
        return Hit("retype-column-safe", table, f"{name} from {known.type} to {new}")
    return Hit("retype-column-rewrite", table, f"{name} from {known.type} to {new}")


def keys(scene: Scene) -> Iterator[Hit]:
    """narrow-integer-key; also in a new table, whose key can only be widened by a rewrite later."""
    parsed, table = scene.parsed, scene.table
    if table is None or parsed.verb not in ("CREATE TABLE", "ALTER TABLE") or parsed.has("TEMPORARY"):
        return
    columns = {column.name: column for column in parsed.columns}
    found: list[Constraint] = list(parsed.constraints)
    for action in parsed.actions:
        if action.kind == "add column" and action.column is not None:
            columns[action.column.name] = action.column
            found.extend(action.column.constraints)
        elif action.kind == "add constraint" and action.constraint is not None:
            found.append(action.constraint)
    types = {**{name: column.type for name, column in table.columns.items()}, **{n: c.type for n, c in columns.items()}}
    seen = set()
    for constraint in found:
        # Only a key that counts alone runs full; a part of a wider one may be small by its nature.
        if constraint.kind in ("primary", "foreign") and len(constraint.columns) == 1:
            name = constraint.columns[0]
            if types.get(name) in _NARROW and name not in seen:
                seen.add(name)
                yield Hit("narrow-integer-key", table, f"{name} {types[name]}")


RULES_OF_COLUMNS = (add_column, change_column, keys)
