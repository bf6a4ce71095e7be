# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan and run the migrations of a directory against a database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.apply import Runner
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration, read_directory
from ansible_collections.golive.cutover.plugins.module_utils._migrate.heartbeat import Heartbeat
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.mutex import Mutex, refuse_pooler
from ansible_collections.golive.cutover.plugins.module_utils._migrate.others import other_ledgers
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied, Plan, check_plan, make_plan
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import (
    APPLICATION_NAME,
    Limits,
    Settings,
    connect,
)
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session


@dataclass(frozen=True)
class Order:
    """What to migrate and how; times in seconds."""

    path: str
    ledger: Ledger
    target: str | None = None
    out_of_order: bool = False
    lock_timeout: float = 3.0
    statement_timeout: float = 300.0
    wait: float = 60.0
    search_path: str = "public"
    run_id: str | None = None


def migrate(call: Call, where: Settings, order: Order) -> dict[str, Any]:
    """Apply what is pending; in check mode only read. The result of the verb ``db_migrate``.

    Files are read and checked before anything is sent. The plan is made twice: without the mutex, so that a run with
    nothing to do takes no lock and writes nothing, and again under it.
    """
    files = read_directory(order.path)
    name = f"{APPLICATION_NAME}/{order.run_id}" if order.run_id else APPLICATION_NAME
    with connect(call, where, read_only=True, application_name=name) as guard:
        rows = order.ledger.read(guard)
        plan = make_plan(files, rows, order.target)
        _warn(call, guard, rows, check_plan(plan, order.out_of_order))
        if guard.value("SELECT pg_catalog.pg_is_in_recovery()"):
            raise GoliveError("read_only", f"Migrating {where} failed: the server is a standby.", "Use the primary.")
        if call.check_mode or not plan.pending:
            return _result(call, order, rows, plan, [], bool(plan.pending), plan.pending)
        return _run(call, where, order, files, guard, name)


def plan_from_nothing(call: Call, order: Order, reason: str) -> dict[str, Any]:
    """What ``migrate`` would do to an empty database: for check mode, while the database itself is still a plan."""
    plan = make_plan(read_directory(order.path), [], order.target)
    for text in check_plan(plan, order.out_of_order):
        call.warn(text)
    call.warn(f"The database is not there yet, so that every file is planned. {reason}")
    return _result(call, order, [], plan, [], bool(plan.pending), plan.pending)


def _run(
    call: Call, where: Settings, order: Order, files: list[Migration], guard: Session, name: str
) -> dict[str, Any]:
    guard.execute("SET default_transaction_read_only = off")
    mutex = Mutex(order.ledger)
    heartbeat = Heartbeat(order.ledger, mutex, guard, order.run_id)
    limits = Limits(lock=order.lock_timeout, statement=order.statement_timeout)
    with connect(heartbeat.watched(call), where, limits=limits, application_name=name) as work:
        refuse_pooler(guard, work)
        with mutex.held(call, guard, work, order.wait):
            created = order.ledger.create(guard)
            before = order.ledger.read(guard)
            plan = make_plan(files, before, order.target)
            check_plan(plan, order.out_of_order)
            runner = Runner(call, guard, work, mutex, heartbeat, order.ledger, limits, order.search_path, order.run_id)
            with heartbeat.beating():
                applied = runner.apply(plan.pending)
            after = make_plan(files, order.ledger.read(guard), order.target)
            return _result(call, order, before, after, applied, created or bool(applied), plan.pending)


def _warn(call: Call, session: Session, rows: list[Applied], warnings: Iterable[str]) -> None:
    for text in warnings:
        call.warn(text)
    others = [] if rows else other_ledgers(session)
    if others:
        named = ", ".join(f"{one['tool']} ({one['table']})" for one in others)
        call.warn(f"Another tool has migrated this database: {named}. Its ledger is not read.")


def _result(
    call: Call,
    order: Order,
    before: list[Applied],
    after: Plan,
    applied: list[dict[str, Any]],
    changed: bool,
    shown: Iterable[Migration],
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "changed": changed,
        "applied": applied,
        "pending": pending_rows((*after.pending, *after.later)),
        "head": after.head,
        "previous_head": before[-1].version if before else None,
        "ledger": str(order.ledger),
    }
    if call.diff_mode:
        result["diff"] = [diff_of(one.up.file, None, one.up.text) for one in shown]
    return result


def pending_rows(migrations: Iterable[Migration]) -> list[dict[str, Any]]:
    """Rows ``version, name, file, reversible`` of files that are not applied."""
    return [
        {"version": one.version, "name": one.name, "file": one.up.file, "reversible": one.down is not None}
        for one in migrations
    ]
