# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_migrate`` where the database can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.budget import Budget
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.metrics import recorded
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate import Wish, migrate, plan_from_nothing
from ansible_collections.golive.cutover.plugins.module_utils._migrate.preflight import Thresholds
from ansible_collections.golive.cutover.plugins.module_utils._migrate.restore_point import waived
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached


def migrate_directly(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    wish = wish_of(call.params)
    run = migrate
    if call.check_mode and call.diff_mode:
        # Late: the linter, which a clone's catalogue needs, takes as long to import as the rest of a run.
        from ansible_collections.golive.cutover.plugins.module_utils._migrate.rehearse import migrate_shown

        run = migrate_shown
    try:
        with reached(call) as reach:
            if call.params["disk_free"] is None:
                wish = replace(wish, thresholds=replace(wish.thresholds, disk_free=reach.disk_free))
            labels = {"database": reach.where.database or "", "ledger": str(wish.ledger)}
            return reach.masked(
                recorded(call, call.params["metrics_file"], labels, lambda: run(reach.call, reach.where, wish))
            )
    except GoliveError as error:
        if not call.check_mode or error.code != "not_found":
            raise
        reason = f"The database is not there yet, so that every file is planned. {error.message}"
        return plan_from_nothing(call, wish, reason)


def wish_of(params: Mapping[str, Any]) -> Wish:
    """What the options of ``db_migrate`` ask for."""
    return Wish(
        path=params["path"],
        ledger=Ledger(params["schema"], params["table"]),
        layout=params["layout"],
        baseline=params["baseline"],
        adopt=params["adopt"],
        target=params["target"],
        revert_to=params["revert_to"],
        phase=params["phase"],
        out_of_order=params["out_of_order"],
        on_failure=params["on_failure"],
        budget=Budget(
            lock=params["lock_timeout"], wait=params["lock_wait"], cancel=tuple(params["cancel_roles"] or ())
        ),
        statement_timeout=params["statement_timeout"],
        thresholds=Thresholds(params["old_transaction"], params["replica_lag"], lambda: params["disk_free"]),
        preflight_ignore=tuple(params["preflight_ignore"] or ()),
        wal_rate=params["wal_rate"],
        wait=params["wait"],
        search_path=params["search_path"],
        run_id=params["run_id"],
        restore_point=waived(reason) if (reason := params["waive_restore_point"]) else params["restore_point"],
        require_restore_point=params["require_restore_point"],
    )
