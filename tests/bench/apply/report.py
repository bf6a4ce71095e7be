# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench as a table people read."""

from __future__ import annotations

from typing import Any

EXPLAINED = (
    "Seconds of the whole command, median; in parentheses how many times longer than ours it took, and for playbooks "
    "the same without the time of an empty one (net). «~» is scaled up from a smaller set."
)

Rows = dict[tuple[str, int, str, str], dict[str, Any]]


def markdown(result: dict[str, Any], command: str) -> str:
    """A fragment for docs/benchmarks.md: one table per network, seconds and the ratio to ours."""
    rows: Rows = {(row["network"], row["objects"], row["run"], row["contender"]): row for row in result["rows"]}
    networks, counts, names = (list(dict.fromkeys(key[place] for key in rows)) for place in (0, 1, 3))
    columns = [(count, run) for count in counts for run in ("first", "second")]
    machine = result["machine"]
    lines = [
        "### Applying a set of objects",
        "",
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, load {machine['load_1_min']}, "
        f"{machine['date']}. " + ", ".join(f"{name} {version}" for name, version in result["versions"].items()) + ".",
        "",
        EXPLAINED,
    ]
    for network in networks:
        lines += ["", f"Network: {network}", ""]
        lines.append("| |" + "".join(f" {count} objects, {run} run |" for count, run in columns))
        lines.append("|---|" + "---|" * len(columns))
        for name in names:
            cells = [_cell(rows, (network, count, run), name, names[0]) for count, run in columns]
            lines.append(f"| {name} |" + "".join(f" {cell} |" for cell in cells))
    lines += ["", f"Repeat: `{command}`"]
    return "\n".join(lines)


def _cell(rows: Rows, place: tuple[Any, Any, Any], name: str, ours: str) -> str:
    row, own = rows[(*place, name)], rows[(*place, ours)]
    net, own_net = _net(rows, place, row), _net(rows, place, own)
    whole = row["median_s"] if row["scaled_by"] == 1 else net + _baseline(rows, place, row)
    text = f"{'~' if row['scaled_by'] > 1 else ''}{whole:.2f}"
    if name == ours:
        return f"{text} (net {net:.2f})"
    if name.startswith("empty"):
        return text
    ratio = f"{whole / own['median_s']:.1f}×"
    return f"{text} ({ratio}, net {net / max(own_net, 0.01):.1f}×)" if row["baseline"] else f"{text} ({ratio})"


def _baseline(rows: Rows, place: tuple[Any, Any, Any], row: dict[str, Any]) -> float:
    return float(rows[(*place, row["baseline"])]["median_s"]) if row["baseline"] else 0.0


def _net(rows: Rows, place: tuple[Any, Any, Any], row: dict[str, Any]) -> float:
    return float((row["median_s"] - _baseline(rows, place, row)) * row["scaled_by"])
