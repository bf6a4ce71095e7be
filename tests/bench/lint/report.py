# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench as tables people read."""

from __future__ import annotations

from typing import Any

# Rules whose pattern its documentation lists as a check, as best practice, or as a danger it warns of.
STRONG_MIGRATIONS = frozenset(
    {
        "create-index-blocking",
        "drop-index-blocking",
        "index-budget",
        "add-column-volatile-default",
        "add-column-serial-or-identity",
        "add-column-stored-generated",
        "add-column-json",
        "add-column-references",
        "drop-column",
        "rename-object",
        "retype-column-rewrite",
        "set-not-null-scan",
        "add-check-validated",
        "add-foreign-key-validated",
        "add-unique-or-primary-key",
        "add-exclusion",
        "unbounded-dml",
        "statement-after-exclusive-lock",
        "opaque-code",
    }
)
_LEGEND = (
    "{unsafe} unsafe migrations, each labelled with the rule that must find it, and {safe} safe ones, on which only "
    "hints (severity info) may be given; all were written here. A rule is found when one of its migrations is. Nobody "
    "has a database. For squawk a finding counts for every rule of ours it may mean; matters of style, its wish for "
    "timeouts, which a runner sets, its advice to make statements repeatable, and what would be a hint of ours are no "
    "false alarms. What was applied before, it cannot be told. strong_migrations reads Ruby: only which rules its "
    "documentation names is compared."
)


def markdown(result: dict[str, Any], command: str) -> str:
    """A fragment for docs/benchmarks.md: rules found, migrations found, false alarms, time for one file."""
    machine = result["machine"]
    place = (
        f"{machine['cores']} cores, load {machine['load_1_min']}, Python {machine['python']}, {result['squawk']},"
        f" {machine['date']}."
    )
    lines = ["### Unsafe migrations found, and false alarms", "", place, "", _LEGEND.format(**result), ""]
    lines += ["| | rules found | unsafe migrations found | false alarms | for one file |", "|---|---|---|---|---|"]
    files = result["unsafe"] + result["safe"]
    lines += [_row(row, result, files) for row in result["rows"]]
    ours, peer = (next(row for row in result["rows"] if row["name"] == name) for name in ("ours", "squawk alone"))
    ratio = ours["cases_hit"] / max(1, peer["cases_hit"])
    lines += ["", f"Ours finds {ratio:.1f}× the unsafe migrations that squawk alone finds."]
    names = ", ".join(f"`{name}`" for name in result["elsewhere"])
    lines += ["", f"Not part of it, since they need a database, two files, or are asked for: {names}."]
    return "\n".join([*lines, "", f"Repeat: `{command}`"])


def _row(row: dict[str, Any], result: dict[str, Any], files: int) -> str:
    found = f"{row['rules_hit']} of {result['rules']}"
    if "cases_hit" not in row:
        return f"| {row['name']} | {found} | – | – | – |"
    cells = [
        row["name"],
        found,
        f"{row['cases_hit']} of {result['unsafe']} ({row['cases_hit'] / result['unsafe']:.0%})",
        f"{len(row['false'])} of {result['safe']} ({row['false_share']:.1%})",
        f"{1000 * row['seconds'] / files:.1f} ms",
    ]
    return "| " + " | ".join(cells) + " |"
