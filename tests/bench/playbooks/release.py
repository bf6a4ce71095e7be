# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the time of a whole healthy release nobody can save."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from tests.e2e.conftest import kubectl

_SOAK_S, _PASSES, _INTERVAL_S = 3, 5, 1
# The gate before the shift looks twice a second.
_VERIFY_PASSES, _VERIFY_INTERVAL_S = 3, 0.5

# The gate before the shift looks while the new pods stand.
DWELL_S = max(_SOAK_S, (_VERIFY_PASSES - 1) * _VERIFY_INTERVAL_S) + (_PASSES - 1) * _INTERVAL_S
SETTINGS = {
    "app_version": "2.0.0",
    "migrate_target": "0002",
    "app_track_soak": _SOAK_S,
    "release_soak": _SOAK_S,
    "release_verify_passes": _VERIFY_PASSES,
    "release_observe_passes": _PASSES,
    "release_observe_interval": _INTERVAL_S,
}


def pod_start(namespace: str) -> float:
    """Seconds from the first new pod made to the last Ready. The API server's stamps have whole seconds."""
    found = json.loads(kubectl("-n", namespace, "get", "pods", "-l", "golive.cutover/colour=green", "-o", "json"))
    made, ready = [], []
    for pod in found["items"]:
        made.append(_seconds(pod["metadata"]["creationTimestamp"]))
        ready += [_seconds(row["lastTransitionTime"]) for row in pod["status"]["conditions"] if row["type"] == "Ready"]
    return max(ready) - min(made)


def pod_end(namespace: str) -> float:
    """Seconds that the old pods took to go, one after the other, as the journal has them of its newest drain."""
    entries = kubectl("-n", namespace, "get", "configmap", "notes-golive-journal", "-o", "jsonpath={.data.entries}")
    switches = [(json.loads(line).get("verdict") or {}).get("switch") or {} for line in entries.splitlines()]
    drains = [switch["drain"] for switch in switches if switch.get("drain")]
    return float(sum(pod["seconds"] for pod in drains[-1]["removed"]))


def _seconds(stamp: str) -> float:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
