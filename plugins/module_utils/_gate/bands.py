# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bands of the key figures: what is aimed at, what warns, what is critical. Shares are 0 to 1, times are seconds."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

TARGET = "target"
WARNING = "warning"
CRITICAL = "critical"
LEVELS = (TARGET, WARNING, CRITICAL)
_ACCEPTABLE = "acceptable"


@dataclass(frozen=True)
class Band:
    """Three bounds of one figure, from the best to the worst; ``lower`` figures are better unless it is False."""

    target: float
    warning: float
    critical: float
    lower: bool = True
    unit: str = ""

    def level(self, value: float) -> str:
        """``target`` up to its bound, ``acceptable`` up to the warning bound, then ``warning`` and ``critical``."""
        if self.fails(value, CRITICAL):
            return CRITICAL
        if self.fails(value, WARNING):
            return WARNING
        return _ACCEPTABLE if self.fails(value, TARGET) else TARGET

    def fails(self, value: float, at: str) -> bool:
        """Whether a value lies beyond the bound of a level."""
        bound: float = getattr(self, at)
        return value > bound if self.lower else value < bound

    def worst(self, values: Iterable[float]) -> float:
        """The worst of several values."""
        return max(values) if self.lower else min(values)

    def complaint(self, value: float, at: str) -> str:
        """What to say of a value beyond the bound of a level."""
        side = "above" if self.lower else "below"
        return f"{value:g} is {side} {getattr(self, at):g}{self.unit}, the {at} bound"

    @property
    def faults(self) -> list[str]:
        """What is wrong with the bounds."""
        bounds = [getattr(self, level) for level in LEVELS]
        if bounds == sorted(bounds, reverse=not self.lower):
            return []
        return [
            f"target {self.target:g}, warning {self.warning:g}, critical {self.critical:g} are not from best to worst"
        ]


BANDS: Mapping[str, Band] = {
    "latency_p95": Band(0.5, 1.0, 2.0, unit=" s"),
    "errors": Band(0.001, 0.005, 0.01),
    "uptime": Band(0.999, 0.995, 0.99, lower=False),
    "cpu": Band(0.70, 0.80, 0.90),
    "memory": Band(0.80, 0.85, 0.95),
}


def band_of(check: Mapping[str, Any]) -> Band:
    """The band of a check: that of its ``kpi``, with the bounds that its ``band`` gives in their place."""
    given = {level: bound for level, bound in (check["band"] or {}).items() if bound is not None}
    if check["kpi"]:
        return replace(BANDS[check["kpi"]], **given)
    return Band(**given, lower=given["target"] <= given["critical"])


def band_faults(check: Mapping[str, Any]) -> list[str]:
    """What is wrong with the band of a check."""
    given = [level for level, bound in (check["band"] or {}).items() if bound is not None]
    if not check["kpi"]:
        missing = [level for level in LEVELS if level not in given]
        if missing:
            return [f"band lacks {', '.join(missing)} (or name a kpi: {', '.join(BANDS)})"]
    return [f"band: {fault}" for fault in band_of(check).faults]


def meant(word: str, known: Iterable[str]) -> str:
    """A word that is not known, with the one that may have been meant."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"{word!r} is not known; {f'is {near[0]!r} meant?' if near else 'known are ' + ', '.join(names)}"
