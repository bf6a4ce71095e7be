# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SQLite file, read as it is: what is wrong with it is found before anything is written elsewhere."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# PRAGMA table_list came with it (https://sqlite.org/pragma.html#pragma_table_list).
LEAST_VERSION = (3, 37, 0)
_MAGIC = b"SQLite format 3\x00"
_PAGES = 2000
BUSY_S = 5.0
_PIECE = 1 << 20
_MOST_FAULTS = 20


@dataclass(frozen=True)
class Snapshot:
    """A consistent copy of a source, checked page by page. ``source`` is the file it was made of."""

    path: str
    source: str
    bytes: int
    sha256: str


@contextmanager
def opened(path: str, *, text: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection that reads a file nobody writes to; texts come as bytes, as str with ``text``."""
    with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True)) as connection:
        connection.isolation_level = None
        connection.text_factory = str if text else bytes
        yield connection


def check_source(path: str) -> None:
    """Refuse what is no SQLite database. Raises GoliveError ``not_found``, ``source_empty``, ``not_sqlite`` or
    ``sqlite_too_old``."""
    if sqlite3.sqlite_version_info < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        raise GoliveError(
            "sqlite_too_old",
            f"Cannot read SQLite files with SQLite {sqlite3.sqlite_version}: {least} is the oldest that works.",
            "Run the task with a Python that is linked with a newer SQLite.",
        )
    try:
        with open(path, "rb") as file:
            head = file.read(len(_MAGIC))
    except OSError as error:
        raise GoliveError("not_found", f"Cannot read the SQLite file {path}: {error.strerror}.") from error
    if not head:
        raise GoliveError("source_empty", f"The SQLite file {path} is empty: it has 0 bytes.", "Check the path.")
    if head != _MAGIC:
        raise GoliveError(
            "not_sqlite",
            f"{path} is no SQLite database: it does not begin as one.",
            "Check the path; an encrypted database must be decrypted first.",
        )


def take_snapshot(call: Call, path: str, into: str) -> Snapshot:
    """Copy the source as of one moment, with what its WAL file holds, and check the copy.

    Raises GoliveError as ``check_source``, ``source_locked``, ``source_corrupt`` or ``snapshot_failed``. Nothing is
    left behind then.
    """
    check_source(path)
    new = f"{into}.new"
    try:
        Path(new).unlink(missing_ok=True)
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _backup(call, path, new)
        _check(call, path, new)
        with open(new, "rb+") as file:
            os.fsync(file.fileno())
        Path(new).replace(into)
    except OSError as error:
        raise GoliveError(
            "snapshot_failed",
            f"Cannot write the snapshot {new}: {error.strerror}.",
            "Give a work_dir that can be written and has room for a copy of the file.",
        ) from error
    finally:
        Path(new).unlink(missing_ok=True)
    return known_snapshot(path, into)


def known_snapshot(path: str, into: str) -> Snapshot:
    """A snapshot that is there already. Raises OSError."""
    digest = hashlib.sha256()
    with open(into, "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
        return Snapshot(into, path, file.tell(), digest.hexdigest())


def _backup(call: Call, path: str, new: str) -> None:
    def progress(_status: int, remaining: int, total: int) -> None:
        call.progress(f"snapshot of {path}: {total - remaining} of {total} pages", total - remaining, total)

    try:
        with (
            closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=BUSY_S)) as source,
            closing(sqlite3.connect(new)) as target,
        ):
            # Inside of a transaction a writer cannot make the copy begin anew.
            source.isolation_level = None
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()
            source.backup(target, pages=_PAGES, progress=progress, sleep=0)
            target.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        raise unreadable(path, error) from error


def unreadable(path: str, error: sqlite3.DatabaseError) -> GoliveError:
    """Why a source cannot be read."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return GoliveError(
            "source_locked",
            f"Cannot read {path}: another program has held its lock for {BUSY_S:g} s ({text}).",
            "End what writes to it, or try again.",
        )
    if "full" in text or "disk I/O" in text:
        return GoliveError(
            "snapshot_failed",
            f"Cannot copy {path} ({text}).",
            "Give a work_dir with room for a copy of the file, and check the disk.",
        )
    return GoliveError(
        "source_corrupt",
        f"Cannot read {path} as a SQLite database: {text}.",
        "Recover it with the .recover command of sqlite3 and copy what that gives.",
    )


def _check(call: Call, path: str, new: str) -> None:
    call.progress(f"checking the pages of {path}")
    try:
        with opened(new, text=True) as connection:
            faults = [row[0] for row in connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})")]
    except sqlite3.DatabaseError as error:
        raise unreadable(path, error) from error
    if faults != ["ok"]:
        raise GoliveError(
            "source_corrupt",
            f"The SQLite file {path} is damaged: {faults[0]}.",
            "Recover it with the .recover command of sqlite3 and copy what that gives.",
            {"faults": faults},
        )
