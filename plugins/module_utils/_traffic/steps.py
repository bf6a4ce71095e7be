# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a switch: its steps with seconds, and what the probe stream counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Prober, Target


class Record:
    """Fills as the switch goes on; use as a context manager, which ends the probe stream."""

    def __init__(self, call: Call) -> None:
        self.steps: list[dict[str, Any]] = []
        self._call = call
        self._start = call.now()
        self._prober: Prober | None = None

    def __enter__(self) -> Record:
        return self

    def __exit__(self, *_error: object) -> None:
        self.end_probing()

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """One step; what the body puts into the yielded dict is kept with it."""
        row: dict[str, Any] = {"step": name, "result": "failed"}
        self.steps.append(row)
        start = self._call.now()
        self._call.progress(name)
        try:
            yield row
            row["result"] = "done"
        finally:
            row["seconds"] = round(self._call.now() - start, 3)

    def start_probing(self, target: Target | None, rate: float) -> None:
        """Begin the probe stream that measures what clients see."""
        if target is not None and self._prober is None:
            self._prober = Prober(target, rate).__enter__()

    def end_probing(self) -> None:
        """End the stream; its counts stay."""
        if self._prober is not None:
            self._prober.close()

    def report(self) -> dict[str, Any]:
        """The fields of a result that every outcome has."""
        self.end_probing()
        timings = {row["step"]: row["seconds"] for row in self.steps if "seconds" in row}
        return {
            "steps": self.steps,
            "timings": {**timings, "total": round(self._call.now() - self._start, 3)},
            "ledger": self._prober.ledger() if self._prober else None,
            "series": self._prober.series() if self._prober else None,
            "downtime_ms": self._prober.downtime_ms() if self._prober else None,
        }
