# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tablespace on a volume of a few MiB that can grow: a disk that gets full for real."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.postgres import Server, give_to_postgres


@dataclass(frozen=True)
class SmallDisk:
    """``tablespace`` is its name in the server."""

    tablespace: str
    place: Path

    def grow(self, mebibytes: int) -> None:
        """Have more room."""
        subprocess.run(["mount", "-o", f"remount,size={mebibytes}m", self.place], check=True)


@contextmanager
def small_disk(server: Server, name: str, owner: str, mebibytes: int) -> Iterator[SmallDisk]:
    """What was put there must be gone at the end."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small volume")
    disk = SmallDisk(f"small_{name}", server.directory / f"small-{name}")
    disk.place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", disk.place], check=True)
    try:
        give_to_postgres(disk.place)
        with closing(server.connect()) as admin, admin.cursor() as cursor:
            cursor.execute(f"CREATE TABLESPACE {disk.tablespace} OWNER {owner} LOCATION '{disk.place}'")
        try:
            yield disk
        finally:
            with closing(server.connect()) as admin, admin.cursor() as cursor:
                cursor.execute(f"DROP TABLESPACE {disk.tablespace}")
    finally:
        subprocess.run(["umount", disk.place], check=True)
