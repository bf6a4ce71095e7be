# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events out of raw counters: the sum of what each series grew by, resets handled.

``increase()`` is not used: it extrapolates to the ends of its window and misses what a counter counted before its
first sample (reference 4.1).
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.golive.cutover.plugins.module_utils._gate.prometheus import Labels, Series


class Growth:
    """What one set of counters grew by since the first call of ``add``."""

    def __init__(self) -> None:
        self._last: dict[Labels, tuple[float, float]] = {}
        self._begun = False
        self.newest = 0.0
        self.resets = 0
        self.intervals: list[float] = []

    def add(self, rows: Iterable[Series]) -> float:
        """What the series grew by since the call before; samples that were seen already count once.

        The first call only remembers where each counter stands. A series that is new later counts from zero: a counter
        with a label such as status 500 begins with its first event.
        """
        grown = 0.0
        for row in rows:
            before = self._last.get(row.labels)
            for at, value in row.points:
                if before is not None and at <= before[0]:
                    continue
                if before is not None:
                    self.intervals = [*self.intervals[-99:], at - before[0]]
                    self.resets += value < before[1]
                if self._begun:
                    base = before[1] if before is not None and value >= before[1] else 0.0
                    grown += value - base
                before = (at, value)
            if before is not None:
                self._last[row.labels] = before
                self.newest = max(self.newest, before[0])
        self._begun = True
        return grown

    @property
    def known(self) -> bool:
        """Whether any series was seen."""
        return bool(self._last)
