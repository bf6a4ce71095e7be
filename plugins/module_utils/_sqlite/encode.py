# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the fields of PostgreSQL's binary COPY column by column, so that the loops run in C.

The format: https://www.postgresql.org/docs/current/sql-copy.html («Binary Format»).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import chain, repeat
from typing import Any

HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)
NULL = struct.pack("!i", -1)
_LENGTH = struct.Struct("!i").pack
JSONB = b"\x01"
# A value's lists of pieces, which stand one behind the other in a row.
Encode = Callable[[Sequence[Any]], list[Sequence[bytes]]]
Read = Callable[[Any], Any]


def fixed(form: str) -> Encode:
    """Numbers of one width; ``form`` as in ``struct``. Raises struct.error for what is none."""
    packed = struct.Struct(f"!i{form}")
    width, pack = packed.size - 4, packed.pack

    def encode(values: Sequence[Any]) -> list[Sequence[bytes]]:
        if None in values:
            return [[NULL if value is None else pack(width, value) for value in values]]
        return [list(map(pack, repeat(width), values))]

    return encode


def varying(head: bytes = b"") -> Encode:
    """Bytes of any length behind a constant ``head``."""
    more = len(head)

    def encode(values: Sequence[Any]) -> list[Sequence[bytes]]:
        if None in values:
            heads = [NULL if value is None else _LENGTH(len(value) + more) + head for value in values]
            return [heads, [value or b"" for value in values]]
        if more:
            return [[_LENGTH(len(value) + more) + head for value in values], values]
        return [list(map(_LENGTH, map(len, values))), values]

    return encode


def prepared(read: Read, encode: Encode) -> Encode:
    """``encode`` behind ``read``, which makes of every value that is not NULL what is written; None makes it NULL."""

    def encode_prepared(values: Sequence[Any]) -> list[Sequence[bytes]]:
        return encode([None if value is None else read(value) for value in values])

    return encode_prepared


def chosen(meaning: Iterable[tuple[Any, bytes]]) -> Encode:
    """One of few values; what is none of them raises KeyError."""
    fields = {None: NULL, **{value: _LENGTH(len(data)) + data for value, data in meaning}}
    get = fields.__getitem__

    def encode(values: Sequence[Any]) -> list[Sequence[bytes]]:
        return [list(map(get, values))]

    return encode


def numeric(number: Decimal) -> bytes:
    """numeric's binary form of a finite number: digits in base 10,000 (PostgreSQL, ``numeric_send``)."""
    whole, _point, part = format(number.copy_abs(), "f").partition(".")
    scale = len(part)
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    part = part.ljust(-(-scale // 4) * 4, "0")
    groups = [int(text) for text in chain(_fours(whole), _fours(part))]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    sign = 0x4000 if number < 0 else 0
    return struct.pack(f"!hhHH{len(groups)}h", len(groups), weight if groups else 0, sign, scale, *groups)


def _fours(text: str) -> list[str]:
    return [text[at : at + 4] for at in range(0, len(text), 4)]


def rows_of(columns: Sequence[Encode], values: Sequence[Sequence[Any]]) -> list[Sequence[bytes]]:
    """The pieces of rows, list by list; ``values`` are the columns of the same rows. Raises what a reader raises."""
    pieces: list[Sequence[bytes]] = [list(repeat(struct.pack("!h", len(columns)), len(values[0]) if values else 0))]
    for encode, column in zip(columns, values, strict=True):
        pieces += encode(column)
    return pieces


def joined(pieces: Sequence[Sequence[bytes]]) -> bytes:
    """All rows in one."""
    return b"".join(chain.from_iterable(zip(*pieces, strict=True)))


def each(pieces: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Every row by itself."""
    return list(map(b"".join, zip(*pieces, strict=True)))


class RowSum:
    """A digest of rows in any order: the sum of their SHA-256 modulo 2^256, as an additive multiset hash
    (Bellare and Micciancio, «A New Paradigm for Collision-Free Hashing», 1997)."""

    def __init__(self) -> None:
        self.value = 0
        self.rows = 0

    def add(self, rows: Iterable[bytes]) -> None:
        """Count rows in."""
        for row in rows:
            self.value += int.from_bytes(hashlib.sha256(row).digest(), "big")
            self.rows += 1
        self.value %= 1 << 256

    def __str__(self) -> str:
        return f"{self.value:064x}"


class RowReader:
    """Cuts the output of a binary COPY into rows as it comes; the trailer is left out."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._begun = False
        self.ended = False

    def feed(self, data: bytes) -> list[bytes]:
        """The rows that are whole now."""
        rest = self._rest
        rest += data
        at = 0
        if not self._begun:
            if len(rest) < len(HEADER):
                return []
            self._begun, at = True, len(HEADER)
        found, size = [], len(rest)
        count_of, length_of = struct.Struct("!h").unpack_from, struct.Struct("!i").unpack_from
        while size - at >= 2:
            (count,) = count_of(rest, at)
            if count < 0:
                self.ended = True
                at += 2
                break
            end = at + 2
            for _field in range(count):
                if size - end < 4:
                    break
                (length,) = length_of(rest, end)
                end += 4 + max(0, length)
            else:
                if end <= size:
                    found.append(bytes(rest[at:end]))
                    at = end
                    continue
            break
        del rest[:at]
        return found
