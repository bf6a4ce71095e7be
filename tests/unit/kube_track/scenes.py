# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes for the judge: recorded on a real cluster, or small ones that a test changes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.pods_events import Events
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_judge import Judge, Seen
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import Limits
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_patience import Soak
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import Scene, scene_of
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import Target

RECORDED = Path(__file__).parent / "recorded"
TARGET = Target("Deployment", "shop", "default")
RUNNING = {"startedAt": "2026-01-01T00:00:00Z"}
Object = dict[str, Any]


def recorded(name: str) -> Scene:
    """A scene of tests/e2e/kube_track/record.py."""
    found = json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))
    return scene_of(
        found["object"],
        all_pods=found["pods"],
        replica_sets=found["replicasets"],
        revisions=found["controllerrevisions"],
        events=Events(found["events"]),
        claims=found["persistentvolumeclaims"],
    )


def judge(soak: float = 0.0, **options: Any) -> Judge:
    """A judge with default limits."""
    limits = Limits(**options.pop("limits", {}))
    return Judge(limits, Soak(soak, None), **options)


def look(one: Judge, scene: Scene | None, now: float = 0.0) -> Seen:
    """One look at one object."""
    return one.look({TARGET: scene}, now)


def owner(uid: str) -> list[Object]:
    """Owner references to a controller."""
    return [{"kind": "Any", "name": "any", "uid": uid, "controller": True}]


def pod(uid: str = "pod-1", of: str = "rs-2", ready: bool = True, **fields: Any) -> Object:
    """A running pod of one container without probes; ``fields`` replace parts of its status."""
    state = "True" if ready else "False"
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "ContainersReady", "status": state}]
    conditions.append({"type": "Ready", "status": state, "lastTransitionTime": "2026-01-01T00:00:00Z"})
    status = {
        "phase": "Running",
        "conditions": conditions,
        "containerStatuses": [{"name": "app", "ready": ready, "restartCount": 0, "state": {"running": RUNNING}}],
    }
    return {
        "kind": "Pod",
        "metadata": {"uid": uid, "name": uid, "namespace": "default", "ownerReferences": owner(of), "labels": {}},
        "spec": {"nodeName": "node", "containers": [{"name": "app", "image": "example.org/app:1"}]},
        "status": {**status, **fields},
    }


def with_container(obj: Object, **status: Any) -> Object:
    """The same pod with another status of its container."""
    changed = copy.deepcopy(obj)
    changed["status"]["containerStatuses"][0].update(status)
    return changed


def deployment(want: int = 1, **status: Any) -> Object:
    """A Deployment whose status says that all is well, unless told otherwise."""
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {
        "kind": "Deployment",
        "metadata": {
            "uid": "dep",
            "name": "shop",
            "namespace": "default",
            "generation": 2,
            "annotations": {"deployment.kubernetes.io/revision": "2"},
        },
        "spec": {"replicas": want},
        "status": {"observedGeneration": 2, **dict.fromkeys(counts, want), **status},
    }


def replica_set(uid: str = "rs-2", revision: str = "2", of: str = "dep", **status: Any) -> Object:
    """One of its ReplicaSets."""
    annotations = {"deployment.kubernetes.io/revision": revision}
    meta = {"uid": uid, "name": uid, "namespace": "default", "ownerReferences": owner(of), "annotations": annotations}
    return {"kind": "ReplicaSet", "metadata": meta, "spec": {}, "status": status}


def event(uid: str, reason: str, message: str = "", count: int = 1, container: str = "", version: int = 1) -> Object:
    """An event about an object."""
    about = {"uid": uid, "fieldPath": f"spec.containers{{{container}}}" if container else ""}
    meta = {"name": f"{uid}.{reason}.{version}", "resourceVersion": str(version)}
    return {"metadata": meta, "involvedObject": about, "reason": reason, "message": message, "count": count}


def scene(
    obj: Object, *pods: Object, sets: list[Object] | None = None, events: tuple[Object, ...] = (), **more: Any
) -> Scene:
    """A scene of these objects; a Deployment gets one ReplicaSet unless told otherwise."""
    return scene_of(
        obj,
        all_pods=pods,
        replica_sets=[replica_set()] if sets is None else sets,
        revisions=more.get("revisions", []),
        events=Events(events),
        claims=more.get("claims", []),
    )
