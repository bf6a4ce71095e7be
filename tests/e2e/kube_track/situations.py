# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads that cannot succeed, one for each thing that goes wrong, made of the test images."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.conftest import kubectl

LABEL = "app.kubernetes.io/name"
Manifest = dict[str, Any]


def shell_image() -> str:
    """An image of the cluster's contract with a shell in it."""
    return f"{os.environ['GOLIVE_IMAGE_PREFIX']}/postgres:15"


def container(script: str = "exec sleep 3600", **others: Any) -> Manifest:
    """A container that runs a shell script."""
    return {
        "name": "app",
        "image": shell_image(),
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}},
        **others,
    }


def pod_spec(*containers: Manifest, **others: Any) -> Manifest:
    """A pod spec that ends quickly."""
    return {"terminationGracePeriodSeconds": 1, "containers": list(containers) or [container()], **others}


def deployment(name: str, spec: Manifest | None = None, **others: Any) -> Manifest:
    """A Deployment of one replica; ``others`` go into its spec."""
    return _workload("Deployment", name, spec, {"replicas": 1, **others})


def stateful_set(name: str, spec: Manifest | None = None, **others: Any) -> Manifest:
    """A StatefulSet of one replica."""
    return _workload("StatefulSet", name, spec, {"replicas": 1, "serviceName": name, **others})


def daemon_set(name: str, spec: Manifest | None = None, **others: Any) -> Manifest:
    """A DaemonSet."""
    return _workload("DaemonSet", name, spec, others)


def job(name: str, spec: Manifest, **others: Any) -> Manifest:
    """A Job whose pods are never restarted in place."""
    template = {"metadata": {"labels": {LABEL: name}}, "spec": {"restartPolicy": "Never", **spec}}
    spec = {"backoffLimit": 0, "template": template, **others}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def claim(name: str, storage_class: str | None = None) -> Manifest:
    """A small PersistentVolumeClaim; without a class that of the contract."""
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Mi"}},
        "storageClassName": storage_class or os.environ["GOLIVE_STORAGE_CLASS"],
    }
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def _workload(kind: str, name: str, spec: Manifest | None, others: Manifest) -> Manifest:
    labels = {LABEL: name}
    template = {"metadata": {"labels": labels}, "spec": spec or pod_spec()}
    spec = {"selector": {"matchLabels": labels}, "template": template, **others}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def probe(script: str, **others: Any) -> Manifest:
    """A probe that runs a script every second."""
    return {"exec": {"command": ["sh", "-c", script]}, "periodSeconds": 1, "failureThreshold": 1, **others}


def apply(space: str, *objects: Manifest) -> None:
    """Create or change objects in a namespace, with the cluster's own client."""
    for obj in objects:
        kubectl("-n", space, "apply", "--server-side", "-f", "-", stdin=json.dumps(obj))


@dataclass(frozen=True)
class Situation:
    """What is created, what must be named as its cause, and within how many seconds of the tracking's start.

    ``seconds`` has room above the rule's own time for a machine that does other things too.
    """

    make: Callable[[str], list[Manifest]]
    code: str
    cause_class: str
    seconds: float
    verdict: str = "failure"
    options: dict[str, Any] = field(default_factory=dict)
    logs: str = ""
    says: str = ""


def _one(
    build: Callable[..., Manifest], spec: Callable[[], Manifest], **others: Any
) -> Callable[[str], list[Manifest]]:
    return lambda name: [build(name, spec(), **others)]


def _with(**fields: Any) -> Callable[[], Manifest]:
    return lambda: pod_spec(container(**fields))


def _image(image: str, policy: str = "IfNotPresent") -> Callable[[], Manifest]:
    return lambda: pod_spec(container(image=image, imagePullPolicy=policy))


def _secret_key() -> Manifest:
    reference = {"name": "absent", "key": "password"}
    return pod_spec(container(env=[{"name": "PASSWORD", "valueFrom": {"secretKeyRef": reference}}]))


def _secret_volume() -> Manifest:
    mounts = [{"name": "keys", "mountPath": "/keys"}]
    return pod_spec(container(volumeMounts=mounts), volumes=[{"name": "keys", "secret": {"secretName": "absent"}}])


def _claim_user(name: str) -> list[Manifest]:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]
    return [deployment(name, pod_spec(volumes=volumes)), claim(name, "no-such-class")]


