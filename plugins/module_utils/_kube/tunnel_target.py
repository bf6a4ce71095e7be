# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pod, and which of its ports, a tunnel to a Service or pod leads to."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

_FRESH_S = 2.0


@dataclass(frozen=True)
class PodPort:
    """A pod's name and the number of its port."""

    pod: str
    port: int


class Target:
    """The pods behind ``service/<name>``, taken in turn, or the one of ``pod/<name>``.

    ``port`` is a number or a name; of a Service it is the Service's port, and None takes its only one. What the API
    says is believed for two seconds, so that a pod that went away is left out by the next connections. With ``ending``
    a pod will do that is being deleted but still runs.
    """

    def __init__(
        self, client: Client, namespace: str, target: str, port: int | str | None, *, ending: bool = False
    ) -> None:
        kind, _slash, name = target.partition("/")
        if kind not in ("service", "pod") or not name:
            raise GoliveError("invalid", f"Cannot open a tunnel to '{target}'.", "Write service/<name> or pod/<name>.")
        self.namespace = namespace
        self._client = client
        self._ending = ending
        self._kind = kind
        self._name = name
        self._port = int(port) if isinstance(port, str) and port.isdigit() else port
        self._lock = threading.Lock()
        self._known: list[PodPort] = []
        self._until = 0.0
        self._turn = itertools.count()

    def __str__(self) -> str:
        return f"{self._kind} {self._name} in namespace {self.namespace}"

    def pick(self) -> PodPort:
        """The next pod to connect to. Raises GoliveError ``not_found``, ``no_ready_pod`` or ``no_such_port``."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._known = self._service() if self._kind == "service" else [self._pod()]
                self._until = time.monotonic() + _FRESH_S
            return self._known[next(self._turn) % len(self._known)]

    def forget(self) -> None:
        """Look again before the next connection: the last one failed."""
        with self._lock:
            self._until = 0.0

    def _path(self, group: str, collection: str, name: str = "") -> str:
        path = f"{group}/namespaces/{quote(self.namespace, safe='')}/{collection}"
        return f"{path}/{quote(name, safe='')}" if name else path

    def _service(self) -> list[PodPort]:
        service = self._client.get(self._path("/api/v1", "services", self._name))
        port = self._service_port(service["spec"].get("ports") or [])
        slices = self._client.list(
            self._path("/apis/discovery.k8s.io/v1", "endpointslices"),
            {"labelSelector": f"kubernetes.io/service-name={self._name}"},
        )
        ready = [
            PodPort(endpoint["targetRef"]["name"], number["port"])
            for row in slices
            for number in row.get("ports") or []
            if (number.get("name") or "") == (port.get("name") or "") and number.get("port")
            for endpoint in row.get("endpoints") or []
            if _ready(endpoint) and (endpoint.get("targetRef") or {}).get("kind") == "Pod"
        ]
        if not ready:
            raise self._no_ready_pod(service, slices)
        return sorted(set(ready), key=lambda pair: pair.pod)

    def _service_port(self, ports: list[dict[str, Any]]) -> dict[str, Any]:
        if self._port is None and len(ports) == 1:
            return ports[0]
        for row in ports:
            if self._port in (row["port"], row.get("name")):
                return row
        raise self._no_such_port([row.get("name") or str(row["port"]) for row in ports])

    def _no_ready_pod(self, service: Mapping[str, Any], slices: list[dict[str, Any]]) -> GoliveError:
        endpoints = [endpoint for row in slices for endpoint in row.get("endpoints") or []]
        if any(_ready(endpoint) for endpoint in endpoints):
            reason = "its ready endpoints are not pods with that port"
        elif endpoints:
            names = sorted((endpoint.get("targetRef") or {}).get("name", "?") for endpoint in endpoints)
            reason = f"not ready: {', '.join(names)}"
        else:
            selector = ",".join(f"{key}={value}" for key, value in (service["spec"].get("selector") or {}).items())
            reason = f"no pod matches its selector {selector}" if selector else "it has no selector"
        return GoliveError(
            "no_ready_pod",
            f"Opening a tunnel to {self} failed: no pod is ready ({reason}).",
            "Wait until the pods are ready, or look at why they are not: kubectl describe pods.",
        )

    def _pod(self) -> PodPort:
        pod = self._client.get(self._path("/api/v1", "pods", self._name))
        phase = (pod.get("status") or {}).get("phase")
        deleting = pod["metadata"].get("deletionTimestamp") and not self._ending
        if phase != "Running" or deleting:
            state = "is being deleted" if deleting else f"is {phase}"
            raise GoliveError(
                "no_ready_pod",
                f"Opening a tunnel to {self} failed: the pod {state}{_waiting(pod)}.",
                "Wait until the pod runs, or look at why it does not: kubectl describe pod.",
            )
        if isinstance(self._port, int):
            return PodPort(self._name, self._port)
        ports = [row for container in pod["spec"]["containers"] for row in container.get("ports") or []]
        for row in ports:
            if row.get("name") == self._port or (self._port is None and len(ports) == 1):
                return PodPort(self._name, row["containerPort"])
        raise self._no_such_port([row.get("name") or str(row["containerPort"]) for row in ports])

    def _no_such_port(self, known: list[str]) -> GoliveError:
        asked = "no port was named" if self._port is None else f"it has no port {self._port}"
        return GoliveError(
            "no_such_port",
            f"Opening a tunnel to {self} failed: {asked}.",
            f"Its ports: {', '.join(known)}." if known else "It declares no ports; give a number.",
        )


def _ready(endpoint: Mapping[str, Any]) -> bool:
    return (endpoint.get("conditions") or {}).get("ready") is not False


def _waiting(pod: Mapping[str, Any]) -> str:
    for row in (pod.get("status") or {}).get("containerStatuses") or []:
        waiting = (row.get("state") or {}).get("waiting") or {}
        if waiting:
            detail = ": ".join(text for text in (waiting.get("reason"), waiting.get("message")) if text)
            return f", container {row['name']} waits ({detail})"
    return ""
