# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of dumps: each is a directory of its own that gets its name only when it is whole."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for

DUMP = "database.dump"
MANIFEST = "manifest.json"
FORMAT = 1
_PARTIAL = ".partial"
_LOCK = ".lock"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PIECE = 1 << 20
_OTHERS = stat.S_IWGRP | stat.S_IWOTH

Manifest = dict[str, Any]


class DumpFolder:
    """The dumps in ``path``; nobody but the owner may enter what it makes."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def check(self) -> None:
        """Raise GoliveError ``directory_unsafe`` when others may write into the directory, ``invalid`` when it is none.

        One that is not there is fine: it will be made.
        """
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            raise _failed("Opening", self.path, error) from error
        if not stat.S_ISDIR(mode):
            raise GoliveError("invalid", f"Cannot write dumps into {self.path}: it is no directory.")
        if mode & _OTHERS:
            raise GoliveError(
                "directory_unsafe",
                f"Writing a dump into {self.path} was refused: others may replace what is in it.",
                f"Give it to one user alone: chmod 700 {self.path}.",
            )

    def of(self, name: str) -> Path:
        """Where the dump of this name is, or would be. Raises GoliveError ``invalid``."""
        if not _NAME.fullmatch(name) or name.endswith(_PARTIAL):
            raise GoliveError(
                "invalid",
                f"Cannot name a dump '{name}'.",
                f"Use letters, digits, dot, dash and underscore, at most 128, and not {_PARTIAL} at its end.",
            )
        return self.path / name

    @contextmanager
    def locked(self, call: Call, wait: float) -> Iterator[None]:
        """Make the directory if need be, and keep other writers out of it; what killed ones have left is removed.

        Raises GoliveError ``timeout`` after ``wait`` seconds, and ``directory_failed``.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The lock is of the open file: it ends with this process, however that ends.
            handle = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _failed("Making", self.path, error) from error
        try:
            self._lock(call, handle, wait)
            for left in self.path.glob(f"*{_PARTIAL}"):
                _remove(left)
            yield
        finally:
            os.close(handle)

    def _lock(self, call: Call, handle: int, wait: float) -> None:
        def look() -> Done[None] | Pending:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return Pending("another process writes a dump into it")
            return Done(None)

        wait_for(call, look, what=f"the directory {self.path}", timeout=wait)

    @contextmanager
    def making(self, name: str) -> Iterator[Path]:
        """A directory to fill; it gets its name when the block ends, and is removed when the block fails."""
        final = self.of(name)
        partial = final.with_name(name + _PARTIAL)
        try:
            partial.mkdir(mode=0o700)
            yield partial
            _sync(partial)
            partial.rename(final)
            _sync(self.path)
        except OSError as error:
            _remove(partial)
            raise _failed("Writing", final, error) from error
        except BaseException:
            _remove(partial)
            raise

    def manifest(self, name: str) -> Manifest | None:
        """What was written down of a dump; None without it. Raises GoliveError ``dump_damaged``."""
        file = self.of(name) / MANIFEST
        try:
            found = json.loads(file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed("Reading", file, error) from error
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get("format") != FORMAT:
            raise GoliveError(
                "dump_damaged",
                f"Reading {file} failed: it is no manifest of format {FORMAT}.",
                "Move the dump away, or remove it.",
            )
        return found

    def kept(self, of: Mapping[str, Any]) -> list[Manifest]:
        """The manifests of the dumps of one database, the newest first; ``of`` are entries that they share.

        What cannot be read is no dump of this database, and not for us to remove.
        """
        found = []
        for file in self.path.glob(f"*/{MANIFEST}"):
            with suppress(GoliveError):
                one = self.manifest(file.parent.name)
                if one and one["name"] == file.parent.name and of.items() <= one.items():
                    found.append(one)
        return sorted(found, key=lambda one: str(one["taken_at"]), reverse=True)

    def remove(self, name: str) -> None:
        """Remove a dump. Raises GoliveError ``directory_failed``."""
        final = self.of(name)
        partial = final.with_name(name + _PARTIAL)
        try:
            # Renamed first: half a dump must not look like one.
            final.rename(partial)
        except OSError as error:
            raise _failed("Removing", final, error) from error
        _remove(partial)


def create_file(path: Path) -> BinaryIO:
    """A new file that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def settle(file: BinaryIO) -> None:
    """Bring what was written to the disk, so that what is read next comes from there."""
    file.flush()
    os.fsync(file.fileno())
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def write_manifest(partial: Path, manifest: Manifest) -> None:
    """Write it into a directory that is being made."""
    with create_file(partial / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n")
        settle(file)


def sha256_of(call: Call, path: Path) -> str:
    """SHA-256 of a file in hex. Raises GoliveError ``dump_damaged`` when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                call.alive()
                digest.update(piece)
    except OSError as error:
        raise GoliveError("dump_damaged", f"Reading {path} failed: {error.strerror or error}.") from error
    return digest.hexdigest()


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)


def _failed(doing: str, path: Path, error: OSError) -> GoliveError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return GoliveError(
            "disk_full",
            f"{doing} {path} failed: {error.strerror}. Nothing of it is left.",
            "Make room, remove old dumps, or name another directory.",
        )
    return GoliveError(
        "directory_failed", f"{doing} {path} failed: {error.strerror or error}.", "Check the path and its rights."
    )
