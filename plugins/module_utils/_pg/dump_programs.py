# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pg_dump and the pg_restore that belongs to it, wherever they run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings
from ansible_collections.golive.cutover.plugins.module_utils._pg.programs import find_program, stream_program

# What pg_restore writes of a dump: the rows of all tables.
READ = ("--data-only", "--file=-")


class DumpPrograms(Protocol):
    """``major`` is the major version of both programs; what fails raises GoliveError ``program_failed``."""

    major: int

    def dump(
        self, arguments: Sequence[str], limit_s: float, take: Callable[[bytes], None], told: Callable[[str], None]
    ) -> None:
        """Run pg_dump: ``take`` gets the dump in pieces, ``told`` each line that it tells beside it."""

    def read(self, file: Path, limit_s: float, take: Callable[[bytes], None]) -> None:
        """Run pg_restore on a dump: ``take`` gets its rows as SQL in pieces."""


class OwnPrograms:
    """Those of this machine. Raises GoliveError ``program_missing`` or ``program_too_old``."""

    def __init__(self, call: Call, where: Settings, server_version: int, directory: str | None) -> None:
        self._call = call
        self._where = where
        self._dump = find_program("pg_dump", server_version, call.alive, directory)
        self.major = self._dump.major
        # Not just any: an older one could not read what this pg_dump writes.
        beside = os.path.dirname(self._dump.path)
        self._restore = find_program("pg_restore", self.major * 10000, call.alive, beside)

    def dump(
        self, arguments: Sequence[str], limit_s: float, take: Callable[[bytes], None], told: Callable[[str], None]
    ) -> None:
        """See ``DumpPrograms``."""
        stream_program(self._dump, arguments, self._call.alive, limit_s, take, told, self._where)

    def read(self, file: Path, limit_s: float, take: Callable[[bytes], None]) -> None:
        """See ``DumpPrograms``."""
        stream_program(self._restore, (*READ, str(file)), self._call.alive, limit_s, take)
