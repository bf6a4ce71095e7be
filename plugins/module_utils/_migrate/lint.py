# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lint migrations: statement after statement, each against what is known of its tables at that moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import LintFile
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import RULES, SEVERITIES, Rule
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules_column import RULES_OF_COLUMNS
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules_constraint import (
    RULES_OF_CONSTRAINTS,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules_file import (
    RULES_OF_FILES,
    passed_before,
    remember,
    way_back,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules_index import RULES_OF_INDEXES
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules_live import broken_by_data
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules_object import RULES_OF_OBJECTS
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules_style import style
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_scene import Hit, Scene
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_squawk import DECIDED_HERE, Opinion
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Constraint, Parsed
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Source, Table, World

# Bytes of a table that a second of the work gets through. Assumed, not measured: a volume of the usual class of a
# cloud gives 125 MB/s to one reader; building an index or writing a table anew also sorts, writes and logs.
BYTES_PER_S = {"scan": 100e6, "build": 25e6, "rewrite": 25e6}
_STATEMENT_RULES = (
    *RULES_OF_FILES,
    *RULES_OF_INDEXES,
    *RULES_OF_COLUMNS,
    *RULES_OF_CONSTRAINTS,
    *RULES_OF_OBJECTS,
    broken_by_data,
)


@dataclass(frozen=True)
class Finding:
    """One rule that a statement breaks; ``line`` counts from 1.

    ``rows``, ``size`` (bytes) and ``seconds`` (how long the lock is held, estimated) are None when not known.
    ``source`` is golive, or squawk for what only the second opinion saw.
    """

    id: str
    severity: str
    file: str
    line: int
    message: str
    rewrite: str
    lock: str = ""
    table: str | None = None
    rows: int | None = None
    size: int | None = None
    seconds: float | None = None
    source: str = "golive"

    def row(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class _Seen:
    """A statement after it was judged, for the second opinion."""

    file: LintFile
    parsed: Parsed
    quiet: bool


@dataclass(frozen=True)
class _ForeignKey:
    """A new foreign key; whether it has an index shows at the end."""

    file: LintFile
    parsed: Parsed
    table: Table
    constraint: Constraint
    judged: bool


def lint(
    files: Sequence[LintFile],
    *,
    applied: Iterable[LintFile] = (),
    source: Source | None = None,
    version: int | None = None,
    with_style: bool = False,
    opinions: Iterable[Opinion] = (),
) -> list[Finding]:
    """All findings of ``files`` in order of file and line.

    ``applied`` are older files that tell what there is; ``version`` is the server's major version if it is known.
    """
    return _Linter(World(source), version, with_style).lint(files, applied, opinions)


class _Linter:
    def __init__(self, world: World, version: int | None, with_style: bool) -> None:
        self._world = world
        self._version = version
        self._with_style = with_style
        self._found: list[Finding] = []
        self._seen: list[_Seen] = []
        self._foreign: list[_ForeignKey] = []

    def lint(
        self, files: Sequence[LintFile], applied: Iterable[LintFile], opinions: Iterable[Opinion]
    ) -> list[Finding]:
        for file in applied:
            for parsed in file.statements:
                self._world.apply(parsed, new=False)
        for file in files:
            self._file(file)
        self._unindexed()
        for opinion in opinions:
            self._weigh(opinion)
        order = {file.file: number for number, file in enumerate(files)}
        return sorted(self._found, key=lambda one: (order[one.file], one.line, SEVERITIES.index(one.severity), one.id))

    def _file(self, file: LintFile) -> None:
        passed, alone = None, False
        for hit in way_back(file):
            self._add(file, None, hit)
        for parsed in file.statements:
            passed, alone = passed_before(file, parsed, passed, alone), file.is_alone(parsed)
            scene = Scene(file, parsed, self._world, passed, self._version)
            for rule in (*_STATEMENT_RULES, *((style,) if self._with_style else ())):
                for hit in rule(scene):
                    self._add(file, parsed, hit)
            tables = [*parsed.names, *((parsed.target,) if parsed.target is not None else ())]
            quiet = bool(tables) and all(self._world.table(name).quiet for name in tables)
            self._seen.append(_Seen(file, parsed, quiet))
            remember(scene)
            self._world.apply(parsed)
            self._foreign.extend(self._new_foreign_keys(file, parsed))

    def _new_foreign_keys(self, file: LintFile, parsed: Parsed) -> Iterator[_ForeignKey]:
        if parsed.target is None or parsed.verb not in ("CREATE TABLE", "ALTER TABLE"):
            return
        table = self._world.table(parsed.target)
        for one in parsed.constraints:
            if one.kind == "foreign":
                yield _ForeignKey(file, parsed, table, one, table.known)
        for action in parsed.actions:
            if action.constraint is not None and action.constraint.kind == "foreign":
                # Of a table that nothing is known of an index may be there.
                yield _ForeignKey(file, parsed, table, action.constraint, table.known)
            for one in action.column.constraints if action.column is not None else ():
                if one.kind == "foreign":
                    yield _ForeignKey(file, parsed, table, one, True)

    def _unindexed(self) -> None:
        for one in self._foreign:
            if one.judged and one.constraint.columns and not one.table.has_index_on(one.constraint.columns):
                hit = Hit("foreign-key-without-index", one.table, ", ".join(one.constraint.columns))
                self._add(one.file, one.parsed, hit)

    def _add(self, file: LintFile, parsed: Parsed | None, hit: Hit, source: str = "golive") -> None:
        rule = RULES[hit.rule]
        if not rule.holds_on(self._version) or file.allows(rule.id, parsed):
            return
        table = hit.table
        subject = f"{table.name}: " if table is not None else ""
        detail = f" ({hit.detail})" if hit.detail else ""
        finding = Finding(
            id=rule.id,
            severity=rule.severity,
            file=file.file,
            line=hit.line or (parsed.statement.line if parsed is not None else 1),
            message=f"{subject}{rule.effect}{detail}.",
            rewrite=_rewrite(rule, self._version),
            lock=rule.lock,
            table=str(table.name) if table is not None else None,
            rows=table.rows if table is not None else None,
            size=table.size if table is not None else None,
            seconds=estimate(rule, table),
            source=source,
        )
        if finding not in self._found:
            self._found.append(finding)

    def _weigh(self, opinion: Opinion) -> None:
        """Take over what only the second opinion saw."""
        ids = [one for one in opinion.ids if self._with_style or not one.startswith("style-")]
        seen = next((one for one in self._seen if _covers(one, opinion)), None)
        if not ids or seen is None or seen.quiet or ids[0] in DECIDED_HERE:
            return
        lines = {seen.parsed.line_of(token) for token in seen.parsed.tokens}
        known = [one for one in self._found if one.file == opinion.file and one.line in lines and one.id in opinion.ids]
        if known or any(seen.file.allows(one, seen.parsed) for one in opinion.ids):
            return
        target = seen.parsed.target
        table = self._world.table(target) if isinstance(target, Name) and "TABLE" in seen.parsed.verb else None
        self._add(seen.file, seen.parsed, Hit(ids[0], table, opinion.message, opinion.line), "squawk")


def _covers(seen: _Seen, opinion: Opinion) -> bool:
    statement = seen.parsed.statement
    return seen.file.file == opinion.file and statement.line <= opinion.line <= statement.line_of(len(statement.text))


def _rewrite(rule: Rule, version: int | None) -> str:
    if rule.rewrite_since and version is not None and version < rule.rewrite_since:
        return f"This server cannot do it without the lock; PostgreSQL {rule.rewrite_since} can: {rule.rewrite}"
    return rule.rewrite


def estimate(rule: Rule, table: Table | None) -> float | None:
    """Seconds for which the lock is held, from the table's size; None when that is not known."""
    if table is None or table.size is None or not rule.work:
        return None
    size = table.size + (table.index_size if rule.work == "rewrite" else 0)
    return round(size / BYTES_PER_S[rule.work], 1)


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each severity."""
    found = list(findings)
    return {severity: sum(one.severity == severity for one in found) for severity in SEVERITIES}
