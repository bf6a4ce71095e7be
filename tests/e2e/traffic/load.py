# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load generator beside a test: bounded, on loopback, with a ledger of every request."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.traffic.stand import served, until
from tests.images import programs


class Load:
    """A running load; ``ledger`` ends it and returns the counts."""

    def __init__(self, process: subprocess.Popen[bytes], path: Path) -> None:
        self._process = process
        self._path = path

    def ledger(self) -> dict[str, Any]:
        """Stop and read the ledger."""
        self._process.terminate()
        self._process.wait(timeout=30)
        found: dict[str, Any] = json.loads(self._path.read_text())
        return found


@contextmanager
def load(
    url: str, folder: Path, seconds: int = 120, fresh: int = 100, kept: int = 100, path: str = "/"
) -> Iterator[Load]:
    """Requests at a constant rate, fresh and keep-alive; runs once every stream has had a good answer."""
    programs.ensure(programs.LOAD)
    served(url + path)
    ready, ledger = folder / "ready", folder / "ledger.json"
    command = [str(programs.LOAD.path), "-target", url, "-fresh-rate", str(fresh), "-keepalive-rate", str(kept)]
    command += [
        "-seconds",
        str(seconds),
        "-ledger",
        str(ledger),
        "-request",
        f"GET {path}",
        "-ready-file",
        str(ready),
        "-quiet",
    ]
    process = subprocess.Popen(command)
    try:
        until(ready.exists, 30, "the load's first answers")
        yield Load(process, ledger)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
