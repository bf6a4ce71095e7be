# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what was seen to a verdict with its reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_fact import CRITICAL, WARNING, Fact

OK = "ok"
UNKNOWN = "unknown"
HEALTHY = "healthy"
DEGRADED = "degraded"
UNHEALTHY = "unhealthy"


@dataclass(frozen=True)
class Seen:
    """One fact as it was seen; ``value`` is None when it is not known, and ``reason`` says why."""

    fact: Fact
    value: float | None = None
    text: str = ""
    reason: str = ""
    hint: str = ""

    @property
    def state(self) -> str:
        """``critical``, ``warning``, ``ok`` or ``unknown``."""
        if self.value is None:
            return UNKNOWN
        for level in (CRITICAL, WARNING):
            if self.fact.beyond(self.value, level):
                return level
        return OK

    def row(self) -> dict[str, Any]:
        """As JSON types."""
        fact, bad = self.fact, self.state != OK
        return {
            "name": fact.name,
            "title": fact.title,
            "state": self.state,
            "value": self.value,
            "unit": fact.unit,
            "warning": fact.warning,
            "critical": fact.critical,
            "seen": self.text,
            "reason": self.reason or (_told(self) if bad else ""),
            "hint": self.hint if self.value is None else fact.hint if bad else "",
        }


def verdict(rows: Sequence[Seen], required: Sequence[str] = ()) -> tuple[str, list[str]]:
    """Verdict and reasons, the worst first: unhealthy with anything critical; degraded with a warning, or with a fact
    that is unknown and must be known, as ``required`` says beside the catalogue."""
    by_state = {state: [one for one in rows if one.state == state] for state in (CRITICAL, WARNING, UNKNOWN)}
    missing = [one for one in by_state[UNKNOWN] if one.fact.required or one.fact.name in required]
    reasons = [f"{_told(one)} {one.fact.hint}" for state in (CRITICAL, WARNING) for one in by_state[state]]
    reasons += _unknown(missing)
    if by_state[CRITICAL]:
        return UNHEALTHY, reasons
    return (DEGRADED if reasons else HEALTHY), reasons


def _told(one: Seen) -> str:
    fact = one.fact
    bound = fact.bound(one.state)
    if one.value is None or bound is None:
        return f"{fact.title}: {one.reason}."
    side = "below" if fact.low else "above"
    return f"{fact.title}: {fact.text(one.value)} is {side} {fact.text(bound)} ({one.state}); {one.text}."


def _unknown(missing: Sequence[Seen]) -> list[str]:
    """One sentence for each reason: one missing right hides many facts."""
    causes = dict.fromkeys((one.reason, one.hint) for one in missing)
    told = []
    for reason, hint in causes:
        names = ", ".join(one.fact.name for one in missing if (one.reason, one.hint) == (reason, hint))
        told.append(" ".join(filter(None, (f"Not known: {names}; {reason}.", hint))))
    return told
