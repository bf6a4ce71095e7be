# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to a store inside of a cluster: an HTTP proxy on loopback that leads into a tunnel.

A client of the store goes through it to the store's own name, so that TLS is checked as from inside of the cluster.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_HEAD = 8192
_HEAD_S = 10.0
_CHUNK = 1 << 16
_JOIN_S = 5.0
_OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"
_REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
_NO_WAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def proxy_into(address: tuple[str, int], endpoint: str) -> Iterator[str]:
    """The URL of a proxy that takes ``CONNECT`` to ``endpoint`` (a host, or host:port) and leads it to ``address``.

    ``address`` is the local end of a tunnel. Every other request is refused. Errors of the tunnel stay its own: when
    the way breaks, its ``trouble`` tells why.
    """
    proxy = _Proxy(address, endpoint)
    try:
        yield proxy.url
    finally:
        proxy.close()


class _Proxy:
    def __init__(self, address: tuple[str, int], endpoint: str) -> None:
        self._address = address
        self._wanted = endpoint if ":" in endpoint else f"{endpoint}:443"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._asleep, self._wake = socket.socketpair()
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, name="proxy into a tunnel", daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    def close(self) -> None:
        self._wake.send(b"x")
        self._acceptor.join(_JOIN_S)
        with self._lock:
            for sock in self._sockets:
                # Ends a thread that waits in it.
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_JOIN_S)
        for sock in (self._listener, self._asleep, self._wake):
            sock.close()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._listener, selectors.EVENT_READ)
            ready.register(self._asleep, selectors.EVENT_READ)
            while True:
                if any(key.fileobj is self._asleep for key, _events in ready.select()):
                    return
                client, _peer = self._listener.accept()
                self._keep(client)
                thread = threading.Thread(target=self._serve, args=(client,), name="proxy into a tunnel", daemon=True)
                thread.start()
                self._threads = [known for known in self._threads if known.is_alive()] + [thread]

    def _serve(self, client: socket.socket) -> None:
        inside: socket.socket | None = None
        try:
            client.settimeout(_HEAD_S)
            asked = _request(client)
            if asked != f"CONNECT {self._wanted}":
                client.sendall(_REFUSED)
                return
            inside = self._inside(client)
            if inside is not None:
                client.settimeout(None)
                _carry(client, inside)
        except OSError:
            pass  # either end has gone; the other learns it below
        finally:
            for sock in (client, inside):
                if sock is not None:
                    self._drop(sock)

    def _inside(self, client: socket.socket) -> socket.socket | None:
        try:
            inside = socket.create_connection(self._address, _HEAD_S)
        except OSError:
            client.sendall(_NO_WAY)
            return None
        self._keep(inside)
        inside.settimeout(None)
        client.sendall(_OPEN)
        return inside

    def _keep(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets.add(sock)

    def _drop(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets.discard(sock)
        sock.close()


def _request(client: socket.socket) -> str:
    """Method and target of a request, whose head is read to its end and not a byte further."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # A client waits for the answer before it sends more.
        piece = client.recv(_LONGEST_HEAD)
        head += piece
        if not piece or len(head) > _LONGEST_HEAD:
            return ""
    return " ".join(head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")[:2])


def _carry(client: socket.socket, inside: socket.socket) -> None:
    """Bytes both ways until either end closes."""
    with selectors.DefaultSelector() as ready:
        for here, there in ((client, inside), (inside, client)):
            ready.register(here, selectors.EVENT_READ, (here, there))
        while True:
            for key, _events in ready.select():
                here, there = key.data
                data = here.recv(_CHUNK)
                if not data:
                    return
                there.sendall(data)
