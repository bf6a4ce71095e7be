# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the new release worse than the old one? Tests of two shares of bad events, observed at the same time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import (
    ALPHA,
    BETA,
    FAILED,
    PASSED,
    Sprt,
)

TIMES_WORSE = 5.0
WORSE = "worse"
NOT_WORSE = "not_worse"
_VERDICTS = {FAILED: WORSE, PASSED: NOT_WORSE}


@dataclass(frozen=True)
class Counts:
    """Events of one side."""

    bad: int
    total: int

    @property
    def share(self) -> float:
        """Share of bad events; 0 without events."""
        return self.bad / self.total if self.total else 0.0


def compare_errors(
    new: Counts, old: Counts, times: float = TIMES_WORSE, alpha: float = ALPHA, beta: float = BETA, effect: float = 1.0
) -> dict[str, Any]:
    """Sequential test over the bad events of both sides: equally bad sides share them as they share the events.

    ``verdict``: ``worse`` (new is more like ``times`` times as bad as old), ``not_worse``, or None while the bad
    events are too few. May be asked again after every event (reference 4.2, shared fault).
    """
    if not new.total or not old.total:
        return {"verdict": None, "new": new.bad, "old": old.bad}
    part = new.total / (new.total + old.total)
    test = Sprt(part, times * part / (times * part + 1 - part), alpha, beta, effect)
    test.add(new.bad, old.bad)
    return {
        "verdict": _VERDICTS.get(test.verdict or ""),
        "new": new.bad,
        "old": old.bad,
        "new_share": round(part, 4),
        "times": times,
        "z": round(test.z, 4),
        "worse_at": round(test.upper, 4),
        "not_worse_at": round(test.lower, 4),
    }


def compare_shares(new: Counts, old: Counts, alpha: float = ALPHA) -> dict[str, Any]:
    """One fixed look, never again on the same data: ``worse`` when such a difference or a greater one has a chance of
    at most ``alpha`` while new's share of bad events is not higher, else ``not_worse``.

    Fisher's exact test when an expected count is below 5, else the pooled two-proportion test (reference 4.3). Without
    events on a side nothing is known: ``verdict`` is None.
    """
    told = {"new": [new.bad, new.total], "old": [old.bad, old.total], "alpha": alpha}
    total, bad = new.total + old.total, new.bad + old.bad
    if not new.total or not old.total:
        return {**told, "verdict": None, "p": None, "test": None}
    if min(new.total, old.total) * min(bad, total - bad) / total < 5:
        chance, name = _fisher(new, old), "fisher"
    else:
        pooled = bad / total
        error = math.sqrt(pooled * (1 - pooled) * (1 / new.total + 1 / old.total))
        chance, name = 1 - NormalDist().cdf((new.share - old.share) / error), "two_proportion"
    return {**told, "verdict": WORSE if chance <= alpha else NOT_WORSE, "p": chance, "test": name}


def _fisher(new: Counts, old: Counts) -> float:
    """Upper tail of the hypergeometric distribution."""
    total, bad = new.total + old.total, new.bad + old.bad
    most = min(bad, new.total)
    ways = _log_choose(total, new.total)
    tail = math.fsum(
        math.exp(_log_choose(bad, hit) + _log_choose(total - bad, new.total - hit) - ways)
        for hit in range(new.bad, most + 1)
    )
    return min(1.0, tail)


def _log_choose(count: int, taken: int) -> float:
    if not 0 <= taken <= count:
        return -math.inf
    return math.lgamma(count + 1) - math.lgamma(taken + 1) - math.lgamma(count - taken + 1)
