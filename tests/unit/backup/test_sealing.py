# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No changed, cut or swapped byte of sealed data is taken for good."""

from __future__ import annotations

import io
import random

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.sealing import (
    new_key,
    seal,
    seal_short,
    unseal,
    unseal_short,
)
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_CHUNK = 64 << 10
_DATA = random.Random(7).randbytes(3 * _CHUNK + 100)


def sealed(data: bytes, public: str) -> bytes:
    target = io.BytesIO()
    seal(io.BytesIO(data), target, [public])
    return target.getvalue()


def opened(data: bytes, private: str) -> bytes:
    target = io.BytesIO()
    unseal(io.BytesIO(data), target, private, "it")
    return target.getvalue()


def refused(data: bytes, private: str) -> str:
    with pytest.raises(GoliveError) as caught:
        opened(data, private)
    assert caught.value.code == "seal_broken"
    assert private not in str(caught.value)
    return caught.value.message


@pytest.mark.parametrize("length", [0, 1, _CHUNK - 1, _CHUNK, _CHUNK + 1, len(_DATA)])
def test_what_was_sealed_comes_back(length: int) -> None:
    private, public = new_key()
    data = _DATA[:length]
    assert data[:100] not in sealed(data, public) or length < 100
    assert opened(sealed(data, public), private) == data


def test_any_flipped_byte_is_found() -> None:
    private, public = new_key()
    good = sealed(_DATA, public)
    chosen = random.Random(11)
    for at in (0, len(good) - 1, *(chosen.randrange(len(good)) for _case in range(40))):
        bad = bytearray(good)
        bad[at] ^= 1 << chosen.randrange(8)
        refused(bytes(bad), private)


def test_cuts_swapped_chunks_and_what_is_added_are_found() -> None:
    private, public = new_key()
    good = sealed(_DATA, public)
    chunk = _CHUNK + 16
    begin = len(good) - (len(_DATA) + 4 * 16)
    first, second = good[begin : begin + chunk], good[begin + chunk : begin + 2 * chunk]
    swapped = good[:begin] + second + first + good[begin + 2 * chunk :]
    for bad in (good[:-1], good[: begin + chunk], good[: begin + 2 * chunk], swapped, good + b"x", b""):
        refused(bad, private)


def test_another_key_does_not_open_it() -> None:
    (_private, public), (other, _public) = new_key(), new_key()
    refused(sealed(b"x", public), other)
    refused(sealed(b"x", public), "AGE-SECRET-KEY-1NONSENSE")


def test_a_passphrase_opens_only_what_it_has_sealed() -> None:
    good = seal_short(b"of the shop", "right one")
    assert unseal_short(good, "right one", "it") == b"of the shop"
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    for data, phrase in ((good, "wrong one"), (flipped, "right one"), (b"", "right one")):
        with pytest.raises(GoliveError) as caught:
            unseal_short(data, phrase, "it")
        assert caught.value.code == "seal_broken"
        assert phrase not in str(caught.value)


def test_each_of_several_keys_opens_it_and_what_is_none_is_refused() -> None:
    keys = [new_key() for _one in range(2)]
    target = io.BytesIO()
    seal(io.BytesIO(b"of both"), target, [public for _private, public in keys])
    assert [opened(target.getvalue(), private) for private, _public in keys] == [b"of both"] * 2
    for wrong in ([keys[0][1], "ssh-ed25519 AAAA"], []):
        with pytest.raises(GoliveError) as caught:
            seal(io.BytesIO(b""), io.BytesIO(), wrong)
        assert caught.value.code == "invalid"


class _Torn:
    """A file that breaks in the middle."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def read(self, size: int = -1) -> bytes:
        raise self.error

    def write(self, data: bytes) -> int:
        raise self.error


@pytest.mark.parametrize("error", [GoliveError("store_busy", "busy"), KeyboardInterrupt(), OSError("disk")])
def test_what_a_file_raises_comes_out_as_it_is(error: BaseException) -> None:
    private, public = new_key()
    good = sealed(_DATA, public)
    for work in (
        lambda: seal(_Torn(error), io.BytesIO(), [public]),
        lambda: seal(io.BytesIO(_DATA), _Torn(error), [public]),
        lambda: unseal(_Torn(error), io.BytesIO(), private, "it"),
        lambda: unseal(io.BytesIO(good), _Torn(error), private, "it"),
    ):
        with pytest.raises(type(error)) as caught:
            work()
        assert caught.value is error
