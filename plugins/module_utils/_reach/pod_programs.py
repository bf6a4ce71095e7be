# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_dump and pg_restore of the pod that the database runs in: they always fit its server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import run_in_pod
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec_stream import stream_in_pod
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import APPLICATION_NAME, Settings
from ansible_collections.golive.cutover.plugins.module_utils._pg.dump_programs import READ
from ansible_collections.golive.cutover.plugins.module_utils._pg.programs import Lines

if TYPE_CHECKING:
    from ansible_collections.golive.cutover.plugins.module_utils._reach.database import DatabasePod

# The password comes as the first line of the input, so that no process list shows it.
_WITH_PASSWORD = ("sh", "-c", 'IFS= read -r PGPASSWORD; export PGPASSWORD; exec "$@"', "sh")
_WITH_LENGTH = ("sh", "-c", 'length=$1; shift; head -c "$length" | "$@"', "sh")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_ASK_LIMIT_S = 20.0
_PIECE = 1 << 16


class PodPrograms:
    """Those in the database's container. Raises GoliveError ``exec_failed`` when it has none, ``forbidden`` …"""

    def __init__(self, call: Call, pod: DatabasePod, where: Settings) -> None:
        self._call = call
        self._client = pod.client
        self._namespace = pod.namespace
        self._at = pod.at
        self._where = where
        found_pod = self._client.get(collection_path("Pod", pod.namespace, pod.at.pod))
        self._container = _container(found_pod, pod.at.port)
        ask = ("pg_dump", "--version")
        said = run_in_pod(self._client, pod.namespace, pod.at.pod, ask, container=self._container, timeout=_ASK_LIMIT_S)
        found = _VERSION.search(said)
        self.major = int(found[1]) if found else 0

    def dump(
        self, arguments: Sequence[str], limit_s: float, take: Callable[[bytes], None], told: Callable[[str], None]
    ) -> None:
        """See ``DumpPrograms``; it connects inside of the pod, where a tunnel ends."""
        reach = {
            "PGHOST": "127.0.0.1",
            "PGPORT": self._at.port,
            "PGDATABASE": self._where.database,
            "PGUSER": self._where.user,
            "PGAPPNAME": APPLICATION_NAME,
            "PGCLIENTENCODING": "UTF8",
            "LC_ALL": "C",
        }
        settings = [f"{name}={value}" for name, value in reach.items() if value is not None]
        command = (*_WITH_PASSWORD, "env", *settings, "pg_dump", *arguments)
        self._run("pg_dump", command, [f"{self._where.password or ''}\n".encode()], limit_s, take, told)

    def read(self, file: Path, limit_s: float, take: Callable[[bytes], None]) -> None:
        """See ``DumpPrograms``; the file is sent into the pod."""
        command = (*_WITH_LENGTH, str(file.stat().st_size), "pg_restore", *READ)
        self._run("pg_restore", command, _pieces(file), limit_s, take, lambda _line: None)

    def _run(
        self,
        program: str,
        command: Sequence[str],
        feed: Iterator[bytes] | list[bytes],
        limit_s: float,
        take: Callable[[bytes], None],
        told: Callable[[str], None],
    ) -> None:
        lines = Lines(told)
        code = stream_in_pod(
            self._client,
            self._namespace,
            self._at.pod,
            command,
            container=self._container,
            alive=self._call.alive,
            limit_s=limit_s,
            feed=feed,
            take=take,
            told=lines.feed,
        )
        if code:
            reason = mask_text(lines.reason() or f"exit code {code}", [self._where.password or ""])
            raise GoliveError(
                "program_failed",
                f"Running {program} in pod {self._at.pod} failed: {reason.rstrip('.')}.",
                "Look at the server, the rights of this user, and the pod's memory.",
            )


def _container(pod: dict[str, Any], port: int) -> str:
    """The container that declares the port, or else the first one."""
    containers: list[dict[str, Any]] = pod["spec"]["containers"]
    declared = (one for one in containers if any(row.get("containerPort") == port for row in one.get("ports") or []))
    return str(next(declared, containers[0])["name"])


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(_PIECE):
            yield piece
