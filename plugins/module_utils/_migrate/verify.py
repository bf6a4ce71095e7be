# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verify what was applied: each file's queries, which must not fail and must not say false."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.runner import Runner
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError


def verify(runner: Runner, migrations: Sequence[Migration]) -> None:
    """Run the verify scripts of applied migrations, each in a transaction that only reads, and write down which held.

    A statement fails when the server refuses it, or when the first column of one of its rows is false or NULL.
    Raises GoliveError ``verify_failed`` with ``file``, ``line`` and ``sqlstate``, or the fault of a file.
    """
    for migration in migrations:
        if migration.fault:
            raise migration.fault
        if migration.verify is not None:
            runner.call.progress(f"verifying {migration.up.file}")
            _hold(runner, migration.verify)
        runner.mutex.ensure(runner.guard)
        runner.ledger.verify(runner.guard, migration.order, True if migration.verify else None)
        runner.commits.made = True


def _hold(runner: Runner, script: Script) -> None:
    runner.begin(script)
    runner.work.execute("BEGIN READ ONLY")
    try:
        for statement in script.statements:
            rows: list[dict[str, object]] = []
            try:
                if _reads(statement.outer_words):
                    rows = runner.work.rows(statement.text)
                else:
                    runner.work.execute(statement.text)
            except SqlError as error:
                state = error.sqlstate
                raise _failed(script.file, statement.line_of(error.position), error.message, state) from error
            if any(next(iter(row.values()), True) in (False, None) for row in rows):
                raise _failed(script.file, statement.line, "its answer is false or NULL", None)
    finally:
        if not runner.work.closed:
            runner.work.execute("ROLLBACK")


def _reads(words: Sequence[str]) -> bool:
    return words[:1] in (("SELECT",), ("WITH",), ("VALUES",), ("TABLE",), ())


def _failed(file: str, line: int, reason: str, sqlstate: str | None) -> GoliveError:
    return GoliveError(
        "verify_failed",
        f"Verifying {file}:{line} failed: {reason}.",
        "Look at what the migration has left; correct it in a new file, or the script that verifies it.",
        {"file": file, "line": line, "sqlstate": sqlstate},
    )
