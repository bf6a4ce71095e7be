# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the planner of retention takes for as many backups as ten years of hourly ones have."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median

from ansible_collections.golive.cutover.plugins.module_utils._backup.retention import Entry, Policy, plan

ROOT = Path(__file__).resolve().parents[3]
_GOAL_S = 1.0
_NOW = datetime(2026, 11, 30, tzinfo=timezone.utc)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="one run of each instead of nine")
    repeat = 1 if parser.parse_args().sample else 9
    rows = []
    for count in (100, 1_000, 10_000):
        entries = _history(count)
        taken = []
        for _turn in range(repeat):
            start = time.perf_counter()
            made = plan(entries, Policy(most_share=1), _NOW)
            taken.append(time.perf_counter() - start)
        rows.append({"backups": count, "median_s": round(median(taken), 5), "kept": len(made.keep)})
    _report(rows, repeat)
    return 0 if rows[-1]["median_s"] < _GOAL_S else 1


def _history(count: int) -> list[Entry]:
    """Hourly backups, each day's first a full one, the others increments that need all before them of that day."""
    entries: list[Entry] = []
    chain: tuple[str, ...] = ()
    for number in range(count):
        stopped = _NOW - timedelta(hours=count - number)
        kind = "full" if number % 24 == 0 else "incr"
        chain = () if kind == "full" else chain
        entries.append(Entry(f"{number}", kind, stopped, chain, verified=number % 1000 == 0))
        chain = (*chain, f"{number}")
    return entries


def _report(rows: list[dict[str, float]], repeat: int) -> None:
    facts = {"cores": os.cpu_count(), "load_1_min": round(os.getloadavg()[0], 1), "python": platform.python_version()}
    target = ROOT / "build" / "bench" / "retention.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"rows": rows, "runs": repeat, **facts, "date": time.strftime("%Y-%m-%d")}, indent=1))
    lines = "\n".join(
        f"| {row['backups']} | {row['kept']} | {row['median_s'] * 1000:.1f} | {_GOAL_S / row['median_s']:.0f}× |"
        for row in rows
    )
    print(
        f"""### The plan of retention

{facts["cores"]} cores, load {facts["load_1_min"]}, Python {facts["python"]}, {time.strftime("%Y-%m-%d")}.
Median of {repeat} runs; the goal is 10,000 backups in less than {_GOAL_S:g} s. Hourly backups, a full one each day.
No peer plans by week and month.

| backups | kept | milliseconds | faster than the goal |
|---|---|---|---|
{lines}

Repeat: `tests/bench/retention/run`"""
    )


if __name__ == "__main__":
    sys.exit(main())
