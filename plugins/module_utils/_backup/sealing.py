# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed files: the format age (age-encryption.org/v1), in authenticated chunks of 64 KiB with the last one marked.

So a flipped byte, a cut, and swapped chunks are found, which encryption alone does not do. A file is sealed to public
keys: who seals need not be able to open, and the private key can stay outside of the cluster.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO

try:
    import pyrage
    from pyrage import x25519
except ImportError:
    pyrage = None  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_OTHER_KEY = "No matching keys"


def new_identity() -> tuple[str, str]:
    """A private key, which is a secret, and the public key that files are sealed to."""
    need_pyrage()
    made = x25519.Identity.generate()
    return str(made), str(made.to_public())


def seal(source: BinaryIO, target: BinaryIO, recipients: Sequence[str]) -> None:
    """Seal all of ``source`` to public keys. What is in ``target`` is whole only when this returns.

    Raises GoliveError ``invalid`` for something that is no public key or without one, and what either file raises.
    """
    need_pyrage()
    if not recipients:
        raise GoliveError("invalid", "Sealing failed: there is no public key to seal to.")
    try:
        to = [x25519.Recipient.from_str(one) for one in recipients]
    except pyrage.RecipientError as error:
        raise GoliveError("invalid", f"Sealing failed: {error}", "Give public keys that begin with age1.") from error
    reader, writer = _Watched(source), _Watched(target)
    try:
        pyrage.encrypt_io(reader, writer, to)
    except Exception as error:
        _raise_own(reader, writer)
        raise GoliveError("sealing_failed", f"Sealing failed: {error}") from error
    _raise_own(reader, writer)


def open_to_file(source: BinaryIO, path: str, identity: str) -> None:
    """Open a sealed file with a private key. Only when all of it is good there is a file at ``path``, for its owner.

    Raises GoliveError ``key_wrong`` when it is sealed to others, ``sealed_damaged``, ``invalid`` for something that is
    no private key, and what either file raises.
    """
    partial = f"{path}.part"
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as target:
            # Whole chunks are written before the end is seen: what is in the file now may be cut.
            _open(source, target, identity)
            target.flush()
            os.fsync(target.fileno())
        os.replace(partial, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(partial)
        raise


def _open(source: BinaryIO, target: BinaryIO, identity: str) -> None:
    need_pyrage()
    try:
        key = x25519.Identity.from_str(identity.strip())
    except pyrage.IdentityError:
        # Not its own words: they may quote the key.
        raise GoliveError(
            "invalid", "Opening a sealed file failed: that is no private key.", "It begins with AGE-SECRET-KEY-1."
        ) from None
    reader, writer = _Watched(source), _Watched(target)
    try:
        pyrage.decrypt_io(reader, writer, [key])
    except Exception as error:
        _raise_own(reader, writer)
        if _OTHER_KEY in str(error):
            raise GoliveError(
                "key_wrong",
                "Opening a sealed file failed: it is sealed to other keys.",
                "Use the key it was sealed to.",
            ) from error
        raise GoliveError(
            "sealed_damaged", f"Opening a sealed file failed: it is damaged ({error}).", "Use another copy of it."
        ) from error
    _raise_own(reader, writer)


class _Watched:
    """A file that remembers what it raised: the library turns it, an interruption too, into an error of its own."""

    def __init__(self, file: BinaryIO) -> None:
        self.raised: BaseException | None = None
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """As of the file."""
        return bytes(self._kept(self._file.read, size))

    def write(self, data: bytes) -> int:
        """As of the file."""
        return int(self._kept(self._file.write, data))

    def flush(self) -> None:
        """As of the file."""
        self._kept(self._file.flush)

    def _kept(self, work: Any, *arguments: Any) -> Any:
        try:
            return work(*arguments)
        except BaseException as error:
            self.raised = error
            raise


def _raise_own(*files: _Watched) -> None:
    for file in files:
        if file.raised is not None:
            raise file.raised


def need_pyrage() -> None:
    """Raise GoliveError ``library_missing`` unless files can be sealed."""
    if pyrage is None:
        raise GoliveError(
            "library_missing",
            "The Python library pyrage is missing.",
            "Install it for the Python that runs this task: pip install 'pyrage>=1.3'.",
        )
