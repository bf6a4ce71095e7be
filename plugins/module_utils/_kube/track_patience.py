# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tracking remembers between two looks: how long things have lasted, and what lies before its start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes import Finding

_FLICKER_S = 3.0
_CLOCK_SKEW_S = 30.0


class Patience:
    """Since when each finding has been there. A gap of a few seconds does not start it anew."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str], tuple[float, float]] = {}

    def due(self, found: Iterable[Finding], now: float) -> list[Finding]:
        """Those that have lasted their time at ``now`` (monotonic seconds)."""
        ripe: list[Finding] = []
        for row in found:
            key = (row.code, row.uid, row.container)
            first, last = self._seen.get(key, (now, now))
            if now - last > _FLICKER_S:
                first = now
            self._seen[key] = (first, now)
            if now - first >= row.after:
                ripe.append(row)
        return ripe


@dataclass
class Soak:
    """Whether pods have stayed Ready for ``seconds`` without a restart.

    Measured from the first sight on a monotonic clock; a pod of ``stood``, which an earlier tracking saw and which is
    still the same, from there. Only a pod whose Ready condition is older than that by the
    server's own clock, with half a minute to spare for the node's clock, is taken as settled at once: else every run
    over a live app would wait.
    """

    seconds: float
    server_time: datetime | None
    stood: Mapping[pods.Steady, float] = field(default_factory=dict)
    _since: dict[str, tuple[float, int]] = field(default_factory=dict)

    def left(self, pod: dict[str, Any], now: float) -> float:
        """Seconds a Ready pod still has to stay so."""
        if self._settled(pod):
            return 0.0
        uid, count = pod["metadata"]["uid"], pods.restarts(pod)
        since, before = self._since.get(uid, (self.stood.get((uid, _ready_at(pod), count), now), count))
        if count != before:
            since = now
        self._since[uid] = (since, count)
        return max(0.0, since + self.seconds - now)

    def forget(self, pod: dict[str, Any]) -> None:
        """Start anew for a pod that is not Ready."""
        self._since.pop(pod["metadata"]["uid"], None)

    def _settled(self, pod: dict[str, Any]) -> bool:
        stamp = _ready_at(pod)
        if self.server_time is None or not stamp:
            return False
        since = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        return (self.server_time - since).total_seconds() >= self.seconds + _CLOCK_SKEW_S


def stood(seen: Mapping[str, Any] | None, wall: float) -> dict[pods.Steady, float]:
    """Pods as an earlier tracking saw them (rows with ``uid, ready_since, restarts``; ``since`` in seconds of the
    epoch), each with how long before ``wall`` that was, as a negative number. Raises GoliveError ``bad_request``."""
    if not seen:
        return {}
    lacking = [name for row in seen["pods"] for name in ("uid", "ready_since", "restarts") if name not in row]
    if lacking:
        hint = "Give pods and since as kube_track returned them."
        raise GoliveError("bad_request", f"A pod of seen.pods lacks {lacking[0]}.", hint)
    ago = min(0.0, float(seen["since"]) - wall)
    return {(row["uid"], row["ready_since"] or "", int(row["restarts"])): ago for row in seen["pods"]}


def _ready_at(pod: dict[str, Any]) -> str:
    return str(pods.condition(pod, "Ready").get("lastTransitionTime") or "")
