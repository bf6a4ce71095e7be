# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a backup or expiry of the server is at work, and who holds it."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_wish import Wish
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Info
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import JOB_LABEL
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

_EVERY_S = 2.0


def unlocked(call: Call, client: Client, wish: Wish, look: Callable[[], Info]) -> Info:
    """The repositories once nothing is at work; raises GoliveError ``backup_locked`` when that lasts too long."""

    def seen() -> Done[Info] | Pending:
        info = look()
        return Pending(f"{holder(client, wish)} is at work") if info.locked else Done(info)

    try:
        return wait_for(call, seen, what=f"the lock of {wish.app}", timeout=wish.wait_s, interval=_EVERY_S)
    except GoliveError as error:
        if error.code != "timeout":
            raise
        raise locked(client, wish) from error


def locked(client: Client, wish: Wish) -> GoliveError:
    """The error of the one that comes second."""
    who = holder(client, wish)
    return GoliveError(
        "backup_locked",
        f"Working on {wish.place} was refused: {who} is at work.",
        "Wait for its end, or give wait more seconds.",
        {"holder": who},
    )


def holder(client: Client, wish: Wish) -> str:
    """Who is at work, as far as the cluster tells: the Jobs of this app that run."""
    path = client.path_of("batch/v1", "Job", wish.namespace)
    rows = client.list(path, {"labelSelector": f"{JOB_LABEL}={wish.app}"})
    at_work = [
        f"Job {row['metadata']['name']} since {row['status'].get('startTime') or row['metadata']['creationTimestamp']}"
        for row in rows
        if (row.get("status") or {}).get("active")
    ]
    return " or ".join(sorted(at_work)) or "a backup or expiry that no Job of this cluster runs"
