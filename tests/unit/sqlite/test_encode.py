# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows in the binary form of COPY: cut as they were joined, digests that do not look at the order, numbers in tens of
thousands."""

from __future__ import annotations

import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._sqlite.encode import (
    HEADER,
    TRAILER,
    RowReader,
    RowSum,
    each,
    fixed,
    joined,
    numeric,
    rows_of,
    varying,
)

INTEGERS = st.none() | st.integers(-(2**63), 2**63 - 1)
BYTES = st.none() | st.binary(max_size=40)


@given(rows=st.lists(st.tuples(INTEGERS, BYTES, st.none() | st.floats()), max_size=30), pieces=st.integers(1, 50))
def test_rows_are_read_back_as_they_were_joined(rows: list[tuple[object, ...]], pieces: int) -> None:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    made = rows_of([fixed("q"), varying(), fixed("d")], columns)
    assert joined(made) == b"".join(each(made))
    data = HEADER + joined(made) + TRAILER
    reader = RowReader()
    found = [row for at in range(0, len(data), pieces) for row in reader.feed(data[at : at + pieces])]
    assert reader.ended
    assert found == each(made)


@given(rows=st.lists(st.binary(max_size=9), max_size=20), chance=st.randoms())
def test_the_sum_does_not_look_at_the_order_and_sees_every_row(rows: list[bytes], chance: object) -> None:
    one, other, more = RowSum(), RowSum(), RowSum()
    one.add(rows)
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    other.add(shuffled)
    more.add([*rows, b"one more"])
    assert str(one) == str(other)
    assert str(one) != str(more)


@pytest.mark.parametrize(
    ("text", "groups", "weight", "sign", "scale"),
    [
        ("0", [], 0, 0, 0),
        ("0.00", [], 0, 0, 2),
        ("1", [1], 0, 0, 0),
        ("-10000", [1], 1, 0x4000, 0),
        ("12345.678", [1, 2345, 6780], 1, 0, 3),
        ("0.00001", [1000], -2, 0, 5),
    ],
)
def test_numeric(text: str, groups: list[int], weight: int, sign: int, scale: int) -> None:
    wanted = struct.pack(f"!hhHH{len(groups)}h", len(groups), weight, sign, scale, *groups)
    assert numeric(Decimal(text)) == wanted


def test_what_is_no_number_is_never_packed() -> None:
    with pytest.raises(struct.error):
        fixed("q")([1, b"2"])
