# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``kube``: an object's conditions and fields, whether it is rolled out, restarts of its pods."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import (
    Look,
    compare,
    judged,
    of_way,
    plain_value,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import parse_path, value_at
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods_events import Events
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_ready import readiness
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import Scene, scene_of

TRACKED = ("Deployment", "StatefulSet", "DaemonSet", "Pod")


def ask(check: Mapping[str, Any], reach: Reach) -> Look:
    """Look once."""
    start = time.monotonic()
    try:
        return _asked(check, reach.client(), start)
    except GoliveError as error:
        return of_way(error)


def _asked(check: Mapping[str, Any], client: Client, start: float) -> Look:
    place = check["object"]
    path = client.path_of(place["api_version"], place["kind"], place["namespace"], place["name"])
    found = client.request("GET", path, retry=False, timeout=check["timeout"])
    obj = {**found, "kind": place["kind"]}
    seconds = time.monotonic() - start
    values: dict[str, Any] = {}
    faults = []
    for kind, wanted in check["conditions"].items():
        values[kind] = pods.condition(obj, kind).get("status")
        faults.append(compare(f"condition {kind}", values[kind], {"equals": wanted}))
    for rule in check["expect"]:
        values[rule["name"]] = plain_value(value_at(obj, parse_path(rule["name"])))
        faults.append(compare(rule["name"], values[rule["name"]], rule))
    if check["rolled_out"] or check["max_restarts"] is not None:
        scene = _scene(client, obj)
        if check["rolled_out"]:
            state = readiness(scene, 1)
            values["ready"] = f"{state.have} of {state.want}"
            faults.append("" if state.ready else f"not rolled out: {state.detail}")
        if check["max_restarts"] is not None:
            values["restarts"] = sum(
                int(row.get("restartCount") or 0) for pod in scene.pods for row in pods.container_statuses(pod)
            )
            faults.append(compare("restarts", values["restarts"], {"max": check["max_restarts"]}))
    return judged(filter(None, faults), "as wanted", seconds, check["max_latency"], values)


def _scene(client: Client, obj: dict[str, Any]) -> Scene:
    namespace = obj["metadata"]["namespace"]
    lists = [("v1", "Pod"), ("apps/v1", "ReplicaSet"), ("apps/v1", "ControllerRevision")]
    needed = {"Deployment": lists[:2], "DaemonSet": [lists[0], lists[2]]}.get(obj["kind"], lists[:1])
    found = {kind: client.list(client.path_of(version, kind, namespace)) for version, kind in needed}
    return scene_of(
        obj,
        all_pods=found["Pod"],
        replica_sets=found.get("ReplicaSet", []),
        revisions=found.get("ControllerRevision", []),
        events=Events(),
        claims=(),
    )
