# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts as checks of kind ``sql`` of a gate: the same query, the same bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_catalogue import (
    FACTS,
    named,
    refuse,
    with_thresholds,
)
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_fact import CRITICAL, LEVELS, Fact


def checks_of(
    names: Sequence[str],
    options: Mapping[str, Any],
    thresholds: Mapping[str, Any] | None = None,
    fails_at: str = CRITICAL,
) -> list[dict[str, Any]]:
    """One check for each fact; ``options`` are those of the check that reach the database.

    It fails beyond the bound of ``fails_at``, and is inconclusive where the value cannot be seen. A fact without a
    warning bound fails at its critical one. Raises GoliveError ``invalid`` with all that is wrong.
    """
    facts, faults = with_thresholds(thresholds)
    faults += named("facts", names)
    if not names:
        faults.append("facts: no fact is named")
    if fails_at not in LEVELS:
        faults.append(f"fails_at is {fails_at!r}, neither {' nor '.join(LEVELS)}")
    known = [facts[name] for name in dict.fromkeys(names) if name in FACTS]
    faults += [f"facts: no SQL tells {fact.name}" for fact in known if fact.sql is None]
    faults += [
        f"facts: {fact.name} has no bound of {fails_at}; give one in thresholds"
        for fact in known
        if fails_at in LEVELS and _bound(fact, fails_at) is None
    ]
    refuse("make checks of facts", faults)
    return [
        {
            "name": f"pg_{fact.name}",
            "kind": "sql",
            "query": fact.query,
            "expect": [{"name": "value", "min" if fact.low else "max": _bound(fact, fails_at)}],
            **options,
        }
        for fact in known
    ]


def _bound(fact: Fact, level: str) -> float | None:
    bound = fact.bound(level)
    return fact.critical if bound is None and level != CRITICAL else bound
