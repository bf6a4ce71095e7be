# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exporter of what only this collection knows; what that is, its sources say.

It reads by itself, and scrapes get what it has: none waits for a database. Of each query it tells whether it was
answered, so that one which fails hides no other.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

try:
    import prometheus_client
    import prometheus_client.core
except ImportError:
    prometheus_client = None

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.series import Sample, Source, Told

PORT = 9188
LOGIN = Path("/etc/golive/database")
UP, LAST = "golive_exporter_query_up", "golive_exporter_last_success_timestamp_seconds"
_TICK_S = 5.0

_Key = tuple[str, tuple[tuple[str, str], ...]]


def main(sources: Sequence[Source]) -> int:
    """Serve until SIGTERM; the exit code. Where the server is, the variables of libpq say."""
    if prometheus_client is None:
        raise GoliveError("library_missing", "The image of the exporter has no Python library prometheus_client.")
    seen = Seen(sources)
    registry = prometheus_client.CollectorRegistry()
    registry.register(seen)
    prometheus_client.start_http_server(PORT, registry=registry)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_signal: stop.set())
    while True:
        seen.read(time.time())
        if stop.wait(_TICK_S):
            return 0


def read_login(folder: Path) -> dict[str, str]:
    """Name and password as they are now, because they change while this runs; without one what there is of them."""
    found = {}
    for key, file in (("user", folder / "username"), ("password", folder / "password")):
        if file.exists():
            found[key] = file.read_text(encoding="utf-8").rstrip("\n")
    return found


class Seen:
    """What was read last, as ``prometheus_client`` collects it."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._due = dict.fromkeys(range(len(sources)), 0.0)
        self._up: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._samples: dict[str, dict[_Key, tuple[float, Sample]]] = {}

    def read(self, now: float) -> None:
        """Ask every source whose time has come; what fails is written to stderr."""
        for number, source in enumerate(self._sources):
            if now < self._due[number]:
                continue
            self._due[number] = now + source.every
            try:
                told = source.read(read_login(LOGIN))
            except (GoliveError, OSError) as error:
                told = Told({}, dict.fromkeys(source.queries, str(error)))
            self._keep(source, told, now)

    def _keep(self, source: Source, told: Told, now: float) -> None:
        """A fault leaves what is known until it is too old."""
        for query in source.queries:
            fault = told.faults.get(query)
            known = {} if fault is None else dict(self._samples.get(query, {}))
            known.update({_key(one): (now + source.keep, one) for one in told.samples.get(query, ())})
            self._samples[query] = known
            self._up[query] = float(fault is None)
            if fault is None:
                self._last[query] = now
            else:
                os.write(2, f"{query}: {fault}\n".encode())

    def current(self, now: float) -> list[Sample]:
        """Every sample that is served at a time, in Unix seconds, by name; of one that two tell, the greater value."""
        found: dict[_Key, Sample] = {}
        own = [
            Sample(name, value, {"query": query})
            for name, values in ((UP, self._up), (LAST, self._last))
            for query, value in list(values.items())
        ]
        told = [one for known in list(self._samples.values()) for end, one in list(known.values()) if now <= end]
        for sample in [*own, *told]:
            key = _key(sample)
            if key not in found or found[key].value < sample.value:
                found[key] = sample
        return [found[key] for key in sorted(found)]

    def collect(self) -> Iterator[Any]:
        """The series as families of gauges."""
        yield from _families(self.current(time.time()))


def _families(samples: Iterable[Sample]) -> Iterator[Any]:
    for name, group in groupby(samples, key=lambda one: one.name):
        rows = list(group)
        labels = sorted({label for row in rows for label in row.labels})
        family = prometheus_client.core.GaugeMetricFamily(name, f"See docs/alerts.md: {name}.", labels=labels)
        for row in rows:
            family.add_metric([row.labels.get(label, "") for label in labels], row.value)
        yield family


def _key(sample: Sample) -> _Key:
    return sample.name, tuple(sorted(sample.labels.items()))
