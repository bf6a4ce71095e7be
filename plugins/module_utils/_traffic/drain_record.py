# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen while a colour was drained and shrunk, and what was cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._traffic.open_work import Work
from ansible_collections.golive.cutover.plugins.module_utils._traffic.settle_wish import NONE, SettleWish

_SHOWN = 20


class DrainRecord:
    """Filled by the drain; times by the clock ``now`` in seconds."""

    def __init__(self, now: Callable[[], float], size: int, wish: SettleWish) -> None:
        self.size = size
        self.late = False
        self.nudged: int | None = None
        self.trouble: str | None = None
        self._now = now
        self._began = now()
        self._from = size
        self._wish = wish
        self._before: int | None = None
        self._after: int | None = None
        self._waited = 0.0
        self._limit = 0.0
        self._work: dict[str, Work] = {}
        self._since: dict[str, float] = {}
        self._peers: dict[str, dict[str, float]] = {}
        self._removed: list[dict[str, Any]] = []
        self._cut: list[dict[str, Any]] = []

    def saw(self, work: Mapping[str, Work]) -> int:
        """Keep counts by pod; the total of these pods."""
        for name, found in work.items():
            self._work[name] = found
            if not found.count:
                self._since.pop(name, None)
            else:
                self._since.setdefault(name, self._now())
            known = self._peers.get(name, {})
            self._peers[name] = {peer: known.get(peer, self._now()) for peer in found.peers}
        total = sum(found.count for found in work.values())
        if self._before is None and work:
            self._before = total
        return total

    def drained(self, limit: float) -> None:
        """The wait is over."""
        self._waited = self._now() - self._began
        self._limit = limit
        self._after = sum(found.count for found in self._work.values()) if self._work else None

    def removed(self, name: str, seconds: float) -> None:
        """A pod is gone; what was last seen open on it was cut with it."""
        left = self._work.pop(name, None)
        self._removed.append({"pod": name, "seconds": round(seconds, 3), "open": left.count if left else None})
        if left is None or not left.count:
            return
        peers = sorted(self._peers[name].items(), key=lambda row: row[1])
        row = {
            "pod": name,
            "count": left.count,
            "age_s": round(self._now() - self._since[name], 1),
            "peers": [{"peer": peer, "age_s": round(self._now() - since, 1)} for peer, since in peers[:_SHOWN]],
        }
        self._cut.append(row)

    def as_dict(self) -> dict[str, Any]:
        """As a result carries it."""
        counted = self._wish.count != NONE
        return {
            "from": self._from,
            "to": self.size,
            "wanted": min(self._wish.replicas, self._from),
            "counted_by": self._wish.count,
            "open_before": self._before,
            "open_after": self._after,
            "waited_s": round(self._waited, 3),
            "limit_s": self._limit,
            "deadline_reached": self.late,
            "nudged": self.nudged,
            "removed": self._removed,
            "cut": {"count": sum(row["count"] for row in self._cut), "pods": self._cut} if counted else None,
            "trouble": self.trouble,
        }
