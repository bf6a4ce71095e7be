# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sealed data in the format age (age-encryption.org/v1): authenticated chunks of 64 KiB with the last one marked.

So a flipped byte, a cut, and swapped chunks are found, which encryption alone does not do. Long data is sealed to a key
of its own, and that key with a passphrase, because the library takes a passphrase for what is in memory only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

try:
    import pyrage
    from pyrage import passphrase as with_passphrase
    from pyrage import x25519
except ImportError:
    pyrage = None  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError


class Source(Protocol):
    """What is read piece by piece; no bytes are its end."""

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes."""


class Target(Protocol):
    """What is written to piece by piece."""

    def write(self, data: bytes) -> int:
        """Take all of it."""


def new_key() -> tuple[str, str]:
    """A private key, which is a secret, and the public key that data is sealed to."""
    need_pyrage()
    made = x25519.Identity.generate()
    return str(made), str(made.to_public())


def seal(source: Source, target: Target, public: Sequence[str]) -> None:
    """Seal all of ``source``, for each of the keys to open. What ``target`` has got is whole only when this returns.

    Raises GoliveError ``invalid`` without a public key or for what is none, and what either file raises.
    """
    need_pyrage()
    if not public:
        raise GoliveError("invalid", "Sealing failed: there is no key to seal to.", "Give at least one public key.")
    try:
        keys = [x25519.Recipient.from_str(one) for one in public]
    except pyrage.RecipientError as error:
        raise GoliveError("invalid", f"Sealing failed: {error}", "Give public keys that begin with age1.") from None
    reader, writer = _Watched(source), _Watched(target)
    try:
        pyrage.encrypt_io(reader, writer, keys)
    except Exception as error:
        _raise_own(reader, writer)
        raise GoliveError("sealing_failed", f"Sealing failed: {error}") from error
    _raise_own(reader, writer)


def unseal(source: Source, target: Target, private: str, what: str) -> None:
    """Open all of ``source``. What ``target`` has got is whole only when this returns; raises what either raises.

    Raises GoliveError ``seal_broken`` when any byte of ``what`` is not as it was sealed, or sealed to another key.
    """
    need_pyrage()
    reader, writer = _Watched(source), _Watched(target)
    try:
        pyrage.decrypt_io(reader, writer, [x25519.Identity.from_str(private)])
    except Exception as error:
        _raise_own(reader, writer)
        # The words of an unreadable key might quote it.
        reason = "its key is none" if isinstance(error, pyrage.IdentityError) else str(error)
        raise _broken(what, reason) from None
    _raise_own(reader, writer)


def seal_short(data: bytes, passphrase: str) -> bytes:
    """Seal what fits into memory with a passphrase; it takes about a second, so that guessing takes long."""
    need_pyrage()
    return bytes(with_passphrase.encrypt(data, passphrase))


def unseal_short(data: bytes, passphrase: str, what: str) -> bytes:
    """Open what a passphrase has sealed; raises GoliveError ``seal_broken``."""
    need_pyrage()
    try:
        return bytes(with_passphrase.decrypt(data, passphrase))
    except pyrage.DecryptError as error:
        raise _broken(what, f"the passphrase does not fit, or it is damaged: {error}") from None


class _Watched:
    """A file that remembers what it raised: the library turns it, an interruption too, into an error of its own."""

    def __init__(self, file: Any) -> None:
        self.raised: BaseException | None = None
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """As of the file."""
        return bytes(self._kept(self._file.read, size))

    def write(self, data: bytes) -> int:
        """As of the file."""
        return int(self._kept(self._file.write, data))

    def flush(self) -> None:
        """The file is brought to its end by whoever has opened it."""

    def _kept(self, work: Any, argument: Any) -> Any:
        try:
            return work(argument)
        except BaseException as error:
            self.raised = error
            raise


def _raise_own(*files: _Watched) -> None:
    for file in files:
        if file.raised is not None:
            raise file.raised


def _broken(what: str, reason: str) -> GoliveError:
    return GoliveError(
        "seal_broken",
        f"Opening {what} failed: {reason}.",
        "With the right passphrase it is damaged: use another copy of it.",
    )


def need_pyrage() -> None:
    """Raise GoliveError ``library_missing`` unless data can be sealed."""
    if pyrage is None:
        raise GoliveError(
            "library_missing",
            "The Python library pyrage is missing.",
            "Install it for the Python that runs this task: pip install 'pyrage>=1.3'.",
        )
