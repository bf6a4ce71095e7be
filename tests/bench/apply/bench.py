# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kube_apply side by side with kubernetes.core.k8s and kubectl: issue A, section 8 (a).

Every contender applies the same set into an empty namespace, twice: the first run creates everything, the second finds
nothing to do. It does so directly and through a proxy that adds 10 ms to each round trip. Times are wall times of the
whole command, start of ``ansible-playbook`` included; «net» is what a playbook takes beyond an empty one.
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
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import yaml
from contenders import REPOSITORY, Contender, contenders, kubectl_path
from objects import objects
from report import markdown

LATENCY_MS = 10
COLLECTIONS = ("apis/apps/v1/{}/deployments", "api/v1/{}/services", "api/v1/{}/configmaps")
RESULT = REPOSITORY / "build" / "bench" / "apply.json"


def main() -> int:
    """Measure, print the table, write the figures."""
    options = _options()
    counts = [10] if options.sample else [40, 400]
    rows: list[dict[str, Any]] = []
    kubeconfig = _cluster_kubeconfig()
    with tempfile.TemporaryDirectory(prefix="golive-bench-") as directory:
        work = Path(directory)
        found, versions = contenders(work)
        with _delayed(kubeconfig, work) as slow:
            networks = [("direct", kubeconfig), (f"+{LATENCY_MS} ms", slow)]
            for network, config in networks[-1:] if options.sample else networks:
                for count in counts:
                    rows += _round(found, network, config, kubeconfig, count, options, work)
    result = {
        "machine": _machine(),
        "versions": versions,
        "latency_ms": LATENCY_MS,
        "rows": rows,
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(markdown(result, "tests/bench/apply/run" + "".join(f" {word}" for word in sys.argv[1:])))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare kube_apply with kubernetes.core.k8s and kubectl.")
    parser.add_argument(
        "--sample", action="store_true", help="10 objects with latency, one run each, a loop over 2: half a minute"
    )
    parser.add_argument("--repeat", type=int, help="runs of which the median counts (3)")
    parser.add_argument(
        "--loop-at-most", type=int, help="objects the loop form really does; beyond, its time is scaled (40)"
    )
    options = parser.parse_args()
    options.repeat = options.repeat or (1 if options.sample else 3)
    options.loop_at_most = options.loop_at_most or (2 if options.sample else 40)
    return options


def _round(
    found: list[Contender],
    network: str,
    config: Path,
    direct: Path,
    count: int,
    options: argparse.Namespace,
    work: Path,
) -> list[dict[str, Any]]:
    """One row per contender and run; contenders take turns, so that a slow minute of the machine hits all."""
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    scale: dict[str, float] = {}
    for turn in range(options.repeat):
        for one in found:
            done = min(count, options.loop_at_most) if one.loops else count
            scale[one.name] = count / done
            if one.loops and turn:
                # Minutes for a number that only has to be known roughly: once is enough.
                continue
            with _namespace(direct, done, work) as file:
                for run in ("first", "second"):
                    wall, cpu = one.seconds(file, config)
                    times.setdefault((one.name, run), []).append((wall, cpu))
                    _say(f"{network}, {done} objects, {run} run, {one.name}: {wall:.2f} s, {cpu:.2f} s of processor")
    rows = []
    for one in found:
        for run in ("first", "second"):
            taken = times[one.name, run]
            rows.append(
                {
                    "network": network,
                    "objects": count,
                    "run": run,
                    "contender": one.name,
                    "baseline": one.baseline,
                    "median_s": round(median(wall for wall, _cpu in taken), 3),
                    "median_cpu_s": round(median(cpu for _wall, cpu in taken), 3),
                    "seconds": [round(wall, 3) for wall, _cpu in taken],
                    "scaled_by": scale[one.name],
                }
            )
    return rows


@contextmanager
def _namespace(kubeconfig: Path, count: int, work: Path) -> Iterator[Path]:
    """A file with ``count`` objects for a namespace of its own, which is gone afterwards."""
    name = f"golive-bench-{secrets.token_hex(4)}"
    kubectl = [kubectl_path(), "--kubeconfig", str(kubeconfig)]
    subprocess.run([*kubectl, "create", "namespace", name], check=True, stdout=subprocess.DEVNULL)
    file = work / f"{name}.yml"
    file.write_text(yaml.safe_dump_all(objects(count, name)), encoding="utf-8")
    try:
        yield file
    finally:
        # By collection, so that the next contender does not share the machine with a namespace that is being emptied.
        for collection in COLLECTIONS:
            command = [*kubectl, "delete", "--raw", "/" + collection.format(f"namespaces/{name}")]
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        command = [*kubectl, "delete", "namespace", name, "--wait=false"]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        file.unlink()


@contextmanager
def _delayed(kubeconfig: Path, work: Path) -> Iterator[Path]:
    """The kubeconfig of a proxy with latency in front of the same API server."""
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    current = {row["name"]: row for row in config["contexts"]}[config["current-context"]]
    cluster = {row["name"]: row for row in config["clusters"]}[current["context"]["cluster"]]["cluster"]
    server = urlsplit(cluster["server"])
    proxy = subprocess.Popen(
        [
            sys.executable,
            Path(__file__).with_name("proxy.py"),
            server.hostname,
            str(server.port or 443),
            str(LATENCY_MS),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port = int(proxy.stdout.readline()) if proxy.stdout else 0
        cluster["server"] = f"https://127.0.0.1:{port}"
        cluster["tls-server-name"] = server.hostname
        path = work / "slow.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        yield path
    finally:
        proxy.terminate()
        proxy.wait(timeout=10)


def _cluster_kubeconfig() -> Path:
    found = subprocess.run(
        [REPOSITORY / "tests" / "cluster" / "cluster", "env"], capture_output=True, text=True, check=True
    ).stdout
    for line in found.splitlines():
        name, _equals, value = line.removeprefix("export ").partition("=")
        if name == "KUBECONFIG":
            return Path(value.strip("'\""))
    raise RuntimeError("The cluster names no kubeconfig.")


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "date": time.strftime("%Y-%m-%d"),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
