# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed files and signed manifests: no changed byte, cut, swapped chunk or other key is taken for good."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._backup.manifest import (
    Listed,
    Manifest,
    listed,
    new_signing_key,
    read_signed,
    signed,
)
from ansible_collections.golive.cutover.plugins.module_utils._backup.sealing import new_identity, open_to_file, seal
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Entry
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from tests.unit.backup.test_wal import BEGIN

PRIVATE, PUBLIC = new_identity()
CHUNK = (1 << 16) + 16
CONTENT = bytes(range(256)) * 800
SIGNING, TRUSTED = new_signing_key()


def sealed(content: bytes = CONTENT, *recipients: str) -> bytes:
    made = io.BytesIO()
    seal(io.BytesIO(content), made, recipients or [PUBLIC])
    return made.getvalue()


SEALED = sealed()
# The header, whose length differs from file to file, is followed by a nonce and then by whole chunks.
FIRST = len(SEALED) - (len(CONTENT) + 16 * (len(CONTENT) // (1 << 16) + 1))


def opened(data: bytes, folder: Path, identity: str = PRIVATE) -> bytes:
    open_to_file(io.BytesIO(data), str(folder / "opened"), identity)
    return (folder / "opened").read_bytes()


def refused(data: bytes, folder: Path, identity: str = PRIVATE) -> str:
    """Code of the failure, which leaves no file."""
    with pytest.raises(GoliveError) as caught:
        opened(data, folder, identity)
    assert not list(folder.iterdir())
    return caught.value.code


def test_what_was_sealed_is_opened(tmp_path: Path) -> None:
    assert opened(SEALED, tmp_path) == CONTENT
    assert (tmp_path / "opened").stat().st_mode & 0o777 == 0o600
    assert sealed() != SEALED
    assert opened(sealed(b""), tmp_path) == b""
    other, other_public = new_identity()
    assert opened(sealed(CONTENT, PUBLIC, other_public), tmp_path, other) == CONTENT


@pytest.mark.parametrize("size", [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 3 << 16])
def test_sizes_around_a_chunk(tmp_path: Path, size: int) -> None:
    assert opened(sealed(b"x" * size), tmp_path) == b"x" * size


@given(place=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
def test_no_flipped_bit_is_taken_for_good(tmp_path_factory: pytest.TempPathFactory, place: int, bit: int) -> None:
    flipped = bytearray(SEALED)
    flipped[place] ^= 1 << bit
    assert refused(bytes(flipped), tmp_path_factory.mktemp("flip")) in ("sealed_damaged", "key_wrong")


def test_no_flipped_byte_of_a_small_one_is_taken_for_good(tmp_path: Path) -> None:
    small = sealed(b"small")
    for place in range(len(small)):
        refused(bytes([*small[:place], small[place] ^ 1, *small[place + 1 :]]), tmp_path)


@given(size=st.integers(0, len(SEALED) - 1))
def test_no_cut_is_taken_for_good(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    assert refused(SEALED[:size], tmp_path_factory.mktemp("cut")) == "sealed_damaged"


def test_whole_chunks_that_are_missing_swapped_twice_or_foreign(tmp_path: Path) -> None:
    head = SEALED[:FIRST]
    chunks = [SEALED[start : start + CHUNK] for start in range(FIRST, len(SEALED), CHUNK)]
    assert head + b"".join(chunks) == SEALED
    assert opened(head + b"".join(chunks), tmp_path) == CONTENT
    (tmp_path / "opened").unlink()
    foreign = sealed(CONTENT)
    for wrong in (
        chunks[:-1],
        chunks[1:],
        [chunks[1], chunks[0], *chunks[2:]],
        [chunks[0], *chunks],
        [*chunks, chunks[-1]],
        [foreign[len(foreign) - len(SEALED) + FIRST :][:CHUNK], *chunks[1:]],
    ):
        assert refused(head + b"".join(wrong), tmp_path) == "sealed_damaged"


def test_keys(tmp_path: Path) -> None:
    other, _public = new_identity()
    assert refused(SEALED, tmp_path, other) == "key_wrong"
    assert refused(SEALED, tmp_path, "AGE-SECRET-KEY-1NONE") == "invalid"
    for recipients in ([], ["age1none"], [PRIVATE]):
        with pytest.raises(GoliveError) as caught:
            seal(io.BytesIO(b"x"), io.BytesIO(), recipients)
        assert caught.value.code == "invalid"
        assert PRIVATE not in str(caught.value)


@pytest.mark.parametrize("reason", [Interrupted("stopped"), OSError(28, "No space left on device")])
def test_what_a_file_raises_comes_out_as_it_is(tmp_path: Path, reason: BaseException) -> None:
    class Broken(io.BytesIO):
        def read(self, *_size: int) -> bytes:  # type: ignore[override]
            raise reason

    with pytest.raises(type(reason)):
        seal(Broken(), io.BytesIO(), [PUBLIC])
    with pytest.raises(type(reason)):
        open_to_file(Broken(), str(tmp_path / "opened"), PRIVATE)
    assert not list(tmp_path.iterdir())


MANIFEST = Manifest("20261130-090000D", "k1", (listed("a", b"1"), listed("b/c", b"22")), {"rows": {"kept": 5}})
STORED = signed(MANIFEST, SIGNING, "shop")


def test_a_manifest_is_believed_only_as_it_was_signed() -> None:
    assert read_signed(STORED, {"shop": TRUSTED}) == MANIFEST
    _private, other = new_signing_key()
    for trusted in ({"shop": other}, {"else": TRUSTED}, {}):
        with pytest.raises(GoliveError) as caught:
            read_signed(STORED, trusted)
        assert caught.value.code == "manifest_unsigned"


def test_each_byte_of_a_manifest_counts() -> None:
    for place in range(len(STORED)):
        flipped = bytes([*STORED[:place], STORED[place] ^ 1, *STORED[place + 1 :]])
        with pytest.raises(GoliveError) as caught:
            read_signed(flipped, {"shop": TRUSTED, "rhop": TRUSTED})
        assert caught.value.code in ("manifest_unsigned", "manifest_damaged")
    for data in (b"", b"{}", b"[]", STORED[:-1], STORED + b"\n"):
        with pytest.raises(GoliveError) as caught:
            read_signed(data, {"shop": TRUSTED})
        assert caught.value.code == "manifest_damaged"


def test_objects_that_differ_from_the_manifest() -> None:
    def entry(name: str, size: int) -> Entry:
        return Entry(name, size, BEGIN)

    assert MANIFEST.objects[1] == Listed("b/c", 2, "785f3ec7eb32f30b90cd0fcf3657d388b5ff4297f2f9716ff66e9b69c05ddd09")
    assert not MANIFEST.faults([entry("a", 1), entry("b/c", 2)])
    assert MANIFEST.faults([entry("a", 2), entry("x", 1)]) == [
        "b/c is missing",
        "a has 2 bytes instead of 1",
        "x is not in the manifest",
    ]
