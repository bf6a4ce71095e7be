# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every part of a run shares: its two sessions, its limits, and where progress is written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from ansible_collections.golive.cutover.plugins.module_utils._core.call import TICK_S, Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.budget import Budget
from ansible_collections.golive.cutover.plugins.module_utils._migrate.heartbeat import Heartbeat
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.mutex import RELEASED, Mutex, lost
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement
from ansible_collections.golive.cutover.plugins.module_utils._migrate.watch import Watch
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, prepare, regain
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# Each look is a query of the guarding session.
_FINEST_S = 0.02


class Progress(Protocol):
    """Where a script's progress is written: each write is part of the transaction that is open, or stands alone."""

    def save(self, done: int, ended: bool) -> None:
        """``done`` statements are behind; ``ended`` when that is all of them."""

    def intend(self, statement: int, text: str) -> None:
        """Statement number ``statement`` begins next outside of a transaction; ``text`` is its fingerprint."""


# What surrounds a statement of a script while it runs.
Around = Callable[[Script, Statement], AbstractContextManager[None]]


def plainly(_script: Script, _statement: Statement) -> AbstractContextManager[None]:
    """Nothing surrounds a statement."""
    return nullcontext()


@dataclass
class Commits:
    """Whether this run has committed anything, or may have: what ``changed`` says of a run that fails."""

    made: bool = False


@dataclass(frozen=True)
class Runner:
    """``work`` runs the statements, ``guard`` holds the mutex meanwhile and looks on.

    ``limits`` hold for files that do not say otherwise; ``old_transaction`` is the age in seconds from which a
    transaction keeps a concurrent index build from beginning. Batches pause while a replica is more than
    ``replica_lag`` seconds behind, or the server writes more WAL than ``wal_rate`` bytes a second. Each statement runs
    inside of ``around``.
    """

    call: Call
    guard: Session
    work: Session
    mutex: Mutex
    heartbeat: Heartbeat
    watch: Watch
    ledger: Ledger
    limits: Limits
    budget: Budget
    search_path: str
    run_id: str | None
    restore_point: str | None = None
    old_transaction: float = 60.0
    replica_lag: float = 10.0
    wal_rate: int | None = None
    commits: Commits = field(default_factory=Commits)
    around: Around = plainly

    def limits_of(self, script: Script) -> Limits:
        """The limits of a script's statements."""
        settings = script.directives.settings
        return Limits(
            lock=settings.get("lock_timeout", self.limits.lock),
            statement=settings.get("statement_timeout", self.limits.statement),
            idle_in_transaction=self.limits.idle_in_transaction,
        )

    def begin(self, script: Script) -> None:
        """Put the working session into its known state for a script."""
        prepare(self.work, self.limits_of(script), search_path=self.search_path)
        self.heartbeat.doing(script.file)

    def watch_try(self, what: str, rung: float) -> None:
        """Look on while the next statement runs, often enough to see who is in the way before ``rung`` seconds end."""
        self.work.tick_s = min(TICK_S, max(_FINEST_S, rung / 4)) if rung else TICK_S
        self.watch.begin(what, look_s=rung / 2)

    def commit(self, script: Script, limits: Limits, progress: Progress, done: int, ended: bool) -> None:
        """Write the progress into the open transaction and end it, as oneself and under the mutex.

        Raises GoliveError ``mutex_lost``, ``commit_unknown``, or why the server refused.
        """
        # The ledger's row is the runner's, whoever the file has become.
        with self.work.joined():
            regain(self.work, limits)
            progress.save(done, ended)
        try:
            held = self.mutex.is_held(self.work)
        except SqlError as error:
            raise _row_failed(script, self.ledger, error) from error
        if not held:
            raise lost(RELEASED)
        try:
            self.work.execute("COMMIT")
        except SqlError as error:
            if error.code == "connection_lost":
                self.commits.made = True
                raise _unknown_end(script, error) from error
            raise failed(script, None, None, error, "Nothing of this transaction was applied.") from error
        self.commits.made = True

    def leave(self, error: GoliveError) -> None:
        """End the transaction that ``error`` has broken; without an answer of the server end the session as well."""
        if not self.work.closed and error.details.get("sqlstate"):
            try:
                self.work.execute("ROLLBACK")
                return
            except SqlError:
                pass
        # Rolls back, and cancels a statement that still runs.
        self.work.close()


def failed(
    script: Script, statement: Statement | None, position: int | None, error: SqlError, kept: str
) -> GoliveError:
    """The error of a statement of a script, at a character of it if that is known; ``kept`` says what is left of it."""
    where, line, column = f"{script.file} at its end (COMMIT)", None, None
    if statement is not None:
        line = statement.line_of(position)
        where = f"{script.file}:{line}"
    if statement is not None and position:
        column = statement.column_of(position)
        where += f":{column}"
    state = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    return GoliveError(
        error.code,
        f"Applying {where} failed: {error.message}{state}. {kept}",
        error.hint,
        {"file": script.file, "line": line, "column": column, "sqlstate": error.sqlstate},
    )


def _row_failed(script: Script, ledger: Ledger, error: SqlError) -> GoliveError:
    return GoliveError(
        error.code,
        f"Writing {script.file} into the ledger {ledger} failed: {error.message}. Nothing of it was applied.",
        error.hint,
        {"file": script.file, "line": None, "sqlstate": error.sqlstate},
    )


def _unknown_end(script: Script, error: SqlError) -> GoliveError:
    return GoliveError(
        "commit_unknown",
        f"The connection broke while {script.file} was committed: {error.message}. "
        "The server has either all of it with its row in the ledger, or nothing.",
        "Run again: the ledger tells.",
        {"file": script.file, "line": None, "sqlstate": error.sqlstate},
    )
