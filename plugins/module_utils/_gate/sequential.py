# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequential test of a share of bad events: decide as early as counts allow (A. Wald, Sequential Analysis, 1947)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALPHA = 0.001
BETA = 0.05
PASSED = "pass"
FAILED = "fail"
# A test is given up after this many times the length that it takes on average when all is well.
_CAP = 15


@dataclass(frozen=True)
class Preset:
    """``p0``: greatest acceptable share of bad requests, ``p1``: least unacceptable one. A request is bad when it
    failed, or when it took longer than ``slower_than`` seconds where that is given."""

    p0: float
    p1: float
    slower_than: float | None = None


PRESETS: Mapping[str, Preset] = {
    "errors": Preset(0.002, 0.02),
    "errors_strict": Preset(0.001, 0.01),
    "slow_p99": Preset(0.01, 0.05, 1.0),
    "slow_p95": Preset(0.05, 0.10, 0.5),
}


def settings_faults(p0: float, p1: float, alpha: float = ALPHA, beta: float = BETA, effect: float = 1.0) -> list[str]:
    """What makes a test with these numbers impossible; empty when nothing does."""
    found = []
    if not 0 < p0 < p1 < 1:
        found.append(f"p0 and p1 must be shares with 0 < p0 < p1 < 1, not {p0:g} and {p1:g}")
    found += [
        f"{name} must be greater than 0 and less than 0.5, not {value:g}"
        for name, value in (("alpha", alpha), ("beta", beta))
        if not 0 < value < 0.5
    ]
    if not 1 <= effect < math.inf:
        found.append(f"effect must be at least 1, not {effect:g}")
    return found


class Sprt:
    """One test. ``alpha``: chance to fail a release whose share of bad events is ``p0``; ``beta``: chance to pass one
    at ``p1``. ``effect`` is the design effect of correlated events: events count 1/effect each. ``clamp`` keeps good
    history from outweighing later bad events, for a test that goes on after it could pass; feed it once a second,
    because clamping after each event triples the false alarms.

    Failing is final. Passing means that the test could stop with a pass now, and can be lost again by later events.
    Raises ValueError for settings of ``settings_faults``.
    """

    def __init__(
        self,
        p0: float,
        p1: float,
        alpha: float = ALPHA,
        beta: float = BETA,
        effect: float = 1.0,
        clamp: bool = False,
    ) -> None:
        wrong = settings_faults(p0, p1, alpha, beta, effect)
        if wrong:
            raise ValueError("; ".join(wrong))
        self.p0, self.p1, self.alpha, self.beta, self.effect, self.clamp = p0, p1, alpha, beta, effect, clamp
        self.upper = math.log((1 - beta) / alpha)
        self.lower = math.log(beta / (1 - alpha))
        self.bad_step = math.log(p1 / p0) / effect
        self.good_step = math.log((1 - p1) / (1 - p0)) / effect
        self.z = 0.0
        self.bad = 0
        self.total = 0
        self._open = 0
        self._failed = False

    def add(self, bad: int, good: int) -> None:
        """Count events of one time together. Raises ValueError for negative counts."""
        if bad < 0 or good < 0:
            raise ValueError(f"counts must not be negative: {bad} bad, {good} good")
        self.bad += bad
        self.total += bad + good
        self.z += bad * self.bad_step + good * self.good_step
        if self.z >= self.upper:
            self._failed = True
        self._open = 0 if self.z <= self.lower else self._open + bad + good
        if self.clamp:
            self.z = max(self.z, self.lower)

    @property
    def verdict(self) -> str | None:
        """``pass``, ``fail``, or None between the bounds."""
        if self._failed:
            return FAILED
        return PASSED if self.z <= self.lower else None

    @property
    def undecided(self) -> bool:
        """Whether the test stood between its bounds for so long that it is to be given up: never a silent pass."""
        return self.verdict is None and self._open >= self.cap

    @property
    def cap(self) -> int:
        """Events after which a test between its bounds is given up."""
        return math.ceil(_CAP * self.expected_at_p0)

    @property
    def expected_at_p0(self) -> float:
        """Average number of events until a decision when the share of bad events is ``p0``."""
        return self._expected(self.p0, 1 - self.alpha)

    @property
    def expected_at_p1(self) -> float:
        """Average number of events until a decision when the share of bad events is ``p1``."""
        return self._expected(self.p1, self.beta)

    def _expected(self, share: float, passes: float) -> float:
        drift = share * self.bad_step + (1 - share) * self.good_step
        return (passes * self.lower + (1 - passes) * self.upper) / drift

    @property
    def left_to_pass(self) -> float:
        """Average number of further events until a pass when the share of bad events is ``p0``; 0 when it passes."""
        return max(0.0, self.z - self.lower) / -self.lower * self.expected_at_p0

    @property
    def least_to_pass(self) -> int:
        """Events until a pass when none is bad; no test passes with fewer."""
        return math.ceil(self.lower / self.good_step)

    @property
    def least_bad_to_fail(self) -> int:
        """Bad events in a row from the start until a failure."""
        return math.ceil(self.upper / self.bad_step)

    @property
    def slope(self) -> float:
        """Share of bad events at which z drifts neither way. A release cannot be judged against an environment in
        which the old one already lies above it."""
        return -self.good_step / (self.bad_step - self.good_step)

    def as_dict(self) -> dict[str, float | int | str | None]:
        """The numbers that explain the verdict, as a result carries them."""
        return {
            "p0": self.p0,
            "p1": self.p1,
            "alpha": self.alpha,
            "beta": self.beta,
            "effect": round(self.effect, 3),
            "bad": self.bad,
            "samples": self.total,
            "z": round(self.z, 4),
            "fails_at": round(self.upper, 4),
            "passes_at": round(self.lower, 4),
            "verdict": self.verdict,
        }


def corrected_alpha(alpha: float, tests: int) -> float:
    """The chance of a false alarm that each of ``tests`` tests may have, so that all together keep ``alpha``
    (Bonferroni)."""
    return alpha / max(1, tests)


def design_effect(bad: Sequence[int], total: Sequence[int]) -> float:
    """How much more the bad events of equal spans of time vary than independent ones would: the variance of their
    counts over the binomial one, at least 1. Without a bad event, or with fewer than two spans, nothing is known: 1."""
    events, spans = sum(total), len(total)
    if spans < 2 or not events or not sum(bad):
        return 1.0
    share = sum(bad) / events
    wanted = share * (1 - share) * events
    if wanted <= 0:
        return 1.0
    seen = sum((count - share * sent) ** 2 for count, sent in zip(bad, total, strict=True)) * spans / (spans - 1)
    return max(1.0, seen / wanted)
