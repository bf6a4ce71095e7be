# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of the real API server that injects what a healthy one does not show, with a kubeconfig of its own.

It relays bytes, so that watches and WebSockets work through it as they do without it.
"""

from __future__ import annotations

import os
import random
import re
import select
import socket
import socketserver
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import yaml

_STATUS = {404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}
_KINDS = (429, 500, "reset", "lost answer", "slow")
_SLOW_S = 2.0
_LENGTH = re.compile(rb"(?im)^content-length: *(\d+)")
_CONNECTION = re.compile(rb"(?im)^connection:.*\r\n")
_LIST = re.compile(rb'"kind": ?"\w+List"')


@dataclass
class Faults:
    """What is injected: a ``share`` of all calls fails; watches end after ``watch_s``; ``stale`` is the share of lists
    that are answered as they were before; after a write to ``outage_after`` nothing answers for ``outage_s``. Paths
    that begin with ``hidden`` are not there. A ``silent`` server accepts calls and never answers.
    """

    share: float = 0.0
    watch_s: float | None = None
    stale: float = 0.0
    outage_after: str = ""
    outage_s: float = 5.0
    silent: bool = False
    hidden: str = ""


@dataclass
class FaultyApi:
    """The running proxy. ``faults`` may be replaced at any time; ``injected`` counts what was done, by kind."""

    upstream: tuple[str, int]
    kubeconfig: Path
    faults: Faults = field(default_factory=Faults)
    injected: Counter[str] = field(default_factory=Counter)
    chance: random.Random = field(default_factory=lambda: random.Random(20261124))
    lists: dict[bytes, bytes] = field(default_factory=dict)
    down_until: float = 0.0

    def choose(self) -> int | str | None:
        """The fault of one call, or None."""
        return self.chance.choice(_KINDS) if self.chance.random() < self.faults.share else None

    def count(self, kind: int | str) -> None:
        """Note what was injected."""
        self.injected[str(kind)] += 1


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        api = self.server.api
        request = _request(self.request)
        if request is None:
            return
        head, body = request
        if time.monotonic() < api.down_until:
            api.count("outage")
            self._reset()
            return
        if api.faults.silent:
            api.count("silence")
            self.request.recv(1)
            return
        if api.faults.hidden and head.split(b" ", 2)[1].startswith(api.faults.hidden.encode()):
            api.count("hidden")
            self._refuse(404)
            return
        fault = api.choose()
        if fault is not None:
            api.count(fault)
        if fault == "reset":
            self._reset()
        elif isinstance(fault, int):
            self._refuse(fault)
        else:
            if fault == "slow":
                time.sleep(_SLOW_S)
            self._relay(head, body, lost=fault == "lost answer")

    def _relay(self, head: bytes, body: bytes, lost: bool) -> None:
        api, first = self.server.api, head.split(b"\r\n", 1)[0]
        upgrade = b"upgrade: websocket" in head.lower()
        watch = b"watch=true" in first or b"watch=1" in first
        if not upgrade:
            head = _CONNECTION.sub(b"", head[:-2]) + b"Connection: close\r\n\r\n"
        with socket.create_connection(api.upstream, timeout=60) as above:
            above.sendall(head + body)
            if upgrade or watch:
                self._pipe(above, api.faults.watch_s if watch else None)
                return
            answer = _all_of(above)
        writes = first.startswith(b"PATCH") and b"dryRun" not in first
        if api.faults.outage_after and writes and api.faults.outage_after.encode() in first:
            api.faults.outage_after = ""
            api.down_until = time.monotonic() + api.faults.outage_s
        if first.startswith(b"GET") and _LIST.search(answer[:2000]):
            before = api.lists.get(first)
            api.lists[first] = answer
            if before is not None and before != answer and api.chance.random() < api.faults.stale:
                api.count("stale")
                answer = before
        if lost:
            self._reset()
        else:
            self.request.sendall(answer)

    def _pipe(self, above: socket.socket, limit_s: float | None) -> None:
        end = None if limit_s is None else time.monotonic() + limit_s
        while end is None or time.monotonic() < end:
            ready, _write, _errors = select.select([above, self.request], [], [], 0.2)
            for source, sink in ((above, self.request), (self.request, above)):
                if source in ready:
                    part = source.recv(65536)
                    if not part:
                        return
                    sink.sendall(part)
        self.server.api.count("cut watch")

    def _refuse(self, status: int) -> None:
        text = b'{"kind":"Status","apiVersion":"v1","status":"Failure","message":"injected by the test"}'
        head = f"HTTP/1.1 {status} {_STATUS[status]}\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
        self.request.sendall(f"{head}Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text)

    def _reset(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64
    api: FaultyApi

    def handle_error(self, request: object, client_address: object) -> None:
        """A peer that went away is no news here."""


@contextmanager
def faulty_api(folder: Path) -> Iterator[FaultyApi]:
    """The proxy in front of the cluster of KUBECONFIG; without faults until they are set."""
    below = subprocess.Popen(
        ["kubectl", "proxy", "--port=0", "--reject-paths=^/nothing$"],
        stdout=subprocess.PIPE, text=True, env=os.environ.copy(),
    )  # fmt: skip
    try:
        host, port = (below.stdout.readline() if below.stdout else "").split()[-1].rsplit(":", 1)
        with _Server(("127.0.0.1", 0), _Handler) as server:
            server.api = FaultyApi((host, int(port)), _kubeconfig(folder, server.server_address[1]))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            try:
                yield server.api
            finally:
                server.shutdown()
                thread.join()
    finally:
        below.terminate()
        below.wait(timeout=10)


def _kubeconfig(folder: Path, port: int) -> Path:
    path = folder / "faulty-kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "faulty", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "faulty", "context": {"cluster": "faulty", "user": "nobody"}}],
        "current-context": "faulty",
    }
    path.write_text(yaml.safe_dump(config))
    path.chmod(0o600)
    return path


def _request(source: socket.socket) -> tuple[bytes, bytes] | None:
    """Head, with its empty line, and body; None when the peer closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = source.recv(65536)
        if not part:
            return None
        data += part
    head, body = data.split(b"\r\n\r\n", 1)
    length = _LENGTH.search(head)
    while length and len(body) < int(length[1]):
        body += source.recv(65536)
    return head + b"\r\n\r\n", body


def _all_of(source: socket.socket) -> bytes:
    parts = []
    with suppress(ConnectionResetError):
        while part := source.recv(65536):
            parts.append(part)
    return b"".join(parts)
