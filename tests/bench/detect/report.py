# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench as tables people read."""

from __future__ import annotations

import math
from typing import Any

_LEGEND = (
    "Seconds until a bad release is failed, from the first moment in which a request could fail: median and, in "
    "parentheses, the 95th percentile of {runs:,} simulated runs, in which both rules hear the same requests. Fixed: "
    "99 % success in each minute; the fifth minute below it fails, five minutes without one pass. Ours: the test of "
    "errors of a `load` check, counted once a second. «After 5 good minutes» is a release that turns bad while it is "
    "observed. «Never» is the share of bad releases that pass; at 2 % ours is built to pass 5 % of them."
)


def markdown(result: dict[str, Any], command: str) -> str:
    """A fragment for docs/benchmarks.md: seconds to detect, simulated and real, and false alarms."""
    machine = result["machine"]
    place = f"{machine['cores']} cores, load {machine['load_1_min']}, Python {machine['python']}, {machine['date']}."
    lines = ["### Seconds until errors are seen", "", place, "", _LEGEND.format(**result), ""]
    lines += ["| | fixed | ours | times as fast | never: fixed | never: ours |", "|---|---|---|---|---|---|"]
    lines += [_fault(row) for row in result["faults"]]
    lines += ["", "The real check, against a server that fails at random, from its start to its verdict:", ""]
    lines += ["| | runs | median | passed |", "|---|---|---|---|"]
    lines += [
        f"| {row['share']:.0%} at {row['rate']} requests a second | {row['runs']} | {_seconds(row['median'])} |"
        f" {row['missed']} |"
        for row in result["live"]
    ]
    lines += ["", "A healthy release, 0.1 % errors:", ""]
    lines += ["| | runs | false alarms: fixed | false alarms: ours | passes after: fixed | passes after: ours |"]
    lines += ["|---|---|---|---|---|---|"]
    lines += [_healthy(row) for row in result["healthy"]]
    return "\n".join([*lines, "", f"Repeat: `{command}`"])


def _fault(row: dict[str, Any]) -> str:
    name = f"{row['share']:.0%} at {row['rate']} requests a second" + (
        ", after 5 good minutes" if row["good_for"] else ""
    )
    ours, fixed = row["sequential"], row["fixed"]
    cells = [
        name,
        f"{_seconds(fixed['median'])} ({_seconds(fixed['p95'])})",
        f"{_seconds(ours['median'])} ({_seconds(ours['p95'])})",
        f"**{row['ratio']:.0f}×**" if math.isfinite(row["ratio"]) else "–",
        f"{fixed['never']:.1%}",
        f"{ours['never']:.1%}",
    ]
    return "| " + " | ".join(cells) + " |"


def _healthy(row: dict[str, Any]) -> str:
    watched = "until it passes" if row["seconds"] is None else f"watched for {row['seconds'] // 60} minutes"
    ours, fixed = row["sequential"], row["fixed"]
    until = ["–", "–"] if row["seconds"] else [_seconds(fixed["median"]), _seconds(ours["median"])]
    cells = [
        f"{row['rate']} requests a second, {watched}",
        f"{row['runs']:,}",
        f"{fixed['alarms']}",
        f"**{ours['alarms']}**",
        *until,
    ]
    return "| " + " | ".join(cells) + " |"


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if math.isfinite(value) else "never"
