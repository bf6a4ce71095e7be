# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the passphrase that the cluster has still opens the repository: found before a restore needs it.

Two proofs: a canary, sealed with a key made from the passphrase, and the repository's own first file.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass

try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF
except ImportError:
    AESGCM = None  # type: ignore[assignment, misc] # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

NAME = "golive/key-canary.json"
INFO = "archive/main/archive.info"
OK, ABSENT, DAMAGED, OTHER_KEY, WRONG_KEY = "ok", "absent", "damaged", "other_key", "wrong_key"
_TEXT = b"golive key canary"
_PARTS = ("key_id", "salt", "nonce", "sealed")
# Of OpenSSL's enc, which pgBackRest writes: the word, eight bytes of salt, AES-256-CBC, key and iv from SHA-1.
_MAGIC, _SALT_BYTES = b"Salted__", 8
_KEY_BYTES, _IV_BYTES = 32, 16
_FIRST_WORDS = b"[backrest]"


@dataclass(frozen=True)
class Judged:
    """One of the states above, and the reason for a person; empty when it is ``ok``."""

    state: str
    reason: str = ""


def put_canary(store: Store, passphrase: str, key_id: str) -> bool:
    """Put the canary where there is none; whether it was put. One that is there is never replaced by itself."""
    _need_cryptography()
    if store.head(NAME) is not None:
        return False
    try:
        store.put_if_none(NAME, sealed_canary(passphrase, key_id))
    except GoliveError as error:
        if error.code != "changed":
            raise
        return False
    return True


def sealed_canary(passphrase: str, key_id: str) -> bytes:
    """A new canary; ``key_id`` names the key and is no secret."""
    salt, nonce = os.urandom(16), os.urandom(12)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, _TEXT, key_id.encode())
    parts = {"key_id": key_id, "salt": _coded(salt), "nonce": _coded(nonce), "sealed": _coded(sealed)}
    return _encoded(parts)


def judge_canary(data: bytes | None, passphrase: str, key_id: str | None = None) -> Judged:
    """Whether the passphrase opens the canary; ``key_id`` is the one that it should be of, if it is known."""
    _need_cryptography()
    if data is None:
        return Judged(ABSENT, "there is no canary: the first backup puts it there")
    try:
        read = json.loads(data)
        parts = {name: str(read[name]) for name in _PARTS}
        salt, nonce, sealed = (base64.b64decode(parts[name], validate=True) for name in _PARTS[1:])
        if data != _encoded(parts):
            raise ValueError("not as it was written")
    except (ValueError, KeyError, TypeError) as error:
        return Judged(DAMAGED, f"the canary is damaged ({type(error).__name__})")
    if key_id is not None and parts["key_id"] != key_id:
        return Judged(OTHER_KEY, f"the canary is of the key {parts['key_id']}, the cluster has {key_id}")
    try:
        AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed, parts["key_id"].encode())
    except (InvalidTag, ValueError):
        return Judged(WRONG_KEY, f"the passphrase does not open the canary of the key {parts['key_id']}")
    return Judged(OK)


def judge_repository(data: bytes | None, passphrase: str) -> Judged:
    """Whether the passphrase opens the repository: ``data`` are the first 64 bytes or more of its ``archive.info``."""
    _need_cryptography()
    if data is None:
        return Judged(ABSENT, f"the repository has no {INFO}: the role backup creates it")
    if data.startswith(_FIRST_WORDS):
        return Judged(WRONG_KEY, "the repository is not encrypted")
    body = data[len(_MAGIC) + _SALT_BYTES :]
    if not data.startswith(_MAGIC) or len(body) < _IV_BYTES:
        return Judged(DAMAGED, f"{INFO} is no file of an encrypted repository")
    key, vector = _openssl_key(passphrase, data[len(_MAGIC) : len(_MAGIC) + _SALT_BYTES])
    opener = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
    words = opener.update(body[: len(body) // _IV_BYTES * _IV_BYTES])
    if not words.startswith(_FIRST_WORDS):
        return Judged(WRONG_KEY, f"the passphrase does not open {INFO}, or its beginning is damaged")
    return Judged(OK)


def _key(passphrase: str, salt: bytes) -> bytes:
    # The passphrase is random and long: it needs no slow derivation.
    return HKDF(hashes.SHA256(), 32, salt, b"golive key canary").derive(passphrase.encode())


def _openssl_key(passphrase: str, salt: bytes) -> tuple[bytes, bytes]:
    """EVP_BytesToKey with SHA-1 and one round (pgBackRest, src/common/crypto/cipherBlock.c)."""
    made = last = b""
    while len(made) < _KEY_BYTES + _IV_BYTES:
        last = hashlib.sha1(last + passphrase.encode() + salt, usedforsecurity=False).digest()
        made += last
    return made[:_KEY_BYTES], made[_KEY_BYTES : _KEY_BYTES + _IV_BYTES]


def _encoded(parts: dict[str, str]) -> bytes:
    # With the sum a flipped byte is told from another key.
    total = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return json.dumps({"format": 1, **parts, "sha256": total}, indent=1, sort_keys=True).encode()


def _coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _need_cryptography() -> None:
    if AESGCM is None:
        raise GoliveError(
            "library_missing",
            "The Python library cryptography is missing.",
            "Install it for the Python that runs this task: pip install cryptography.",
        )
