# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rule sees and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import LintFile
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Action, Parsed
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Table, World

EXCLUSIVE = "ACCESS EXCLUSIVE"
ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
WEAKER = "weaker"


@dataclass
class Passed:
    """What earlier statements of the file did; only what the transaction still holds."""

    locked: dict[Name, str] = field(default_factory=dict)
    altered: set[Name] = field(default_factory=set)
    targets: set[Name] = field(default_factory=set)
    unvalidated: set[tuple[Name, str]] = field(default_factory=set)
    enum_values: dict[str, int] = field(default_factory=dict)
    foreign_key_locks: list[frozenset[Name]] = field(default_factory=list)
    lock_timeout: float | None = None
    transaction_open: bool = False


@dataclass(frozen=True)
class Scene:
    """One statement with everything around it; ``version`` is the server's major version if it is known."""

    file: LintFile
    parsed: Parsed
    world: World
    passed: Passed
    version: int | None = None

    @property
    def transactional(self) -> bool:
        """Whether the statement shares a transaction with others of the file, the runner's or one of its own."""
        return self.passed.transaction_open or not self.file.is_alone(self.parsed)

    @property
    def table(self) -> Table | None:
        """The table that the statement names first."""
        return self.world.table(self.parsed.target) if self.parsed.target is not None else None

    def actions(self, *kinds: str) -> Iterator[Action]:
        """The parts of ALTER TABLE of these kinds."""
        if self.parsed.verb == "ALTER TABLE":
            yield from (one for one in self.parsed.actions if one.kind in kinds)


@dataclass(frozen=True)
class Hit:
    """A rule that holds: ``detail`` says on what, ``line`` where, if it is not the statement's first."""

    rule: str
    table: Table | None = None
    detail: str = ""
    line: int = 0


def locks(parsed: Parsed, world: World) -> dict[Name, str]:
    """The strong locks of a statement on tables that are in use: EXCLUSIVE, ROW_EXCLUSIVE or WEAKER by table."""
    return {name: level for name, level in _locks(parsed, world) if not world.table(name).quiet}


def _locks(parsed: Parsed, world: World) -> Iterator[tuple[Name, str]]:
    target = parsed.target
    if parsed.verb in ("ALTER TABLE", "ALTER MATERIALIZED VIEW") and target is not None:
        levels = [_level(action) for action in parsed.actions]
        yield target, EXCLUSIVE if EXCLUSIVE in levels else ROW_EXCLUSIVE if ROW_EXCLUSIVE in levels else WEAKER
        for action in parsed.actions:
            if action.kind in ("attach", "detach") and action.other is not None and action.text != "CONCURRENTLY":
                yield action.other, EXCLUSIVE
    elif _locks_what_it_names(parsed):
        yield from ((name, EXCLUSIVE) for name in parsed.names)
    elif parsed.verb == "DROP INDEX" and "CONCURRENTLY" not in parsed.flags:
        tables = (world.table_of_index(name) for name in parsed.names)
        yield from ((table.name, EXCLUSIVE) for table in tables if table is not None)
    elif target is not None and parsed.verb in _ON_TABLE:
        yield target, _ON_TABLE[parsed.verb]
    for name in foreign_targets(parsed):
        yield name, ROW_EXCLUSIVE


def _locks_what_it_names(parsed: Parsed) -> bool:
    if parsed.verb == "LOCK TABLE":
        return not parsed.flags & {"ROW", "SHARE"}
    partition = parsed.verb == "CREATE TABLE" and parsed.has("PARTITION OF")
    return partition or parsed.verb in ("DROP TABLE", "TRUNCATE", "DROP MATERIALIZED VIEW")


_ON_TABLE = {
    "CREATE TRIGGER": ROW_EXCLUSIVE,
    "DROP TRIGGER": EXCLUSIVE,
    "ALTER TRIGGER": EXCLUSIVE,
    "CREATE RULE": EXCLUSIVE,
    "DROP RULE": EXCLUSIVE,
    "ALTER RULE": EXCLUSIVE,
    "CREATE POLICY": EXCLUSIVE,
    "ALTER POLICY": EXCLUSIVE,
    "DROP POLICY": EXCLUSIVE,
    "CLUSTER": EXCLUSIVE,
    "REFRESH": EXCLUSIVE,
}


def foreign_targets(parsed: Parsed) -> set[Name]:
    """Tables that the statement's new foreign keys reference."""
    found = [*parsed.constraints]
    for action in parsed.actions:
        if action.constraint is not None:
            found.append(action.constraint)
        if action.column is not None:
            found.extend(action.column.constraints)
    return {one.target for one in found if one.kind == "foreign" and one.target is not None} - {parsed.target}


def _level(action: Action) -> str:
    if action.kind in ("validate", "attach") or (action.kind == "detach" and action.text == "CONCURRENTLY"):
        return WEAKER
    if action.kind == "setting" or (action.kind == "column setting" and "STATISTICS" in action.text.upper()):
        return WEAKER
    if action.kind == "trigger":
        return ROW_EXCLUSIVE
    if action.kind == "add constraint" and action.constraint is not None and action.constraint.kind == "foreign":
        return ROW_EXCLUSIVE
    return EXCLUSIVE
