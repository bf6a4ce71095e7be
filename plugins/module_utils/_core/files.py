# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of which no reader sees half, and folders that one run at a time writes to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for

_LOCK = ".lock"
_LOCKED_S = 20.0


def write_whole(place: Path, text: str, mode: int = 0o600) -> None:
    """A new file of our own mode, moved into place: no reader sees half of it, and an older mode never stays.

    Raises OSError.
    """
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextmanager
def folder_lock(call: Call, folder: Path, mode: int = 0o700) -> Iterator[None]:
    """The folder, made where it is missing, with one writer at a time, also among processes.

    Raises GoliveError ``timeout`` or ``not_writable``.
    """
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise not_writable(folder, error) from error
    with os.fdopen(descriptor, "r+") as file:
        wait_for(
            call,
            lambda: Done(True) if _taken(file) else Pending("another run writes to it"),
            what=f"the directory {folder}",
            timeout=_LOCKED_S,
            interval=0.1,
        )
        yield


def not_writable(folder: Path, error: OSError) -> GoliveError:
    """The error of a folder that cannot be written to."""
    return GoliveError(
        "not_writable",
        f"Writing to the directory {folder} failed: {error.strerror}.",
        "Name another directory, or give the user who runs this the right to write there.",
    )


def _taken(file: Any) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
