# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a continuous value of two releases by ranks: CPU, memory, latency per interval, taken at the same time.

A rank test must not be peeked at: plan one look, or give the number of looks, which share the chance of a false alarm.
Not for rare errors, where ties dominate (reference 4.3).
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import ALPHA, FAILED, PASSED

# The exact distribution is used up to this many values a side.
_EXACT = 20
_NORMAL = statistics.NormalDist()


@dataclass(frozen=True)
class Ranking:
    """Mann–Whitney test of two samples: ``u`` counts the pairs in which the first one's value is greater (ties half).

    ``higher`` is the chance of such an ``u`` or a greater one between equal distributions, ``lower`` the other tail.
    ``cles`` is the chance that a value of the first one is greater than one of the second one (common language effect
    size). ``method``: ``exact`` or ``normal``. ``least`` is the smallest chance that this method can give so many
    values, when all of one side lie above all of the other one: a test at a lower level could never be significant.
    """

    u: float
    higher: float
    lower: float
    cles: float
    method: str
    least: float

    @property
    def two_sided(self) -> float:
        """Chance of a difference of this size in either direction."""
        return min(1.0, 2 * min(self.higher, self.lower))


def mann_whitney(first: Sequence[float], second: Sequence[float], inflation: float = 1.0) -> Ranking:
    """Exact for at most 20 values a side without ties, else normal with tie and continuity correction.

    ``inflation`` widens the variance for values that follow one another closely, and takes the normal form.
    Raises ValueError when a side is empty.
    """
    n, m = len(first), len(second)
    if not n or not m:
        raise ValueError("both sides need at least one value")
    sizes = Counter([*first, *second])
    u = _wins(first, second)
    if max(n, m) <= _EXACT and len(sizes) == n + m and inflation <= 1:
        ways = _ways(n, m)
        total = sum(ways)
        # Without ties u is a whole number.
        return Ranking(
            u, sum(ways[round(u) :]) / total, sum(ways[: round(u) + 1]) / total, u / (n * m), "exact", 1 / total
        )
    middle = n * m / 2
    widened = math.sqrt(inflation)
    deviation = _deviation(n, m, sizes) * widened
    least = 1 - _NORMAL.cdf((middle - 0.5) / (_deviation(n, m, Counter()) * widened))
    if not deviation:
        return Ranking(u, 1.0, 1.0, u / (n * m), "normal", least)
    higher = 1 - _NORMAL.cdf((u - middle - 0.5) / deviation)
    lower = _NORMAL.cdf((u - middle + 0.5) / deviation)
    return Ranking(u, higher, lower, u / (n * m), "normal", least)


def _wins(first: Sequence[float], second: Sequence[float]) -> float:
    order = sorted([*((value, True) for value in first), *((value, False) for value in second)])
    wins, beaten, at = 0.0, 0, 0
    while at < len(order):
        value, ours, theirs = order[at][0], 0, 0
        while at < len(order) and order[at][0] == value:
            ours += order[at][1]
            theirs += not order[at][1]
            at += 1
        wins += ours * (beaten + theirs / 2)
        beaten += theirs
    return wins


@lru_cache(maxsize=64)
def _ways(n: int, m: int) -> tuple[int, ...]:
    """In how many of all orders of n and m distinct values u is 0, 1, … n·m: the Gaussian binomial coefficients."""
    ways = [1] + [0] * (n * m)
    for step in range(1, n + 1):
        for at in range(n * m, m + step - 1, -1):
            ways[at] -= ways[at - m - step]
        for at in range(step, n * m + 1):
            ways[at] += ways[at - step]
    return tuple(ways)


def _deviation(n: int, m: int, sizes: Counter[float]) -> float:
    total = n + m
    ties = sum(size**3 - size for size in sizes.values())
    spread = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    return math.sqrt(max(0.0, spread))


def hodges_lehmann(
    first: Sequence[float], second: Sequence[float], confidence: float = 0.95
) -> tuple[float, float, float]:
    """By how much the first sample lies above the second one, with the interval of this confidence: the median of all
    differences, and the bounds that the rank test does not reject. Raises ValueError when a side is empty."""
    n, m = len(first), len(second)
    if not n or not m:
        raise ValueError("both sides need at least one value")
    differences = sorted(one - other for one in first for other in second)
    tail = (1 - confidence) / 2
    sizes = Counter([*first, *second])
    if max(n, m) <= _EXACT and len(sizes) == n + m:
        ways = _ways(n, m)
        limit, at, so_far = tail * sum(ways), 0, ways[0]
        while so_far < limit:
            at += 1
            so_far += ways[at]
    else:
        at = math.floor(n * m / 2 + _NORMAL.inv_cdf(tail) * _deviation(n, m, sizes))
    at = min(max(at, 1), n * m)
    return statistics.median(differences), differences[at - 1], differences[n * m - at]


def effective_size(values: Sequence[float]) -> float:
    """How many independent values a series is worth: n·(1−ρ)/(1+ρ) for a positive lag-1 autocorrelation ρ."""
    count = len(values)
    if count < 3:
        return float(count)
    mean = statistics.fmean(values)
    around = [value - mean for value in values]
    power = math.fsum(value * value for value in around)
    if not power:
        return float(count)
    rho = math.fsum(one * following for one, following in pairwise(around)) / power
    return count * (1 - rho) / (1 + rho) if rho > 0 else float(count)


def compare_values(
    new: Sequence[float],
    old: Sequence[float],
    *,
    worse: str = "higher",
    least_cles: float = 0.7,
    least_change: float = 0.25,
    alpha: float = ALPHA,
    looks: int = 1,
) -> dict[str, Any]:
    """One planned look at values per interval of both releases at the same time.

    ``worse``: which direction is bad, ``higher`` or ``lower``. ``verdict`` is ``fail`` only when the difference is
    significant at ``alpha / looks`` *and* large: ``cles`` at least ``least_cles`` and the shift at least
    ``least_change`` of old's median. ``pass`` otherwise; None when so few values could never be significant.
    """
    if worse == "lower":
        mirrored = compare_values(
            [-value for value in new],
            [-value for value in old],
            least_cles=least_cles,
            least_change=least_change,
            alpha=alpha,
            looks=looks,
        )
        shift = mirrored["shift"]
        flipped = None if shift is None else [-shift[0], -shift[2], -shift[1]]
        return {**mirrored, "worse": "lower", "shift": flipped}
    level = alpha / max(1, looks)
    sizes = [effective_size(new), effective_size(old)]
    told: dict[str, Any] = {
        "verdict": None,
        "worse": worse,
        "new": len(new),
        "old": len(old),
        "effective": [round(size, 1) for size in sizes],
        "alpha": level,
        "least_cles": least_cles,
        "least_change": least_change,
        "shift": None,
    }
    if not new or not old:
        return told
    ranking = mann_whitney(new, old, inflation=max(len(new) / sizes[0], len(old) / sizes[1]))
    if ranking.least > level:
        return told
    shift = hodges_lehmann(new, old)
    large = ranking.cles >= least_cles and shift[0] >= least_change * abs(statistics.median(old))
    return {
        **told,
        "verdict": FAILED if ranking.higher <= level and large else PASSED,
        "p": ranking.higher,
        "cles": round(ranking.cles, 4),
        "method": ranking.method,
        "shift": list(shift),
    }
