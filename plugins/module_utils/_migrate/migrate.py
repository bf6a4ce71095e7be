# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan and run the migrations of a directory against a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.adopt import adopt
from ansible_collections.golive.cutover.plugins.module_utils._migrate.apply import apply, with_applied
from ansible_collections.golive.cutover.plugins.module_utils._migrate.back import refuse_loss, take_back
from ansible_collections.golive.cutover.plugins.module_utils._migrate.budget import Budget
from ansible_collections.golive.cutover.plugins.module_utils._migrate.catalogue import Snapshot
from ansible_collections.golive.cutover.plugins.module_utils._migrate.changes import refuse_early
from ansible_collections.golive.cutover.plugins.module_utils._migrate.drift import drifted_lines, keep, looked_at
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import AGAIN, Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.heartbeat import Heartbeat
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import NATIVE, read_layout
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.loss import loss_of
from ansible_collections.golive.cutover.plugins.module_utils._migrate.mutex import Mutex, refuse_pooler
from ansible_collections.golive.cutover.plugins.module_utils._migrate.others import other_ledgers
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import (
    Applied,
    Plan,
    check_plan,
    find_order,
    make_plan,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.preflight import (
    Thresholds,
    judged,
    preflight,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.recording import Recording, baseline
from ansible_collections.golive.cutover.plugins.module_utils._migrate.restore_point import needed, refuse_without
from ansible_collections.golive.cutover.plugins.module_utils._migrate.runner import Around, Runner, plainly
from ansible_collections.golive.cutover.plugins.module_utils._migrate.verify import verify
from ansible_collections.golive.cutover.plugins.module_utils._migrate.watch import Watch
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import (
    APPLICATION_NAME,
    Limits,
    Settings,
    connect,
)
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# How the header of its entry in a diff begins.
_CATALOGUE = "catalogue of "


@dataclass(frozen=True)
class Wish:
    """What to migrate and how; times in seconds.

    ``revert_to`` is a version to go back to, an empty text all the way. ``on_failure`` is ``stop`` or ``revert``.
    ``baseline`` is the version up to which files are recorded and none is run; ``adopt`` takes another tool's ledger
    over.
    """

    path: str
    ledger: Ledger
    layout: str = NATIVE
    baseline: str | None = None
    adopt: bool = False
    target: str | None = None
    revert_to: str | None = None
    phase: str | None = None
    out_of_order: bool = False
    on_failure: str = "stop"
    budget: Budget = field(default_factory=Budget)
    statement_timeout: float = 300.0
    thresholds: Thresholds = field(default_factory=Thresholds)
    preflight_ignore: tuple[str, ...] = ()
    wal_rate: int | None = None
    wait: float = 60.0
    search_path: str = "public"
    run_id: str | None = None
    restore_point: str | None = None
    require_restore_point: bool = False

    @property
    def forward(self) -> bool:
        """Whether files are to be applied: neither taken back nor only recorded."""
        return self.revert_to is None and self.baseline is None


def migrate(call: Call, where: Settings, wish: Wish) -> dict[str, Any]:
    """Apply what is pending, or take back; in check mode only read. The result of the verb ``db_migrate``.

    Files are read and checked before anything is sent. The plan is made twice: without the mutex, so that a run with
    nothing to do takes no lock and writes nothing, and again under it.
    """
    files = read_layout(wish.path, wish.layout, call.alive)
    name = f"{APPLICATION_NAME}/{wish.run_id}" if wish.run_id else APPLICATION_NAME
    with connect(call, where, read_only=True, application_name=name) as guard:
        rows = wish.ledger.read(guard)
        recording = to_record(guard, wish, files, rows)
        plan = make_plan(files, [*rows, *recording.rows], wish.target, wish.phase)
        back = _to_take_back(rows, wish)
        if wish.forward:
            _warn(call, guard, wish, rows or recording.taken, _checked(wish, plan))
        if guard.value("SELECT pg_catalog.pg_is_in_recovery()"):
            raise GoliveError("read_only", f"Migrating {where} failed: the server is a standby.", "Use the primary.")
        drift = drifted_lines(call, guard, wish.ledger)
        todo = bool(back or recording or (wish.forward and (plan.pending or plan.unverified)))
        done = Done(recording.result)
        if wish.forward:
            done.preflight = judged(call, preflight(guard, plan.pending, wish.thresholds), wish.preflight_ignore)
        if call.check_mode or not todo:
            refuse_loss(back)
            result = _result(call, wish, rows, plan, done, todo, plan, recording)
        else:
            result = _run(call, where, wish, files, guard, name, done)
        return {**result, "catalogue_drift": drift}


def plan_from_nothing(call: Call, wish: Wish, reason: str) -> dict[str, Any]:
    """What ``migrate`` would do to an empty database: for check mode, while the database itself cannot be asked.

    ``reason`` is the warning that says why.
    """
    files = read_layout(wish.path, wish.layout, call.alive)
    recording = Recording() if wish.baseline is None else baseline(files, [], wish.baseline)
    plan = make_plan(files, recording.rows, wish.target, wish.phase)
    if wish.baseline is None:
        for text in check_plan(plan, wish.out_of_order):
            call.warn(text)
        refuse_early(plan)
    call.warn(reason)
    todo = bool(recording or (plan.pending and wish.baseline is None))
    result = _result(call, wish, [], plan, Done(recording.result), todo, plan, recording)
    return {**result, "catalogue_drift": None}


@dataclass
class Done:
    """What a run has found, recorded, applied and taken back, as rows of its result, and what locks have cost it."""

    recorded: list[dict[str, Any]] = field(default_factory=list)
    locks: dict[str, Any] = field(default_factory=lambda: {"lock_retries": 0, "lock_wait_seconds": 0.0})
    applied: list[dict[str, Any]] = field(default_factory=list)
    reverted: list[dict[str, Any]] = field(default_factory=list)
    preflight: list[dict[str, Any]] = field(default_factory=list)


def _run(
    call: Call, where: Settings, wish: Wish, files: list[Migration], guard: Session, name: str, done: Done
) -> dict[str, Any]:
    guard.execute("SET default_transaction_read_only = off")
    with running(call, where, wish, guard, name) as runner:
        runner.commits.made = wish.ledger.create(guard)
        found = looked_at(call, guard, wish.ledger) if call.diff_mode else None
        before = wish.ledger.read(guard)
        recording = to_record(guard, wish, files, before)
        if recording:
            recording.write(guard, wish.ledger, wish.run_id)
            runner.commits.made = True
        plan = make_plan(files, [*before, *recording.rows], wish.target, wish.phase)
        done.recorded = recording.result
        with runner.heartbeat.beating():
            if wish.forward:
                _checked(wish, plan)
                _forward(runner, wish, before, plan, done)
            elif wish.revert_to is not None:
                _backward(runner, _to_take_back(before, wish), done)
        done.locks = _locks(runner)
        after = make_plan(files, wish.ledger.read(guard), wish.target, wish.phase)
        result = _result(call, wish, before, after, done, runner.commits.made, plan, recording)
        left = looked_at(call, guard, wish.ledger)
        if left is not None:
            keep(call, guard, wish.ledger, left, wish.run_id)
        if found is not None and left is not None:
            result["diff"] += catalogue_diff(where, found, left)
        return result


def catalogue_diff(where: Settings, before: Snapshot, after: Snapshot) -> list[dict[str, str]]:
    """An entry of a result's ``diff`` for what differs in the catalogue, or none."""
    parts = before.parts(after)
    return [diff_of(f"{_CATALOGUE}{where.database or 'the database'}", *parts)] if any(parts) else []


def shows_catalogue(entry: Mapping[str, str]) -> bool:
    """Whether an entry of a result's ``diff`` is one of ``catalogue_diff``."""
    return entry["before_header"].startswith(_CATALOGUE)


@contextmanager
def running(
    call: Call, where: Settings, wish: Wish, guard: Session, name: str, around: Around = plainly
) -> Iterator[Runner]:
    """Everything a run needs, under the mutex."""
    mutex = Mutex(wish.ledger)
    heartbeat = Heartbeat(wish.ledger, mutex, guard, wish.run_id)
    limits = Limits(lock=wish.budget.lock, statement=wish.statement_timeout)
    watch = Watch(call, guard)
    with connect(heartbeat.watched(call, watch.look), where, limits=limits, application_name=name) as work:
        refuse_pooler(guard, work, lambda: connect(call, where, application_name=name))
        watch.pid = work.value("SELECT pg_catalog.pg_backend_pid()")
        with mutex.held(call, guard, work, wish.wait):
            yield Runner(
                call=call,
                guard=guard,
                work=work,
                mutex=mutex,
                heartbeat=heartbeat,
                watch=watch,
                ledger=wish.ledger,
                limits=limits,
                budget=wish.budget,
                search_path=wish.search_path,
                run_id=wish.run_id,
                restore_point=wish.restore_point,
                old_transaction=wish.thresholds.old_transaction,
                replica_lag=wish.thresholds.replica_lag,
                wal_rate=wish.wal_rate,
                around=around,
            )


def _locks(runner: Runner) -> dict[str, Any]:
    return {"lock_retries": runner.watch.retries, "lock_wait_seconds": round(runner.watch.waited_s, 3)}


def _checked(wish: Wish, plan: Plan) -> list[str]:
    """Warnings of a plan that may run; raises as ``check_plan``, ``refuse_early`` and ``refuse_without``."""
    warnings = check_plan(plan, wish.out_of_order)
    refuse_early(plan)
    if wish.require_restore_point:
        refuse_without(wish.restore_point, plan.pending)
    return warnings


def _forward(runner: Runner, wish: Wish, before: list[Applied], plan: Plan, done: Done) -> None:
    prepared = runner.commits.made
    try:
        apply(runner, plan.pending, plan.unfinished, done.applied)
        fresh = [one for one in plan.pending if one.verify]
        verify(runner, sorted([*plan.unverified, *fresh], key=lambda one: one.order))
    except GoliveError as error:
        error = with_applied(error, done.applied, runner.commits.made)
        error.details["locks"] = _locks(runner)
        if wish.on_failure == "revert" and not (runner.work.closed or runner.guard.closed):
            _revert_batch(runner, plan, done, error)
            if not runner.guard.closed:
                error.details["changed"] = prepared or runner.ledger.read(runner.guard) != before
        raise error


def _revert_batch(runner: Runner, plan: Plan, done: Done, error: GoliveError) -> None:
    """Take back what this run has applied; the error tells how that went."""
    # What runs again whenever it changes has no way back: it stays as it is.
    orders = {one.order for one in plan.pending if not one.again}
    stays = {one.version for one in plan.pending if one.again}
    rows = []
    for row in runner.ledger.read(runner.guard):
        if row.order not in orders:
            continue
        if row.state == "running" and not (row.statements_done or row.cursor or row.intent):
            # Nothing of it is there: what a refused statement had left is cleaned, or its intent would stand.
            runner.ledger.forget(runner.work, row.order)
        else:
            rows.append(row)
    try:
        half = [row for row in rows if row.state != "applied"]
        if half:
            names = ", ".join(row.file for row in half)
            raise GoliveError(
                "unfinished", f"Taking back was refused: {names} is applied in part; the next run goes on."
            )
        take_back(runner, rows, done.reverted)
    except GoliveError as second:
        error.message += f" What this run had applied stays: {second.message}"
        error.hint = second.hint or error.hint
    else:
        names = ", ".join(f"{row['version']}_{row['name']}" for row in done.reverted)
        error.message += f" What this run had applied was taken back: {names or 'nothing'}."
        done.applied[:] = [row for row in done.applied if row["version"] in stays]
    error.details["reverted"] = done.reverted


def _backward(runner: Runner, rows: list[Applied], done: Done) -> None:
    try:
        take_back(runner, rows, done.reverted)
    except GoliveError as error:
        error.details.update({"reverted": done.reverted, "changed": runner.commits.made, "locks": _locks(runner)})
        raise


def _to_take_back(rows: list[Applied], wish: Wish) -> list[Applied]:
    if wish.revert_to is None:
        return []
    limit = find_order(wish.revert_to, [], rows) if wish.revert_to else ()
    # What runs again when it has changed is of no version.
    return [row for row in rows if limit < row.order < (AGAIN,)]


def to_record(session: Session, wish: Wish, files: list[Migration], rows: list[Applied]) -> Recording:
    """What is recorded without running: the ledger of another tool, or files up to a version."""
    if wish.baseline is not None:
        return baseline(files, rows, wish.baseline)
    if wish.adopt and wish.revert_to is None and not rows and not wish.ledger.taken(session):
        return adopt(session, files, wish.path, wish.layout)
    return Recording()


def _warn(call: Call, session: Session, wish: Wish, known: object, warnings: Iterable[str]) -> None:
    for text in warnings:
        call.warn(text)
    others = [] if known or wish.ledger.taken(session) else other_ledgers(session)
    if others:
        named = ", ".join(f"{one.tool} ({one})" for one in others)
        call.warn(
            f"Another tool has migrated this database: {named}. Its ledger is not read; adopt: true takes it over."
        )


def _result(
    call: Call,
    wish: Wish,
    before: list[Applied],
    after: Plan,
    done: Done,
    changed: bool,
    shown: Plan,
    recording: Recording,
) -> dict[str, Any]:
    previous = make_plan([], before).head
    result: dict[str, Any] = {
        "changed": changed,
        "recorded": done.recorded,
        "preflight": done.preflight,
        "applied": done.applied,
        "reverted": done.reverted,
        "pending": [
            {**row, "later": later}
            for rows, later in ((after.pending, False), (after.later, True))
            for row in pending_rows(rows)
        ],
        "unverified": unverified_rows(after.unverified),
        "locks": done.locks,
        "head": previous if call.check_mode else after.head,
        "previous_head": previous,
        "ledger": str(wish.ledger),
        "restore_points_needed": needed(before),
    }
    if call.diff_mode and wish.revert_to is None:
        result["diff"] = [
            diff_of(row.file, None, f"recorded as applied ({row.origin}), not run") for row in recording.rows
        ]
        if wish.baseline is None:
            result["diff"] += [diff_of(one.up.file, None, one.up.text) for one in shown.pending]
            result["diff"] += [diff_of(one.up.file, "applied", "applied and verified") for one in shown.unverified]
    elif call.diff_mode:
        back = _to_take_back(before, wish)
        result["diff"] = [diff_of(row.file, "applied", None) for row in reversed(back)]
    return result


def unverified_rows(migrations: Iterable[Migration]) -> list[dict[str, Any]]:
    """Rows ``version, name`` of applied files whose verify script has not held yet."""
    return [{"version": one.version, "name": one.name} for one in migrations]


def pending_rows(migrations: Iterable[Migration]) -> list[dict[str, Any]]:
    """Rows ``version, name, file, kind, phase, reversible, loss`` of files that are not applied."""
    return [
        {
            "version": one.version,
            "name": one.name,
            "file": one.up.file,
            "kind": one.up.kind,
            "phase": one.up.directives.phase,
            "reversible": one.down is not None,
            "loss": loss_of(one.up, one.down),
        }
        for one in migrations
    ]
