# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps a workload from arriving that no pod shows: the object rows of the fail-fast table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes import Finding, finding
from ansible_collections.golive.cutover.plugins.module_utils._kube.causes_claim import claim_finding
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_limits import Limits
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_ready import wanted
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import Scene

_JOB_REASONS = {
    "BackoffLimitExceeded": "job_backoff_limit",
    "DeadlineExceeded": "job_deadline",
    "PodFailurePolicy": "job_pod_failure_policy",
}
_REFUSALS = (
    (re.compile(r"exceeded quota"), "quota_exceeded"),
    (re.compile(r"violates PodSecurity"), "pod_security"),
    (
        re.compile(r"serviceaccount .*not found|error looking up service account", re.IGNORECASE),
        "service_account_missing",
    ),
    (re.compile(r"failed calling webhook"), "webhook_unreachable"),
    (re.compile(r"admission webhook .* denied|ValidatingAdmissionPolicy", re.IGNORECASE), "webhook_refused"),
)


def refusal_code(message: str) -> str:
    """The code for the API server's reason not to create a pod."""
    return next((code for pattern, code in _REFUSALS if pattern.search(message)), "pod_create_failed")


def workload_findings(scene: Scene, limits: Limits, min_count: int) -> Iterator[Finding]:
    """Everything that is wrong with the object itself right now."""
    if not scene.observed:
        message = "The controller has not looked at the present generation."
        yield finding(scene.obj, "controller_behind", message, limits.observe)
        return
    if scene.kind == "PersistentVolumeClaim":
        if scene.status.get("phase") != "Bound":
            yield claim_finding(scene.obj, scene.events, limits, awaited=bool(scene.pods))
        return
    if scene.kind == "Job":
        yield from _job(scene)
    elif scene.kind != "Pod":
        yield from _resting(scene, min_count)
    yield from _creation(scene, limits)
    if scene.kind == "Deployment":
        yield from _deadline(scene)


def _job(scene: Scene) -> Iterator[Finding]:
    for kind in ("Failed", "FailureTarget"):
        row = pods.condition(scene.obj, kind)
        if row.get("status") == "True":
            reason = str(row.get("reason") or "")
            message = f"{reason}: {row.get('message') or 'no message'}"
            yield finding(scene.obj, _JOB_REASONS.get(reason, "job_failed"), message)
            return
    if scene.spec.get("suspend"):
        yield finding(scene.obj, "suspended", "The Job is suspended.")


def _resting(scene: Scene, min_count: int) -> Iterator[Finding]:
    """States in which nothing will ever move."""
    if scene.spec.get("paused"):
        yield finding(scene.obj, "paused", "The rollout is paused.")
    if wanted(scene) < min_count:
        message = f"The object asks for {wanted(scene)} pods, at least {min_count} must be ready."
        yield finding(scene.obj, "nothing_runs", message)
    strategy = (scene.spec.get("updateStrategy") or {}).get("type")
    old = [pod["metadata"]["name"] for pod in scene.former if not pods.is_deleting(pod)]
    if strategy == "OnDelete" and old:
        yield finding(scene.obj, "on_delete", f"{len(old)} pods still run the old revision: {', '.join(old[:3])}.")


def _creation(scene: Scene, limits: Limits) -> Iterator[Finding]:
    message = _refused(scene)
    if not message:
        return
    code = refusal_code(message)
    leaving = any(pods.is_deleting(pod) for pod in scene.former)
    if code == "quota_exceeded" and leaving:
        return
    after = limits.api if code == "webhook_unreachable" else limits.create
    yield finding(scene.owner or scene.obj, code, message, after)


def _refused(scene: Scene) -> str:
    """The API server's last word on creating a pod; empty when pods can be created.

    A ReplicaSet keeps it as a condition. The other controllers only leave events, and an event stays after it healed:
    it counts while pods are missing and nothing was created since.
    """
    if scene.kind == "Deployment":
        progress = pods.condition(scene.obj, "Progressing")
        if progress.get("reason") == "ReplicaSetCreateError":
            return str(progress.get("message"))
        row = pods.condition(scene.owner or scene.obj, "ReplicaFailure")
        return str(row.get("message") or row.get("reason")) if row.get("status") == "True" else ""
    if scene.kind == "Job":
        missing = not scene.pods and not scene.former
    else:
        ordered = scene.kind == "StatefulSet" and scene.spec.get("podManagementPolicy") != "Parallel"
        waits = ordered and any(not pods.is_ready(pod) for pod in scene.pods)
        missing = len(scene.pods) < wanted(scene) and not waits
    last: dict[str, Any] = scene.events.last(scene.uid, "FailedCreate", "SuccessfulCreate")
    return str(last["message"]) if missing and last.get("reason") == "FailedCreate" else ""


def _deadline(scene: Scene) -> Iterator[Finding]:
    row = pods.condition(scene.obj, "Progressing")
    if row.get("status") == "False" and row.get("reason") == "ProgressDeadlineExceeded":
        yield finding(scene.obj, "progress_deadline", str(row.get("message") or row["reason"]))
