# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply migrations: one file, one transaction, its ledger row inside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.heartbeat import Heartbeat
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.mutex import Mutex
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, prepare, regain
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session


@dataclass(frozen=True)
class Runner:
    """What applies files: ``work`` runs them, ``guard`` holds the mutex meanwhile."""

    call: Call
    guard: Session
    work: Session
    mutex: Mutex
    heartbeat: Heartbeat
    ledger: Ledger
    limits: Limits
    search_path: str
    run_id: str | None

    def apply(self, pending: Sequence[Migration]) -> list[dict[str, Any]]:
        """Apply files in order; rows ``version, name, seconds``.

        Raises GoliveError ``lock_timeout``, ``statement_timeout``, ``sql_failed`` and the other codes of ``sql_error``,
        or ``mutex_lost``; ``details`` hold ``file``, ``line``, ``sqlstate``, ``applied`` (the files before it) and
        ``changed``.
        """
        applied: list[dict[str, Any]] = []
        for done, migration in enumerate(pending):
            self.call.progress(f"applying {migration.up.file}", done, len(pending))
            start = self.call.now()
            try:
                self._apply(migration, start)
            except GoliveError as error:
                error.details.update({"applied": applied, "changed": bool(applied)})
                raise
            applied.append(
                {
                    "version": migration.version,
                    "name": migration.name,
                    "seconds": round(self.call.now() - start, 3),
                }
            )
        return applied

    def _apply(self, migration: Migration, start: float) -> None:
        settings = migration.up.settings
        limits = Limits(
            lock=settings.get("lock_timeout", self.limits.lock),
            statement=settings.get("statement_timeout", self.limits.statement),
            idle_in_transaction=self.limits.idle_in_transaction,
        )
        prepare(self.work, limits, search_path=self.search_path)
        self.heartbeat.doing(migration.up.file)
        self.work.execute("BEGIN")
        try:
            for statement in migration.up.statements:
                try:
                    self.work.execute(statement.text)
                except SqlError as error:
                    raise _failed(migration, statement.line_of(error.position), error) from error
            self._close(migration, start, limits)
        except GoliveError:
            # Rolls back, and cancels a statement that still runs.
            self.work.close()
            raise

    def _close(self, migration: Migration, start: float, limits: Limits) -> None:
        # The ledger's row is the runner's, whoever the file has become.
        regain(self.work, limits)
        try:
            self.ledger.record(self.work, migration, round((self.call.now() - start) * 1000), self.run_id)
        except SqlError as error:
            raise _row_failed(migration, self.ledger, error) from error
        self.mutex.ensure(self.guard)
        try:
            self.work.execute("COMMIT")
        except SqlError as error:
            if error.code == "connection_lost":
                raise _unknown_end(migration, error) from error
            raise _failed(migration, None, error) from error


def _failed(migration: Migration, line: int | None, error: SqlError) -> GoliveError:
    where = f"{migration.up.file}:{line}" if line else f"{migration.up.file} at its end (COMMIT)"
    state = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    return GoliveError(
        error.code,
        f"Applying {where} failed: {error.message}{state}. Nothing of this file was applied.",
        error.hint,
        {"file": migration.up.file, "line": line, "sqlstate": error.sqlstate},
    )


def _row_failed(migration: Migration, ledger: Ledger, error: SqlError) -> GoliveError:
    return GoliveError(
        error.code,
        f"Writing {migration.up.file} into the ledger {ledger} failed: {error.message}. Nothing of it was applied.",
        error.hint,
        {"file": migration.up.file, "line": None, "sqlstate": error.sqlstate},
    )


def _unknown_end(migration: Migration, error: SqlError) -> GoliveError:
    return GoliveError(
        "commit_unknown",
        f"The connection broke while {migration.up.file} was committed: {error.message}. "
        "The server has either all of it with its row in the ledger, or nothing.",
        "Run again: the ledger tells.",
        {"file": migration.up.file, "line": None, "sqlstate": error.sqlstate},
    )
