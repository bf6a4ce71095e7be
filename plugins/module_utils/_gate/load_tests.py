# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a load check tests: shares of failed and of slow requests, alone and against the old release (reference 4.2)."""

from __future__ import annotations

import math
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from ansible_collections.golive.cutover.plugins.module_utils._gate.effect import (
    DEFAULT,
    ESTIMATED,
    Effect,
    estimated,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.ledger import Examples
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import (
    FAILED,
    INFRA_NOISE,
    PASSED,
    UNDECIDED,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.relative import WORSE, Counts, compare_errors
from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import (
    Preset,
    Sprt,
    design_effect,
)

if TYPE_CHECKING:
    from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Answer

NEW = "new"
OLD = "old"
# So long the old release has to show the same fault, once the new one would fail.
_FAULT_IS_SHARED_WITHIN_S = 5.0
# Seconds of which the burstiness of bad requests is told.
_SPANS = 600


class ShareTest:
    """One share of bad requests. A request is bad when it was not good, or, with ``slower_than``, when its answer took
    longer; a request without an answer and without a timeout has no time that could be judged."""

    def __init__(
        self,
        name: str,
        preset: Preset,
        *,
        old: bool,
        times: float,
        alpha: float,
        beta: float,
        effect: Effect,
        clamp: bool,
    ) -> None:
        self.name = name
        self.slower_than = preset.slower_than
        self._times = times
        sides = (NEW, OLD) if old else (NEW,)
        self._effect = effect
        self._default = effect.value
        self._learns = old and effect.source == DEFAULT
        self._settings = (preset.p0, preset.p1, alpha, beta)
        self._clamp = clamp
        self._tests = {side: self._fresh() for side in sides}
        self._counted: dict[str, list[tuple[int, int]]] = {side: [] for side in sides}
        # Of the old release by the second, bad ones and all.
        self._seconds: dict[int, tuple[int, int]] = {}
        self._heard = {side: [0, 0] for side in sides}
        self._lock = threading.Lock()
        self._failing_since: float | None = None
        self._examples = Examples()
        self._spans: deque[tuple[int, int]] = deque(maxlen=_SPANS)

    def hear(self, side: str, stream: str, answer: Answer, good: bool) -> None:
        """Count one answer; it enters the test with ``count``."""
        if self.slower_than is not None:
            if not answer.timed:
                return
            good = answer.seconds <= self.slower_than
        with self._lock:
            self._heard[side][good] += 1
            if side == OLD and self._learns:
                second = math.floor(answer.at)
                bad, sent = self._seconds.get(second, (0, 0))
                self._seconds[second] = bad + (not good), sent + 1
            if side == NEW and not good:
                self._examples.add(stream, answer)

    def count(self) -> None:
        """Let what was heard enter the tests; once a second."""
        with self._lock:
            heard, self._heard = self._heard, {side: [0, 0] for side in self._heard}
            seconds = list(self._seconds.values())[-_SPANS:]
        for side, (bad, good) in heard.items():
            self._tests[side].add(bad, good)
            self._counted[side].append((bad, good))
        if self._learns:
            self._learn(seconds)
        self._spans.append((heard[NEW][0], sum(heard[NEW])))

    def _fresh(self) -> Sprt:
        return Sprt(*self._settings, self._effect.value, self._clamp)

    def _learn(self, seconds: list[tuple[int, int]]) -> None:
        """Take the effect that the old release shows, also for what was counted before."""
        known = self._effect.value
        self._effect = estimated([row[0] for row in seconds], [row[1] for row in seconds], self._default)
        if self._effect.value == known:
            return
        for side, counts in self._counted.items():
            self._tests[side] = self._fresh()
            for bad, good in counts:
                self._tests[side].add(bad, good)

    @property
    def new(self) -> Sprt:
        """The test of the new release."""
        return self._tests[NEW]

    def outcome(self, now: float) -> str:
        """``fail``, ``pass``, ``infra_noise`` when both releases are bad, ``undecided``, or empty while it goes on.

        ``now``: monotonic seconds.
        """
        new, old = self.new, self._tests.get(OLD)
        if old is not None and old.verdict == FAILED:
            return FAILED if self._worse() else INFRA_NOISE
        if new.verdict != FAILED:
            # It was, before the old release showed how its bad requests come.
            self._failing_since = None
            return UNDECIDED if new.undecided else new.verdict or ""
        if old is None or old.verdict == PASSED or self._worse():
            return FAILED
        if self._failing_since is None:
            self._failing_since = now
        return FAILED if now - self._failing_since >= _FAULT_IS_SHARED_WITHIN_S else ""

    def _worse(self) -> bool:
        return self.new.verdict == FAILED and self._relative()["verdict"] == WORSE

    def _relative(self) -> dict[str, Any]:
        new = self.new
        return compare_errors(*self.beside_old, self._times, new.alpha, new.beta, new.effect)

    @property
    def beside_old(self) -> tuple[Counts, Counts]:
        """What was counted of the new and of the old release."""
        new, old = self.new, self._tests[OLD]
        return Counts(new.bad, new.total), Counts(old.bad, old.total)

    @property
    def told(self) -> str:
        """In words."""
        share = self.new.bad / max(1, self.new.total)
        effect = f", {self._effect.told}" if self._effect.source == ESTIMATED else ""
        return f"{self.name}: {self.new.bad} of {self.new.total} requests ({share:.2%}){effect}"

    @property
    def blame(self) -> str:
        """Why it failed, in words."""
        new = self.new
        return (
            f"{self.told}, where {new.p0:.2%} is acceptable and {new.p1:.2%} is not (z {new.z:.1f}, fails at"
            f" {new.upper:.1f}); the first one {self._examples.told}"
        )

    def as_dict(self) -> dict[str, Any]:
        """The numbers that explain the outcome."""
        found: dict[str, Any] = {
            "name": self.name,
            "slower_than": self.slower_than,
            **self.new.as_dict(),
            "effect_from": self._effect.as_dict(),
            "effect_seen": round(design_effect(*zip(*self._spans, strict=True)), 2) if self._spans else 1.0,
            "first_bad": list(self._examples.rows),
        }
        if OLD in self._tests:
            found |= {OLD: self._tests[OLD].as_dict(), "relative": self._relative()}
        return found
