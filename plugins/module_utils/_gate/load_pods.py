# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods that a load check wants to see at work: all of them serve, and none restarts (reference 4.4)."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods import container_statuses, is_ready

_FRESH_S = 2.0


class Pods:
    """The ready pods behind a Service, looked at every two seconds at most."""

    def __init__(self, client: Client, namespace: str, service: str) -> None:
        self.names: list[str] = []
        self.restarted: list[str] = []
        self.liveness = 0.0
        self._client = client
        self._namespace = namespace
        self._service = service
        self._restarts: dict[str, int] = {}
        self._until = 0.0

    def look(self) -> None:
        """Look again. Raises GoliveError of the client."""
        if time.monotonic() < self._until:
            return
        service = self._client.get(self._client.path_of("v1", "Service", self._namespace, self._service))
        selector = service["spec"].get("selector") or {}
        found = self._client.list(
            self._client.path_of("v1", "Pod", self._namespace),
            {"labelSelector": ",".join(f"{key}={value}" for key, value in selector.items())},
        )
        self._until = time.monotonic() + _FRESH_S
        self.names = sorted(pod["metadata"]["name"] for pod in found if selector and is_ready(pod))
        for pod in found if selector else []:
            self._count(pod)
        self.liveness = max((_liveness(pod) for pod in found), default=0.0)

    def _count(self, pod: dict[str, Any]) -> None:
        uid = pod["metadata"]["uid"]
        for row in container_statuses(pod):
            count, key = int(row.get("restartCount") or 0), f"{uid}/{row['name']}"
            if count > self._restarts.setdefault(key, count):
                self._restarts[key] = count
                self.restarted.append(f"container {row['name']} of pod {pod['metadata']['name']}")


def _liveness(pod: dict[str, Any]) -> float:
    """Seconds until a liveness probe that fails from now on ends a container; the longest of the pod."""
    probes = [row["livenessProbe"] for row in pod["spec"]["containers"] if row.get("livenessProbe")]
    return max((float(row.get("periodSeconds", 10) * row.get("failureThreshold", 3)) for row in probes), default=0.0)
