# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a script step by step, so that a crash at any statement can be understood and gone on from."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._migrate.budget import tried
from ansible_collections.golive.cutover.plugins.module_utils._migrate.resolve import resolve
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import sets_session, validates
from ansible_collections.golive.cutover.plugins.module_utils._migrate.runner import Progress, Runner, failed
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script, fingerprint
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement
from ansible_collections.golive.cutover.plugins.module_utils._migrate.steps import Step, steps_of
from ansible_collections.golive.cutover.plugins.module_utils._migrate.watch import Watch
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import begin, set_timeouts
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError

_NOTHING = "Nothing of this file was applied."
_LOOK_S = 0.5


def run_script(runner: Runner, script: Script, progress: Progress, done: int = 0, begun: bool = False) -> None:
    """Run the statements of a script behind the first ``done``; ``begun`` when the next one was begun before.

    Raises GoliveError ``lock_timeout``, ``statement_timeout``, ``sql_failed`` and the other codes of ``sql_error``,
    ``old_transactions``, ``index_differs``, ``mutex_lost`` or ``commit_unknown``; ``details`` hold ``file``, ``line``
    and ``sqlstate``.
    """
    runner.begin(script)
    for statement in script.statements[:done]:
        if sets_session(statement):
            runner.work.execute(statement.text)
    steps = steps_of(script)
    for step in steps:
        if step.end <= done:
            continue
        ended = step is steps[-1]
        if not step.alone:
            _together(runner, script, step, progress, ended)
            continue
        if not done and not step.first and not begun:
            progress.save(0, ended=False)
            runner.commits.made = True
        _alone(runner, script, step, progress, ended, begun and step.first == done)


def _together(runner: Runner, script: Script, step: Step, progress: Progress, ended: bool) -> None:
    """One transaction, with its row of the ledger inside; tried again while others hold its locks."""
    limits = runner.limits_of(script)
    kept = _kept(step)

    def attempt(rung: float) -> None:
        begin(runner.work, lock=rung)
        try:
            for number, statement in enumerate(step.statements, step.first):
                if number in script.side_tables:
                    _keep_rows(runner, script, number, rung, kept)
                _watched(runner, script, statement, rung, kept)
            runner.commit(script, limits, progress, step.end, ended)
        except GoliveError as error:
            runner.leave(error)
            raise

    tried(runner.call, runner.budget, limits.lock, runner.watch, attempt)


def _watched(runner: Runner, script: Script, statement: Statement, rung: float, kept: str) -> None:
    # Others read and write while it scans, so that it may wait, and its limit would only lose the scan.
    patient = validates(statement)
    if patient:
        set_timeouts(runner.work, lock=0, local=True)
    runner.watch_try(script.file, rung)
    try:
        with runner.around(script, statement):
            runner.work.execute(statement.text)
    except SqlError as error:
        raise failed(script, statement, error.position, error, kept) from error
    finally:
        runner.watch.end()
    if patient:
        set_timeouts(runner.work, lock=rung, local=True)


def _keep_rows(runner: Runner, script: Script, number: int, rung: float, kept: str) -> None:
    runner.watch_try(script.file, rung)
    try:
        with runner.around(script, script.statements[number]):
            for sql in script.side_tables[number].sql(runner.ledger.schema):
                runner.work.execute(sql)
    except SqlError as error:
        raise failed(script, script.statements[number], None, error, kept) from error
    finally:
        runner.watch.end()


def _alone(runner: Runner, script: Script, step: Step, progress: Progress, ended: bool, begun: bool) -> None:
    """One statement outside of transactions: written down before, and understood from the catalogue after a crash."""
    statement = step.statements[0]
    limits = runner.limits_of(script)
    concurrent = any(word.text == "CONCURRENTLY" for word in statement.words)
    kept = _kept(step)
    before = {"begun": begun}

    def attempt(rung: float) -> None:
        found = resolve(runner.work, statement, step.marks, before["begun"])
        for sql in found.clean:
            _execute(runner, script, sql, statement, None, kept)
        if found.done:
            return
        progress.intend(step.first, fingerprint(step.statements))
        before["begun"] = False
        if concurrent:
            _await_old_transactions(runner, script, statement)
        declared = script.directives.settings.get("statement_timeout", 0.0)
        set_timeouts(
            runner.work, lock=0 if concurrent else rung, statement=declared if concurrent else limits.statement
        )
        try:
            _execute(runner, script, statement.text, statement, runner.budget.wait if concurrent else None, kept)
        except GoliveError as error:
            if error.details.get("sqlstate"):
                set_timeouts(runner.work, lock=limits.lock, statement=limits.statement)
                _clean(runner, script, step, progress, error)
            raise
        set_timeouts(runner.work, lock=limits.lock, statement=limits.statement)

    tried(runner.call, runner.budget, limits.lock, runner.watch, attempt)
    runner.mutex.ensure(runner.guard)
    progress.save(step.end, ended)


def _clean(runner: Runner, script: Script, step: Step, progress: Progress, error: GoliveError) -> None:
    """Remove what a refused statement has left: an INVALID index costs every write, and no query uses it."""
    statement = step.statements[0]
    try:
        for sql in resolve(runner.work, statement, step.marks, begun=False).clean:
            _execute(runner, script, sql, statement, None, "")
        # Refused is not begun: whoever corrects the statement may go on with another one.
        progress.save(step.first, ended=False)
    except GoliveError as second:
        error.message += f" What it has left stays for now ({second.message}); the next run removes it."


def _execute(
    runner: Runner, script: Script, sql: str, statement: Statement, build_wait: float | None, kept: str
) -> None:
    runner.watch.begin(script.file, build_wait=build_wait)
    # Also one that is refused may leave something.
    runner.commits.made = True
    cancelled = ""
    try:
        with runner.around(script, statement):
            runner.work.execute(sql)
    except SqlError as error:
        cancelled = runner.watch.end()
        if cancelled:
            error = SqlError(
                "lock_timeout", f"{error.message}: {cancelled}", error.hint, error.sqlstate, error.position
            )
        position = error.position if sql == statement.text else None
        refused = failed(script, statement, position, error, kept)
        refused.details["blockers"] = runner.watch.blockers
        raise refused from error
    finally:
        runner.watch.end()


def _await_old_transactions(runner: Runner, script: Script, statement: Statement) -> None:
    """A concurrent build waits for every transaction that was there before it, without any limit of its own."""

    def look() -> Done[None] | Pending:
        old = runner.watch.old_transactions(runner.old_transaction)
        runner.watch.blockers = old
        return Pending(_named(runner.watch)) if old else Done(None)

    try:
        wait_for(
            runner.call,
            look,
            what=f"transactions older than {runner.old_transaction:g} s before {script.file}:{statement.line}",
            timeout=runner.budget.wait,
            interval=_LOOK_S,
        )
    except GoliveError as error:
        raise GoliveError(
            "old_transactions",
            error.message,
            "End these transactions, or run again when they are done.",
            {"file": script.file, "line": statement.line, "sqlstate": None, "blockers": runner.watch.blockers},
        ) from error


def _named(watch: Watch) -> str:
    return ", ".join(
        f"pid {one['pid']} ({one['user']}, application {one['application_name'] or '-'}, {one['age_s']:.0f} s)"
        for one in watch.blockers
    )


def _kept(step: Step) -> str:
    if not step.first:
        return _NOTHING
    return f"The {step.first} statements before it are applied; the next run goes on behind them."
