# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the selector of a Service changed, as the API server told everybody who watches."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Selector = dict[str, str]


@dataclass
class Seen:
    """``rows`` holds (unix seconds, selector) of every change, oldest first."""

    rows: list[tuple[float, Selector]] = field(default_factory=list)

    def first_after(self, begun: float) -> float | None:
        """Unix seconds of the first change after ``begun``."""
        return next((at for at, _selector in self.rows if at >= begun), None)


@contextmanager
def watch(namespace: str, service: str) -> Iterator[Seen]:
    """Follow the Service while the block runs."""
    seen = Seen()
    command = ["kubectl", "-n", namespace, "get", "service", service, "-w", "-o", "jsonpath={.spec.selector}{'\\n'}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def follow() -> None:
        for line in process.stdout or ():
            selector: dict[str, Any] = json.loads(line)
            if not seen.rows or seen.rows[-1][1] != selector:
                seen.rows.append((time.time(), selector))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        process.kill()
        process.wait()
        thread.join(5)
