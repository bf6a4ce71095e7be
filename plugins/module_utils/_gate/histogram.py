# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Latency percentiles in bounded memory: buckets that grow by a fixed factor."""

from __future__ import annotations

import math

# A percentile is too high by at most this factor.
_GROWTH = 1.02
_SMALLEST_S = 1e-4


class Histogram:
    """Counts of seconds. Some hundred buckets span a tenth of a millisecond to a minute."""

    def __init__(self) -> None:
        self.total = 0
        self.greatest = 0.0
        self._counts: dict[int, int] = {}

    def add(self, seconds: float) -> None:
        """Count one value."""
        bucket = math.ceil(math.log(max(seconds, _SMALLEST_S) / _SMALLEST_S) / math.log(_GROWTH))
        self._counts[bucket] = self._counts.get(bucket, 0) + 1
        self.total += 1
        self.greatest = max(self.greatest, seconds)

    def merge(self, other: Histogram) -> None:
        """Count the values of another one too."""
        for bucket, count in other._counts.items():
            self._counts[bucket] = self._counts.get(bucket, 0) + count
        self.total += other.total
        self.greatest = max(self.greatest, other.greatest)

    def percentile(self, share: float) -> float | None:
        """Seconds that this share of the values does not exceed; None without values."""
        if not self.total:
            return None
        left = math.ceil(share * self.total)
        for bucket in sorted(self._counts):
            left -= self._counts[bucket]
            if left <= 0:
                return min(self.greatest, _SMALLEST_S * _GROWTH**bucket)
        return self.greatest

    def as_dict(self) -> dict[str, float | None]:
        """``p50_ms``, ``p95_ms`` and ``p99_ms``, each None without values."""
        found = {f"p{share * 100:.0f}_ms": self.percentile(share) for share in (0.5, 0.95, 0.99)}
        return {name: None if value is None else round(value * 1000, 2) for name, value in found.items()}
