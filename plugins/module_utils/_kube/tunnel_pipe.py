# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection of a tunnel: bytes between a local socket and a port-forward WebSocket."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    Decoder,
    Frame,
    encode,
)

_DATA = 0
_ERROR = 1
_CHUNK = 1 << 16
# Where one side is slower, the other is not read beyond this many bytes.
_FULL = 1 << 20
# Load balancers before API servers cut connections that are silent for some minutes.
_PING_S = 20.0
_LOOK_S = 1.0
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError, InterruptedError)


class Pipe:
    """Carries one connection until either end closes it or ``stop`` is called.

    The protocol has no half-close: when the local end has sent everything and closes, the connection ends.
    """

    def __init__(self, local: socket.socket, remote: Any, what: str) -> None:
        self._local = local
        self._remote = remote
        self._what = what
        self._decoder = Decoder()
        self._channel = -1
        self._first = {_DATA: True, _ERROR: True}
        self._to_local = bytearray()
        self._to_remote = bytearray()
        self._local_open = True
        self._remote_open = True
        self._complaint = bytearray()
        self._broken: Exception | None = None
        self._stopped = threading.Event()
        self._asleep, self._wake = socket.socketpair()
        self._ping_at = time.monotonic() + _PING_S

    def stop(self) -> None:
        """End the connection from another thread."""
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._wake.send(b"x")

    def run(self, broken: Callable[[GoliveError], None]) -> None:
        """Carry bytes until the end; ``broken`` gets the reason before the local end learns that something broke."""
        self._local.setblocking(False)
        try:
            while self._has_work() and not self._stopped.is_set():
                if not self._step():
                    self._sleep()
        except OSError as error:
            self._broken = error
        finally:
            reason = None if self._stopped.is_set() else self._reason()
            if reason is not None:
                broken(reason)
            for sock in (self._local, self._remote, self._asleep, self._wake):
                sock.close()

    def _has_work(self) -> bool:
        if not self._remote_open:
            return bool(self._to_local)
        return self._local_open or bool(self._to_remote)

    def _step(self) -> bool:
        """Whatever can be done without waiting; True when it was something."""
        moved = self._read_remote()
        moved |= self._read_local()
        moved |= self._write(self._remote, self._to_remote)
        try:
            moved |= self._write(self._local, self._to_local)
        except (BrokenPipeError, ConnectionResetError):
            self._local_open = False
            self._to_local.clear()
            self._to_remote.clear()
        return moved

    def _read_remote(self) -> bool:
        if not self._remote_open or len(self._to_local) >= _FULL:
            return False
        try:
            data = self._remote.recv(_CHUNK)
        except _AGAIN:
            return False
        except OSError as error:
            self._broken = error
            data = b""
        if not data:
            self._remote_open = False
            # The API server says CLOSE when the pod is done.
            self._broken = self._broken or ConnectionError("the API server hung up in the middle")
        for frame in self._decoder.feed(data):
            self._take(frame)
        return True

    def _take(self, frame: Frame) -> None:
        if frame.opcode == PING:
            self._to_remote += encode(PONG, frame.payload)
        elif frame.opcode == CLOSE:
            self._remote_open = False
        elif frame.opcode == CONTINUATION:
            self._deliver(frame.payload)
        elif frame.opcode == BINARY and frame.payload:
            self._channel = frame.payload[0]
            self._deliver(frame.payload[1:])

    def _deliver(self, data: bytes) -> None:
        if self._first.get(self._channel):
            # The first message of each channel repeats the port number.
            self._first[self._channel] = False
        elif self._channel == _DATA:
            self._to_local += data
        elif self._channel == _ERROR:
            self._complaint += data

    def _read_local(self) -> bool:
        if not self._local_open or not self._remote_open or len(self._to_remote) >= _FULL:
            return False
        try:
            data = self._local.recv(_CHUNK)
        except _AGAIN:
            return False
        except ConnectionResetError:
            data = b""
        if data:
            self._to_remote += encode(BINARY, bytes([_DATA]) + data)
        else:
            self._local_open = False
            self._to_remote += encode(CLOSE, b"\x03\xe8")
        return True

    def _write(self, sock: Any, data: bytearray) -> bool:
        if not data:
            return False
        try:
            sent = sock.send(bytes(data[:_CHUNK]))
        except _AGAIN:
            return False
        del data[:sent]
        return bool(sent)

    def _sleep(self) -> None:
        now = time.monotonic()
        if now >= self._ping_at and self._remote_open:
            self._ping_at = now + _PING_S
            self._to_remote += encode(PING, b"")
        local = self._events(self._local_open and len(self._to_remote) < _FULL, self._to_local)
        remote = self._events(len(self._to_local) < _FULL, self._to_remote)
        with selectors.DefaultSelector() as ready:
            ready.register(self._asleep, selectors.EVENT_READ)
            if local:
                ready.register(self._local, local)
            if remote and self._remote_open:
                ready.register(self._remote, remote)
            ready.select(_LOOK_S)

    @staticmethod
    def _events(read: bool, write: bytearray) -> int:
        return (selectors.EVENT_READ if read else 0) | (selectors.EVENT_WRITE if write else 0)

    def _reason(self) -> GoliveError | None:
        text = self._complaint.decode("utf-8", "replace").strip()
        if text:
            closed = "refused" in text or "failed to dial" in text
            return GoliveError(
                "port_closed" if closed else "tunnel_broken",
                f"The tunnel {self._what} broke: {text}",
                "Check that the process in the pod listens on that port." if closed else "Look at the pod; then retry.",
            )
        if self._broken is not None and self._local_open:
            return GoliveError("tunnel_broken", f"The tunnel {self._what} broke: {self._broken}", "Run again.")
        return None
