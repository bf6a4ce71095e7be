# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two rules over requests per second, and the seconds that each needs in simulated runs."""

from __future__ import annotations

import math
import random
from typing import Protocol

from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import (
    ALPHA,
    FAILED,
    PASSED,
    PRESETS,
    Sprt,
    corrected_alpha,
)

# Errors and slow answers are tested side by side by default.
_TESTS = 2
HEALTHY = 0.001


class Rule(Protocol):
    """A rule that hears one second after the other."""

    def hear(self, bad: int, good: int) -> str | None:
        """Count a second; ``fail``, ``pass``, or None while it goes on."""


class Fixed:
    """99 % success in each 60 s; the fifth interval below it fails, five intervals without a strike pass.

    The shape of the analyses of Argo Rollouts and Flagger: an interval, a threshold, a number of failures.
    """

    def __init__(self) -> None:
        self._seconds = self._bad = self._total = self._strikes = self._intervals = 0

    def hear(self, bad: int, good: int) -> str | None:
        self._seconds += 1
        self._bad += bad
        self._total += bad + good
        if self._seconds < 60:
            return None
        self._intervals += 1
        self._strikes += self._bad > 0.01 * self._total
        self._seconds = self._bad = self._total = 0
        if self._strikes >= 5:
            return FAILED
        return PASSED if self._intervals >= 5 and not self._strikes else None


class Sequential:
    """The test of errors that a load check runs."""

    def __init__(self, clamp: bool) -> None:
        preset = PRESETS["errors"]
        self.test = Sprt(preset.p0, preset.p1, corrected_alpha(ALPHA, _TESTS), clamp=clamp)

    def hear(self, bad: int, good: int) -> str | None:
        self.test.add(bad, good)
        return self.test.verdict


def bad_of(generator: random.Random, count: int, share: float) -> int:
    """How many of ``count`` independent requests fail."""
    if not share:
        return 0
    bad, at = 0, -1
    while True:
        at += 1 + int(math.log(1 - generator.random()) / math.log(1 - share))
        if at >= count:
            return bad
        bad += 1


def seconds_until_seen(
    rule: Rule, generator: random.Random, rate: int, share: float, good_for: int = 0, most: int = 3600
) -> float:
    """Seconds from the first possible failed request to the failure of the rule; infinite when it never fails.

    ``good_for``: seconds of a healthy release before, in which the rule goes on after it could pass.
    """
    for second in range(good_for + most):
        bad = bad_of(generator, rate, share if second >= good_for else HEALTHY)
        told = rule.hear(bad, rate - bad)
        if told == FAILED:
            return second + 1 - good_for if second >= good_for else 0.0
        if told == PASSED and not good_for:
            return math.inf
    return math.inf


def healthy(
    rule: Rule, generator: random.Random, rate: int, seconds: int, stop_at_pass: bool
) -> tuple[str | None, int]:
    """What a rule says of a healthy release, and the seconds until it passed or ``seconds``."""
    for second in range(seconds):
        bad = bad_of(generator, rate, HEALTHY)
        told = rule.hear(bad, rate - bad)
        if told == FAILED or (told == PASSED and stop_at_pass):
            return told, second + 1
    return told, seconds
