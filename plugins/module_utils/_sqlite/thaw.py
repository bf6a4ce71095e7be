# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a frozen SQLite file take writes again, unless PostgreSQL has taken some that it lacks."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached
from ansible_collections.golive.cutover.plugins.module_utils._sqlite import ledger
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.frozen import frozen_by, thaw
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.mark import mark_of, told, written_since
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.source import check_source
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.sqlite_copy import LIMITS

_APPLICATION = "golive sqlite_thaw"


def thaw_directly(call: Call) -> dict[str, Any]:
    """The verb's result; raises GoliveError."""
    params = call.params
    path = os.path.abspath(params["path"])
    check_source(path)
    with reached(call) as reach:
        try:
            return reach.masked(_thawed(reach.call, reach.where, path, params))
        except SqlError as error:
            raise GoliveError("thaw_failed", f"PostgreSQL refused to tell what was written: {error}") from error


def _thawed(call: Call, where: Any, path: str, params: dict[str, Any]) -> dict[str, Any]:
    with connect(call, where, limits=LIMITS, application_name=_APPLICATION) as session:
        if not ledger.lock(call, session, params["wait"]):
            raise GoliveError("locked", f"A copy goes into {where} right now.", "Wait for its end, or set wait.")
        frozen = frozen_by(path)
        copy = ledger.frozen_copy(ledger.copies(session, params["schema"]), path, frozen) if frozen else None
        # Without a finished copy nobody was sent to PostgreSQL yet.
        written = written_since(session, (copy.report or {})[ledger.MARK]) if copy is not None else []
        if params["ask"] or not frozen:
            return {"changed": False, "frozen": bool(frozen), "written": written}
        if written and not params["lose"]:
            raise GoliveError(
                "writes_lost",
                f"PostgreSQL has taken writes since {path} was frozen, and a return would lose them: {told(written)}.",
                "Stay with PostgreSQL, or set lose to give these writes up.",
                {"written": written},
            )
        if not call.check_mode:
            if copy is not None and written:
                ledger.mark_again(session, copy, mark_of(session))
            thaw(call, path)
        return {"changed": True, "frozen": False, "written": written}
