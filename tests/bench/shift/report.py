# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench as a table people read."""

from __future__ import annotations

from typing import Any

_LEGEND = (
    "A shift, then a return, of an app with {replicas} pods a colour under {rate} requests a second on fresh and "
    "{rate} on keep-alive connections. The plain flip patches the selector and scales the old colour to zero; its "
    "return scales the old colour up and patches at once. Seconds are until the command ended: for ours with proof, "
    "for the flip without any; in parentheses how many times as long as ours."
)


def markdown(result: dict[str, Any], command: str) -> str:
    """A fragment for docs/benchmarks.md: requests, failures by kind, seconds of each step."""
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    place = f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, load {machine['load_1_min']}"
    lines = [
        "### A shift and a return under live load",
        "",
        f"{place}, {machine['date']}. {versions}.",
        "",
        _LEGEND.format(**result),
        "",
        "| | requests | failed | fresh | keep-alive | why | p99 | shift | return | proof |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_line(row, result["rows"][0]) for row in result["rows"]]
    return "\n".join([*lines, "", f"Repeat: `{command}`"])


def _line(row: dict[str, Any], ours: dict[str, Any]) -> str:
    ledger = row["ledger"]
    streams = ledger["streams"]
    why = ", ".join(f"{count} {kind}" for kind, count in ledger["failed_by"].items() if count) or "–"
    cells = [
        row["contender"],
        f"{ledger['sent']:,}",
        f"**{ledger['failed']:,}**",
        f"{streams['fresh']['failed']:,}",
        f"{streams['keepalive']['failed']:,}",
        why,
        f"{ledger['latency_ms']['p99']:.0f} ms",
        *(_seconds(step, own) for step, own in zip(row["steps"], ours["steps"], strict=True)),
        row["steps"][0]["proof"] or "none",
    ]
    return "| " + " | ".join(cells) + " |"


def _seconds(step: dict[str, Any], own: dict[str, Any]) -> str:
    return f"{step['seconds']:.1f} s" + ("" if step is own else f" ({step['seconds'] / own['seconds']:.1f}×)")
