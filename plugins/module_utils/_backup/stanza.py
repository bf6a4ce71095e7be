# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``backup_stanza``: the place of one database in each of its repositories."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_commands import stanza_create
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import (
    NO_BACKUP,
    NO_STANZA,
    OK,
    Info,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import (
    SIDECAR,
    must,
    read_info,
    server_pod,
    sidecar,
)
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected


def backup_stanza(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    namespace, app = call.params["namespace"], call.params["app"]
    with connected(call) as client:
        if call.check_mode and not _has_sidecar(client, namespace, app):
            # A server that is still to be made.
            return {"changed": True, "created": None}
        engine = sidecar(call, client, namespace, app)
        info = read_info(engine)
        _refuse_unreadable(app, info)
        missing = [one.key for one in info.repositories if one.code == NO_STANZA]
        if missing and not call.check_mode:
            must(engine, stanza_create(), call.params["timeout"])
            after = read_info(engine)
            _refuse_unreadable(app, after)
            if any(one.code == NO_STANZA for one in after.repositories):
                raise GoliveError("no_stanza", f"Making the place of {app} in its repositories had no effect.")
        states = {f"repository {one.key}": "absent" if one.key in missing else "present" for one in info.repositories}
        result: dict[str, Any] = {"changed": bool(missing), "created": missing}
        if call.diff_mode:
            result["diff"] = [diff_of(f"place of {app}", states, dict.fromkeys(states, "present"))] if missing else []
        return result


def _has_sidecar(client: Client, namespace: str, app: str) -> bool:
    pod = client.get_or_none(client.path_of("v1", "Pod", namespace, server_pod(client, namespace, app)))
    statuses = ((pod or {}).get("status") or {}).get("initContainerStatuses") or []
    return any(row["name"] == SIDECAR and "running" in (row.get("state") or {}) for row in statuses)


def _refuse_unreadable(app: str, info: Info) -> None:
    if not info.repositories:
        raise GoliveError("repository_unreadable", f"Looking into the repositories of {app} failed: it has none.")
    bad = [one for one in info.repositories if one.code not in (OK, NO_STANZA, NO_BACKUP)]
    if bad:
        told = "; ".join(f"repository {one.key}: {one.message}" for one in bad)
        raise GoliveError(
            "repository_unreadable",
            f"Looking into the repositories of {app} failed: {told}.",
            "Check endpoint, bucket, keys and authority of the store, and whether the passphrase is the one that this"
            " path was begun with.",
        )
