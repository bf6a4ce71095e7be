# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on constraints and domains."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_scene import Hit, Scene, foreign_targets
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import (
    Constraint,
    columns_not_null,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Table

_FOREIGN_NAMES = ("_fkey", "_fk")


def add_constraint(scene: Scene) -> Iterator[Hit]:
    """The rules on ADD CONSTRAINT of a table that is in use."""
    table = scene.table
    if table is None:
        return
    for action in scene.actions("add constraint"):
        one = action.constraint
        if one is None or table.quiet:
            continue
        if one.kind == "exclude":
            yield Hit("add-exclusion", table, one.name)
        elif one.kind in ("unique", "primary"):
            yield from _key(table, one)
        elif one.kind == "not null" and one.valid:
            known = table.columns.get(one.columns[0])
            if not (known and known.not_null) and not table.proves_not_null(one.columns[0]):
                yield Hit("set-not-null-scan", table, one.columns[0])
        elif one.kind == "check" and one.valid:
            yield Hit("add-check-validated", table, one.name or one.text)
        elif one.kind == "foreign" and one.valid:
            yield Hit("add-foreign-key-validated", table, f"{', '.join(one.columns)} to {one.target}")


def _key(table: Table, one: Constraint) -> Iterator[Hit]:
    if not one.using_index:
        yield Hit("add-unique-or-primary-key", table, ", ".join(one.columns))
    elif one.kind == "primary":
        index = table.indexes.get(one.using_index)
        nullable = [
            name
            for name in (index.columns if index else ())
            if name in table.columns and not table.columns[name].not_null and not table.proves_not_null(name)
        ]
        if nullable:
            yield Hit("primary-key-on-nullable", table, ", ".join(nullable))


def validate(scene: Scene) -> Iterator[Hit]:
    """validate-same-transaction."""
    table = scene.table
    for action in scene.actions("validate"):
        if table is not None and (table.name, action.name) in scene.passed.unvalidated:
            yield Hit("validate-same-transaction", table, action.name)


def drop_constraint(scene: Scene) -> Iterator[Hit]:
    """drop-constraint, and drop-referencing-table for a foreign key."""
    table = scene.table
    if table is None or table.quiet:
        return
    for action in scene.actions("drop constraint"):
        known = table.constraints.get(action.name)
        if known is not None and known.kind == "foreign":
            target = known.target
            if target is not None and not scene.world.table(target).quiet and len(scene.file.statements) > 1:
                yield Hit("drop-referencing-table", table, f"{action.name} references {target}")
        elif known is None and action.name.endswith(_FOREIGN_NAMES) and len(scene.file.statements) > 1:
            yield Hit("drop-referencing-table", table, f"{action.name} is a foreign key by its name")
        if known is None or not _is_spent(table, known):
            yield Hit("drop-constraint", table, action.name)


def _is_spent(table: Table, known: Constraint) -> bool:
    """A check that its columns are there, when they have become NOT NULL."""
    proved = columns_not_null(known.text) if known.kind == "check" else set()
    return bool(proved) and all(name in table.columns and table.columns[name].not_null for name in proved)


def drop_referencing(scene: Scene) -> Iterator[Hit]:
    """drop-referencing-table for DROP TABLE."""
    if scene.parsed.verb != "DROP TABLE":
        return
    for name in scene.parsed.names:
        table = scene.world.table(name)
        targets = {one.target for one in table.constraints.values() if one.kind == "foreign" and one.target is not None}
        locked = sorted(str(one) for one in targets - {name} if not scene.world.table(one).quiet)
        if locked:
            yield Hit("drop-referencing-table", table, f"it references {', '.join(locked)}")


def foreign_keys(scene: Scene) -> Iterator[Hit]:
    """several-foreign-keys: the statement's own ones, or together with earlier ones of the file."""
    parsed, passed = scene.parsed, scene.passed
    named = foreign_targets(parsed)
    if not named:
        return
    held = frozenset(
        name
        for name in {*named, *({parsed.target} if parsed.target is not None else set())}
        if not scene.world.table(name).quiet
    )
    earlier = frozenset[Name]().union(*passed.foreign_key_locks)
    alone = sum(not scene.world.table(name).quiet for name in named)
    if alone > 1 or (scene.transactional and passed.foreign_key_locks and held - earlier and earlier):
        yield Hit("several-foreign-keys", scene.table, ", ".join(sorted(str(name) for name in held | earlier)))


def domains(scene: Scene) -> Iterator[Hit]:
    """alter-domain-add-constraint."""
    parsed = scene.parsed
    if parsed.verb != "ALTER DOMAIN" or parsed.target is None or scene.world.made(parsed.target):
        return
    if any(one.valid for one in parsed.constraints) or any(one.kind == "set not null" for one in parsed.actions):
        yield Hit("alter-domain-add-constraint", None, str(parsed.target))


RULES_OF_CONSTRAINTS = (add_constraint, validate, drop_constraint, drop_referencing, foreign_keys, domains)
