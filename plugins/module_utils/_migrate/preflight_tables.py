# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tables of the database pending files work on, and how much room they need for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import lint
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_catalogue import Catalogue
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import LintFile
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import RULES
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_scene import foreign_targets
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Parsed, parse
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# They lock rows only; those that add rows say nothing here, and may be too long to be read for nothing.
_ROWS_ONLY = ("UPDATE", "DELETE", "MERGE", "SELECT")
_ADDING = ("INSERT", "COPY", "SELECT", "VALUES")
# A name may be that of an index. Nothing here opens a table: it may be locked.
_FOUND = """
SELECT wanted.schema, wanted.name, c.oid::bigint AS oid, n.nspname || '.' || c.relname AS shown
FROM unnest(%s::text[], %s::text[]) wanted (schema, name)
JOIN pg_catalog.pg_namespace wn ON wn.nspname = wanted.schema
JOIN pg_catalog.pg_class named ON named.relnamespace = wn.oid AND named.relname = wanted.name
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = named.oid
JOIN pg_catalog.pg_class c ON c.oid = coalesce(i.indrelid, named.oid)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm')"""
_SIZES = """
SELECT c.oid::bigint AS oid, coalesce(p.size, pg_catalog.pg_table_size(c.oid))::bigint AS size,
    coalesce(p.index_size, pg_catalog.pg_indexes_size(c.oid))::bigint AS index_size
FROM pg_catalog.pg_class c
LEFT JOIN LATERAL (
    SELECT sum(pg_catalog.pg_table_size(relid)) AS size, sum(pg_catalog.pg_indexes_size(relid)) AS index_size
    FROM pg_catalog.pg_partition_tree(c.oid) WHERE isleaf
) p ON c.relkind = 'p'
WHERE c.oid = ANY(%s::oid[])"""


@dataclass(frozen=True)
class Target:
    """A table that is there, and the ``files`` that name it; ``locked`` when one locks more than its rows."""

    oid: int
    name: str
    locked: bool
    files: frozenset[str]


@dataclass(frozen=True)
class Need:
    """A statement at ``where`` (file:line) whose ``work`` is ``build`` or ``rewrite``, and the bytes it needs free."""

    where: str
    table: str
    work: str
    bytes: int


def targets(session: Session, pending: Iterable[Migration]) -> list[Target]:
    """The tables that are there and that pending files do more to than add rows, each once."""
    wanted: dict[Name, bool] = {}
    files: dict[Name, set[str]] = {}
    for one in pending:
        for statement in one.up.statements:
            if statement.outer_words[:1] and statement.outer_words[0] in _ADDING:
                continue
            parsed = parse(statement)
            for name in _names(parsed):
                wanted[name] = wanted.get(name, False) or parsed.verb not in _ROWS_ONLY
                files.setdefault(name, set()).add(one.up.file)
    if not wanted:
        return []
    rows = session.rows(_FOUND, ([one.schema for one in wanted], [one.name for one in wanted]))
    found: dict[int, Target] = {}
    for row in rows:
        name = Name(row["name"], row["schema"])
        before = found.get(row["oid"]) or Target(row["oid"], row["shown"], False, frozenset())
        found[row["oid"]] = replace(before, locked=before.locked or wanted[name], files=before.files | files[name])
    return list(found.values())


def needs(session: Session, pending: Sequence[Migration], found: Sequence[Target]) -> list[Need]:
    """What rewrites and index builds need free: twice the table with its indexes, and twice the table.

    The old table stays until the new one is complete, and both pass through the WAL; an index is at most about as
    large as its table, and its sort takes as much again. Raises SqlError, also when a table is locked.
    """
    rows = session.rows(_SIZES, ([one.oid for one in found],))
    sizes = {row["oid"]: row for row in rows if row["size"]}
    known = {one.name: sizes[one.oid] for one in found if one.oid in sizes}
    files = {file for one in found if one.oid in sizes for file in one.files}
    made = []
    for where, table, work in sorted(set(_work(session, [one for one in pending if one.up.file in files]))):
        size = known.get(table)
        if size:
            made.append(Need(where, table, work, 2 * (size["size"] + (size["index_size"] if work == "rewrite" else 0))))
    return made


def _names(parsed: Parsed) -> Iterator[Name]:
    yield from parsed.names
    yield from foreign_targets(parsed)
    if parsed.target is not None:
        yield parsed.target


def _unjudged(script: Script) -> LintFile:
    alone = script.directives.kind in ("autocommit", "separate")
    return LintFile(script.file, script.text, tuple(map(parse, script.statements)), script.kind, alone)


def _work(session: Session, pending: Sequence[Migration]) -> Iterator[tuple[str, str, str]]:
    """Place, table and ``build`` or ``rewrite`` of statements, whatever a comment allows."""
    catalogue = Catalogue(session, ask_rows=False)
    files = [_unjudged(one.up) for one in pending]
    for finding in lint(files, source=catalogue, version=catalogue.version):
        if finding.table and RULES[finding.id].work in ("build", "rewrite"):
            table = finding.table if "." in finding.table else f"public.{finding.table}"
            yield f"{finding.file}:{finding.line}", table, RULES[finding.id].work
    for file in files:
        for parsed in file.statements:
            if parsed.verb in ("CREATE INDEX", "REINDEX TABLE") and parsed.target is not None:
                yield f"{file.file}:{parsed.statement.line}", f"{parsed.target.schema}.{parsed.target.name}", "build"
