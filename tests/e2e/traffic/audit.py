# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our verbs wrote, by the witness of the API server's audit log."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_READS = ("get", "list", "watch")


@contextmanager
def writes_during(namespace: str) -> Iterator[list[str]]:
    """The list is filled at the end with every real write of ours in the namespace; dry runs are none."""
    path = os.environ.get("GOLIVE_AUDIT_LOG")
    if not path:
        pytest.skip("this cluster keeps no audit log")
    log = Path(path)
    start = log.stat().st_size
    found: list[str] = []
    yield found
    time.sleep(1)  # the log is written in batches
    with log.open() as lines:
        lines.seek(start)
        for line in lines:
            event = json.loads(line) if line.endswith("\n") else {}
            ours = event.get("userAgent") == "golive.cutover"
            here = (event.get("objectRef") or {}).get("namespace") == namespace
            if ours and here and event["verb"] not in _READS and "dryRun=All" not in event["requestURI"]:
                found.append(f"{event['verb']} {event['requestURI']}")
