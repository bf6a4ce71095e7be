# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of any size, written and read in pieces: memory holds one piece, whatever the object."""

from __future__ import annotations

import hashlib
from types import TracebackType

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store

# A store takes at most 10,000 parts of at least 5 MiB (Amazon S3, multipart upload limits).
_PART, _MOST_PARTS = 16 << 20, 9_000
_RANGE = 8 << 20


class Upload:
    """An object that is there when the block ends, and not at all when it fails.

    ``expected`` is about how many bytes are to come. Afterwards ``size`` and ``sha256`` are those of what was written.
    """

    def __init__(self, store: Store, name: str, expected: int) -> None:
        self.size = 0
        self._digest = hashlib.sha256()
        self._store = store
        self._name = name
        self._part = max(_PART, -(-expected // _MOST_PARTS))
        self._waiting = bytearray()
        self._id = ""
        self._parts: list[str] = []

    def __enter__(self) -> Upload:
        self._id = self._store.begin_upload(self._name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._send(bytes(self._waiting))
                self._store.end_upload(self._name, self._id, self._parts)
                return
            except BaseException:
                self._store.drop_upload(self._name, self._id)
                raise
        self._store.drop_upload(self._name, self._id)

    @property
    def sha256(self) -> str:
        """Of all that was written so far."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        """Take the next bytes; raises as the store."""
        self._waiting += data
        self.size += len(data)
        self._digest.update(data)
        while len(self._waiting) > self._part:
            self._send(bytes(self._waiting[: self._part]))
            del self._waiting[: self._part]
        return len(data)

    def _send(self, data: bytes) -> None:
        self._parts.append(self._store.put_part(self._name, self._id, len(self._parts) + 1, data))


class Download:
    """An object from its begin to its end; ``size`` and ``sha256`` are those of what was read so far."""

    def __init__(self, store: Store, name: str, length: int) -> None:
        self.size = 0
        self._digest = hashlib.sha256()
        self._store = store
        self._name = name
        self._left = length
        self._piece = b""
        self._at = 0
        self._next = 0

    @property
    def sha256(self) -> str:
        """Of all that was read so far."""
        return self._digest.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes, none at the end; raises as the store."""
        if self._at == len(self._piece) and self._left:
            self._piece = self._store.get_range(self._name, self._next, min(_RANGE, self._left))
            self._at = 0
            self._next += len(self._piece)
            # An object that has become shorter ends here, and its sum tells.
            self._left = self._left - len(self._piece) if self._piece else 0
        end = len(self._piece) if size < 0 else self._at + size
        taken = self._piece[self._at : end]
        self._at += len(taken)
        self.size += len(taken)
        self._digest.update(taken)
        return taken

    def drain(self) -> None:
        """Read the rest."""
        while self.read():
            pass
