# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed manifests: which objects a backup has, of which size and content, and who says so.

It is believed before anything is opened. Each byte of it counts: it is read only as it would be written.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ed25519
except ImportError:
    ed25519 = None  # type: ignore[assignment] # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Entry
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_FORMAT = 1
_CONTEXT = b"golive manifest 1\n"


@dataclass(frozen=True)
class Listed:
    """One object: its name below the backup, its size in bytes, and the SHA-256 of what is stored in hexadecimal."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """``key_id`` names the key that the objects are sealed to; ``facts`` are JSON types, for proving a restore."""

    label: str
    key_id: str
    objects: tuple[Listed, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def faults(self, entries: Iterable[Entry]) -> list[str]:
        """What of a listing differs: level L0. Objects that it does not name are a fault, too."""
        there = {entry.name: entry.size for entry in entries}
        found = [f"{one.name} is missing" for one in self.objects if one.name not in there]
        found += [
            f"{one.name} has {there[one.name]} bytes instead of {one.bytes}"
            for one in self.objects
            if one.name in there and there[one.name] != one.bytes
        ]
        return found + [
            f"{name} is not in the manifest" for name in sorted(set(there) - {one.name for one in self.objects})
        ]


def new_signing_key() -> tuple[bytes, bytes]:
    """A private key of 32 bytes, which is a secret, and its public key of 32 bytes."""
    _need_cryptography()
    made = ed25519.Ed25519PrivateKey.generate()
    return made.private_bytes_raw(), made.public_key().public_bytes_raw()


def listed(name: str, data: bytes) -> Listed:
    """The entry of an object."""
    return Listed(name, len(data), hashlib.sha256(data).hexdigest())


def signed(manifest: Manifest, private: bytes, signer: str) -> bytes:
    """The manifest as it is stored; ``signer`` names the key."""
    _need_cryptography()
    key = ed25519.Ed25519PrivateKey.from_private_bytes(private)
    payload = _payload(manifest)
    return _envelope(payload, signer, key.sign(_message(payload, signer)))


def read_signed(data: bytes, trusted: Mapping[str, bytes]) -> Manifest:
    """The manifest, when one of the ``trusted`` public keys, by name, has signed every byte of it.

    Raises GoliveError ``manifest_unsigned`` for a signer that is not trusted or has not signed it, and
    ``manifest_damaged`` for what is no manifest.
    """
    _need_cryptography()
    try:
        read = json.loads(data)
        payload = read["manifest"].encode()
        signer, signature = str(read["signer"]), base64.b64decode(read["signature"], validate=True)
        if data != _envelope(payload, signer, signature):
            raise ValueError("not as it was written")
        inner = json.loads(payload)
        objects = tuple(Listed(str(one["name"]), int(one["bytes"]), str(one["sha256"])) for one in inner["objects"])
        manifest = Manifest(str(inner["label"]), str(inner["key_id"]), objects, dict(inner["facts"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise GoliveError(
            "manifest_damaged",
            f"Reading a manifest failed: it is damaged ({type(error).__name__}).",
            "Use another backup.",
        ) from error
    if signer not in trusted:
        raise GoliveError(
            "manifest_unsigned",
            f"Reading the manifest of {manifest.label} failed: its signer {signer!r} is not trusted.",
            f"Trusted are {', '.join(sorted(trusted)) or 'none'}.",
        )
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(trusted[signer]).verify(signature, _message(payload, signer))
    except InvalidSignature as error:
        raise GoliveError(
            "manifest_unsigned",
            f"Reading the manifest of {manifest.label} failed: {signer} has not signed it like that.",
            "It was changed, or signed with another key of that name.",
        ) from error
    return manifest


def _payload(manifest: Manifest) -> bytes:
    content = {
        "format": _FORMAT,
        "label": manifest.label,
        "key_id": manifest.key_id,
        "objects": [asdict(one) for one in manifest.objects],
        "facts": dict(manifest.facts),
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _message(payload: bytes, signer: str) -> bytes:
    """What is signed: the signer's name, too, so that nobody's manifest becomes another one's."""
    return _CONTEXT + json.dumps(signer).encode() + b"\n" + payload


def _envelope(payload: bytes, signer: str, signature: bytes) -> bytes:
    parts = {"manifest": payload.decode(), "signer": signer, "signature": base64.b64encode(signature).decode()}
    return json.dumps(parts, sort_keys=True, indent=1).encode()


def _need_cryptography() -> None:
    if ed25519 is None:
        raise GoliveError(
            "library_missing",
            "The Python library cryptography is missing.",
            "Install it for the Python that runs this task: pip install cryptography.",
        )
