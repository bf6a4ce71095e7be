# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``backup_stanza``: the place of one database in each of its repositories."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_commands import stanza_create
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import (
    NO_BACKUP,
    NO_STANZA,
    OK,
    Info,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import (
    CONFIGURATION,
    INFO_S,
    SIDECAR,
    Engine,
    must,
    read_info,
    server_pod,
    sidecar,
)
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected

_LOOK_S = 2.0


def backup_stanza(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    namespace, app = call.params["namespace"], call.params["app"]
    with connected(call) as client:
        if call.check_mode and not _has_sidecar(client, namespace, app):
            # A server that is still to be made.
            return {"changed": True, "created": None}
        engine = sidecar(call, client, namespace, app)
        if not call.check_mode:
            _await_configuration(call, client, engine)
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


def _await_configuration(call: Call, client: Client, engine: Engine) -> None:
    """Wait until the pod has the Secret as it is: the kubelet brings a change a minute late, and looking into the
    repositories of before would find everything in place. Raises GoliveError ``configuration_old``."""
    name = f"{call.params['app']}-postgres-backup"
    secret = client.get(client.path_of("v1", "Secret", call.params["namespace"], name))
    wanted = {
        f"{CONFIGURATION}/{key}": hashlib.sha256(base64.b64decode(value)).hexdigest()
        for key, value in (secret.get("data") or {}).items()
    }
    end = call.now() + call.params["timeout"]
    while True:
        # A file that is not there yet makes it fail, and the others are told all the same.
        lines = engine(["sha256sum", *wanted], INFO_S).output.splitlines()
        found = {path: digest for digest, path in (line.split(maxsplit=1) for line in lines)}
        if found == wanted:
            return
        if call.now() >= end:
            raise GoliveError(
                "configuration_old",
                f"Looking into the repositories failed: after {call.params['timeout']:g} s the server's pod has not got"
                f" the Secret {name} as it is now.",
                "Look at the kubelet of its node, and run it again.",
            )
        call.pause(_LOOK_S)


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
