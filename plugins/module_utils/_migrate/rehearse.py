# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pending migrations on a schema-only clone: what they lock and change, and whether they can be taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.apply import apply
from ansible_collections.golive.cutover.plugins.module_utils._migrate.back import run_down
from ansible_collections.golive.cutover.plugins.module_utils._migrate.catalogue import Snapshot, snapshot
from ansible_collections.golive.cutover.plugins.module_utils._migrate.changes import refuse_early
from ansible_collections.golive.cutover.plugins.module_utils._migrate.clone import Clone, cloned
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.forecast import Forecast
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import read_layout
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_catalogue import Catalogue
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate import (
    Wish,
    catalogue_diff,
    migrate,
    running,
    to_record,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied, Plan, check_plan, make_plan
from ansible_collections.golive.cutover.plugins.module_utils._migrate.recording import Recording
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import beyond_database, needs_autocommit
from ansible_collections.golive.cutover.plugins.module_utils._migrate.runner import Runner
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import APPLICATION_NAME, Settings, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# As many lines of a difference as a person reads in a message; all are in the details.
_SHOWN = 20
# They may end the transaction they are in.
_CONTROL = ("CALL", "DO")


@dataclass
class Rehearsal:
    """What a rehearsal has found: the catalogue before and after, and rows of its result."""

    before: Snapshot
    after: Snapshot
    proved: list[dict[str, Any]] = field(default_factory=list)
    unproved: list[dict[str, Any]] = field(default_factory=list)
    forecast: list[dict[str, Any]] = field(default_factory=list)
    unmeasured: list[dict[str, Any]] = field(default_factory=list)


def nothing_rehearsed(call: Call) -> dict[str, Any]:
    """The result of the verb when nothing is pending."""
    result: dict[str, Any] = {
        "changed": False,
        "pending": [],
        "proved": [],
        "unproved": [],
        "forecast": [],
        "unmeasured": [],
        "clone": None,
    }
    return {**result, "diff": []} if call.diff_mode else result


def rehearse(
    call: Call, where: Settings, wish: Wish, max_block: float = 0.0, programs: str | None = None
) -> dict[str, Any]:
    """The result of the verb ``db_migrate_rehearse``: apply what is pending on a clone, file by file, up, down and up.

    Source of the proof: rule (e) of the specification, up, down and up end in the same catalogue. Raises GoliveError
    ``not_rehearsable`` for a statement that changes more than its database, ``not_reversible`` for a down script that
    does not bring the catalogue back, ``not_repeatable`` when a file does something else after it was taken back,
    ``blocks_too_long`` when a statement would make others wait more than ``max_block`` seconds (0 is no limit), and
    why a file cannot be applied; ``details`` hold ``file``. And as ``cloned``.
    """
    with _pending(call, where, wish) as (live, recording, plan):
        for text in check_plan(plan, wish.out_of_order):
            call.warn(text)
        refuse_early(plan)
        result = nothing_rehearsed(call)
        if not plan.pending:
            return result
        with cloned(call, where, wish.run_id, programs) as clone:
            _tell(call, clone)
            found = _rehearsed(call, live, clone, wish, plan, recording, prove=True)
    result.update(
        pending=[one.version for one in plan.pending],
        proved=found.proved,
        unproved=found.unproved,
        forecast=found.forecast,
        unmeasured=found.unmeasured,
        clone=clone.where.database,
    )
    if max_block:
        _refuse_long(result, max_block)
    if call.diff_mode:
        result["diff"] = catalogue_diff(where, found.before, found.after)
    return result


def migrate_shown(call: Call, where: Settings, wish: Wish) -> dict[str, Any]:
    """The result of ``migrate``; in check mode its ``diff`` shows what the catalogue of a clone becomes, too.

    Without a clone, or when a file cannot be applied there, a warning says why.
    """
    result = migrate(call, where, wish)
    if call.check_mode and call.diff_mode and result["changed"] and wish.revert_to is None and wish.baseline is None:
        try:
            with _pending(call, where, wish) as (live, recording, plan), cloned(call, where, wish.run_id) as clone:
                found = _rehearsed(call, live, clone, wish, plan, recording, prove=False)
                result["diff"] += catalogue_diff(where, found.before, found.after)
        except GoliveError as error:
            call.warn(f"The diff shows no catalogue: {error.message}")
    return result


@contextmanager
def _pending(call: Call, where: Settings, wish: Wish) -> Iterator[tuple[Session, Recording, Plan]]:
    """A session that only reads the real database, and what a run would do there."""
    files = read_layout(wish.path, wish.layout, call.alive)
    with connect(call, where, read_only=True) as live:
        rows = wish.ledger.read(live)
        recording = to_record(live, wish, files, rows)
        plan = make_plan(files, [*rows, *recording.rows], wish.target, wish.phase)
        _refuse_beyond(plan.pending)
        yield live, recording, plan


def _refuse_beyond(pending: Sequence[Migration]) -> None:
    for migration in pending:
        for script in filter(None, (migration.up, migration.down)):
            for statement in script.statements:
                command = beyond_database(statement)
                if command:
                    raise GoliveError(
                        "not_rehearsable",
                        f"Rehearsing {script.file}:{statement.line} was refused: {command} changes more than its"
                        " database, and a clone would not keep that away.",
                        "Do it outside of the migrations, or run this one without rehearsal.",
                        {"file": script.file, "line": statement.line},
                    )


def _refuse_long(result: dict[str, Any], max_block: float) -> None:
    long = [one for one in result["forecast"] if one["blocks"] != "nothing" and (one["seconds"] or 0) > max_block]
    if long:
        said = "; ".join(
            f"{one['file']}:{one['line']} keeps {one['blocks']} of {one['table']} for about {one['seconds']:g} s"
            for one in long
        )
        raise GoliveError(
            "blocks_too_long",
            f"The migrations would make others wait longer than {max_block:g} s: {said}.",
            "db_migrate_lint tells for each what to write instead.",
            result,
        )


def _tell(call: Call, clone: Clone) -> None:
    if clone.left_out:
        call.warn(
            f"The clone lacks {len(clone.left_out)} things that this user may not make, such as {clone.left_out[0]}."
        )


def _rehearsed(
    call: Call, live: Session, clone: Clone, wish: Wish, plan: Plan, recording: Recording, prove: bool
) -> Rehearsal:
    measure = _Measure()
    with (
        connect(call, clone.where) as guard,
        running(call, clone.where, wish, guard, APPLICATION_NAME, around=measure.around) as runner,
    ):
        wish.ledger.create(guard)
        wish.ledger.copy(live, guard)
        if recording:
            recording.write(guard, wish.ledger, wish.run_id)
        start = snapshot(guard, wish.ledger)
        found = Rehearsal(start, start)
        measure.begin(runner)
        with runner.heartbeat.beating():
            for migration in plan.pending:
                _one(runner, measure, migration, plan, found, prove)
    if prove:
        found.forecast = measure.forecast.rows(Catalogue(live).table)
        found.unmeasured = measure.forecast.unmeasured
    return found


def _one(runner: Runner, measure: _Measure, migration: Migration, plan: Plan, found: Rehearsal, prove: bool) -> None:
    """Up and, where it can be proved, down and up again; ``found`` goes on from its ``after``."""
    before = found.after
    measure.active = True
    _apply(runner, migration, plan)
    measure.active = False
    found.after = snapshot(runner.guard, runner.ledger)
    if not prove:
        return
    row = next(one for one in runner.ledger.read(runner.guard) if one.order == migration.order)
    named = {"version": migration.version, "name": migration.name}
    reason = _unprovable(migration, plan)
    if reason:
        found.unproved.append({**named, "reason": reason})
        return
    _take_back(runner, migration, row, before)
    _apply(runner, migration, plan)
    _compare(
        found.after,
        snapshot(runner.guard, runner.ledger),
        "not_repeatable",
        migration.up,
        "after it was taken back, it leaves something else than the first time",
        "Let its down script remove all that it makes.",
    )
    found.proved.append(named)


def _unprovable(migration: Migration, plan: Plan) -> str:
    if migration.order in plan.unfinished:
        return "an earlier run has applied a part of it"
    if migration.again:
        return "it runs again whenever it changes and has no way back"
    return "" if migration.down else "it has no down script"


def _apply(runner: Runner, migration: Migration, plan: Plan) -> None:
    try:
        apply(runner, [migration], plan.unfinished, [])
    except GoliveError as error:
        raise _on_clone(error) from error


def _take_back(runner: Runner, migration: Migration, row: Applied, before: Snapshot) -> None:
    try:
        run_down(runner, row)
    except GoliveError as error:
        raise _on_clone(error) from error
    _compare(
        before,
        snapshot(runner.guard, runner.ledger),
        "not_reversible",
        migration.down or migration.up,
        "it does not bring the catalogue back",
        "Let it undo all that the migration does, or remove it if there is no way back.",
    )


def _compare(wanted: Snapshot, seen: Snapshot, code: str, script: Script, what: str, hint: str) -> None:
    lines = wanted.diff(seen)
    if lines:
        changed = [one for one in lines if one[:1] in ("+", "-")]
        more = f"\n… and {len(changed) - _SHOWN} lines more" if len(changed) > _SHOWN else ""
        raise GoliveError(
            code,
            f"Rehearsing {script.file} failed: {what} (- is missing, + is too much).\n"
            + "\n".join(changed[:_SHOWN])
            + more,
            hint,
            {"file": script.file, "line": None, "catalogue_diff": lines},
        )


def _on_clone(error: GoliveError) -> GoliveError:
    return GoliveError(
        error.code,
        f"On a clone, which has no rows: {error.message} The database itself is as it was.",
        error.hint,
        error.details,
    )


class _Measure:
    """Lets a forecast look before and after each statement, while ``active``."""

    def __init__(self) -> None:
        self.active = False
        self.forecast = Forecast()
        self._work: Session | None = None

    def begin(self, runner: Runner) -> None:
        """Note what is there before the first statement."""
        self._work = runner.work
        self.forecast = Forecast.begin(runner.work, runner.ledger)

    @contextmanager
    def around(self, script: Script, statement: Statement) -> Iterator[None]:
        """Look, let the statement run, and look again before its transaction ends."""
        work = self._work
        if work is None or not self.active:
            yield
            return
        alone = not work.in_transaction
        if not alone:
            before = self.forecast.look(work)
            yield
            self.forecast.note(script.file, statement, before, self.forecast.look(work))
        elif needs_autocommit(statement) or statement.outer_words[:1] in [(one,) for one in _CONTROL]:
            before, table = self.forecast.look(work), self.forecast.table_of(work, statement)
            yield
            self.forecast.note_alone(script.file, statement, before, self.forecast.look(work), table)
        else:
            # One statement is the same transaction with BEGIN and COMMIT around it.
            work.execute("BEGIN")
            try:
                before = self.forecast.look(work)
                yield
                self.forecast.note(script.file, statement, before, self.forecast.look(work))
            except BaseException:
                if not work.closed:
                    work.execute("ROLLBACK")
                raise
            work.execute("COMMIT")
