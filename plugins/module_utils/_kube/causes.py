# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can stop a rollout: codes, whose fault they are, and what to try."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

# R the release's fault, C its configuration or a dependency, K capacity, I infrastructure (never blame the release).
CLASSES = {
    "image_name_invalid": "R",
    "image_never_pull": "R",
    "image_not_found": "R",
    "image_platform": "R",
    "image_denied": "C",
    "image_registry_unknown": "I",
    "image_unreachable": "I",
    "config_missing": "C",
    "container_start_failed": "R",
    "crash_loop": "R",
    "oom_killed": "R",
    "probe_killed": "R",
    "never_ready": "R",
    "gate_closed": "C",
    "gate_unknown": "I",
    "unschedulable": "K",
    "scheduling_gated": "K",
    "quota_exceeded": "C",
    "pod_security": "C",
    "service_account_missing": "C",
    "webhook_refused": "C",
    "webhook_unreachable": "I",
    "pod_create_failed": "C",
    "pvc_unprovisionable": "C",
    "pvc_pending": "I",
    "pvc_lost": "I",
    "mount_failed": "I",
    "sandbox_failed": "I",
    "disrupted": "I",
    "progress_deadline": "R",
    "paused": "C",
    "suspended": "C",
    "nothing_runs": "C",
    "on_delete": "C",
    "statefulset_stuck": "R",
    "controller_behind": "I",
    "api_unreachable": "I",
    "deleted": "C",
    "not_found": "C",
    "job_backoff_limit": "R",
    "job_deadline": "R",
    "job_pod_failure_policy": "R",
    "job_failed": "R",
    "timeout": "",
}

HINTS = {
    "image_name_invalid": "Correct the image reference; it is not a valid name.",
    "image_never_pull": "Load the image onto the nodes, or use another imagePullPolicy than Never.",
    "image_not_found": "Push that tag, or name one that exists.",
    "image_platform": "Build the image for the architecture of the nodes.",
    "image_denied": "Check the image name and the imagePullSecrets of the pod's ServiceAccount.",
    "image_registry_unknown": "Check the registry's name in the image reference; if it is right, see the node's DNS.",
    "image_unreachable": "The node cannot reach the registry; run again once it answers.",
    "config_missing": "Create what the message names, or correct the reference to it.",
    "container_start_failed": "Check command, arguments and mounts of the container.",
    "crash_loop": "The log lines tell why the process ends; correct the release or its settings.",
    "oom_killed": "Raise the container's memory limit, or make it use less.",
    "probe_killed": "The probe's own limits are too tight, or the process hangs; see the probe's message.",
    "never_ready": "See the readiness probe's message and the log lines.",
    "gate_closed": "The gate's controller holds the pod back; look at its target's health.",
    "gate_unknown": "Nothing ever wrote this gate: check that its controller runs.",
    "unschedulable": "Add nodes, or lower requests, or relax node selectors, affinity and tolerations.",
    "scheduling_gated": "The gate's owner must remove it before the pod can be scheduled.",
    "quota_exceeded": "Raise the ResourceQuota of the namespace, or lower replicas or requests.",
    "pod_security": "Harden the pod until the namespace's Pod Security level admits it.",
    "service_account_missing": "Create the ServiceAccount the pod names.",
    "webhook_refused": "The cluster's own rules refused the pod; the message names the rule.",
    "webhook_unreachable": "An admission webhook does not answer; run again once its service is up.",
    "pod_create_failed": "The message is the API server's reason; correct the pod template or the namespace.",
    "pvc_unprovisionable": "Name a StorageClass that exists, or set a default one.",
    "pvc_pending": "Check the storage provisioner; the claim is still waiting for its volume.",
    "pvc_lost": "The volume behind the claim is gone; restore it from a backup.",
    "mount_failed": "Check the volume and the node; run again once the volume can be mounted.",
    "sandbox_failed": "The node cannot set up the pod's network; check its CNI and free addresses.",
    "disrupted": "Pods are being evicted; run again once the nodes are calm.",
    "progress_deadline": "No pod made progress in time; look at the pods' states.",
    "paused": "Resume the rollout first: kubectl rollout resume.",
    "suspended": "Set spec.suspend of the Job to false.",
    "nothing_runs": "Raise the replicas or correct the node selector; min_count 0 accepts an empty workload.",
    "on_delete": "With updateStrategy OnDelete nobody replaces the old pods: delete them, or use RollingUpdate.",
    "statefulset_stuck": "Revert the pod template, then delete that pod: its controller will not replace it.",
    "controller_behind": "The cluster's controller manager does not work on the object; check that it runs.",
    "api_unreachable": "The API server stopped answering; run again once it does.",
    "deleted": "Something else deleted the object while it was tracked; apply it again.",
    "not_found": "Apply the object first, or set missing to wait.",
    "job_backoff_limit": "The log lines tell why the Job's pods fail.",
    "job_deadline": "The Job ran longer than activeDeadlineSeconds; raise it or make the work smaller.",
    "job_pod_failure_policy": "The Job's podFailurePolicy ended it; the log lines tell why.",
    "job_failed": "The log lines tell why the Job failed.",
    "timeout": "Raise timeout, or look at what was seen last.",
}

NEVER = math.inf


@dataclass(frozen=True)
class Finding:
    """A trouble seen in one look.

    It becomes the cause once it has lasted ``after`` seconds: 0 at once, NEVER not by itself.
    """

    code: str
    uid: str
    namespace: str
    object: str
    message: str
    after: float = 0.0
    container: str = ""
    hint: str = ""

    @property
    def cause_class(self) -> str:
        """R, C, K or I."""
        return CLASSES[self.code]

    @property
    def advice(self) -> str:
        """What to try."""
        return self.hint or HINTS[self.code]


def finding(obj: dict[str, Any], code: str, message: str, after: float = 0.0, container: str = "") -> Finding:
    """A finding about ``obj``, or about one of its containers."""
    meta = obj["metadata"]
    return Finding(
        code=code,
        uid=str(meta["uid"]),
        namespace=str(meta.get("namespace", "")),
        object=f"{obj.get('kind')}/{meta['name']}",
        message=message,
        after=after,
        container=container,
    )
