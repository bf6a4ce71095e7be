# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one result shape of tracking, with the log lines that explain a cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Optional

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes import Finding, finding
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.logs import log_tail
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_judge import Seen
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import Scene
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import Target, absent

_ENDED = ("crash_loop", "oom_killed", "probe_killed")
_JOB_CODES = ("job_backoff_limit", "job_deadline", "job_pod_failure_policy", "job_failed")
Scenes = Mapping[Target, Optional[Scene]]  # noqa: UP045  # pylint of ansible-test knows no | at run time


class Report:
    """Builds the one result shape."""

    def __init__(self, call: Call, client: Client, seconds: float, log_lines: int) -> None:
        self._call = call
        self._client = client
        self._seconds = round(seconds, 3)
        self._log_lines = log_lines

    def of(self, verdict: str, seen: Seen, scenes: Scenes) -> dict[str, Any]:
        """The result of the last look."""
        cause = None
        if verdict == "timeout":
            cause = self._timeout(seen, scenes)
        elif seen.cause and verdict != "pending":
            cause = self._cause(seen.cause, scenes)
        unique = {pod["metadata"]["uid"]: pod for scene in scenes.values() if scene for pod in scene.pods}
        return {
            "verdict": verdict,
            "cause": cause,
            "objects": [
                {
                    "kind": target.kind,
                    "name": target.name,
                    "namespace": target.namespace,
                    "ready": state.ready,
                    "have": state.have,
                    "want": state.want,
                    "detail": state.detail,
                }
                for target, state in seen.states.items()
            ],
            "pods": pods.rows(unique.values()),
            "seconds": self._seconds,
        }

    def _timeout(self, seen: Seen, scenes: Scenes) -> dict[str, Any]:
        target, state = next((row for row in seen.states.items() if not row[1].ready), next(iter(seen.states.items())))
        scene = scenes[target]
        last = finding(scene.obj if scene else absent(target), "timeout", f"last seen: {state.detail}")
        if seen.pending:
            best = seen.pending[0]
            last = replace(best, code="timeout", message=f"{best.code}: {best.message}", hint=best.advice)
        return self._cause(last, scenes)

    def _cause(self, found: Finding, scenes: Scenes) -> dict[str, Any]:
        pod, container = self._where_it_ran(found, scenes)
        logs: list[str] = []
        if pod:
            status = next(row for row in pods.container_statuses(pod) if row["name"] == container)
            restarted = bool(pods.state_of(status, "running")) and found.code in _ENDED
            meta = pod["metadata"]
            logs = log_tail(
                self._client,
                meta["namespace"],
                meta["name"],
                container,
                lines=self._log_lines,
                secrets=self._call.secrets,
                previous=restarted,
            )
        return {
            "code": found.code,
            "class": found.cause_class,
            "object": found.object,
            "namespace": found.namespace,
            "container": container,
            "message": mask_text(found.message, self._call.secrets),
            "logs": logs,
            "hint": found.advice,
            "seconds": self._seconds,
        }

    @staticmethod
    def _where_it_ran(found: Finding, scenes: Scenes) -> tuple[dict[str, Any] | None, str]:
        """The pod and container whose log explains the finding; of a failed Job the one that failed last."""
        everything = [pod for scene in scenes.values() if scene for pod in [*scene.pods, *scene.former]]
        if found.code in _JOB_CODES:
            scene = next(row for row in scenes.values() if row and row.uid == found.uid)
            failed = [
                (str(pods.last_end(row).get("finishedAt")), pod, row["name"])
                for pod in [*scene.pods, *scene.former]
                for row in pods.container_statuses(pod)
                if pods.last_end(row).get("exitCode")
            ]
            return (max(failed, key=lambda row: row[0])[1:]) if failed else (None, "")
        if not found.container:
            return None, ""
        pod = next((row for row in everything if row["metadata"]["uid"] == found.uid), None)
        started = pod and any(
            row["name"] == found.container and (pods.state_of(row, "running") or pods.last_end(row))
            for row in pods.container_statuses(pod)
        )
        return (pod if started else None), found.container
