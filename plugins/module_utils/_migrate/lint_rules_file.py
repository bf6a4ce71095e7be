# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on a file as a whole: what its transaction holds while it goes on, its timeouts, and its way back."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import LintFile
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_scene import (
    EXCLUSIVE,
    ROW_EXCLUSIVE,
    Hit,
    Passed,
    Scene,
    foreign_targets,
    locks,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Parsed
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import needs_autocommit, refusal

_ENUM_IN_TRANSACTION_SINCE = 12
_LONGEST_NAME = 63
_READS_ROWS = {
    "UPDATE",
    "DELETE",
    "INSERT",
    "MERGE",
    "SELECT",
    "COPY",
    "CREATE INDEX",
    "REFRESH",
    "DO",
    "CALL",
    "REINDEX TABLE",
    "REINDEX INDEX",
    "CREATE MATERIALIZED VIEW",
}
# They cannot be parts of one ALTER TABLE with others, or their order among the others would change.
_ALONE = {
    "rename",
    "rename column",
    "rename constraint",
    "set schema",
    "attach",
    "detach",
    "validate",
    "drop constraint",
}
_TIMEOUTS = {
    "LOCK_TIMEOUT": "no-lock-timeout",
    "STATEMENT_TIMEOUT": "no-statement-timeout",
    "IDLE_IN_TRANSACTION_SESSION_TIMEOUT": "no-statement-timeout",
}


def transaction(scene: Scene) -> Iterator[Hit]:
    """transaction-control-in-file, concurrent-in-transaction, needs-autocommit, concurrent-under-lock-timeout."""
    parsed = scene.parsed
    refused = refusal(parsed.statement)
    if refused is not None and refused.code == "transaction_control":
        yield Hit("transaction-control-in-file", None, refused.reason)
    concurrent = parsed.has("CONCURRENTLY") and parsed.verb in ("CREATE INDEX", "REINDEX TABLE", "REINDEX INDEX")
    if scene.transactional and needs_autocommit(parsed.statement):
        rule = "concurrent-in-transaction" if parsed.verb == "CREATE INDEX" else "needs-autocommit"
        yield Hit(rule, scene.table)
    elif concurrent and scene.passed.lock_timeout:
        yield Hit("concurrent-under-lock-timeout", scene.table, f"lock_timeout is set to {scene.passed.lock_timeout:g}")
    elif concurrent:
        yield from (Hit("concurrent-under-lock-timeout", scene.table, one) for one in scene.world.old_transactions())


def timeouts(scene: Scene) -> Iterator[Hit]:
    """no-lock-timeout, no-statement-timeout. Beside CONCURRENTLY no timeout is what that needs."""
    name, value = _setting(scene.parsed)
    if name not in ("ALL", *_TIMEOUTS) or scene.file.kind == "autocommit":
        return
    if name == "ALL" or value in ("0", "DEFAULT", ""):
        yield Hit(_TIMEOUTS.get(name, "no-lock-timeout"), None, f"{scene.parsed.verb} {name.lower()}")


def _setting(parsed: Parsed) -> tuple[str, str]:
    """Name in capitals and value of SET or RESET; nothing for other statements."""
    if parsed.verb not in ("SET", "RESET"):
        return "", ""
    words = [one.text.upper() for one in parsed.tokens[1:] if not one.is_sign("=") and not one.is_word("TO")]
    if words and words[0] in ("SESSION", "LOCAL"):
        del words[0]
    value = words[1] if len(words) > 1 else ""
    return (words[0] if words else ""), ("0" if value in ("0", "0S", "0MS", "0MIN") else value)


def enums(scene: Scene) -> Iterator[Hit]:
    """enum-value-used-early."""
    parsed = scene.parsed
    if not scene.transactional:
        return
    adds = [one for one in parsed.actions if one.kind == "add value"]
    if adds and scene.version is not None and scene.version < _ENUM_IN_TRANSACTION_SINCE:
        yield Hit("enum-value-used-early", None, "this server refuses ADD VALUE inside any transaction")
    for token in parsed.tokens:
        if not adds and token.kind == "string" and token.text in scene.passed.enum_values:
            yield Hit("enum-value-used-early", None, token.text, parsed.line_of(token))
            return


def after_lock(scene: Scene) -> Iterator[Hit]:
    """statement-after-exclusive-lock, repeated-alter-table, several-hot-tables."""
    parsed, passed = scene.parsed, scene.passed
    table = scene.table
    if table is not None and not table.quiet and _is_mergeable(parsed) and table.name in passed.altered:
        yield Hit("repeated-alter-table", table)
    if not scene.transactional:
        return
    held = [scene.world.table(name) for name in passed.locked]
    validates = any(one.kind == "validate" for one in scene.actions("validate"))
    builds_nothing = parsed.verb == "CREATE INDEX" and table is not None and table.quiet
    reads = (parsed.verb in _READS_ROWS and not builds_nothing) or parsed.has("AS")
    if held and (reads or (validates and not _own(scene))):
        yield Hit("statement-after-exclusive-lock", held[0], f"{parsed.verb} while {held[0].name} is locked")
    now = {parsed.target or one for one, level in locks(parsed, scene.world).items() if level != "weaker"}
    fresh = [name for name in now if name not in passed.targets]
    # A table that nobody has called since the statistics began is not hot.
    hot = [one for one in map(scene.world.table, (*passed.targets, *fresh)) if one.calls != 0 and not one.quiet]
    if fresh and passed.targets and len(hot) > 1:
        yield Hit("several-hot-tables", scene.world.table(fresh[0]), ", ".join(str(one.name) for one in hot))


def _own(scene: Scene) -> bool:
    """Whether the constraint was added in this file, which is a rule of its own."""
    table = scene.table
    return table is not None and any(
        (table.name, one.name) in scene.passed.unvalidated for one in scene.actions("validate")
    )


def _is_mergeable(parsed: Parsed) -> bool:
    return parsed.verb == "ALTER TABLE" and not any(one.kind in _ALONE for one in parsed.actions)


def names(scene: Scene) -> Iterator[Hit]:
    """identifier-too-long."""
    for token in scene.parsed.tokens:
        if token.kind in ("word", "name") and len(token.identifier.encode()) > _LONGEST_NAME:
            yield Hit("identifier-too-long", None, token.identifier, scene.parsed.line_of(token))


RULES_OF_FILES = (transaction, timeouts, enums, after_lock, names)


def remember(scene: Scene) -> None:
    """Note what the statement leaves behind for those after it; before ``World.apply``."""
    parsed, passed, world = scene.parsed, scene.passed, scene.world
    if parsed.verb in ("BEGIN", "START"):
        passed.transaction_open = True
    elif parsed.verb in ("COMMIT", "END", "ROLLBACK", "ABORT"):
        passed.transaction_open = False
    name, value = _setting(parsed)
    if name == "LOCK_TIMEOUT":
        passed.lock_timeout = 0 if value in ("0", "DEFAULT", "") else int("".join(filter(str.isdigit, value)) or 0)
    for table, level in locks(parsed, world).items():
        if level in (EXCLUSIVE, ROW_EXCLUSIVE):
            passed.locked.setdefault(table, level)
            passed.targets.add(parsed.target or table)
    if parsed.verb == "ALTER TABLE" and parsed.target is not None and _is_mergeable(parsed):
        passed.altered.add(parsed.target)
    if parsed.target is not None:
        for action in parsed.actions:
            if action.constraint is not None and not action.constraint.valid and action.constraint.name:
                passed.unvalidated.add((parsed.target, action.constraint.name))
            # A type that is made in the same transaction may use its values at once.
            if action.kind == "add value" and not world.made(parsed.target):
                passed.enum_values[action.name] = parsed.statement.line
    if parsed.verb in ("UPDATE", "DELETE", "INSERT", "MERGE", "COPY", "DO", "CALL", "EXECUTE"):
        world.note_write(parsed.target)
    named = foreign_targets(parsed)
    if named:
        held = {*named, *({parsed.target} if parsed.target is not None else set())}
        passed.foreign_key_locks.append(frozenset(one for one in held if not world.table(one).quiet))


def passed_before(scene_file: LintFile, parsed: Parsed, last: Passed | None, last_alone: bool) -> Passed:
    """What a statement meets: nothing is held any more where a new step of the file begins."""
    if last is None:
        return Passed(lock_timeout=scene_file.lock_timeout)
    if last.transaction_open or not (last_alone or scene_file.is_alone(parsed)):
        return last
    return Passed(altered=last.altered, lock_timeout=last.lock_timeout)


def way_back(file: LintFile) -> Iterator[Hit]:
    """down-missing-or-destructive. What the file itself made may go again."""
    if not file.expects_down:
        return
    if file.down is None:
        yield Hit("down-missing-or-destructive", None, "there is no down script", 1)
        return
    if not file.down.statements:
        yield Hit("down-missing-or-destructive", None, f"{file.down.file} is empty", 1)
    made = {one.target for one in file.statements if one.verb.startswith("CREATE ")}
    columns = {
        (one.target, action.column.name)
        for one in file.statements
        for action in one.actions
        if action.kind == "add column" and action.column is not None
    }
    for one in file.down.statements:
        lost = [str(name) for name in one.names if one.verb in ("DROP TABLE", "DROP SCHEMA") and name not in made]
        lost += [
            f"{one.target}.{action.name}"
            for action in one.actions
            if action.kind == "drop column" and (one.target, action.name) not in columns and one.target not in made
        ]
        if one.verb == "TRUNCATE" or (one.verb == "DELETE" and not one.has("WHERE")):
            lost.append(f"all rows of {one.target or ', '.join(map(str, one.names))}")
        if lost:
            text = f"{file.down.file}:{one.statement.line} destroys {', '.join(lost)}, which this file did not make"
            yield Hit("down-missing-or-destructive", None, text, 1)
