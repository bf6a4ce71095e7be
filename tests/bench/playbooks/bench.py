# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long whole playbooks take beside an empty one: a healthy release, and a site.yml that has nothing to do."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from release import DWELL_S, SETTINGS, pod_end, pod_start  # noqa: E402  # after the path is set

from tests.e2e.conftest import cluster_env, kubectl  # noqa: E402  # see above
from tests.e2e.node_ports import free_node_port  # noqa: E402  # see above

RESULT = ROOT / "build" / "bench" / "playbooks.json"
_GOAL_S = 8
_CHANGED = re.compile(r"changed=(\d+)")

_TIMES = (
    "Medians (runs: {runs}, releases: {releases}); in parentheses how many times as long as an empty playbook. "
    "The cluster is on the same machine; of the processor is what the command alone used."
)
_PARTS = (
    "The release has preflight, a dump, a migration, two new pods, both gates, shift, proof and settle. Dwell is what "
    "the settings ask for, the soak, in which the first gate looks, and the looks of the second; pod end is how "
    "long the old pod took to go."
)


@dataclass(frozen=True)
class Times:
    """Seconds of one command: ``cpu`` is its processor time, without the cluster's."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Released:
    """A release, and what of it is not ours, in seconds."""

    times: Times
    pod_start: float
    pod_end: float

    @property
    def rest(self) -> float:
        """What is left of the wall time."""
        return self.times.wall - self.pod_start - self.pod_end - DWELL_S


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="one run of each")
    parser.add_argument("--rounds", type=int, default=3, help="new apps, with a release and three idle runs each (3)")
    options = parser.parse_args()
    os.environ.update(cluster_env())
    rounds, idle = (1, 1) if options.sample else (options.rounds, 3)
    empty: list[Times] = []
    nothing: list[Times] = []
    released: list[Released] = []
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory() as private:
        play = Path(private) / "empty.yml"
        play.write_text("- hosts: golive_apps\n  gather_facts: false\n  tasks: []\n")
        for _round in range(rounds):
            _one_app(play, idle, empty, nothing, released)
            loads.append(os.getloadavg()[0])
    result = {
        "empty": [asdict(one) for one in empty],
        "nothing_to_do": [asdict(one) for one in nothing],
        "release": [{**asdict(one), "rest": one.rest} for one in released],
        "dwell": DWELL_S,
        "loads": loads,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1))
    print(_markdown(empty, nothing, released, loads))
    return 0


def _one_app(play: Path, idle: int, empty: list[Times], nothing: list[Times], released: list[Released]) -> None:
    namespace = f"golive-bench-{secrets.token_hex(3)}"
    settings = {"app_namespace": namespace, "app_expose": {"node_port": free_node_port()}, "migrate_target": "0001"}
    try:
        _timed("playbooks/site.yml", settings)
        for _turn in range(idle):
            empty.append(_timed(str(play), {}))
            nothing.append(_timed("playbooks/site.yml", settings, unchanged=True))
        times = _timed("playbooks/release.yml", {**settings, **SETTINGS})
        released.append(Released(times, pod_start(namespace), pod_end(namespace)))
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found", check=False)


def _timed(playbook: str, settings: dict[str, object], unchanged: bool = False) -> Times:
    command = ["ansible-playbook", "-i", "inventories/local", playbook, "-e", json.dumps(settings)]
    start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or (unchanged and _CHANGED.findall(done.stdout) != ["0"]):
        expected = "succeeded and changed nothing" if unchanged else "succeeded"
        sys.exit(f"{done.stdout}{done.stderr}\nThis run should have {expected}.")
    times = Times(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"{playbook}: {wall:.1f} s, {times.cpu:.1f} s of the processor", file=sys.stderr)
    return times


def _markdown(empty: list[Times], nothing: list[Times], released: list[Released], loads: list[float]) -> str:
    """A fragment for docs/benchmarks.md."""
    base = median(one.wall for one in empty)
    rows = [
        _line("empty playbook", empty, base),
        _line("`site.yml` with nothing to do", nothing, base),
        _line("`release.yml`, a healthy release", [one.times for one in released], base),
    ]
    parts = [
        f"{median(value):.1f} s"
        for value in (
            [one.times.wall for one in released],
            [one.pod_start for one in released],
            [one.pod_end for one in released],
            [one.rest for one in released],
        )
    ]
    parts.insert(1, f"{DWELL_S:.0f} s")
    worst = max(one.rest for one in released)
    machine = f"{os.cpu_count()} cores, load {min(loads):.1f} to {max(loads):.1f}, Python {platform.python_version()}"
    rounds = "" if len(released) == 3 else f" --rounds {len(released)}"
    return "\n".join(
        [
            "### Whole playbooks",
            "",
            f"{machine}, {time.strftime('%Y-%m-%d')}.",
            "",
            _TIMES.format(runs=len(nothing), releases=len(released)),
            "",
            "| | seconds | of the processor |",
            "|---|---|---|",
            *rows,
            "",
            _PARTS,
            "",
            f"| wall | dwell, as set | pod start | pod end | all the rest (goal ≤ {_GOAL_S} s) |",
            "|---|---|---|---|---|",
            f"| {' | '.join(parts)} (worst {worst:.1f} s) |",
            "",
            f"Repeat: `tests/bench/playbooks/run{rounds}`",
        ]
    )


def _line(name: str, times: list[Times], base: float) -> str:
    wall, cpu = median(one.wall for one in times), median(one.cpu for one in times)
    return f"| {name} | {wall:.1f} ({wall / base:.1f}×) | {cpu:.1f} |"


if __name__ == "__main__":
    sys.exit(main())
