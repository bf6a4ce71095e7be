# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a tracked object has arrived: full rollout rules, so that nothing is ready too early."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes_claim import waits_for_consumer
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import Scene

COMPLETE, READY = "complete", "ready"


@dataclass(frozen=True)
class Readiness:
    """``have`` of ``want`` parts are there; ``detail`` says what is missing. Ready only when nothing is."""

    ready: bool
    have: int
    want: int
    detail: str


def readiness(scene: Scene, min_count: int, job_until: str = COMPLETE) -> Readiness:
    """Judge one object. Asking for fewer pods than ``min_count`` is never ready: an empty workload is not green.

    ``job_until`` is when a Job has arrived: ``complete``, or ``ready`` for one that works on while others go on.
    """
    if not scene.observed:
        return Readiness(False, 0, 1, "the controller has not seen the change yet")
    if scene.kind == "Job":
        return _job(scene, job_until)
    if scene.kind == "PersistentVolumeClaim":
        return _claim(scene)
    if scene.kind == "Pod":
        return _counted(scene, 1, {}, min_count)
    judge = {"Deployment": _deployment, "StatefulSet": _stateful_set, "DaemonSet": _daemon_set}[scene.kind]
    return judge(scene, min_count)


def wanted(scene: Scene) -> int:
    """How many pods the object wants; a DaemonSet wants what its controller counted."""
    if scene.kind == "DaemonSet":
        return int(scene.status.get("desiredNumberScheduled") or 0)
    replicas = scene.spec.get("replicas")
    return 1 if replicas is None else int(replicas)


def _deployment(scene: Scene, min_count: int) -> Readiness:
    if scene.spec.get("paused"):
        return Readiness(False, 0, wanted(scene), "the rollout is paused")
    fields = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    want = wanted(scene)
    return _counted(scene, want, dict.fromkeys(fields, want) | {"unavailableReplicas": 0}, min_count)


def _stateful_set(scene: Scene, min_count: int) -> Readiness:
    want = wanted(scene)
    rolling = (scene.spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
    one_revision = scene.status.get("updateRevision") == scene.status.get("currentRevision")
    new = want if one_revision else max(0, want - int(rolling.get("partition") or 0))
    counts = {"replicas": want, "readyReplicas": want, "availableReplicas": want}
    return _counted(scene, want, counts, min_count, new)


def _daemon_set(scene: Scene, min_count: int) -> Readiness:
    want = wanted(scene)
    names = ("currentNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable")
    return _counted(scene, want, dict.fromkeys(names, want) | {"numberUnavailable": 0}, min_count)


def _counted(scene: Scene, want: int, counts: dict[str, int], min_count: int, new: int | None = None) -> Readiness:
    expected = want if new is None else new
    ready = [pod for pod in scene.pods if pods.is_ready(pod)]
    unready = [pod for pod in scene.pods if not pods.is_ready(pod)]
    status = {name: int(scene.status.get(name) or 0) for name in counts}
    wrong = [f"{name} {value}" for name, value in status.items() if value != counts[name]]
    if want < min_count:
        return Readiness(False, len(ready), min_count, f"{want} replicas are asked for")
    if unready:
        pod = unready[0]
        return Readiness(False, len(ready), expected, f"{pod['metadata']['name']}: {pods.summary(pod)}")
    if len(ready) != expected:
        waits = f"{len(scene.former)} older pods" if scene.former else "no pod yet"
        return Readiness(False, len(ready), expected, waits if not ready else f"{len(ready)} of {expected} pods")
    if wrong:
        return Readiness(False, len(ready), expected, f"status still says {', '.join(wrong)}")
    return Readiness(True, len(ready), expected, "ready")


def _job(scene: Scene, until: str) -> Readiness:
    want = int(scene.spec.get("completions") or 1)
    have = int(scene.status.get("succeeded") or 0)
    if pods.is_true(scene.obj, "Complete"):
        return Readiness(True, have, want, "complete")
    if until == READY and any(pods.is_ready(pod) for pod in scene.pods):
        return Readiness(True, 1, 1, "ready")
    running = [pod for pod in scene.pods if (pod.get("status") or {}).get("phase") in ("Pending", "Running")]
    detail = "no pod yet"
    if running:
        detail = f"{running[0]['metadata']['name']}: {_working(running[0])}"
    elif scene.pods:
        detail = "pods have ended, the Job has not"
    return Readiness(False, have, want, detail)


def _working(pod: dict[str, object]) -> str:
    state = pods.summary(pod)
    return "running" if state in ("Ready", "not ready") else state


def _claim(scene: Scene) -> Readiness:
    phase = str(scene.status.get("phase") or "Pending")
    if phase == "Bound":
        return Readiness(True, 1, 1, "bound")
    if phase == "Pending" and waits_for_consumer(scene.obj, scene.events) and not scene.pods:
        return Readiness(True, 1, 1, "waits for its first pod")
    return Readiness(False, 0, 1, phase)
