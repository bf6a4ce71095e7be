# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords as PostgreSQL keeps them, made and compared on this side, so that the clear text never reaches the server.

SCRAM-SHA-256: RFC 5802 section 3, RFC 7677; the stored form is that of RFC 5803 as PostgreSQL writes it
(src/common/scram-common.c). Normalisation: SASLprep, RFC 4013, with PostgreSQL's exceptions (src/common/saslprep.c).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import stringprep
import unicodedata

ITERATIONS = 4096
_SALT_BYTES = 16
_FORM = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")
_MD5 = re.compile(r"md5[0-9a-f]{32}")
_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def verifier(password: str, iterations: int = ITERATIONS, salt: bytes | None = None) -> str:
    """What ``ALTER ROLE … PASSWORD`` takes instead of the password; ``salt`` is random unless it is given."""
    salt = salt or secrets.token_bytes(_SALT_BYTES)
    stored, server = keys(password, salt, iterations)
    return f"SCRAM-SHA-256${iterations}:{_text(salt)}${_text(stored)}:{_text(server)}"


def keys(password: str, salt: bytes, iterations: int) -> tuple[bytes, bytes]:
    """StoredKey and ServerKey of RFC 5802 section 3."""
    salted = hashlib.pbkdf2_hmac("sha256", normalised(password), salt, iterations)
    client = hmac.digest(salted, b"Client Key", "sha256")
    return hashlib.sha256(client).digest(), hmac.digest(salted, b"Server Key", "sha256")


def is_scram(kept: str) -> bool:
    """Whether the stored form is one of SCRAM."""
    return bool(_FORM.fullmatch(kept))


def matches(password: str, kept: str, role: str) -> bool:
    """Whether the stored form ``kept`` of ``role`` is of this password; the old MD5 form is known as well."""
    if _MD5.fullmatch(kept):
        # That form is PostgreSQL's own, and no choice of this code.
        digest = hashlib.md5((password + role).encode(), usedforsecurity=False).hexdigest()
        return hmac.compare_digest(f"md5{digest}", kept)
    found = _FORM.fullmatch(kept)
    if not found:
        return False
    iterations, salt, stored, server = found.groups()
    try:
        parts = [base64.b64decode(part, validate=True) for part in (salt, stored, server)]
    except binascii.Error:
        return False
    ours = keys(password, parts[0], int(iterations))
    return hmac.compare_digest(ours[0], parts[1]) and hmac.compare_digest(ours[1], parts[2])


def normalised(password: str) -> bytes:
    """The password as client and server hash it: by SASLprep, or as it is where that refuses it."""
    raw = password.encode()
    if password.isascii():
        return raw
    text = unicodedata.normalize("NFKC", "".join(map(_mapped, password)))
    if not text or any(refuses(one) for one in text for refuses in _PROHIBITED):
        return raw
    right_to_left = [stringprep.in_table_d1(one) for one in text]
    if any(right_to_left):
        mixed = any(stringprep.in_table_d2(one) for one in text)
        if mixed or not (right_to_left[0] and right_to_left[-1]):
            return raw
    return text.encode()


def _mapped(one: str) -> str:
    """A character as RFC 4013 section 2.1 maps it; spaces first, as PostgreSQL does."""
    if stringprep.in_table_c12(one):
        return " "
    return "" if stringprep.in_table_b1(one) else one


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
