# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds until errors are seen: the load check of health_gate, and a fixed threshold per minute with five strikes.

Both rules hear the same seeded streams. The load check also runs for real, against a server that fails at random.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import random
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator  # noqa: E402  # see above
from report import markdown  # noqa: E402  # after the path is set
from rules import Fixed, Sequential, healthy, seconds_until_seen  # noqa: E402  # see above

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests  # noqa: E402  # see above
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError  # noqa: E402  # see above
from ansible_collections.golive.cutover.plugins.modules import health_gate  # noqa: E402  # see above
from tests.integration.gate.loopback import serving  # noqa: E402  # see above

RESULT = ROOT / "build" / "bench" / "detect.json"
# Requests a second, share of errors, seconds of good service before them.
FAULTS = ((5, 0.05, 0), (100, 0.02, 0), (20, 0.05, 0), (20, 0.20, 0), (20, 0.02, 300), (100, 0.02, 300))
LIVE = ((5, 0.05), (100, 0.02))
# Requests a second, seconds at most, whether the release is only watched until it passes.
HEALTHY = ((5, 3600, True), (20, 3600, True), (100, 3600, True), (20, 300, False), (100, 300, False))
_GOAL = 0.001


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="fewer runs")
    options = parser.parse_args()
    runs, healthy_runs, live_runs = (100, 1000, 1) if options.sample else (1000, 5000, 9)
    faults = [_simulated(rate, share, good_for, runs) for rate, share, good_for in FAULTS]
    alarms = [_alarms(*row, healthy_runs) for row in HEALTHY]
    live = [_live(rate, share, live_runs) for rate, share in LIVE]
    result = {"faults": faults, "healthy": alarms, "live": live, "runs": runs, "machine": _machine()}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1))
    print(markdown(result, "tests/bench/detect/run"))
    shares = [row["sequential"]["alarms"] / row["runs"] for row in alarms]
    return 0 if all(share < _GOAL for share in shares) and faults[0]["ratio"] > 1 < faults[1]["ratio"] else 1


def _simulated(rate: int, share: float, good_for: int, runs: int) -> dict[str, Any]:
    found: dict[str, list[float]] = {"sequential": [], "fixed": []}
    for seed in range(runs):
        for name, rule in (("sequential", Sequential(clamp=good_for > 0)), ("fixed", Fixed())):
            generator = random.Random(f"{rate} {share} {seed}")
            found[name].append(seconds_until_seen(rule, generator, rate, share, good_for))
    medians = {name: statistics.median(values) for name, values in found.items()}
    row: dict[str, Any] = {"rate": rate, "share": share, "good_for": good_for}
    for name, values in found.items():
        row[name] = {
            "median": medians[name],
            "p95": sorted(values)[int(0.95 * (len(values) - 1))],
            "never": sum(math.isinf(value) for value in values) / runs,
        }
    return {**row, "ratio": medians["fixed"] / medians["sequential"]}


def _alarms(rate: int, seconds: int, stop_at_pass: bool, runs: int) -> dict[str, Any]:
    row: dict[str, Any] = {"rate": rate, "seconds": None if stop_at_pass else seconds, "runs": runs}
    for name in ("sequential", "fixed"):
        told = []
        for seed in range(runs):
            rule = Sequential(clamp=not stop_at_pass) if name == "sequential" else Fixed()
            told.append(healthy(rule, random.Random(f"{rate} {seed}"), rate, seconds, stop_at_pass))
        row[name] = {
            "alarms": sum(verdict == "fail" for verdict, _seconds in told),
            "median": statistics.median(taken for _verdict, taken in told),
        }
    return row


def _live(rate: int, share: float, runs: int) -> dict[str, Any]:
    """Seconds that real gates take to fail, on a server that fails this share at random."""
    taken, missed = [], 0
    for seed in range(runs):
        generator = random.Random(f"live {rate} {seed}")
        lock = threading.Lock()

        def answers(_number: int, lock: threading.Lock = lock, dice: random.Random = generator) -> tuple[int, float]:
            with lock:
                return (500 if dice.random() < share else 200), 0.0

        with serving(answers) as url:
            seconds = _gate(url, rate)
        print(f"{share:.0%} at {rate} requests a second: {seconds} s", file=sys.stderr)
        missed += seconds is None
        taken.append(math.inf if seconds is None else seconds)
    return {"rate": rate, "share": share, "runs": runs, "missed": missed, "median": statistics.median(taken)}


def _gate(url: str, rate: int) -> float | None:
    """Seconds until the gate failed; None when it passed."""
    wanted = {
        "checks": [{"name": "load", "kind": "load", "url": url, "load": {"rate": rate, "dwell": 1}}],
        "timeout": 600,
    }
    validated = ArgumentSpecValidator(health_gate.SPEC["argument_spec"]).validate(wanted)
    begin = time.monotonic()
    try:
        health_gate.run(call_for_tests(validated.validated_parameters))
    except GoliveError as error:
        if error.code != "gate_failed":
            raise
        return round(time.monotonic() - begin, 1)
    return None


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    sys.exit(main())
