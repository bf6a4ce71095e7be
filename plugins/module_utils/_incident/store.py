# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of incidents: for each a JSON file, which is read back, and a page beside it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.files import folder_lock, not_writable, write_whole
from ansible_collections.golive.cutover.plugins.module_utils._incident.page import markdown
from ansible_collections.golive.cutover.plugins.module_utils._incident.record import IS_OPEN, Record, is_record


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

    def locked(self) -> AbstractContextManager[None]:
        """One writer at a time. Raises GoliveError ``timeout`` or ``not_writable``."""
        return folder_lock(self._call, self._directory)

    def write(self, record: Record) -> None:
        """Both files, each whole or not at all. Raises GoliveError ``not_writable``."""
        place = self.place(record["id"])
        try:
            write_whole(place, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
            write_whole(place.with_suffix(".md"), markdown(record))
        except OSError as error:
            raise not_writable(self._directory, error) from error

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
