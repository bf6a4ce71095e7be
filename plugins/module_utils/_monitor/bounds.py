# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every bound that a rule compares with, by profile, and how much stricter it is during hypercare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PROFILES = ("mvp", "standard", "enterprise")


@dataclass(frozen=True)
class Bound:
    """``values`` by profile; ``hypercare`` counts where it is stricter, ``more`` says that more of it is stricter."""

    values: tuple[float, float, float]
    hypercare: float | None = None
    more: bool = False

    def of(self, profile: str, hypercare: bool) -> float:
        """The bound of a profile."""
        value = self.values[PROFILES.index(profile)]
        if not hypercare or self.hypercare is None:
            return value
        return max(value, self.hypercare) if self.more else min(value, self.hypercare)


def _same(value: float, hypercare: float | None = None, more: bool = False) -> Bound:
    return Bound((value, value, value), hypercare, more)


_GIB = 1024**3
_DAY = 86400

BOUNDS: Mapping[str, Bound] = {
    # Shares of requests that may fail, or take longer than a second, over 30 days.
    "error_budget": Bound((0.01, 0.005, 0.001), 0.001),
    "slow_budget": Bound((0.05, 0.01, 0.01), 0.005),
    "error_critical": Bound((0.02, 0.01, 0.01), 0.005),
    # Seconds; both stand at bounds of the app's histogram, between them it would be a guess.
    "latency_warning": Bound((1, 1, 1), 0.5),
    "latency_critical": _same(2),
    # Requests a second below which a share says nothing.
    "least_requests": _same(1),
    "errors_quiet": Bound((200, 100, 50), 20),
    "traffic_share": _same(0.4, 0.5, more=True),
    "uptime_warning": Bound((0.99, 0.995, 0.999), 0.999, more=True),
    "cpu_warning": _same(0.8),
    "cpu_critical": _same(0.9),
    "memory_warning": _same(0.85),
    "memory_critical": _same(0.95),
    "replicas_share": Bound((0.5, 0.5, 0.67), 0.67, more=True),
    "restarts": Bound((5, 3, 3), 1),
    "quota_warning": _same(0.9),
    "primaries": _same(1),
    "connections_warning": _same(0.8),
    "connections_critical": _same(0.95),
    "ids_warning": _same(0.25),
    "ids_critical": _same(0.6),
    "volume_warning": _same(0.25),
    "volume_critical": _same(0.1),
    "transaction_seconds": Bound((1800, 900, 900), 300),
    "lock_waiters": Bound((10, 5, 5), 3),
    "deadlocks": Bound((10, 5, 5), 2),
    "rollbacks": _same(0.1, 0.05),
    "lag_seconds": Bound((60, 30, 30), 15),
    "lag_bytes": _same(_GIB / 4),
    "slot_bytes": Bound((5 * _GIB, 10 * _GIB, 10 * _GIB)),
    "dead_rows": _same(100000),
    "dead_share": _same(0.2),
    "cache_hit": Bound((0.9, 0.95, 0.95)),
    "least_blocks": _same(100),
    # In a quarter of an hour.
    "checkpoints": _same(3),
    "bloat_share": _same(0.5),
    "bloat_bytes": _same(_GIB),
    "sequence_used": _same(0.75),
    # A daily backup may be late by two hours; with hourly ones in mind set it lower.
    "backup_seconds": Bound((50 * 3600, 26 * 3600, 26 * 3600)),
    "restore_seconds": Bound((32 * _DAY, 8 * _DAY, 8 * _DAY)),
    "lifetime_warning": _same(0.25),
    "lifetime_critical": _same(0.1),
    "expiry_seconds": Bound((3 * _DAY, 3 * _DAY, 7 * _DAY)),
    "migration_seconds": Bound((3600, 1800, 1800), 900),
    "cache_memory": _same(0.9),
    "undelivered": _same(0.05),
}

# The first must be reached before the second.
ORDER = (
    ("latency_warning", "latency_critical"),
    ("cpu_warning", "cpu_critical"),
    ("memory_warning", "memory_critical"),
    ("connections_warning", "connections_critical"),
    ("ids_warning", "ids_critical"),
    ("volume_critical", "volume_warning"),
    ("lifetime_critical", "lifetime_warning"),
)


def hold_seconds(hold: int, severity_is_critical: bool, profile: str, hypercare: bool) -> int:
    """``for`` of a rule: warnings of an mvp may take twice as long, hypercare waits half, in steps of 15 seconds."""
    seconds = hold * 2 if profile == "mvp" and not severity_is_critical else hold
    return seconds // 30 * 15 if hypercare else seconds
