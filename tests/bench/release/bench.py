# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shifts and returns under load: traffic_switch, Argo Rollouts blue-green, a selector patch with kubernetes.core.

The same app with the same load on the same cluster, one contender after the other. When the selector changed is told
by a watch, who answered by the ledger of a load on fresh connections; keep-alive connections have a load of their own,
because they rightly stay where they are until the old pods end.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A script's own folder is on the path, the repository is not.
sys.path.insert(0, str(ROOT))

from argo import VERSION as ARGO  # noqa: E402  # after the path is set
from argo import is_built  # noqa: E402  # see above
from contenders import REPLICAS, SCALE_DOWN_S, Contender, Ours, Patch, argo_controller, say  # noqa: E402  # see above
from moves import Move, timed  # noqa: E402  # see above
from report import markdown  # noqa: E402  # see above
from watch import watch  # noqa: E402  # see above

from tests.e2e.conftest import cluster_env, kubectl  # noqa: E402  # see above
from tests.e2e.traffic import stand  # noqa: E402  # see above
from tests.e2e.traffic.load import load  # noqa: E402  # see above

RESULT = ROOT / "build" / "bench" / "release.json"
_SETTLE_S = 2.5


def main() -> int:
    options = _options()
    os.environ.update(cluster_env())
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    namespace = f"golive-bench-{secrets.token_hex(3)}"
    kubectl("create", "namespace", namespace)
    try:
        stand.database(namespace)
        kubectl("-n", namespace, "rollout", "status", "deployment/database", "--timeout=120s")
        with tempfile.TemporaryDirectory(prefix="golive-bench-") as folder:
            rows = [_measured(one, namespace, options) for one in _contenders(namespace, Path(folder), options)]
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false", check=False)
    result = {
        "rows": rows,
        "rate": options.rate,
        "replicas": REPLICAS,
        "scale_down_s": SCALE_DOWN_S,
        "machine": _machine(),
        "versions": _versions([row["contender"] for row in rows]),
    }
    RESULT.write_text(json.dumps(result, indent=1))
    print(markdown(result, "tests/bench/release/run" + "".join(f" {word}" for word in sys.argv[1:])))
    return 1 if rows[0]["failed"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Shifts and returns under load, against peers.")
    parser.add_argument(
        "--sample", action="store_true", help="one shift and return, few requests, Argo only when it is built"
    )
    parser.add_argument("--rounds", type=int, help="shifts, and as many returns (20)")
    parser.add_argument("--requests", type=int, help="at least as many for each contender (100000)")
    parser.add_argument("--rate", type=int, help="requests a second, half on fresh connections (400)")
    parser.add_argument("--late", type=int, help="returns after the scale-down delay (3)")
    options = parser.parse_args()
    small, full = (1, 0, 40, 0), (20, 100_000, 400, 3)
    for name, value in zip(("rounds", "requests", "rate", "late"), small if options.sample else full, strict=True):
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _contenders(namespace: str, folder: Path, options: argparse.Namespace) -> Iterator[Contender]:
    yield Ours()
    if not options.sample or is_built():
        with argo_controller(namespace, RESULT.with_name("argo.log")) as argo:
            yield argo
    peers = subprocess.run(
        [sys.executable, ROOT / "tests" / "bench" / "apply" / "contenders.py"],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield Patch(Path(peers.stdout.strip()) / "bin", folder)


def _measured(one: Contender, namespace: str, options: argparse.Namespace) -> dict[str, Any]:
    """One contender: all its moves under load, then load until there were enough requests."""
    shop = stand.Shop(namespace)
    one.prepare(shop)
    half = options.rate // 2
    moves: list[Move] = []
    with watch(namespace, shop.name) as seen, _loads(shop.url, half) as ledgers:
        begun = time.monotonic()
        for number in range(options.rounds):
            _there_and_back(one, shop, moves, "return", late=False)
            say(f"{one.name}: {number + 1} of {options.rounds}")
        for _number in range(options.late):
            _there_and_back(one, shop, moves, "late return", late=True)
        time.sleep(max(_SETTLE_S, options.requests / options.rate * 1.02 - (time.monotonic() - begun)))
        fresh, kept = ledgers()
    shop.remove()
    total = {key: fresh[key] + kept[key] for key in ("sent", "ok", "failed")}
    why = {kind: count + kept["failed_by"][kind] for kind, count in fresh["failed_by"].items()}
    say(f"{one.name}: {total['sent']} requests, {total['failed']} failed")
    return {
        "contender": one.name,
        # Contenders come one after the other; who finds the machine busier takes longer.
        "load_1_min": round(os.getloadavg()[0], 1),
        **total,
        "failed_by": why,
        "failed_fresh": fresh["failed"],
        "failed_keepalive": kept["failed"],
        "failures": fresh["failures"] + kept["failures"],
        "moves": timed(moves, seen, fresh),
    }


def _there_and_back(one: Contender, shop: stand.Shop, moves: list[Move], kind: str, late: bool) -> None:
    one.stage(shop, "green")
    time.sleep(_SETTLE_S)
    moves.append(Move("shift", "green", one.move(shop, "green", False), time.time()))
    time.sleep(_SETTLE_S)
    if late:
        one.rest(shop)
    moves.append(Move(kind, "blue", one.move(shop, "blue", True), time.time()))
    time.sleep(_SETTLE_S)


@contextmanager
def _loads(url: str, rate: int) -> Iterator[Any]:
    """A load on fresh and one on keep-alive connections; the yielded function ends both and returns their ledgers."""
    with ExitStack() as stack:
        streams = []
        for rates in ((rate, 0), (0, rate)):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            streams.append(stack.enter_context(load(url, folder, 3000, *rates, "/healthz")))
        yield lambda: tuple(stream.ledger() for stream in streams)


def _versions(names: list[str]) -> dict[str, str]:
    found = {"Kubernetes": json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]}
    if any("Argo" in name for name in names):
        found["Argo Rollouts"] = ARGO
    return found


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
