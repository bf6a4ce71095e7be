# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench as a table people read."""

from __future__ import annotations

from statistics import median
from typing import Any

_LEGEND = (
    "{replicas} pods a release, {rate} requests a second, half on fresh and half on keep-alive connections. What can "
    "be done before the traffic moves was done before. Seconds from the begin of the command, median (and worst): "
    "until the Service was written, and until the first answer of the new and the last of the old release on fresh "
    "connections; in brackets how many times as long as ours. A command of ours runs until the data plane is proven. "
    "Late: a return after {scale_down_s} s or more, when Argo Rollouts and the patch have given up the old pods and "
    "ours keeps one warm. kubernetes.core is counted from its first task, without the start of Ansible. The "
    "load is that of the machine at the end of a contender's turn."
)
_COLUMNS = (
    ("shift: write", "shift", "write_s"),
    ("first new", "shift", "first_new_s"),
    ("last old", "shift", "last_old_s"),
    ("return: write", "return", "write_s"),
    ("last old", "return", "last_old_s"),
    ("late return: last old", "late return", "last_old_s"),
    ("command", "shift", "command_s"),
)


def markdown(result: dict[str, Any], command: str) -> str:
    """A fragment for docs/benchmarks.md: failed requests and seconds, one contender a row."""
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    place = f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, load {machine['load_1_min']}"
    ours = result["rows"][0]
    lines = [
        "### Shifts and returns against peers",
        "",
        f"{place}, {machine['date']}. {versions}.",
        "",
        _LEGEND.format(**result),
        "",
        "| | load | shifts, returns | requests | failed | why |"
        + "".join(f" {name} |" for name, _kind, _key in _COLUMNS),
        "|---" * (6 + len(_COLUMNS)) + "|",
    ]
    lines += [_line(row, ours) for row in result["rows"]]
    return "\n".join([*lines, "", f"Repeat: `{command}`"])


def _line(row: dict[str, Any], ours: dict[str, Any]) -> str:
    why = ", ".join(f"{count} {kind}" for kind, count in row["failed_by"].items() if count) or "–"
    kinds = [move["kind"] for move in row["moves"]]
    cells = [
        row["contender"],
        f"{row['load_1_min']:.0f}",
        f"{kinds.count('shift')}, {len(kinds) - kinds.count('shift')}",
        f"{row['sent']:,}",
        f"**{row['failed']:,}**",
        why,
        *(_seconds(row, ours, kind, key) for _name, kind, key in _COLUMNS),
    ]
    return "| " + " | ".join(cells) + " |"


def _seconds(row: dict[str, Any], ours: dict[str, Any], kind: str, key: str) -> str:
    taken, own = (
        [move[key] for move in one["moves"] if move["kind"] == kind and move[key] is not None] for one in (row, ours)
    )
    if not taken:
        return "–"
    ratio = f" [{median(taken) / median(own):.1f}×]" if row is not ours and own else ""
    return f"{median(taken):.1f} ({max(taken):.1f}){ratio}"
