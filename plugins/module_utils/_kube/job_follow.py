# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of a running Job: their newest log lines and how they ended."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.logs import log_tail
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_report import Scenes
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path

_EVERY_S = 1.0
_LINE_LENGTH = 100


class Follower:
    """Reads the log at most once a second and keeps the last lines: a failing Job's pods may be gone at its end."""

    def __init__(self, call: Call, client: Client, job: dict[str, Any]) -> None:
        self._call = call
        self._client = client
        self._job = job
        self._read_at = float("-inf")
        self._lines: list[str] = []

    def look(self, scenes: Scenes) -> str:
        """The last log line, for the progress line."""
        running = [pod for scene in scenes.values() if scene for pod in scene.pods]
        if running and self._call.now() - self._read_at >= _EVERY_S:
            self._read(running)
        return self._lines[-1][:_LINE_LENGTH] if self._lines else ""

    def ending(self) -> tuple[int | None, list[str]]:
        """Exit code and last log lines; the code is None while nothing has ended."""
        meta = self._job["metadata"]
        label = f"batch.kubernetes.io/job-name={meta['name']}"
        listed = self._client.list(collection_path("Pod", meta["namespace"]), {"labelSelector": label})
        mine = [pod for pod in listed if pods.owned_by(pod, meta["uid"])]
        if mine:
            self._read(mine)
        ends = [
            (str(end["finishedAt"]), int(end["exitCode"]))
            for pod in mine
            for end in map(pods.last_end, pods.container_statuses(pod))
            if end.get("finishedAt")
        ]
        if not ends:
            return None, self._lines
        failed = [row for row in ends if row[1]]
        return (max(failed)[1] if failed and not pods.is_true(self._job, "Complete") else max(ends)[1]), self._lines

    def _read(self, mine: list[dict[str, Any]]) -> None:
        self._read_at = self._call.now()
        pod = max(mine, key=lambda row: str(row["metadata"].get("creationTimestamp")))
        lines = log_tail(
            self._client,
            pod["metadata"]["namespace"],
            pod["metadata"]["name"],
            _speaking(pod),
            lines=self._call.params["log_lines"],
            secrets=self._call.secrets,
        )
        self._lines = lines or self._lines


def _speaking(pod: dict[str, Any]) -> str:
    """The container whose log tells most: the failed one, else the first that is not an init container."""
    for status in pods.container_statuses(pod):
        if pods.last_end(status).get("exitCode"):
            return str(status["name"])
    return str(pod["spec"]["containers"][0]["name"])
