# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many bad events come together: the design effect of a test, estimated from the old release (reference 4.2)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._gate.prometheus import Series
from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import design_effect

# Users retry and share pods; probes are spaced.
OF_USERS = 3.0
OF_PROBES = 1.0
# A test takes this many times as long, and as many bad events to fail. Where more come together the old release had
# outages, and a test that allowed for them would hardly see one of the new release.
MOST = 10.0
# Fewer say too little: among independent events the estimate strays by a quarter with this many spans.
LEAST_SPANS = 20
LEAST_BAD = 10
GIVEN, DEFAULT, ESTIMATED = "given", "default", "old"


@dataclass(frozen=True)
class Effect:
    """``source``: ``given``, ``default``, or ``old`` when it was estimated. ``spans`` of equal time of the old release
    were looked at, None when it was not asked, with ``bad`` ones of ``events``; ``seen`` is the estimate before it was
    bounded, None without one."""

    value: float
    source: str
    spans: int | None = None
    bad: int = 0
    events: int = 0
    seen: float | None = None

    @property
    def told(self) -> str:
        """In words; empty when the old release was not asked."""
        if self.spans is None:
            return ""
        of_old = f"the old release had {self.bad} bad of {self.events} events in {self.spans} spans"
        if self.source == DEFAULT:
            return f"effect {self.value:g} by default: {of_old}, too few to tell"
        bound = f", {self.seen:.1f} without the bound" if self.seen is not None and self.seen > MOST else ""
        return f"effect {self.value:g}{bound}: {of_old}"

    def as_dict(self) -> dict[str, float | int | str | None]:
        """As a result carries it."""
        seen = None if self.seen is None else round(self.seen, 3)
        return {"source": self.source, "spans": self.spans, "bad": self.bad, "samples": self.events, "seen": seen}


def effect_of(given: float | None, default: float) -> Effect:
    """The effect as set, else the default one."""
    return Effect(default, DEFAULT) if given is None else Effect(given, GIVEN)


def estimated(bad: Sequence[int], events: Sequence[int], default: float) -> Effect:
    """The effect by what the old release showed in spans of equal time, at most ``MOST``; the default one when that is
    too little. Spans without an event do not count."""
    rows = [(failed, sent) for failed, sent in zip(bad, events, strict=True) if sent]
    counts = {"spans": len(rows), "bad": sum(row[0] for row in rows), "events": sum(row[1] for row in rows)}
    if counts["spans"] < LEAST_SPANS or counts["bad"] < LEAST_BAD:
        return Effect(default, DEFAULT, **counts)
    seen = design_effect(*zip(*rows, strict=True))
    return Effect(round(min(seen, MOST), 1), ESTIMATED, **counts, seen=seen)


def by_spans(bad: Iterable[Series], total: Iterable[Series], seconds: float) -> tuple[list[int], list[int]]:
    """Bad events and all events of raw counters, by spans of ``seconds``; resets are counted from zero.

    What a counter had counted before its first sample may be of any time, and is left out.
    """
    of_bad, of_all = (_grown(rows, seconds) for rows in (bad, total))
    spans = sorted(of_all)
    # The two queries may lie on either side of a scrape; what is bad was sent.
    return (
        [round(min(of_bad.get(span, 0.0), of_all[span])) for span in spans],
        [round(of_all[span]) for span in spans],
    )


def _grown(rows: Iterable[Series], seconds: float) -> dict[int, float]:
    found: dict[int, float] = {}
    for row in rows:
        for (_before_at, before), (at, value) in zip(row.points, row.points[1:], strict=False):
            span = math.floor(at / seconds)
            found[span] = found.get(span, 0.0) + (value - before if value >= before else value)
    return found
