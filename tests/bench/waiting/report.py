# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench as a table people read."""

from __future__ import annotations

from typing import Any

_LEGEND = (
    "A table of {table_rows:,} rows (the goal is 10 million; this machine is small) with {rate} statements a second "
    "of {clients} users, of 10 of which 6 read, 3 change a row and 1 adds one, and a session that reads and then "
    "sits idle in its transaction for {hold_s:g} s, again and again with {gap_s:g} s between. Meanwhile the table "
    "is changed; a wider type comes by a new column, a trigger, a backfill and a swap. Cells: the longest time for "
    "which a user waited for an answer, and how long the change took, the start of the command included. All but "
    "«the shortest way» do what the documentation of PostgreSQL advises (CONCURRENTLY, NOT VALID and VALIDATE); "
    "«all by hand» also sets lock_timeout and repeats what fails. No peer has batches: each fills in one UPDATE. "
    "«Slow» are statements that took longer than {slow_s:g} s. «No change» is what this machine does by itself."
)


def markdown(result: dict[str, Any], command: str) -> str:
    """A fragment for docs/benchmarks.md: how long users waited, one maker a row."""
    machine, rows = result["machine"], result["rows"]
    loads = [row["load_1_min"] for row in rows]
    names = result["changes"]
    place = (
        f"{machine['cores']} cores, load {min(loads)} to {max(loads)}, Python {machine['python']}, {machine['date']}."
    )
    lines = [
        "### Users' waiting while their table is changed",
        "",
        place,
        "",
        _LEGEND.format(**result),
        "",
        "| | longest wait | of ours | slow | failed |" + "".join(f" {name} |" for name in names),
        "|---" * (5 + len(names)) + "|",
    ]
    lines += [_line(row, rows[1]["longest_s"], names) for row in rows]
    blanks = " – |" * (3 + len(names))
    lines += [f"| {name} | no figures: {reason} |{blanks}" for name, reason in result["not_had"].items()]
    return "\n".join([*lines, "", *_goals(rows), "", f"Repeat: `{command}`"])


def _line(row: dict[str, Any], ours: float, names: list[str]) -> str:
    cells = [
        row["name"],
        f"**{_seconds(row['longest_s'])}**",
        f"{row['longest_s'] / ours:.1f}×",
        f"{row['slow']:,} of {row['statements']:,}",
        f"**{row['failed']}**",
    ]
    for name in names:
        change = row["changes"].get(name)
        cells.append(f"{_seconds(change['longest_s'])}, {change['seconds']:.0f} s" if change else "–")
    return "| " + " | ".join(cells) + " |"


def _goals(rows: list[dict[str, Any]]) -> list[str]:
    said = []
    for row in rows:
        if row["limit_s"] is not None:
            over = row["longest_s"] - row["limit_s"]
            what = f"{1000 * over:.0f} ms over" if over > 0 else "below"
            said.append(f"{row['name']} {_seconds(row['longest_s'])}, {what} its lock_timeout of {row['limit_s']:g} s")
    return [f"The goal is a longest wait of at most lock_timeout + 20 ms: {'; '.join(said)}."]


def _seconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"
