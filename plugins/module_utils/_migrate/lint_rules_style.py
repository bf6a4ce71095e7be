# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of style, which are asked for by name of the group only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_scene import Hit, Scene
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Column

MOST_COLUMNS = 40
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_TRAPS = re.compile(r"(?:char|varchar)\(\d+\)|timestamp(?:\(\d+\))?|timetz(?:\(\d+\))?|money")
# Bytes at which a value of the type begins; types that are not listed begin anywhere or at four.
_ALIGNED = {
    "int8": (8, 8),
    "float8": (8, 8),
    "timestamp": (8, 8),
    "timestamptz": (8, 8),
    "time": (8, 8),
    "int4": (4, 4),
    "float4": (4, 4),
    "date": (4, 4),
    "int2": (2, 2),
    "bool": (1, 1),
    "uuid": (1, 16),
}
_WORTH_BYTES = 8


def style(scene: Scene) -> Iterator[Hit]:
    """All rules whose ids begin with style."""
    parsed, table = scene.parsed, scene.table
    if parsed.verb not in ("CREATE TABLE", "ALTER TABLE") or parsed.target is None or parsed.has("TEMPORARY"):
        return
    columns = [*parsed.columns, *(one.column for one in scene.actions("add column") if one.column is not None)]
    if not parsed.target.qualified:
        yield Hit("style-unqualified-name", table, parsed.target.name)
    made = [parsed.target.name] if parsed.verb == "CREATE TABLE" else []
    for name in [*made, *(column.name for column in columns)]:
        if not _PLAIN.fullmatch(name):
            yield Hit("style-naming", table, name)
    for column in columns:
        if _TRAPS.fullmatch(column.type) or column.automatic == "serial":
            yield Hit("style-type", table, f"{column.name} {column.automatic or column.type}")
    if parsed.verb == "CREATE TABLE" and columns:
        yield from _whole(scene, columns)


def _whole(scene: Scene, columns: Sequence[Column]) -> Iterator[Hit]:
    parsed, table = scene.parsed, scene.table
    keys = [*parsed.constraints]
    keys += [
        action.constraint
        for other in scene.file.statements
        if other.target == parsed.target
        for action in other.actions
        if action.constraint is not None
    ]
    if not any(one.kind == "primary" for one in keys):
        yield Hit("style-no-primary-key", table, str(parsed.target))
    if len(columns) > MOST_COLUMNS:
        yield Hit("style-too-wide", table, f"{len(columns)} columns; {MOST_COLUMNS} are the most")
    fixed = [_ALIGNED[column.type] for column in columns if column.type in _ALIGNED]
    lost = _padding(fixed) - _padding(sorted(fixed, reverse=True))
    if lost >= _WORTH_BYTES:
        yield Hit("style-column-order", table, f"{lost} bytes in each row")


def _padding(sizes: Sequence[tuple[int, int]]) -> int:
    at = lost = 0
    for align, size in sizes:
        gap = -at % align
        lost += gap
        at += gap + size
    return lost
