# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a site.yml takes that finds everything as it should be, beyond an empty playbook."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from tests.e2e.node_ports import free_node_port  # noqa: E402  # after the path is set

_NAMESPACE = "golive-bench-noop"
_SITE = ["ansible-playbook", "-i", "inventories/local", "playbooks/site.yml", "-e"]
_CHANGED = re.compile(r"changed=(\d+)")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="one run of each instead of seven")
    repeat = 1 if parser.parse_args().sample else 7
    expose = {"node_port": free_node_port()}
    settings = json.dumps({"app_namespace": _NAMESPACE, "app_expose": expose, "migrate_target": "0001"})
    with tempfile.TemporaryDirectory() as private:
        empty = Path(private) / "empty.yml"
        empty.write_text("- hosts: golive_apps\n  gather_facts: false\n  tasks: []\n")
        try:
            _timed([*_SITE, settings])
            times: dict[str, list[float]] = {"empty playbook": [], "site.yml with nothing to do": []}
            for _turn in range(repeat):
                times["empty playbook"].append(_timed(["ansible-playbook", "-i", "inventories/local", str(empty)]))
                times["site.yml with nothing to do"].append(_timed([*_SITE, settings], unchanged=True))
        finally:
            subprocess.run(
                ["kubectl", "delete", "namespace", _NAMESPACE, "--wait=false"], check=False, stdout=sys.stderr
            )
    _report({name: round(median(taken), 2) for name, taken in times.items()}, repeat)
    return 0


def _timed(command: list[str], unchanged: bool = False) -> float:
    start = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    taken = time.monotonic() - start
    if done.returncode or (unchanged and _CHANGED.findall(done.stdout) != ["0"]):
        sys.exit(f"{done.stdout}{done.stderr}\nThis run should have succeeded and changed nothing.")
    print(f"{command[3]}: {taken:.2f} s", file=sys.stderr)
    return taken


def _report(seconds: dict[str, float], repeat: int) -> None:
    empty, site = seconds.values()
    result = {
        "median_s": seconds,
        "beyond_empty_s": round(site - empty, 2),
        "runs": repeat,
        "cores": os.cpu_count(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }
    target = ROOT / "build" / "bench" / "noop.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=1))
    print(
        f"""### A site.yml that has nothing to do

{os.cpu_count()} cores, load {result["load_1_min"]}, Python {result["python"]}, {result["date"]}.
Median of {repeat} runs each.

| | seconds |
|---|---|
| empty playbook | {empty:.2f} |
| `site.yml` with nothing to do | {site:.2f} ({site / empty:.1f}×) |
| beyond the empty playbook | {site - empty:.2f} |

Repeat: `tests/bench/noop/run`"""
    )


if __name__ == "__main__":
    sys.exit(main())
