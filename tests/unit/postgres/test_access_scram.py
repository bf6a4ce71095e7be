# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored forms of passwords, against the published exchange of RFC 7677 and PostgreSQL's own rules."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_scram import (
    is_scram,
    keys,
    matches,
    normalised,
    verifier,
)

# RFC 7677, section 3: the user «user» with the password «pencil».
SALT = "W22ZaJ0SNY7soEsUEjb6gQ=="
NONCE = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SERVER_FIRST = f"r={NONCE},s={SALT},i=4096"
AUTH_MESSAGE = f"n=user,r=rOprNGfwEbeRWgbNEkqO,{SERVER_FIRST},c=biws,r={NONCE}".encode()
PROOF = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
SERVER_SIGNATURE = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_keys_accept_the_proof_of_the_rfc() -> None:
    """As a server checks it: the client's key is the proof without its signature, and StoredKey is its hash."""
    stored, server = keys("pencil", base64.b64decode(SALT), 4096)
    signature = hmac.digest(stored, AUTH_MESSAGE, "sha256")
    client = bytes(a ^ b for a, b in zip(base64.b64decode(PROOF), signature, strict=True))
    assert hashlib.sha256(client).digest() == stored
    assert base64.b64encode(hmac.digest(server, AUTH_MESSAGE, "sha256")).decode() == SERVER_SIGNATURE


def test_the_stored_form() -> None:
    kept = verifier("pencil", salt=base64.b64decode(SALT))
    stored, server = keys("pencil", base64.b64decode(SALT), 4096)
    parts = [base64.b64encode(part).decode() for part in (stored, server)]
    assert kept == f"SCRAM-SHA-256$4096:{SALT}${parts[0]}:{parts[1]}"
    assert is_scram(kept)


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_stored_form_is_of_its_password_only(one: str, other: str) -> None:
    one, other = (text.encode("utf-8", "replace").decode() for text in (one, other))
    kept = verifier(one, iterations=2)
    assert matches(one, kept, "shop")
    assert matches(other, kept, "shop") is (normalised(one) == normalised(other))


def test_two_stored_forms_of_one_password_differ() -> None:
    assert verifier("pencil", 2) != verifier("pencil", 2)


def test_the_old_form_is_known() -> None:
    # SELECT 'md5' || md5('pencil' || 'shop')
    kept = "md5" + hashlib.md5(b"pencilshop").hexdigest()
    assert matches("pencil", kept, "shop")
    assert not matches("pencil", kept, "other")
    assert not is_scram(kept)


@pytest.mark.parametrize(
    "kept", ["", "pencil", "SCRAM-SHA-256$4096:x", "SCRAM-SHA-256$1:a$b:c", "SCRAM-SHA-256$1:====$====:===="]
)
def test_what_is_no_stored_form_matches_nothing(kept: str) -> None:
    assert not matches("pencil", kept, "shop")


@pytest.mark.parametrize(
    ("password", "wanted"),
    [
        # RFC 4013, section 3; control characters and wrong directions are kept as they are, as PostgreSQL does.
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("\u0007\u00e9", "\u0007\u00e9"),
        ("\u0627\u0031", "\u0627\u0031"),
        ("a\u00a0b", "a b"),
        ("\u00ad", "\u00ad"),
    ],
)
def test_normalised_as_sasl_wants_it(password: str, wanted: str) -> None:
    assert normalised(password) == wanted.encode()
