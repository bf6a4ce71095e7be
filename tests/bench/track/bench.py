# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds until the cause of a failing release is named: kube_track, Helm --wait, kubernetes.core.k8s wait.

Times are wall times of the whole command. Ours run one after the other; the peers, which mostly wait, run side by side
and give up after a limit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contenders import REPOSITORY, Contender, contenders
from helm import HELM
from releases import Release, releases
from report import markdown

RESULT = REPOSITORY / "build" / "bench" / "track.json"
OUR_LIMIT_S = 120


def main() -> int:
    """Measure, print the table, write the figures."""
    options = _options()
    os.environ.update(_cluster())
    with tempfile.TemporaryDirectory(prefix="golive-bench-") as directory, _registry() as registry:
        work = Path(directory)
        found, versions = contenders(work, with_helm=not options.sample or HELM.path.exists())
        wanted = releases(os.environ["GOLIVE_IMAGE_PREFIX"], registry)
        if options.sample:
            wanted = [row for row in wanted if row.quota]
        rows = [_measure(found[0], release, OUR_LIMIT_S, work) for release in wanted]
        pairs = [(peer, release) for peer in found[1:] for release in wanted]
        with ThreadPoolExecutor(len(pairs)) as pool:
            rows += pool.map(lambda pair: _measure(pair[0], pair[1], options.peer_limit, work), pairs)
    result = {"machine": _machine(), "versions": versions, "peer_limit_s": options.peer_limit, "rows": rows}
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(markdown(result, "tests/bench/track/run" + "".join(f" {word}" for word in sys.argv[1:])))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How soon the cause of a failing release is named.")
    parser.add_argument("--sample", action="store_true", help="quota only, peers for 10 s, Helm only when it is built")
    parser.add_argument("--peer-limit", type=int, help="seconds the peers may wait (120)")
    options = parser.parse_args()
    options.peer_limit = options.peer_limit or (10 if options.sample else 120)
    return options


def _measure(contender: Contender, release: Release, limit: int, work: Path) -> dict[str, Any]:
    with _namespace() as space:
        if release.quota:
            _kubectl("-n", space, "create", "quota", "none", "--hard=count/pods=0")
        seconds, output = contender.wait_for(release.manifest(space), space, limit, work)
    named = release.explains(output)
    verdict = re.search(r'"verdict": "(\w+)"', output)
    task = re.search(r'"cause": \{.*?"seconds": ([\d.]+)', output, re.DOTALL)
    print(f"{contender.name}, {release.name}: {seconds:.1f} s, named: {named}", file=sys.stderr, flush=True)
    return {
        "contender": contender.name,
        "release": release.name,
        "goal_s": release.goal,
        "seconds": round(seconds, 2),
        "named": named,
        "verdict": verdict[1] if verdict else None,
        "task_s": float(task[1]) if task else None,
        "said": output[-1500:],
    }


@contextmanager
def _namespace() -> Iterator[str]:
    name = f"golive-bench-{secrets.token_hex(4)}"
    _kubectl("create", "namespace", name)
    try:
        yield name
    finally:
        _kubectl("delete", "namespace", name, "--wait=false")


@contextmanager
def _registry() -> Iterator[str]:
    """Address at which the nodes reach an HTTP server that answers 404: a registry that lacks every tag."""
    with _namespace() as space:
        image = f"{os.environ['GOLIVE_IMAGE_PREFIX']}/httpbin:2.26.0"
        _kubectl("-n", space, "create", "deployment", "registry", f"--image={image}", "--port=8080")
        _kubectl("-n", space, "expose", "deployment", "registry", "--type=NodePort", "--port=8080")
        _kubectl("-n", space, "rollout", "status", "deployment/registry", "--timeout=60s")
        path = "jsonpath={.spec.ports[0].nodePort}"
        yield f"127.0.0.1:{_kubectl('-n', space, 'get', 'service', 'registry', '-o', path)}"


def _kubectl(*arguments: str) -> str:
    return subprocess.run(["kubectl", *arguments], check=True, capture_output=True, text=True).stdout


def _cluster() -> dict[str, str]:
    cluster = REPOSITORY / "tests" / "cluster" / "cluster"
    text = subprocess.run([cluster, "env"], capture_output=True, text=True, check=True).stdout
    return {name: value.strip("'\"") for name, value in re.findall(r"^export ([A-Z_]+)=(.*)$", text, re.MULTILINE)}


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.platform(),
        "load_1_min": round(os.getloadavg()[0], 1),
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    sys.exit(main())