SITUATIONS = {
    "unknown-registry": Situation(
        _one(deployment, _image("registry.invalid/notes:1")), "image_registry_unknown", "I", 10, "inconclusive"
    ),
    "invalid-name": Situation(_one(deployment, _image("registry.invalid/Notes:1")), "image_name_invalid", "R", 10),
    "never-pull": Situation(_one(deployment, _image("registry.invalid/notes:1", "Never")), "image_never_pull", "R", 10),
    "crash": Situation(
        _one(deployment, _with(script="echo cannot find the settings; sleep 1; exit 7")),
        "crash_loop",
        "R",
        40,
        logs="cannot find the settings",
        says="exit code 7",
    ),
    "ready-then-crash": Situation(
        _one(deployment, _with(script="sleep 2; exit 1")), "crash_loop", "R", 40, options={"soak": 20}
    ),
    "init-fails": Situation(
        _one(deployment, lambda: pod_spec(initContainers=[container("exit 4") | {"name": "prepare"}])),
        "crash_loop",
        "R",
        40,
        says="prepare",
    ),
    "no-command": Situation(
        _one(deployment, _with(command=["/no/such/program"])), "container_start_failed", "R", 30, says="no such file"
    ),
    "no-secret": Situation(_one(deployment, _secret_key), "config_missing", "C", 30, says='secret "absent" not found'),
    "volume-without-secret": Situation(_one(deployment, _secret_volume), "config_missing", "C", 30, says="absent"),
    "out-of-memory": Situation(
        _one(deployment, _with(script="exec tail /dev/zero", resources={"limits": {"memory": "16Mi"}})),
        "oom_killed",
        "R",
        30,
        says="16Mi",
    ),
    "liveness": Situation(
        _one(deployment, _with(livenessProbe=probe("echo hangs; exit 1"))),
        "probe_killed",
        "R",
        40,
        options={"soak": 15},
        says="hangs",
    ),
    "never-ready": Situation(
        _one(deployment, _with(script="echo no database; exec sleep 3600", readinessProbe=probe("echo waits; exit 1"))),
        "never_ready",
        "R",
        25,
        logs="no database",
        says="waits",
    ),
    "closed-gate": Situation(
        _one(deployment, lambda: pod_spec(readinessGates=[{"conditionType": "example.org/balancer"}])),
        "gate_unknown",
        "I",
        20,
        "inconclusive",
        {"limits": {"gate": 5}},
        says="example.org/balancer",
    ),
    "no-node": Situation(
        _one(deployment, lambda: pod_spec(nodeSelector={"example.org/disk": "fast"})), "unschedulable", "K", 20
    ),
    "gated": Situation(
        _one(deployment, lambda: pod_spec(schedulingGates=[{"name": "example.org/budget"}])),
        "timeout",
        "",
        10,
        "timeout",
        {"timeout": 4},
        says="example.org/budget",
    ),
    "no-account": Situation(
        _one(deployment, lambda: pod_spec(serviceAccountName="absent")), "service_account_missing", "C", 12
    ),
    "no-volume": Situation(
        _claim_user, "pvc_unprovisionable", "C", 20, options={"limits": {"volume_claim": 6}}, says="no-such-class"
    ),
    "paused": Situation(lambda name: [deployment(name, paused=True)], "paused", "C", 5),
    "no-replicas": Situation(lambda name: [deployment(name, replicas=0)], "nothing_runs", "C", 5),
    "daemon-without-node": Situation(
        _one(daemon_set, lambda: pod_spec(nodeSelector={"example.org/disk": "fast"})), "nothing_runs", "C", 5
    ),
    "absent": Situation(lambda name: [], "not_found", "C", 5),
    "job-fails": Situation(
        _one(job, _with(script="echo division by zero; exit 3")),
        "job_backoff_limit",
        "R",
        20,
        logs="division by zero",
    ),
    "job-too-long": Situation(_one(job, pod_spec, activeDeadlineSeconds=2), "job_deadline", "R", 15),
    "job-suspended": Situation(_one(job, pod_spec, suspend=True), "suspended", "C", 5),
    "job-image": Situation(_one(job, _image("registry.invalid/Notes:1")), "image_name_invalid", "R", 10),
    "stateful-crash": Situation(_one(stateful_set, _with(script="exit 1")), "crash_loop", "R", 40),
}
