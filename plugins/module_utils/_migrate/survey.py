# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a database says of its migrations, without changing anything."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._migrate.changes import change_rows
from ansible_collections.golive.cutover.plugins.module_utils._migrate.drift import CatalogueDrift, catalogue_drift
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import NATIVE, read_layout
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_verb import pending_findings
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate import pending_rows
from ansible_collections.golive.cutover.plugins.module_utils._migrate.mutex import Mutex
from ansible_collections.golive.cutover.plugins.module_utils._migrate.others import other_ledgers
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied, Drift, Plan, make_plan
from ansible_collections.golive.cutover.plugins.module_utils._migrate.preflight import Thresholds, preflight
from ansible_collections.golive.cutover.plugins.module_utils._migrate.restore_point import needed
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, connect


def survey(
    call: Call,
    where: Settings,
    ledger: Ledger,
    path: str | None,
    layout: str = NATIVE,
    target: str | None = None,
    thresholds: Thresholds | None = None,
) -> dict[str, Any]:
    """The result of the verb ``db_migrate_info``; without ``path`` nothing is pending and nothing drifts."""
    files = read_layout(path, layout, call.alive) if path else []
    with connect(call, where, read_only=True) as session:
        rows = ledger.read(session)
        plan = make_plan(files, rows, target)
        exists = ledger.exists(session)
        holder = Mutex(ledger).holder(session)
        if holder:
            holder.update(ledger.runner_state(session) if exists else {"file": None, "beat_at": None})
        return {
            **_planned(ledger, files, rows, plan),
            "ledger_exists": exists,
            "unverified": [
                {"version": row.version, "name": row.name}
                for row in rows
                if row.state == "applied" and row.verified is False
            ],
            "drift": [_drift_row(one) for one in plan.drift] if path else [],
            "catalogue": catalogue_drift(call, session, ledger).row(),
            "findings": pending_findings(session, plan.pending),
            "preflight": [one.row() for one in preflight(session, plan.pending, thresholds or Thresholds())],
            "mutex_holder": holder,
            "adopted": ledger.taken(session),
            "other_ledgers": [{"tool": one.tool, "table": str(one)} for one in other_ledgers(session)],
        }


def survey_of_nothing(
    call: Call, ledger: Ledger, path: str | None, layout: str = NATIVE, target: str | None = None
) -> dict[str, Any]:
    """The result for a database that cannot be asked, as if it were empty."""
    files = read_layout(path, layout, call.alive) if path else []
    return {
        **_planned(ledger, files, [], make_plan(files, [], target)),
        "ledger_exists": False,
        "unverified": [],
        "drift": [],
        "catalogue": CatalogueDrift(None).row(),
        "findings": [],
        "preflight": [],
        "mutex_holder": None,
        "adopted": None,
        "other_ledgers": [],
    }


def _planned(ledger: Ledger, files: list[Migration], rows: list[Applied], plan: Plan) -> dict[str, Any]:
    """What the files and the rows of the ledger tell by themselves."""
    return {
        "changed": False,
        "ledger": str(ledger),
        "head": plan.head,
        "applied": [_applied_row(row) for row in rows],
        "pending": pending_rows(plan.pending),
        "changes": change_rows(files, rows),
        "restore_points_needed": needed(rows),
    }


def _drift_row(one: Drift) -> dict[str, Any]:
    return {"kind": one.kind, "version": one.version, "name": one.name, "detail": one.detail}


def _applied_row(row: Applied) -> dict[str, Any]:
    return {
        "version": row.version,
        "name": row.name,
        "state": row.state,
        "applied_at": row.applied_at,
        "applied_by": row.applied_by,
        "seconds": row.duration_ms / 1000,
        "run_id": row.run_id,
        "reversible": row.reversible,
        "checksum": row.checksum,
        "kind": row.kind,
        "phase": row.phase,
        "statements": row.statements,
        "statements_done": row.statements_done,
        "verified": row.verified,
        "loss": row.loss,
        "restore_point": row.restore_point,
        "origin": row.origin,
        "origin_checksum": row.origin_checksum,
    }
