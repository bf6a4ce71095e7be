# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames in any cut, and one connection of a tunnel against the other end of its protocol."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_pipe import Pipe

PORT = (5432).to_bytes(2, "little")
SIZES = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536, 70000])


@given(sizes=st.lists(SIZES, max_size=3), cut=st.integers(1, 70010))
def test_frames_survive_any_cut(sizes: list[int], cut: int) -> None:
    sent = [Frame(BINARY, bytes(range(256)) * (size // 256) + b"x" * (size % 256)) for size in sizes]
    stream = b"".join(encode(frame.opcode, frame.payload) for frame in sent)
    decoder = Decoder()
    got = [frame for at in range(0, len(stream), cut) for frame in decoder.feed(stream[at : at + cut])]
    assert got == sent


class Ends:
    """Both ends of a running pipe: ``local`` is the client's, ``remote`` is what an API server holds."""

    def __init__(self) -> None:
        self.local, inner_local = socket.socketpair()
        self.remote, inner_remote = socket.socketpair()
        inner_remote.setblocking(False)
        self.local.settimeout(10)
        self.remote.settimeout(10)
        self.pipe = Pipe(inner_local, inner_remote, "to pod x")
        self.reason: GoliveError | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.pipe.run(self._broken)

    def _broken(self, reason: GoliveError) -> None:
        self.reason = reason

    def greet(self) -> None:
        self.remote.sendall(encode(BINARY, b"\x00" + PORT) + encode(BINARY, b"\x01" + PORT))

    def ended(self) -> bool:
        self.thread.join(5)
        return not self.thread.is_alive()


@pytest.fixture
def ends() -> Iterator[Ends]:
    pair = Ends()
    yield pair
    pair.pipe.stop()
    pair.thread.join(5)
    pair.local.close()
    pair.remote.close()


def receive(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = sock.recv(1 << 16)
        if not chunk:
            break
        data += chunk
    return data


def test_bytes_go_both_ways_and_port_numbers_are_left_out(ends: Ends) -> None:
    ends.greet()
    ends.remote.sendall(encode(BINARY, b"\x00hello"))
    assert receive(ends.local, 5) == b"hello"
    ends.local.sendall(b"world")
    assert list(Decoder().feed(ends.remote.recv(100))) == [Frame(BINARY, b"\x00world")]


def test_a_fragmented_message_keeps_its_channel(ends: Ends) -> None:
    ends.greet()
    first = bytearray(encode(BINARY, b"\x00abc"))
    first[0] &= 0x7F
    ends.remote.sendall(bytes(first) + encode(CONTINUATION, b"def"))
    assert receive(ends.local, 6) == b"abcdef"


def test_more_than_the_buffers_hold_goes_through(ends: Ends) -> None:
    ends.greet()
    data = bytes(range(256)) * 40_000

    def send() -> None:
        for at in range(0, len(data), 30_000):
            ends.remote.sendall(encode(BINARY, b"\x00" + data[at : at + 30_000]))
        ends.remote.sendall(encode(CLOSE, b""))

    sender = threading.Thread(target=send)
    sender.start()
    got = receive(ends.local, len(data) + 1)
    sender.join(5)
    assert got == data
    assert ends.ended()
    assert ends.reason is None


def test_a_ping_is_answered(ends: Ends) -> None:
    ends.remote.sendall(encode(PING, b"are you there"))
    assert list(Decoder().feed(ends.remote.recv(100))) == [Frame(PONG, b"are you there")]


def test_a_closed_port_is_told_apart(ends: Ends) -> None:
    ends.greet()
    ends.remote.sendall(encode(BINARY, b"\x01dial tcp4 127.0.0.1:5432: connection refused") + encode(CLOSE, b""))
    assert ends.ended()
    assert ends.local.recv(1) == b""
    assert ends.reason is not None
    assert ends.reason.code == "port_closed"


def test_the_local_end_closing_ends_the_connection(ends: Ends) -> None:
    ends.greet()
    ends.local.sendall(b"bye")
    ends.local.close()
    assert ends.ended()
    assert ends.reason is None
    frames = list(Decoder().feed(receive(ends.remote, 1 << 16)))
    assert [frame.opcode for frame in frames] == [BINARY, CLOSE]
    assert frames[0].payload == b"\x00bye"


def test_the_api_server_going_away_closes_the_local_end(ends: Ends) -> None:
    ends.greet()
    ends.remote.close()
    assert ends.ended()
    assert ends.local.recv(1) == b""
    assert ends.reason is not None
    assert ends.reason.code == "tunnel_broken"


def test_a_pod_that_hangs_up_did_so_itself(ends: Ends) -> None:
    ends.greet()
    ends.remote.sendall(encode(CLOSE, b"\x03\xe8"))
    ends.remote.close()
    assert ends.ended()
    assert ends.reason is None


def test_stop_ends_a_busy_connection(ends: Ends) -> None:
    ends.greet()
    ends.pipe.stop()
    assert ends.ended()
    assert ends.reason is None
