# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pgBackRest where the server is: by exec in its sidecar, or as a Job that reaches the sidecar over TLS.

A backup is a Job: it needs no right to exec, has its own limits and outlives whoever started it. Short commands go into
the sidecar, which alone sees the lock of a backup at work: the lock is a file there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup import pgbackrest_commands as commands
from ansible_collections.golive.cutover.plugins.module_utils._backup.job_pod import restricted_pod
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import (
    Info,
    parse_info,
    plain_reason,
)
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import Ended
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec_stream import stream_in_pod
from ansible_collections.golive.cutover.plugins.module_utils._reach.live_server import pod_of, read_live

# A command by its arguments, with the seconds it may take.
Engine = Callable[[Sequence[str], float], Ended]

SIDECAR = "backup-server"
CONFIGURATION = "/etc/pgbackrest"
JOB_LABEL = "golive.cutover/backup-of"
INFO_S = 90.0
_MOST = 4 << 20
LOCKED = 50
_USER = 999
# A volume of the pod's own.
_SCRATCH = "/tmp"  # noqa: S108


def sidecar(call: Call, client: Client, namespace: str, app: str) -> Engine:
    """The engine inside of the server's pod.

    It raises as ``stream_in_pod``: ``unreachable`` for a lost connection, after which the command may go on.
    """

    pod = server_pod(client, namespace, app)

    def run(arguments: Sequence[str], limit_s: float) -> Ended:
        output, errors = bytearray(), bytearray()
        code = stream_in_pod(
            client,
            namespace,
            pod,
            arguments,
            container=SIDECAR,
            alive=call.alive,
            limit_s=limit_s,
            take=lambda piece: _keep(output, piece),
            told=lambda piece: _keep(errors, piece),
        )
        return Ended(code, output.decode("utf-8", "replace"), errors.decode("utf-8", "replace"))

    return run


def read_info(engine: Engine) -> Info:
    """The repositories; raises GoliveError ``engine_failed``, ``info_unreadable``, and as the engine."""
    return parse_info(must(engine, commands.info(), INFO_S))


def must(engine: Engine, arguments: Sequence[str], limit_s: float) -> str:
    """The output of a command that ends with 0.

    Raises GoliveError ``backup_locked`` where another backup or expiry is at work, ``engine_failed`` with its exit code
    and the part of its words that cannot hold a secret.
    """
    ended = engine(arguments, limit_s)
    if ended.exit_code:
        raise failed(arguments, ended.exit_code, ended.errors or ended.output)
    return ended.output


def failed(arguments: Sequence[str], exit_code: int, words: str) -> GoliveError:
    """Why a command of pgBackRest has failed; its codes are listed in its source, src/build/error/error.yaml."""
    name = next((one for one in arguments[1:] if not one.startswith("-")), "pgbackrest")
    if exit_code == LOCKED:
        return GoliveError(
            "backup_locked",
            f"Running pgbackrest {name} was refused: another backup or expiry of this server is at work.",
            "Wait for its end; pg_backup_info tells of it.",
            {"exit_code": exit_code},
        )
    reasons = [plain_reason(line.split("ERROR:", 1)[1]) for line in words.splitlines() if "ERROR:" in line]
    told = "; ".join(dict.fromkeys(reasons)) or f"exit code {exit_code}"
    return GoliveError(
        "engine_failed",
        f"Running pgbackrest {name} failed: {told}.",
        "Check the store, its keys, and the log of the server's sidecar.",
        {"exit_code": exit_code},
    )


def server_pod(client: Client, namespace: str, app: str) -> str:
    """Name of the pod of the app's live server."""
    return pod_of(read_live(client, namespace, f"{app}-postgres").server)


@dataclass(frozen=True)
class Server:
    """What a Job must share with the sidecar as it runs: both ends of the protocol are of one version."""

    image: str
    user: int
    pull_secrets: tuple[str, ...]


def server_of(client: Client, namespace: str, app: str) -> Server:
    """Look at the server's pod; raises GoliveError ``no_sidecar``, and ``not_found`` where there is no pod."""
    name = server_pod(client, namespace, app)
    pod = client.get(client.path_of("v1", "Pod", namespace, name))
    spec = pod["spec"]
    rows = [*(spec.get("initContainers") or []), *spec["containers"]]
    row = next((one for one in rows if one["name"] == SIDECAR), None)
    if row is None:
        raise GoliveError(
            "no_sidecar",
            f"Reaching pgBackRest of {app} failed: pod {name} has no container {SIDECAR}.",
            "Name backup_repositories and run the roles backup and postgres.",
        )
    given = (row.get("securityContext") or {}).get("runAsUser") or (spec.get("securityContext") or {}).get("runAsUser")
    pull_secrets = tuple(one["name"] for one in spec.get("imagePullSecrets") or [])
    return Server(str(row["image"]), int(given or _USER), pull_secrets)


def pod_spec(app: str, server: Server, arguments: Sequence[str], resources: Mapping[str, Any]) -> dict[str, Any]:
    """A pod that runs one command against the server's sidecar, under the restricted standard for pods."""
    scratch = [{"name": "tmp", "mountPath": _SCRATCH}, {"name": "spool", "mountPath": "/var/spool/pgbackrest"}]
    container = {
        "name": "pgbackrest",
        "image": server.image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(arguments),
        "volumeMounts": [{"name": "client", "mountPath": CONFIGURATION, "readOnly": True}, *scratch],
        "resources": dict(resources),
    }
    volumes = [
        # pgBackRest refuses a private key that others may read.
        {"name": "client", "secret": {"secretName": f"{app}-postgres-backup-client", "defaultMode": 0o440}},
        {"name": "tmp", "emptyDir": {}},
        {"name": "spool", "emptyDir": {}},
    ]
    return restricted_pod(container, volumes, server.user, server.pull_secrets)


def _keep(text: bytearray, piece: bytes) -> None:
    text += piece[: max(0, _MOST - len(text))]
