# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at one thing, and how values are held against what was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

PASSED = "pass"
FAILED = "fail"
OPEN = "open"
NO_DATA = "no_data"
LOW_SAMPLE = "low_sample"
PROVIDER_DOWN = "provider_down"
INFRA_NOISE = "infra_noise"
UNDECIDED = "undecided"

# The way to the thing is broken: nothing is known about the thing.
_HOPELESS_CODES = frozenset({"library_missing", "kubeconfig_missing", "kubeconfig_invalid", "query_wrong"})
_WAY_CODES = (
    "unreachable",
    "unauthorized",
    "forbidden",
    "busy",
    "server_error",
    "tunnel_broken",
    "key_missing",
    "prometheus_down",
)


@dataclass(frozen=True)
class Look:
    """``seen`` says what was seen, ``values`` the numbers. ``reason`` is set when nothing could be told: no_data,
    low_sample, provider_down, infra_noise or undecided. ``seconds`` is None when no answer came that could be timed.

    ``verdict`` is set by checks that judge over all looks themselves: ``pass``, ``fail``, or ``open`` until they can
    tell. Empty means that good looks in a row decide."""

    ok: bool
    seen: str
    seconds: float | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    verdict: str = ""


def judged(faults: Iterable[str], seen: str, seconds: float, limit: float | None, values: Mapping[str, Any]) -> Look:
    """The look at an answer: good without faults and within ``limit`` seconds."""
    wrong = list(faults)
    if limit is not None and seconds > limit:
        wrong.append(f"slower than {limit * 1000:g} ms")
    return Look(not wrong, "; ".join(wrong) or seen, seconds, values)


def of_way(error: GoliveError) -> Look:
    """The look that a failing cluster, tunnel or Secret leaves: unknown, or bad when the thing itself is missing.

    Raises the error again when it lies on this machine, where no later look can find anything else.
    """
    if error.code in _HOPELESS_CODES:
        raise error
    return Look(False, error.message, reason=PROVIDER_DOWN if error.code in _WAY_CODES else "")


def of_provider(error: GoliveError) -> Look:
    """The same for something that only tells of the thing: whatever keeps it from answering, nothing is known."""
    return replace(of_way(error), reason=PROVIDER_DOWN)


def compare(name: str, value: Any, rule: Mapping[str, Any]) -> str:
    """What is wrong with a value; empty when nothing is. ``rule`` holds equals, min, max, each None when not asked."""
    wanted = rule.get("equals")
    if wanted is not None and _text(value) != _text(wanted):
        return f"{name} is {_text(value) or 'empty'} where {_text(wanted)} is wanted"
    low, high = rule.get("min"), rule.get("max")
    if low is None and high is None:
        return ""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return f"{name} is {_text(value) or 'empty'}, not a number"
    if low is not None and number < low:
        return f"{name} is {number:g}, below {low:g}"
    return f"{name} is {number:g}, above {high:g}" if high is not None and number > high else ""


def _text(value: Any) -> str:
    # YAML, templates and the database spell the same value differently.
    if value is None:
        return ""
    text = str(value)
    return text.lower() if isinstance(value, bool) or text in ("True", "False") else text


def plain_value(value: Any) -> Any:
    """A value of the database or the API as JSON holds it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return f"{len(value)} bytes" if isinstance(value, (bytes, memoryview)) else str(value)
