# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_backup``."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup import expire
from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_lock import unlocked
from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_mark import hold, verify
from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_take import take
from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_wish import Wish, wish_from
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import Engine, read_info, sidecar
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected


def pg_backup(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    wish = wish_from(call.params)
    with connected(call) as client:
        engine = sidecar(call, client, wish.namespace, wish.app)
        try:
            return _done(call, client, engine, wish)
        except GoliveError as error:
            if not call.check_mode or error.code not in ("not_found", "no_sidecar"):
                raise
            return {"changed": wish.state == "taken", "backup": None}


def _done(call: Call, client: Client, engine: Engine, wish: Wish) -> dict[str, Any]:
    if wish.state == "taken":
        return take(call, client, engine, wish)
    if wish.state == "expired":
        unlocked(call, client, wish, lambda: read_info(engine))
        return _expired(call, engine, wish)
    return verify(call, engine, wish) if wish.state == "verified" else hold(call, engine, wish)


def _expired(call: Call, engine: Engine, wish: Wish) -> dict[str, Any]:
    result = expire.expire(call, engine, expire.Wish(wish.repo, wish.policy, call.date()))
    if call.diff_mode and result["changed"]:
        kept = [row["id"] for row in result["kept"]]
        before = {"backups": sorted([*kept, *result["removed"]]), "wal_removed": []}
        after = {"backups": sorted(kept), "wal_removed": result["wal_removed"]}
        result["diff"] = [diff_of(f"backups of {wish.place}", before, after)]
    return result
