# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exporter of facts of a database that no other one serves.

It reads every half minute, and scrapes get what it has: none waits for the database. What was not read for two minutes
is not served any more, because an old number would look like a good one.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

try:
    import prometheus_client
    import prometheus_client.core
except ImportError:
    prometheus_client = None

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import settings
from ansible_collections.golive.cutover.plugins.module_utils._postgres.exported import EXPORTED
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health import health, read_wish

PORT = 9188
LOGIN = Path("/etc/golive/database")
_EVERY_S = 30.0
_OLD_S = 120.0
_QUERY_S = 5.0


def main() -> int:
    """Serve until SIGTERM; the exit code. Where the server is, the variables of libpq say."""
    if prometheus_client is None:
        raise GoliveError("library_missing", "The image of the exporter has no Python library prometheus_client.")
    seen = Seen()
    registry = prometheus_client.CollectorRegistry()
    registry.register(seen)
    prometheus_client.start_http_server(PORT, registry=registry)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_signal: stop.set())
    while True:
        try:
            seen.keep(read(read_login(LOGIN)))
        except GoliveError as error:
            os.write(2, f"{error.code}: {error.message}\n".encode())
        if stop.wait(_EVERY_S):
            return 0


def read_login(folder: Path) -> dict[str, str]:
    """Name and password as they are now: they change while this runs. A name may be in the environment instead."""
    found = {"password": (folder / "password").read_text(encoding="utf-8").rstrip("\n")}
    if (folder / "username").exists():
        found["user"] = (folder / "username").read_text(encoding="utf-8").rstrip("\n")
    return found


def read(login: Mapping[str, str]) -> dict[str, float]:
    """Each series with its value, as far as the server tells. Raises GoliveError for a login that is wrong."""
    call = Call(params={})
    asked = {"role": "primary", "facts": list(EXPORTED.values()), "ignore": [], "required": [], "thresholds": {}}
    wish = read_wish({**asked, "timeout": _QUERY_S, "disk_free": None, "disk_size": None})
    told = health(call, settings({**login, "connect_timeout": _QUERY_S}), wish, lambda: None)
    if not told["reachable"]:
        raise GoliveError("unreachable", told["reasons"][0])
    return values(told["facts"])


def values(facts: list[dict[str, Any]]) -> dict[str, float]:
    """Each series with its value; a fact that is not known has none."""
    known = {row["name"]: row["value"] for row in facts if row["value"] is not None}
    return {series: float(known[fact]) for series, fact in EXPORTED.items() if fact in known}


class Seen:
    """What was read last, as ``prometheus_client`` collects it."""

    def __init__(self) -> None:
        self._last: tuple[float, Mapping[str, float]] = (0.0, {})

    def keep(self, found: Mapping[str, float]) -> None:
        """Serve this from now on."""
        self._last = (time.time(), found)

    def current(self, now: float) -> dict[str, float]:
        """Each series that is served at a time, in Unix seconds."""
        at, found = self._last
        fresh = now - at <= _OLD_S
        return {"golive_exporter_last_success_timestamp_seconds": at, **(found if fresh else {})}

    def collect(self) -> Iterator[Any]:
        """The series as families of gauges."""
        for name, value in self.current(time.time()).items():
            yield prometheus_client.core.GaugeMetricFamily(name, f"See docs/alerts.md: {name}.", value=value)
