# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that a caller asks for: every wrong setting at once, with its path, before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._gate.kinds import KINDS
from ansible_collections.golive.cutover.plugins.module_utils._gate.load_options import dwell_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import Look
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach

_TIMEOUT_S = 5.0
_COMMON = {
    "name": None, "kind": None, "timeout": _TIMEOUT_S, "max_latency": None, "critical": True, "weight": 1.0,
}  # fmt: skip
_THRESHOLDS = (
    "max_latency",
    "status",
    "contains",
    "expect_headers",
    "min_rows",
    "max_rows",
    "expect",
    "conditions",
    "rolled_out",
    "max_restarts",
    "min",
    "max",
    "kpi",
    "band",
    "fails_at",
    "counters",
    "gauges",
    "load",
    "exit_code",
    "min_lifetime",
    "min_version",
    "level",
)


@dataclass(frozen=True)
class Check:
    """One check, complete with defaults."""

    name: str
    kind: str
    options: Mapping[str, Any]

    def begin(self, reach: Reach) -> Callable[[], Look]:
        """What looks once each time that it is called."""
        return KINDS[self.kind].begin(self.options, reach)

    @property
    def critical(self) -> bool:
        """Whether the gate fails when it fails."""
        return bool(self.options["critical"])

    @property
    def weight(self) -> float:
        """Its part in the score."""
        return float(self.options["weight"])

    @property
    def dwell(self) -> float:
        """Seconds before which it cannot pass."""
        return dwell_of(self.options) if self.options.get("load") else 0.0

    @property
    def threshold(self) -> dict[str, Any]:
        """What the answer is held against."""
        return {key: self.options[key] for key in _THRESHOLDS if self.options.get(key) not in (None, {}, [], False)}


def read_checks(
    rows: list[Mapping[str, Any]], made: Sequence[Mapping[str, Any]], seconds: float
) -> tuple[list[Check], list[str]]:
    """The checks, ``made`` ones of a profile first, and every fault of their settings with its path.

    ``seconds`` is the gate's time.
    """
    faults: list[str] = []
    checks = []
    placed = [(f"profile check {row['name']!r}: ", row) for row in made]
    placed += [(f"checks[{number}].", row) for number, row in enumerate(rows)]
    for place, row in placed:
        kind = KINDS[row["kind"]]
        given = {key: value for key, value in row.items() if value is not None}
        known = {**_COMMON, **kind.defaults}
        faults += [f"{place}{key} does not belong to kind {row['kind']}" for key in given if key not in known]
        options = {**known, **{key: value for key, value in given.items() if key in known}}
        faults += [f"{place}{text}" for text in _common_faults(options) + kind.faults(options)]
        checks.append(Check(row["name"], row["kind"], options))
    if not faults:
        # All tests together keep the chance of a false alarm that each is asked for (reference 4.2).
        tests = sum(KINDS[check.kind].tests(check.options) for check in checks if check.critical)
        more = {"tests": tests, "seconds": seconds}
        checks = [replace(check, options={**check.options, **more}) for check in checks]
    names = [check.name for check in checks]
    faults += [f"checks: the name {name!r} is used twice" for name in sorted({n for n in names if names.count(n) > 1})]
    return checks, faults


def _common_faults(options: Mapping[str, Any]) -> list[str]:
    faults = [
        f"{key} must be greater than 0"
        for key in ("timeout", "max_latency")
        if options[key] is not None and options[key] <= 0
    ]
    if options["weight"] < 0:
        faults.append("weight must not be negative")
    if options["max_latency"] is not None and options["max_latency"] > options["timeout"] > 0:
        faults.append("max_latency is greater than timeout, so it could never be exceeded")
    for number, rule in enumerate(options.get("expect") or []):
        asked = [key for key in ("equals", "min", "max") if rule.get(key) is not None]
        if not asked:
            faults.append(f"expect[{number}] asks for nothing: give equals, min or max")
        if "equals" in asked and len(asked) > 1:
            faults.append(f"expect[{number}] has equals beside min or max")
        if rule.get("min") is not None and rule.get("max") is not None and rule["min"] > rule["max"]:
            faults.append(f"expect[{number}]: min is greater than max")
    return faults
