# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on rows, on objects that go or change their name, and on partitions, views and code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_scene import Hit, Scene
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Parsed
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import tokens
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Table
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import SqlTextError

# 8 KiB each: 80 MB are some seconds of work for a statement that touches each row.
MANY_BYTES = 10_000 * 8192
_DDL = {"ALTER", "CREATE", "DROP", "TRUNCATE", "EXECUTE", "LOCK", "REINDEX", "CLUSTER", "VACUUM", "REFRESH"}
_DML = {"UPDATE", "DELETE", "INSERT", "MERGE", "COPY"}
_PRINCIPALS = ("ALTER ROLE", "ALTER USER", "ALTER GROUP")
_NEVER_GONE = ("DROP INDEX", "DROP TRIGGER", "DROP RULE", "DROP OWNED", "DROP ROLE", "DROP USER")


def rows(scene: Scene) -> Iterator[Hit]:
    """unbounded-dml, truncate, lock-table."""
    parsed, table = scene.parsed, scene.table
    if parsed.verb in ("UPDATE", "DELETE") and scene.file.kind != "batch" and not (table and table.quiet):
        if not parsed.has("WHERE"):
            yield Hit("unbounded-dml", table, f"{parsed.verb} without WHERE")
        elif table is not None and (table.size or 0) > MANY_BYTES and not _is_pointed(parsed, table):
            yield Hit("unbounded-dml", table, f"{parsed.verb} of a table of {table.size} bytes")
    elif parsed.verb in ("TRUNCATE", "LOCK TABLE"):
        # CASCADE reaches tables that are not named here.
        reaches = parsed.has("CASCADE")
        busy = [one for one in map(scene.world.table, parsed.names) if not one.quiet or (reaches and one.referenced_by)]
        weak = parsed.verb == "LOCK TABLE" and bool(parsed.flags & {"SHARE", "ROW"})
        if busy and not weak:
            rule = "truncate" if parsed.verb == "TRUNCATE" else "lock-table"
            yield Hit(rule, busy[0], ", ".join(str(one.name) for one in busy))


def _is_pointed(parsed: Parsed, table: Table) -> bool:
    """Whether the condition asks for values of a column that identifies few rows."""
    condition = parsed.actions[0].text if parsed.actions else ""
    keys = [index.columns for index in table.indexes.values() if index.unique]
    keys += [one.columns for one in table.constraints.values() if one.kind in ("primary", "unique")]
    names = {columns[0] for columns in keys if len(columns) == 1}
    found = re.match(r'\(?\s*(?:\w+\.)?"?(?P<name>\w+)"?\s*(?:=|in\s*\(\s*(?!select\b))', condition, re.IGNORECASE)
    return found is not None and found["name"].lower() in names and not re.search(r"\bor\b", condition, re.IGNORECASE)


def objects(scene: Scene) -> Iterator[Hit]:
    """drop-object, rename-object, create-enum."""
    parsed, world = scene.parsed, scene.world
    if parsed.verb.startswith("DROP ") and parsed.verb not in _NEVER_GONE and "CAST" not in parsed.verb:
        busy = [name for name in parsed.names if not world.made(name) and not _is_absent(scene, parsed, name.name)]
        if parsed.verb in ("DROP TABLE", "DROP MATERIALIZED VIEW"):
            busy = [name for name in busy if not world.table(name).quiet]
        if busy and not (parsed.verb == "DROP POLICY" and scene.table is not None and scene.table.quiet):
            table = world.table(busy[0]) if parsed.verb == "DROP TABLE" else None
            yield Hit("drop-object", table, f"{parsed.verb[5:].lower()} {', '.join(map(str, busy))}")
    elif parsed.verb.startswith("ALTER ") and parsed.verb != "ALTER INDEX":
        made = parsed.target is not None and (world.made(parsed.target) or world.table(parsed.target).new)
        for action in parsed.actions:
            if (action.kind.startswith("rename") or action.kind == "set schema") and not made:
                table = scene.table if parsed.verb == "ALTER TABLE" else None
                yield Hit("rename-object", table, f"{action.kind} {action.name}")
    elif parsed.verb == "CREATE TYPE" and parsed.has("ENUM"):
        yield Hit("create-enum", None, str(parsed.target))


def _is_absent(scene: Scene, parsed: Parsed, name: str) -> bool:
    """Whether the database has no such table, so that IF EXISTS drops nothing."""
    if not (scene.world.live and parsed.has("IF EXISTS") and parsed.verb == "DROP TABLE"):
        return False
    return all(not scene.world.table(one).known for one in parsed.names if one.name == name)


