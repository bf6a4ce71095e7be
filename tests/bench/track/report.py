# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench as a table people read."""

from __future__ import annotations

from typing import Any

_LEGEND = (
    "Seconds of the whole command until it ended; peers give up after {limit} s. In parentheses: for ours the seconds "
    "that the tracking itself took, for peers how many times longer than ours they took, and «not named» when the "
    "output does not tell the cause."
)


def markdown(result: dict[str, Any], command: str) -> str:
    """A fragment for docs/benchmarks.md: seconds until the command ended, and whether it named the cause."""
    rows = {(row["release"], row["contender"]): row for row in result["rows"]}
    releases, names = (list(dict.fromkeys(key[place] for key in rows)) for place in (0, 1))
    machine = result["machine"]
    lines = [
        "### Naming the cause of a failing release",
        "",
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, load {machine['load_1_min']}, "
        f"{machine['date']}. " + ", ".join(f"{name} {version}" for name, version in result["versions"].items()) + ".",
        "",
        _LEGEND.format(limit=result["peer_limit_s"]),
        "",
        "| | goal |" + "".join(f" {name} |" for name in names),
        "|---|---|" + "---|" * len(names),
    ]
    for release in releases:
        own = rows[release, names[0]]
        goal = f"≤ {own['goal_s']:g}" if own["goal_s"] else "–"
        cells = [_cell(rows[release, name], own, name == names[0]) for name in names]
        lines.append(f"| {release} | {goal} |" + "".join(f" {cell} |" for cell in cells))
    return "\n".join([*lines, "", f"Repeat: `{command}`"])


def _cell(row: dict[str, Any], own: dict[str, Any], ours: bool) -> str:
    text = f"{row['seconds']:.1f}"
    notes = [] if ours else [f"{row['seconds'] / own['seconds']:.0f}×"]
    notes += [f"tracking {row['task_s']:.1f}"] if row["task_s"] else []
    notes += [] if row["named"] else ["not named"]
    return text + (f" ({', '.join(notes)})" if notes else "")
