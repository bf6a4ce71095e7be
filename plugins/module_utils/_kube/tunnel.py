# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A port on loopback that leads to a pod, through the Kubernetes API.

Every accepted connection is a port-forward WebSocket of its own (``v4.channel.k8s.io``: even channel data, odd channel
errors): one that breaks does not touch the others, and no shared window can make them wait for each other.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import websocket
except ImportError:
    websocket = None  # type: ignore[assignment]  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_pipe import Pipe
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_socket import connect
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_target import Target

_JOIN_S = 12.0


class Address(tuple[str, int]):  # noqa: SLOT001 - a tuple cannot have slots of its own
    """``(host, port)`` of the local end; ``trouble`` is the newest reason why a connection through it broke."""

    _tunnel: _Tunnel

    @property
    def trouble(self) -> GoliveError | None:
        """None while no connection has failed."""
        return self._tunnel.trouble

    def stuck(self, seconds: float = 0.0) -> GoliveError | None:
        """Code ``unreachable`` while a connection waits longer than ``seconds`` for the API; None when none does."""
        return self._tunnel.stuck(seconds)


@contextmanager
def tunnel(
    client: Client, namespace: str, target: str, port: int | str | None = None, *, ending: bool = False
) -> Iterator[Address]:
    """Listen on loopback and forward to ``service/<name>`` or ``pod/<name>``; yields ``(host, port)``.

    ``port`` is a number or a name of the Service's or pod's ports. With ``ending`` a pod that is being deleted will do
    as long as it runs. The way is tried before the first use. Raises
    GoliveError ``not_found``, ``no_ready_pod``, ``no_such_port``, ``forbidden``, ``unreachable`` or
    ``library_missing``. When the body fails to connect (``unreachable`` or OSError) and the tunnel knows why
    (``port_closed``, ``tunnel_broken``), that reason is raised in its place.
    """
    if websocket is None:
        raise GoliveError(
            "library_missing",
            "The Python library websocket-client is missing.",
            "Install it for the Python that runs this task: pip install websocket-client.",
        )
    inside = _Tunnel(client, Target(client, namespace, target, port, ending=ending))
    inside.open()
    try:
        yield inside.address
    except (GoliveError, OSError) as error:
        unreachable = isinstance(error, OSError) or error.code == "unreachable"
        if unreachable and inside.trouble is not None:
            raise inside.trouble from error
        raise
    finally:
        inside.close()


class _Tunnel:
    def __init__(self, client: Client, target: Target) -> None:
        self.trouble: GoliveError | None = None
        self.address = Address(("127.0.0.1", 0))
        self._client = client
        self._target = target
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._asleep, self._wake = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name=f"tunnel to {target}", daemon=True)
        self._threads: list[threading.Thread] = []
        self._pipes: set[Pipe] = set()
        self._opening: dict[threading.Thread, float] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def open(self) -> None:
        try:
            self._client.retried(lambda: connect(self._client, self._target, self._target.pick())).close()
            self._listener.bind(("127.0.0.1", 0))
            self._listener.listen(64)
        except BaseException:
            self._close_sockets()
            raise
        self.address = Address(self._listener.getsockname())
        self.address._tunnel = self
        self._acceptor.start()

    def close(self) -> None:
        self._wake.send(b"x")
        self._acceptor.join(_JOIN_S)
        with self._lock:
            self._stopped = True
            pipes = list(self._pipes)
            # Those that still wait for the API end by themselves: nobody wants what they would open.
            threads = [thread for thread in self._threads if thread not in self._opening]
        for pipe in pipes:
            pipe.stop()
        for thread in threads:
            thread.join(_JOIN_S)
        self._close_sockets()

    def _close_sockets(self) -> None:
        for sock in (self._listener, self._asleep, self._wake):
            sock.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._listener, selectors.EVENT_READ)
            ready.register(self._asleep, selectors.EVENT_READ)
            while True:
                if any(key.fileobj is self._asleep for key, _events in ready.select()):
                    return
                local, _peer = self._listener.accept()
                name = f"tunnel to {self._target}"
                thread = threading.Thread(target=self._serve, args=(local,), name=name, daemon=True)
                with self._lock:
                    self._opening[thread] = time.monotonic()
                thread.start()
                self._threads = [known for known in self._threads if known.is_alive()] + [thread]

    def _serve(self, local: socket.socket) -> None:
        try:
            # Nothing was sent to the pod yet: what the server drops may be asked again.
            remote = self._client.retried(lambda: connect(self._client, self._target, self._target.pick()))
        except (GoliveError, Interrupted) as error:
            if isinstance(error, GoliveError):
                self._broken(error)
            self._opened()
            local.close()
            return
        self._opened()
        pipe = Pipe(local, remote, f"to {self._target}")
        with self._lock:
            if self._stopped:
                pipe.stop()
            self._pipes.add(pipe)
        pipe.run(self._broken)
        with self._lock:
            self._pipes.discard(pipe)

    def stuck(self, seconds: float) -> GoliveError | None:
        with self._lock:
            waited = time.monotonic() - min(self._opening.values(), default=time.monotonic())
        if waited <= seconds:
            return None
        return GoliveError(
            "unreachable",
            f"The tunnel to {self._target} has waited {waited:.1f} s for the API server {self._client.host}.",
            "Check that the cluster runs, and that proxies on the way let WebSockets pass.",
        )

    def _opened(self) -> None:
        with self._lock:
            self._opening.pop(threading.current_thread(), None)

    def _broken(self, error: GoliveError) -> None:
        self.trouble = error
        self._target.forget()
