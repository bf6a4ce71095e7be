# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count what clients still do on the pods of a colour: by a gauge of the app, or by its open connections."""

from __future__ import annotations

import math
import socket
import struct
import threading
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import OK, Answer, Target, ask_fresh
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import run_in_pod
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import Address, tunnel
from ansible_collections.golive.cutover.plugins.module_utils._traffic.settle_wish import METRIC, Metric, Nudge, Sockets

_ASK_S = 5.0
_ESTABLISHED = "01"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True)
class Work:
    """Open work of one pod. ``peers`` are the far ends, ``address:port``; empty when only a number is known."""

    count: int
    peers: tuple[str, ...] = field(default=())


class Counter:
    """Counts per pod; use as a context manager, which closes its tunnels. Safe to use from several threads."""

    def __init__(self, client: Client, namespace: str, count: str, metric: Metric, sockets: Sockets) -> None:
        self._client = client
        self._namespace = namespace
        self._count = count
        self._metric = metric
        self._sockets = sockets
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._tunnels: dict[tuple[str, str | None], Address] = {}

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def count(self, pod: Mapping[str, object], name: str) -> Work:
        """Open work of one pod (the object and its name). Raises GoliveError ``count_failed``."""
        try:
            return self._by_metric(name) if self._count == METRIC else self._by_sockets(pod, name)
        except GoliveError as error:
            raise GoliveError(
                "count_failed", f"Counting open work of pod {name} failed: {error.message}", error.hint, error.details
            ) from error

    def count_all(self, pods: Iterable[Mapping[str, object]]) -> dict[str, Work]:
        """Open work by the pods' names. Raises GoliveError ``count_failed`` when one of them cannot be counted."""
        known = {_name(pod): pod for pod in pods}
        found = self._client.map(lambda name: self.count(known[name], name), list(known))
        return dict(zip(known, found, strict=True))

    def nudge(self, name: str, nudge: Nudge) -> str:
        """Ask one pod to end its connections; what went wrong, or nothing."""
        try:
            answer = self._ask(name, nudge.port, nudge.path, nudge.method)
        except GoliveError as error:
            return f"{name}: {error.message}"
        return "" if answer.accepted else f"{name}: {answer.cause or answer.status}"

    def _by_metric(self, name: str) -> Work:
        answer = self._ask(name, self._metric.port, self._metric.path, "GET")
        if answer.kind != OK or answer.status != 200:
            raise GoliveError("count_failed", f"{self._metric.path} answered {answer.cause or answer.status}.")
        return Work(gauge(answer.body.decode("utf-8", "replace"), self._metric.name))

    def _ask(self, name: str, port: str | None, path: str, method: str) -> Answer:
        address = self._tunnel(name, port)
        target = Target(f"http://{name}{path}", timeout=_ASK_S, method=method, address=(address[0], address[1]))
        return ask_fresh(target)

    def _tunnel(self, name: str, port: str | None) -> Address:
        with self._lock:
            if (name, port) not in self._tunnels:
                way = tunnel(self._client, self._namespace, f"pod/{name}", port, ending=True)
                self._tunnels[name, port] = self._stack.enter_context(way)
            return self._tunnels[name, port]

    def _by_sockets(self, pod: Mapping[str, object], name: str) -> Work:
        table = run_in_pod(
            self._client, self._namespace, name, ["cat", *_TABLES], container=self._sockets.container, timeout=_ASK_S
        )
        ports = {self._sockets.port} if self._sockets.port else declared_ports(pod)
        peers = tuple(sorted(connections(table, ports)))
        return Work(len(peers), peers)


def _name(pod: Mapping[str, object]) -> str:
    meta = pod["metadata"]
    return str(meta["name"]) if isinstance(meta, Mapping) else ""


def declared_ports(pod: Mapping[str, object]) -> set[int]:
    """Port numbers that the containers of a pod declare."""
    spec = pod.get("spec")
    boxes = spec.get("containers") or [] if isinstance(spec, Mapping) else []
    return {int(port["containerPort"]) for box in boxes for port in box.get("ports") or []}


def gauge(page: str, name: str) -> int:
    """The sum of all series of a metric (Prometheus text format), rounded up. Raises GoliveError ``count_failed``
    when it has none: no data is never zero."""
    values = []
    for line in page.splitlines():
        series, _space, value = line.strip().rpartition(" ")
        if series.partition("{")[0].strip() == name:
            values.append(float(value))
    if not values or any(math.isnan(value) for value in values):
        raise GoliveError("count_failed", f"The page has no number for {name}.", "Name a gauge that every pod has.")
    return math.ceil(sum(values))


def connections(table: str, ports: Iterable[int]) -> set[str]:
    """Far ends of the established connections to ``ports``, out of ``/proc/net/tcp`` and ``/proc/net/tcp6``.

    Source: Linux documentation, networking/proc_net_tcp: hexadecimal, addresses in words of host byte order.
    """
    wanted = frozenset(ports)
    found = set()
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 4 or ":" not in fields[1] or fields[3] != _ESTABLISHED:
            continue
        if int(fields[1].rpartition(":")[2], 16) in wanted:
            raw, _colon, port = fields[2].rpartition(":")
            address = _address(raw)
            # Port-forwards end in the pod itself; they are no clients.
            if address not in _LOOPBACK:
                found.add(f"{address}:{int(port, 16)}")
    return found


def _address(text: str) -> str:
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    raw = struct.pack(f"<{len(words)}I", *words)
    if len(raw) == 4:
        return socket.inet_ntop(socket.AF_INET, raw)
    mapped = raw.startswith(bytes(10) + b"\xff\xff")
    return socket.inet_ntop(socket.AF_INET, raw[12:]) if mapped else socket.inet_ntop(socket.AF_INET6, raw)
