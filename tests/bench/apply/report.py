# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench as a table people read."""

from __future__ import annotations

from typing import Any


def markdown(result: dict[str, Any], command: str) -> str:
    """A fragment for docs/benchmarks.md: one table per network, seconds and the ratio to ours."""
    rows = {(row["network"], row["objects"], row["run"], row["contender"]): row for row in result["rows"]}
    networks, counts, names = (list(dict.fromkeys(key[place] for key in rows)) for place in (0, 1, 3))
    columns = [(count, run) for count in counts for run in ("first", "second")]
    machine = result["machine"]
    lines = [
        "### Applying a set of objects",
        "",
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, load {machine['load_1_min']}, "
        f"{machine['date']}. " + ", ".join(f"{name} {version}" for name, version in result["versions"].items()) + ".",
        "",
        "Seconds of the whole command, median; in parentheses how many times longer than ours took. An empty playbook "
        "takes " + ", ".join(f"{seconds:.2f} s ({name})" for name, seconds in result["empty_playbook_s"].items()) + ". "
        "«~» is scaled up from a smaller set.",
    ]
    for network in networks:
        lines += ["", f"Network: {network}", ""]
        lines.append("| |" + "".join(f" {count} objects, {run} run |" for count, run in columns))
        lines.append("|---|" + "---|" * len(columns))
        for name in names:
            cells = [_cell(rows, network, count, run, name, names[0]) for count, run in columns]
            lines.append(f"| {name} |" + "".join(f" {cell} |" for cell in cells))
    lines += ["", f"Repeat: `{command}`"]
    return "\n".join(lines)


def _cell(rows: dict[Any, dict[str, Any]], network: str, count: int, run: str, name: str, ours: str) -> str:
    row, own = rows.get((network, count, run, name)), rows.get((network, count, run, ours))
    if row is None or own is None:
        return "–"
    text = f"{'~' if row['scaled_by'] > 1 else ''}{row['median_s']:.2f}"
    return text if name == ours else f"{text} ({row['median_s'] / own['median_s']:.1f}×)"
