# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of incidents: for each a JSON file, which is read back, and a page beside it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._incident.page import markdown
from ansible_collections.golive.cutover.plugins.module_utils._incident.record import IS_OPEN, Record, is_record

_LOCK = ".lock"
_LOCKED_S = 20.0


class Store:
    """The directory. Its files can be read by their owner only."""

    def __init__(self, call: Call, directory: str) -> None:
        self._call = call
        self._directory = Path(directory)

    def place(self, name: str) -> Path:
        """The JSON file of an incident."""
        return self._directory / f"{name}.json"

    def free(self, name: str) -> str:
        """This name, or with a number behind it where a closed incident has it."""
        names = [name, *(f"{name}-{number}" for number in range(2, 100))]
        return next((one for one in names if not self.place(one).exists()), name)

    def find(self, app: str, name: str | None) -> Record | None:
        """The incident of this name, or else the newest open one of the app; None when there is none.

        Raises GoliveError ``file_invalid`` when the named file is not one of ours.
        """
        if name is not None:
            return self._read(self.place(name))
        for place in sorted(self._directory.glob("*.json"), reverse=True):
            found = self._read(place)
            if found is not None and found["app"] == app and found["status"] == IS_OPEN:
                return found
        return None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, also among processes. Raises GoliveError ``timeout`` or ``not_writable``."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._not_writable(error) from error
        with os.fdopen(descriptor, "r+") as file:
            wait_for(
                self._call,
                lambda: Done(True) if _taken(file) else Pending("another run writes to it"),
                what=f"the directory {self._directory}",
                timeout=_LOCKED_S,
                interval=0.1,
            )
            yield

    def write(self, record: Record) -> None:
        """Both files, each whole or not at all. Raises GoliveError ``not_writable``."""
        place = self.place(record["id"])
        try:
            _put(place, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
            _put(place.with_suffix(".md"), markdown(record))
        except OSError as error:
            raise self._not_writable(error) from error

    def _read(self, place: Path) -> Record | None:
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            found = None
        if is_record(found):
            return dict(found)
        raise GoliveError(
            "file_invalid", f"Reading the incident {place} failed: it is no file of an incident.", "Move it elsewhere."
        )

    def _not_writable(self, error: OSError) -> GoliveError:
        return GoliveError(
            "not_writable",
            f"Writing to the directory {self._directory} failed: {error.strerror}.",
            "Name another directory, or give the user who runs this the right to write there.",
        )


def _taken(file: Any) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _put(place: Path, text: str) -> None:
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
