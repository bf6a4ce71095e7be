# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a prober counted: per stream, per identity, per pod, and per second. All of it in bounded memory."""

from __future__ import annotations

import heapq
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ansible_collections.golive.cutover.plugins.module_utils._gate.histogram import Histogram

if TYPE_CHECKING:
    from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Answer

UNKNOWN = "unknown"
_OTHERS = "others"
_MOST_NAMES = 200
_MOST_SECONDS = 3600
_MOST_EXAMPLES = 5


class Downtime:
    """Seconds without service: from each first failed request to the next one that was answered, by schedule.

    Answers come in any order; one counts when no request before it is open any more. A stream that ends in failure
    counts to its last request.
    """

    def __init__(self) -> None:
        self._open: set[float] = set()
        self._waiting: list[tuple[float, bool]] = []
        self._total = 0.0
        self._since: float | None = None
        self._last = 0.0

    def opened(self, at: float) -> None:
        """A request is about to be sent."""
        self._open.add(at)

    def ended(self, at: float, good: bool) -> None:
        """It was answered, or it failed."""
        self._open.discard(at)
        heapq.heappush(self._waiting, (at, good))
        first_open = min(self._open, default=math.inf)
        while self._waiting and self._waiting[0][0] < first_open:
            self._count(*heapq.heappop(self._waiting))

    def _count(self, at: float, good: bool) -> None:
        self._last = at
        if not good and self._since is None:
            self._since = at
        elif good and self._since is not None:
            self._total += at - self._since
            self._since = None

    def seconds(self) -> float:
        """As of now; requests that are still open do not count."""
        total, since, last = self._total, self._since, self._last
        for at, good in sorted(self._waiting):
            last = at
            if not good and since is None:
                since = at
            elif good and since is not None:
                total, since = total + at - since, None
        return total + (last - since if since is not None else 0.0)


@dataclass
class Stream:
    """One stream's ledger. ``reopened`` counts kept connections that the server had closed while they were idle,
    ``late`` requests that were sent more than 100 ms after their time because this machine was busy."""

    sent: int = 0
    ok: int = 0
    reopened: int = 0
    late: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    by_identity: dict[str, int] = field(default_factory=dict)
    failed_by_identity: dict[str, int] = field(default_factory=dict)
    by_pod: dict[str, dict[str, int]] = field(default_factory=dict)
    slowest: float = 0.0
    latency: Histogram = field(default_factory=Histogram)
    downtime: Downtime = field(default_factory=Downtime)

    def add(self, answer: Answer) -> None:
        """Count one answer."""
        self.sent += 1
        self.slowest = max(self.slowest, answer.seconds)
        self.downtime.ended(answer.at, answer.good)
        if answer.timed:
            self.latency.add(answer.seconds)
        if answer.good:
            self.ok += 1
            _count(self.by_identity, answer.identity or UNKNOWN)
        else:
            _count(self.failed, answer.kind)
            if answer.identity:
                _count(self.failed_by_identity, answer.identity)
        if answer.pod:
            pods = self.by_pod
            name = answer.pod if answer.pod in pods or len(pods) < _MOST_NAMES else _OTHERS
            _count(pods.setdefault(name, {"ok": 0, "failed": 0}), "ok" if answer.good else "failed")

    def as_dict(self) -> dict[str, Any]:
        """As a result carries it; latency in milliseconds."""
        return {
            "sent": self.sent,
            "ok": self.ok,
            "failed": dict(sorted(self.failed.items())),
            "by_identity": dict(sorted(self.by_identity.items())),
            "failed_by_identity": dict(sorted(self.failed_by_identity.items())),
            "by_pod": {name: dict(row) for name, row in sorted(self.by_pod.items())},
            "reopened": self.reopened,
            "late": self.late,
            "latency_ms": self.latency.as_dict(),
            "slowest_ms": round(self.slowest * 1000, 1),
        }


def _count(counts: dict[str, int], name: str, times: int = 1) -> None:
    key = name if name in counts or len(counts) < _MOST_NAMES else _OTHERS
    counts[key] = counts.get(key, 0) + times


@dataclass
class _Second:
    ok: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)


class Series:
    """Answers by the second in which they were due, for plots; the last hour of them."""

    def __init__(self) -> None:
        self._seconds: dict[int, _Second] = {}

    def add(self, answer: Answer, unix: float) -> None:
        """Count an answer whose request was due at ``unix`` seconds."""
        second = math.floor(unix)
        if second not in self._seconds:
            self._seconds[second] = _Second()
            if len(self._seconds) > _MOST_SECONDS:
                del self._seconds[min(self._seconds)]
        row = self._seconds[second]
        if answer.timed:
            row.latency.add(answer.seconds)
        if answer.good:
            _count(row.ok, answer.identity or UNKNOWN)
        else:
            _count(row.failed, answer.kind)

    def rows(self) -> list[dict[str, Any]]:
        """``{t, ok: {identity: n}, failed: {kind: n}, p50_ms, p95_ms, p99_ms}``, one a second, oldest first."""
        return [
            {"t": second, "ok": dict(row.ok), "failed": dict(row.failed), **row.latency.as_dict()}
            for second, row in sorted(self._seconds.items())
        ]

    def merge(self, other: Series) -> None:
        """Count the answers of another one too."""
        for second, theirs in list(other._seconds.items()):
            ours = self._seconds.setdefault(second, _Second())
            for mine, more in ((ours.ok, theirs.ok), (ours.failed, theirs.failed)):
                for name, times in more.items():
                    _count(mine, name, times)
            ours.latency.merge(theirs.latency)


def merged_rows(several: list[Series]) -> list[dict[str, Any]]:
    """The rows of several streams of requests together."""
    whole = Series()
    for series in several:
        whole.merge(series)
    return whole.rows()


class Examples:
    """The first bad requests, told one by one."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, stream: str, answer: Answer) -> None:
        """Keep a bad answer while there is room."""
        if len(self.rows) < _MOST_EXAMPLES:
            ago = time.monotonic() - answer.at
            self.rows.append(
                {
                    "t": round(time.time() - ago, 3),
                    "stream": stream,
                    "kind": answer.kind,
                    "status": answer.status,
                    "identity": answer.identity,
                    "pod": answer.pod,
                    "ms": round(answer.seconds * 1000, 1),
                    "cause": answer.cause or None,
                }
            )

    @property
    def told(self) -> str:
        """The first one in words; empty without one."""
        if not self.rows:
            return ""
        row = self.rows[0]
        parts = [
            row["kind"] if row["status"] is None else f"status {row['status']}",
            f"{row['ms']:.0f} ms",
            f"pod {row['pod']}" if row["pod"] else "",
            row["cause"] or "",
        ]
        return f"at {time.strftime('%H:%M:%SZ', time.gmtime(row['t']))}: {', '.join(filter(None, parts))}"
