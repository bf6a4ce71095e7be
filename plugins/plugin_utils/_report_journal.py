# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything of a run, line by line while it happens, so that a run that was killed still has a report.

The run holds a lock on its file; a file that can be locked belongs to a run that is gone. It is a POSIX lock, which a
worker does not inherit: a killed run's worker may outlive it (fcntl(2)).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SUFFIX = ".journal"
_MOST_BYTES = 32 << 20


class Journal:
    """One run's file, readable by its owner only. Raises OSError."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._left = _MOST_BYTES
        self._descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)

    def write(self, event: str, fields: Mapping[str, Any]) -> None:
        """One line, at once; beyond 32 MiB nothing more."""
        line = json.dumps({"event": event, **fields}, separators=(",", ":"), default=str).encode() + b"\n"
        self._left -= len(line)
        if self._left >= 0:
            os.write(self._descriptor, line)

    def remove(self) -> None:
        """The run has its report."""
        self.place.unlink(missing_ok=True)
        os.close(self._descriptor)


def left_behind(directory: Path) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """Files of runs that are gone, with their lines; the file is removed when the caller comes back for the next."""
    for place in sorted(directory.glob(f"*{SUFFIX}")):
        descriptor = _taken(place)
        if descriptor is None:
            continue
        try:
            lines = _lines(place)
            # Without a line it may belong to a run that has not locked it yet.
            if lines and os.fstat(descriptor).st_nlink:
                yield place, lines
                place.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _taken(place: Path) -> int | None:
    try:
        descriptor = os.open(place, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _lines(place: Path) -> list[dict[str, Any]]:
    """What can be read: a killed run may leave half a line at the end."""
    found = []
    with place.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                found.append(json.loads(line))
            except ValueError:
                break
    return found
