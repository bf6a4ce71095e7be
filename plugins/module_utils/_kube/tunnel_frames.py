# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSocket frames (RFC 6455, section 5) as the client side of a tunnel writes and reads them."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

CONTINUATION = 0x0
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA

_FIN = 0x80
_MASKED = 0x80


@dataclass(frozen=True)
class Frame:
    """One frame; ``last`` is False when a continuation frame follows."""

    opcode: int
    payload: bytes
    last: bool = True


def encode(opcode: int, payload: bytes) -> bytes:
    """A complete masked frame, as a client must send it."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", _FIN | opcode, _MASKED | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", _FIN | opcode, _MASKED | 126, size)
    else:
        head = struct.pack("!BBQ", _FIN | opcode, _MASKED | 127, size)
    key = os.urandom(4)
    return head + key + _masked(payload, key)


class Decoder:
    """Turns received bytes into frames, however they were cut on the way."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with ``data``."""
        self._rest += data
        while True:
            size = self._size()
            if size is None:
                return
            start, end = size
            if len(self._rest) < end:
                return
            frame = Frame(self._rest[0] & 0x0F, self._payload(start, end), bool(self._rest[0] & _FIN))
            del self._rest[:end]
            yield frame

    def _size(self) -> tuple[int, int] | None:
        if len(self._rest) < 2:
            return None
        size = self._rest[1] & 0x7F
        start = {126: 4, 127: 10}.get(size, 2)
        if len(self._rest) < start:
            return None
        if size >= 126:
            size = int.from_bytes(self._rest[2:start], "big")
        if self._rest[1] & _MASKED:
            start += 4
        return start, start + size

    def _payload(self, start: int, end: int) -> bytes:
        payload = bytes(self._rest[start:end])
        return _masked(payload, bytes(self._rest[start - 4 : start])) if self._rest[1] & _MASKED else payload


def _masked(payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    if not size:
        return payload
    pad = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")
