# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the bench as a table people read."""

from __future__ import annotations

from typing import Any

from tests.bench.migrate.contenders import EMPTY, LIMIT, OURS

_LEGEND = (
    "{files:,} files: a table, a column, an index, three rows, and so on, applied to an empty database, then a run "
    "with nothing to do. Seconds of the whole command, median of {rounds}. psql runs once for each file, in one "
    "transaction, and keeps no ledger. Net is without the time of an empty playbook. The server is as it comes, "
    "with fsync. Flyway is started through its API, Sqitch with the server's own psql. Alembic runs all in one "
    "transaction, everybody else commits after each file."
)


def markdown(result: dict[str, Any], command: str) -> str:
    """A fragment for docs/benchmarks.md: seconds and ratios, one contender a row."""
    machine = result["machine"]
    loads = machine["load_1_min"]
    place = (
        f"{machine['cores']} cores, load {min(loads)} to {max(loads)}, PostgreSQL {machine['postgresql']}, Python"
        f" {machine['python']}, {machine['date']}."
    )
    lines = [
        "### Many small migrations, and none",
        "",
        place,
        "",
        _LEGEND.format(**result),
        "",
        f"| | {result['files']:,} files | of psql | of ours | nothing to do |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(name, result["median_s"]) for name in result["median_s"]]
    lines += [f"| {name} | no figures: {reason} | – | – | – |" for name, reason in result["not_had"].items()]
    processor = result["median_processor_s"]
    start, idle = processor[EMPTY]["all"], processor[OURS]["nothing"]
    told = (
        f"Seconds of the processor, which a busy machine changes less: ours with nothing to do {idle:.2f}, the empty "
        f"playbook {start:.2f}, so that {idle - start:.2f} are beyond the start of Ansible (goal: 0.5)."
    )
    return "\n".join([*lines, "", told, "", f"Repeat: `{command}`"])


def _row(name: str, medians: dict[str, dict[str, float]]) -> str:
    taken, start = medians[name], medians[EMPTY]["all"]
    if name == EMPTY:
        return f"| {name} | {start:.2f} | – | – | – |"
    nothing = taken.get("nothing")
    whole, idle = f"{taken['all']:.2f}", "–" if nothing is None else f"{nothing:.2f}"
    if name == OURS:
        whole += f" (net {taken['all'] - start:.2f})"
        idle += f" (net {(nothing or 0.0) - start:.2f})"
    ratios = (f"{taken['all'] / medians[other]['all']:.2f}×" for other in (LIMIT, OURS))
    return f"| {name} | {whole} | {' | '.join(ratios)} | {idle} |"
