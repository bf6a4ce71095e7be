# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``sqlite_copy`` where the file and the database can be reached."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.columns import policies_of
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.plan import Wish
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.sqlite_copy import copy_sqlite

_MOST_PROCESSES = 4


def copy_directly(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    params = call.params
    path = os.path.abspath(params["path"])
    if params["catch_up"] and params["refresh"]:
        raise GoliveError("invalid", "catch_up and refresh are two ways to copy a file again.", "Set one of them.")
    wish = Wish(
        path=path,
        work_dir=params["work_dir"] or os.path.dirname(path),
        schema=params["schema"],
        tables=tuple(params["tables"] or ()),
        exclude=tuple(params["exclude"] or ()),
        policies=policies_of(params["columns"] or []),
        append=tuple(params["append"] or ()),
        replace=tuple(params["replace"] or ()),
        catch_up=params["catch_up"],
        refresh=params["refresh"],
        freeze=params["freeze"],
        orphans=params["orphans"],
        processes=max(1, params["processes"] or min(_MOST_PROCESSES, os.cpu_count() or 1)),
        chunk_rows=max(1, params["chunk_rows"]),
        wait=params["wait"],
        run_id=params["run_id"] or "",
        report=params["report"] or "",
    )
    with reached(call) as reach:
        return reach.masked(copy_sqlite(reach.call, reach.where, wish))
