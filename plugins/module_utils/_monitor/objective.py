# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of one objective: the share of failures over seven windows, and how fast they use up the budget.

A budget that burns 14.4 times too fast over an hour has lost 2 % of what is allowed in 30 days, 6 times over 6 hours
5 %, 3 times over a day and once over 3 days 10 %. Three things are added to the known scheme. A long window that a new
Prometheus cannot fill yet does not count, because it would fire on the first error: the series must have existed half
a window ago. A fast alert also wants the budget to burn now, so that it ends with its cause and not when the 30
minutes are over. What it says is the same in each profile: only the budget changes.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import CRITICAL, WARNING, Alert, Record

WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
# Half of each long window: of the age that a series must have, and of the time in which it must have been seen.
_HALVES = {"1h": "30m", "6h": "3h", "1d": "12h", "3d": "36h"}


@dataclass(frozen=True)
class Objective:
    """What must not happen too often. ``ratio`` has ``$window`` in place of the window."""

    record: str
    id: str
    ratio: str
    budget: str
    fast: tuple[str, str, str, str]
    slow: tuple[str, str, str, str]


OBJECTIVES = (
    # Without any error there is no series of errors, and the share is 0.
    Objective(
        "app:http_error:ratio_rate",
        "R01",
        "(sum $A (rate($errors[$window])) or 0 * sum $A (rate($requests[$window])))"
        " / (sum $A (rate($requests[$window])) > 0)",
        "$error_budget",
        ("C02", "AppErrorBudgetBurnFast", "$name loses its error budget within hours", "fail"),
        ("W01", "AppErrorBudgetBurnSlow", "$name loses its error budget within days", "fail"),
    ),
    Objective(
        "app:http_slow:ratio_rate",
        "R02",
        "1 - sum $A (rate($fast[$window])) / (sum $A (rate($count[$window])) > 0)",
        "$slow_budget",
        ("C03", "AppLatencyBudgetBurnFast", "$name loses its latency budget within hours", "take longer than a second"),
        ("W02", "AppLatencyBudgetBurnSlow", "$name loses its latency budget within days", "take longer than a second"),
    ),
)


def records() -> list[Record]:
    """The shares over each window."""
    return [
        Record(one.id, f"{one.record}{window}", one.ratio.replace("$window", window), "app")
        for one in OBJECTIVES
        for window in WINDOWS
    ]


def alerts() -> list[Alert]:
    """A fast and a slow one for each objective."""
    found = []
    for one in OBJECTIVES:
        fast = " or ".join(
            f"({_over(one, long, factor)} and {_over(one, short, factor)}{now} and {_lived(long)})"
            for long, short, factor, now in (
                ("1h", "5m", "14.4 * ", ""),
                ("6h", "30m", "6 * ", f" and {_over(one, '5m', '')}"),
            )
        )
        slow = " or ".join(
            f"({_over(one, long, factor)} and {_over(one, short, factor)} and {_lived(long)})"
            for long, short, factor in (("1d", "2h", "3 * "), ("3d", "6h", ""))
        )
        for (id_, name, summary, verb), severity, hold, expr in (
            (one.fast, CRITICAL, 0, fast),
            (one.slow, WARNING, 900, slow),
        ):
            text = f"{{{{ $value | humanizePercentage }}}} of its requests {verb}, more than the objective allows."
            found.append(Alert(id_, name, severity, hold, expr, "app", summary, text))
    return found


def _over(one: Objective, window: str, factor: str) -> str:
    return f"{one.record}{window}{{$app}} > {factor}{one.budget}"


def _lived(window: str) -> str:
    half = _HALVES[window]
    return f"present_over_time(app:http_requests:rate5m{{$app}}[{half}] offset {half})"
