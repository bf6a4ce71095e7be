# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole healthy release by the playbook: its wall time, and what of it nobody can save."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from tests.e2e.conftest import kubectl
from tests.e2e.node_ports import free_node_port

_ROOT = Path(__file__).resolve().parents[3]
_SOAK_S, _PASSES, _INTERVAL_S = 3, 5, 1


def whole_release() -> dict[str, float]:
    """Seconds: ``wall``, ``pod_start`` (first new pod made until the last Ready), ``dwell`` (as set), ``rest``."""
    namespace = "golive-bench-whole"
    settings = {
        "app_namespace": namespace,
        "app_expose": {"node_port": free_node_port()},
        "release_soak": _SOAK_S,
        "release_observe_passes": _PASSES,
        "release_observe_interval": _INTERVAL_S,
    }
    try:
        _play("site.yml", {**settings, "migrate_target": "0001"})
        wall = _play("release.yml", {**settings, "app_version": "2.0.0", "migrate_target": "0002"})
        start = _pod_start(namespace)
    finally:
        kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found", check=False)
    dwell = float(_SOAK_S + (_PASSES - 1) * _INTERVAL_S)
    found = {"wall": wall, "pod_start": start, "dwell": dwell, "rest": wall - start - dwell}
    return {name: round(seconds, 2) for name, seconds in found.items()}


def _play(playbook: str, settings: dict[str, object]) -> float:
    command = ["ansible-playbook", "-i", "inventories/local", f"playbooks/{playbook}", "-e", json.dumps(settings)]
    start = time.monotonic()
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\nThis run should have succeeded.")
    return time.monotonic() - start


def _pod_start(namespace: str) -> float:
    """The API server's stamps have whole seconds."""
    found = json.loads(kubectl("-n", namespace, "get", "pods", "-l", "golive.cutover/colour=green", "-o", "json"))
    made, ready = [], []
    for pod in found["items"]:
        made.append(_seconds(pod["metadata"]["creationTimestamp"]))
        ready += [_seconds(row["lastTransitionTime"]) for row in pod["status"]["conditions"] if row["type"] == "Ready"]
    return max(ready) - min(made)


def _seconds(stamp: str) -> float:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
