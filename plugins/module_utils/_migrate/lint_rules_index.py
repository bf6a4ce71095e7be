# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on indexes and on whole-table rewrites."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_scene import Hit, Scene
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name

MOST_COLUMNS = 3
MOST_INDEXES = 15
_HASH_LOGGED_SINCE = 10


def create_index(scene: Scene) -> Iterator[Hit]:
    """create-index-blocking, index-on-partitioned-parent, invalid-index-kept, index-budget."""
    parsed, table = scene.parsed, scene.table
    if parsed.verb != "CREATE INDEX" or table is None or parsed.index is None:
        return
    index = parsed.index
    there = table.indexes.get(index.name)
    if there is not None and not there.valid and parsed.has("IF NOT EXISTS"):
        yield Hit("invalid-index-kept", table, index.name)
        return
    if there is not None and parsed.has("IF NOT EXISTS"):
        return
    # ON ONLY is of use for partitioned tables alone, and builds nothing there.
    if parsed.has("ONLY") and (table.partitioned or not table.known):
        pass
    elif table.partitioned and (parsed.has("CONCURRENTLY") or not table.quiet):
        yield Hit("index-on-partitioned-parent", table)
    elif not parsed.has("CONCURRENTLY") and not table.quiet:
        yield Hit("create-index-blocking", table, index.name)
    yield from _budget(scene)


def _budget(scene: Scene) -> Iterator[Hit]:
    table, index = scene.table, scene.parsed.index
    if table is None or index is None:
        return
    if len(index.columns) > MOST_COLUMNS:
        yield Hit("index-budget", table, f"{len(index.columns)} columns; {MOST_COLUMNS} are the most")
    keys = sum(
        one.kind in ("primary", "unique") and name not in table.indexes for name, one in table.constraints.items()
    )
    count = len(table.indexes) + keys + 1
    if count > MOST_INDEXES:
        yield Hit("index-budget", table, f"it would have {count} indexes; {MOST_INDEXES} are the most")
    if index.method == "hash" and scene.version is not None and scene.version < _HASH_LOGGED_SINCE:
        yield Hit("index-budget", table, "a hash index of this server does not survive a crash")


def drop_index(scene: Scene) -> Iterator[Hit]:
    """drop-index-blocking."""
    parsed = scene.parsed
    if parsed.verb != "DROP INDEX" or parsed.has("CONCURRENTLY"):
        return
    for name in parsed.names:
        table = scene.world.table_of_index(name)
        absent = table is None and scene.world.live and parsed.has("IF EXISTS")
        if not absent and not (table is not None and table.quiet):
            yield Hit("drop-index-blocking", table, str(name))


def reindex(scene: Scene) -> Iterator[Hit]:
    """reindex-blocking."""
    parsed = scene.parsed
    if not parsed.verb.startswith("REINDEX") or parsed.has("CONCURRENTLY"):
        return
    table = scene.table
    if parsed.verb == "REINDEX INDEX" and parsed.names:
        table = scene.world.table_of_index(parsed.names[0])
    if table is None or not table.quiet:
        yield Hit("reindex-blocking", table)


def whole_table(scene: Scene) -> Iterator[Hit]:
    """vacuum-full-or-cluster, storage-rewrite, refresh-matview-blocking."""
    parsed, table = scene.parsed, scene.table
    busy = table is None or not table.quiet
    if (parsed.verb == "VACUUM" and parsed.has("FULL")) or parsed.verb == "CLUSTER":
        if busy:
            yield Hit("vacuum-full-or-cluster", table)
    elif parsed.verb == "REFRESH" and not parsed.has("CONCURRENTLY") and busy:
        yield Hit("refresh-matview-blocking", table)
    elif parsed.verb in ("ALTER TABLE", "ALTER INDEX", "ALTER MATERIALIZED VIEW"):
        owner = scene.world.table_of_index(parsed.target or Name("")) if parsed.verb == "ALTER INDEX" else table
        moves = parsed.has("ALL IN TABLESPACE") or any(one.kind == "storage" for one in parsed.actions)
        if moves and (owner is None or not owner.quiet):
            yield Hit("storage-rewrite", owner)


RULES_OF_INDEXES = (create_index, drop_index, reindex, whole_table)
