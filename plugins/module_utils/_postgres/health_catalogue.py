# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All facts of a server's health, and those that a caller has chosen, with the caller's thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_fact import LEVELS, Fact
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_replication import REPLICATION_FACTS
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_sessions import SESSION_FACTS
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_storage import STORAGE_FACTS

FACTS: Mapping[str, Fact] = {fact.name: fact for fact in (*SESSION_FACTS, *REPLICATION_FACTS, *STORAGE_FACTS)}


def named(option: str, names: Iterable[str]) -> list[str]:
    """What is wrong with a list of names of facts, each with the option's name."""
    return [f"{option}: there is no fact {name!r}" for name in names if name not in FACTS]


def with_thresholds(thresholds: Mapping[str, Any] | None) -> tuple[dict[str, Fact], list[str]]:
    """All facts with the bounds of ``{fact: {warning, critical}}``, and every fault of it with its path.

    A bound that is None is not asked for; one that is not given stays.
    """
    facts = dict(FACTS)
    given = thresholds or {}
    faults = named("thresholds", given)
    for name in (name for name in FACTS if name in given):
        bounds, wrong = _bounds(f"thresholds.{name}", given[name])
        fact = replace(FACTS[name], **bounds)
        if not wrong and _reversed(fact):
            wrong = [
                f"thresholds.{name}: the critical bound must be {'below' if fact.low else 'above'} the warning one"
            ]
        faults += wrong
        facts[name] = fact
    return facts, faults


def refuse(what: str, faults: Iterable[str]) -> None:
    """Raises GoliveError ``invalid`` with all faults, if there are any; ``what`` cannot be done."""
    told = list(faults)
    if told:
        raise GoliveError(
            "invalid",
            f"Cannot {what}, {len(told)} settings are wrong: {'; '.join(told)}.",
            f"The facts are {', '.join(FACTS)}.",
            {"faults": told},
        )


def _bounds(place: str, given: Any) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(given, Mapping):
        return {}, [f"{place} must be a dict of {' and '.join(LEVELS)}"]
    faults = [f"{place}: {key!r} is neither {' nor '.join(LEVELS)}" for key in given if key not in LEVELS]
    bounds: dict[str, Any] = {}
    for level in LEVELS:
        if level not in given:
            continue
        bounds[level] = bound = _number(given[level])
        if bound is None and given[level] is not None:
            faults.append(f"{place}.{level} must be a number, or null for none")
    return bounds, faults


def _number(value: Any) -> float | None:
    """A number, also one that a template made a text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _reversed(fact: Fact) -> bool:
    if fact.warning is None or fact.critical is None:
        return False
    return fact.critical > fact.warning if fact.low else fact.critical < fact.warning
