# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shift and a return under live load: traffic_switch, and a plain selector flip with an immediate scale-down.

Both move the same app on the same cluster, one after the other, under the same constant rate of requests on fresh and
on keep-alive connections. The app drains when it is told to end, as a well-made app does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from report import markdown  # noqa: E402  # after the path is set

from ansible_collections.golive.cutover.plugins.modules import traffic_switch  # noqa: E402  # see above
from tests.e2e.conftest import cluster_env, kubectl  # noqa: E402  # see above
from tests.e2e.traffic import stand  # noqa: E402  # see above
from tests.e2e.traffic.load import Load, load  # noqa: E402  # see above

RESULT = ROOT / "build" / "bench" / "shift.json"
_SETTLE_S = 3.0
_REPLICAS = 2
Step = Callable[[stand.Shop], dict[str, Any]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", action="store_true", help="a fortieth of the requests")
    options = parser.parse_args()
    # Requests a second on each of the two streams, and seconds of each contender's run.
    rate, seconds = (20, 12.0) if options.sample else (250, 45.0)
    os.environ.update(cluster_env())
    namespace = f"golive-bench-{secrets.token_hex(3)}"
    kubectl("create", "namespace", namespace)
    try:
        stand.database(namespace)
        kubectl("-n", namespace, "rollout", "status", "deployment/database", "--timeout=120s")
        rows = [_measured(name, namespace, there, back, rate, seconds) for name, there, back in CONTENDERS]
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false", check=False)
    result = {"rows": rows, "rate": rate, "replicas": _REPLICAS, "machine": _machine(), "versions": _versions()}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1))
    print(markdown(result, "tests/bench/shift/run"))
    return 1 if rows[0]["ledger"]["failed"] else 0


def _measured(name: str, namespace: str, there: Step, back: Step, rate: int, seconds: float) -> dict[str, Any]:
    """One contender: load, a shift, the end of the old colour, a return, and load until the time is over."""
    shop = stand.Shop(namespace)
    shop.deploy("blue", replicas=_REPLICAS, wait=False)
    shop.deploy("green", "2.0.0", replicas=_REPLICAS, wait=False)
    shop.services()
    shop.rolled_out("blue")
    shop.rolled_out("green")
    with (
        tempfile.TemporaryDirectory() as folder,
        load(shop.url, Path(folder), int(seconds) + 300, rate, rate, "/healthz") as stream,
    ):
        begin = time.monotonic()
        steps = _steps(shop, there, back)
        # The load goes on for a while, so that late failures count.
        time.sleep(max(_SETTLE_S, begin + seconds - time.monotonic()))
        ledger = _ledger(stream)
    shop.remove()
    print(f"{name}: {ledger['sent']} requests, {ledger['failed']} failed", file=sys.stderr)
    return {"contender": name, "steps": steps, "ledger": ledger}


def _steps(shop: stand.Shop, there: Step, back: Step) -> list[dict[str, Any]]:
    done = []
    for name, step in (("shift", there), ("return", back)):
        time.sleep(_SETTLE_S)
        begin = time.monotonic()
        told = step(shop)
        done.append({"step": name, "seconds": round(time.monotonic() - begin, 2), **told})
    return done


def _ledger(stream: Load) -> dict[str, Any]:
    found = stream.ledger()
    kept = ("sent", "ok", "failed", "failed_by", "latency_ms")
    streams = {name: {key: row[key] for key in kept} for name, row in found["streams"].items()}
    colours = {name: row["answers"] for name, row in found["colours"].items()}
    bad = [row["failed"] for row in found["per_second"]]
    return {**{key: found[key] for key in kept}, "streams": streams, "colours": colours, "failed_by_second": bad}


def _ours(to: str) -> Step:
    def move(shop: stand.Shop) -> dict[str, Any]:
        done = stand.perform(traffic_switch, shop.switch_options(to))
        return {"proof": done["proof"]["level"], "timings": done["timings"], "downtime_ms": done["downtime_ms"]}

    return move


def _ours_back(shop: stand.Shop) -> dict[str, Any]:
    told = _ours("blue")(shop)
    shop.scale("green", 0)
    return told


def _flip(to: str) -> Step:
    """What a script does: patch the selector, scale the old colour away; for a return, scale up and patch at once."""

    def move(shop: stand.Shop) -> dict[str, Any]:
        old = {"green": "blue", "blue": "green"}[to]
        shop.scale(to, _REPLICAS)
        patch = json.dumps({"spec": {"selector": {stand.COLOUR_KEY: to}}})
        kubectl("-n", shop.namespace, "patch", "service", shop.name, "-p", patch)
        shop.scale(old, 0)
        return {"proof": None}

    return move


CONTENDERS: tuple[tuple[str, Step, Step], ...] = (
    ("traffic_switch", _ours("green"), _ours_back),
    ("kubectl patch + scale", _flip("green"), _flip("blue")),
)


def _versions() -> dict[str, str]:
    found = json.loads(kubectl("version", "-o", "json"))
    return {"Kubernetes": found["serverVersion"]["gitVersion"], "kubectl": found["clientVersion"]["gitVersion"]}


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(terse=True),
        "load_1_min": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    sys.exit(main())