def triggers(scene: Scene) -> Iterator[Hit]:
    """trigger-rule-policy-ddl."""
    parsed, table = scene.parsed, scene.table
    if table is None or table.quiet:
        return
    kinds = ("trigger", "rule", "row security", "replica identity", "inherit")
    if parsed.verb.split(" ", 1)[-1] in ("TRIGGER", "RULE", "POLICY") or any(scene.actions(*kinds)):
        yield Hit("trigger-rule-policy-ddl", table)


def partitions(scene: Scene) -> Iterator[Hit]:
    """attach-partition-scan, create-partition-of, detach-partition-blocking."""
    parsed, table = scene.parsed, scene.table
    if parsed.verb == "CREATE TABLE" and parsed.has("PARTITION OF") and parsed.names:
        parent = scene.world.table(parsed.names[0])
        if not parent.quiet:
            yield Hit("create-partition-of", parent, str(parsed.target))
    for action in scene.actions("attach"):
        child = scene.world.table(action.other) if action.other is not None else None
        if child is not None and not child.quiet and not _has_bounds(child):
            yield Hit("attach-partition-scan", child)
        if table is not None and table.default_partition_size:
            yield Hit("attach-partition-scan", table, "the default partition has rows")
    for action in scene.actions("detach"):
        if not action.text and table is not None and not table.quiet:
            yield Hit("detach-partition-blocking", table, str(action.other))


def _has_bounds(child: Table) -> bool:
    return any(
        one.kind == "check" and one.valid and not one.text.lower().endswith("is not null")
        for one in child.constraints.values()
    )


def views(scene: Scene) -> Iterator[Hit]:
    """replace-view-in-use."""
    parsed = scene.parsed
    if parsed.verb == "CREATE VIEW" and parsed.has("OR REPLACE") and parsed.target is not None:
        view = scene.world.table(parsed.target)
        if not view.new and (view.known or not scene.world.live):
            yield Hit("replace-view-in-use", view)
    if parsed.verb in ("DROP TABLE", "DROP VIEW", "DROP MATERIALIZED VIEW") and not parsed.has("CASCADE"):
        gone = set(map(str, parsed.names))
        for table in map(scene.world.table, parsed.names):
            users = sorted(set(table.dependent_views) - gone)
            if users:
                yield Hit("replace-view-in-use", table, f"used by {', '.join(users)}")
    used = scene.table.dependent_views if scene.table is not None else {}
    for action in scene.actions("drop column", "retype"):
        users = sorted(view for view, names in used.items() if action.name in names)
        if users and action.text != "CASCADE":
            yield Hit("replace-view-in-use", scene.table, f"{action.name} is used by {', '.join(users)}")


def code(scene: Scene) -> Iterator[Hit]:
    """opaque-code."""
    parsed = scene.parsed
    if parsed.verb not in ("DO", "CREATE FUNCTION", "CREATE PROCEDURE", "EXECUTE", "CALL"):
        return
    if parsed.verb in ("EXECUTE", "CALL"):
        yield Hit("opaque-code", None, f"{parsed.verb} runs code that is not in this file")
        return
    inside = {word for body in parsed.tokens if body.kind == "string" for word in _words(body.text)}
    found = sorted(inside & (_DDL | _DML if parsed.verb == "DO" else _DDL))
    if found:
        yield Hit("opaque-code", None, f"{', '.join(found)} inside of {parsed.verb}")


def _words(text: str) -> set[str]:
    try:
        return {one.text for one in tokens(text) if one.kind == "word"}
    except SqlTextError:
        # Code of another language, or SQL that only its own interpreter understands.
        return set(re.findall(r"[A-Z_]+", text.upper()))


def privileges(scene: Scene) -> Iterator[Hit]:
    """privilege-change, unknown-reach-alter."""
    parsed = scene.parsed
    words = [one.text for one in parsed.tokens if one.kind == "word"]
    if parsed.verb == "GRANT":
        after = words[words.index("TO") + 1 :] if "TO" in words else []
        if "PUBLIC" in after or ("WITH" in after and "ADMIN" in after):
            yield Hit("privilege-change", None, "to PUBLIC" if "PUBLIC" in after else "with the right to pass it on")
    elif parsed.verb in _PRINCIPALS or (
        parsed.verb in ("CREATE ROLE", "CREATE USER") and parsed.flags & {"PASSWORD", "SUPERUSER"}
    ):
        yield Hit("privilege-change", None, str(parsed.target))
    elif parsed.verb in ("ALTER EXTENSION", "ALTER SYSTEM", "ALTER DATABASE"):
        yield Hit("unknown-reach-alter", None, parsed.verb.lower())


RULES_OF_OBJECTS = (rows, objects, triggers, partitions, views, code, privileges)
