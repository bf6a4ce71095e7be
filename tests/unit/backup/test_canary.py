# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key canary: every flipped byte is damage, another key is another key, and OpenSSL's own files are opened."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.canary import (
    ABSENT,
    DAMAGED,
    OK,
    OTHER_KEY,
    WRONG_KEY,
    judge_canary,
    judge_repository,
    sealed_canary,
)

PHRASE = "only-for-this-canary"


def test_states() -> None:
    data = sealed_canary(PHRASE, "k1")
    assert judge_canary(data, PHRASE).state == OK
    assert judge_canary(data, PHRASE, "k1").state == OK
    assert judge_canary(data, PHRASE, "k2").state == OTHER_KEY
    assert judge_canary(data, "another").state == WRONG_KEY
    assert judge_canary(data[:-5], PHRASE).state == DAMAGED
    assert judge_canary(b"[]", PHRASE).state == DAMAGED
    assert sealed_canary(PHRASE, "k1") != data


def test_no_flipped_byte_is_taken_for_good() -> None:
    data = sealed_canary(PHRASE, "k1")
    for place in range(len(data)):
        flipped = bytes([*data[:place], data[place] ^ 1, *data[place + 1 :]])
        assert judge_canary(flipped, PHRASE, "k1").state == DAMAGED


@pytest.fixture
def sealed(tmp_path: Path) -> bytes:
    """What OpenSSL itself makes of the first lines of an archive.info."""
    plain = b"[backrest]\nbackrest-format=5\n" + b"x" * 100
    command = ["openssl", "enc", "-aes-256-cbc", "-md", "sha1", "-salt", "-pass", f"pass:{PHRASE}"]
    return subprocess.run(command, input=plain, capture_output=True, check=True).stdout


def test_a_repository_is_opened(sealed: bytes) -> None:
    assert judge_repository(sealed, PHRASE).state == OK
    assert judge_repository(sealed[:64], PHRASE).state == OK
    assert judge_repository(sealed, "another").state == WRONG_KEY
    assert judge_repository(sealed[:20], PHRASE).state == DAMAGED
    assert judge_repository(b"", PHRASE).state == DAMAGED
    assert judge_repository(None, PHRASE).state == ABSENT
    assert judge_repository(b"[backrest]\n", PHRASE).reason == "the repository is not encrypted"
