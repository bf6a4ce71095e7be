# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts read from a pod object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_REPORT_S = 5.0
_TAKEN_AWAY = (
    "Evicted",
    "NodeAffinity",
    "NodeLost",
    "NodeShutdown",
    "OutOfcpu",
    "OutOfmemory",
    "OutOfpods",
    "Preempting",
    "Terminated",
    "UnexpectedAdmissionError",
)
_STARTING = ("ContainerCreating", "PodInitializing")
# UID, time of the Ready condition as the API writes it, restarts: another one once the pod was unready or restarted.
Steady = tuple[str, str, int]


def owned_by(obj: dict[str, Any], uid: str) -> bool:
    """Whether ``uid`` is the controller of ``obj``. Labels never decide this: another object may carry the same."""
    references = obj["metadata"].get("ownerReferences") or []
    return any(row["uid"] == uid and row.get("controller") for row in references)


def condition(obj: dict[str, Any], kind: str) -> dict[str, Any]:
    """The status condition of that type; empty when it was never written."""
    rows = (obj.get("status") or {}).get("conditions") or []
    return next((row for row in rows if row["type"] == kind), {})


def is_true(obj: dict[str, Any], kind: str) -> bool:
    """Whether the condition of that type is True."""
    return condition(obj, kind).get("status") == "True"


def is_deleting(obj: dict[str, Any]) -> bool:
    """Whether a deletion was asked for."""
    return bool(obj["metadata"].get("deletionTimestamp"))


def gates_missing(pod: dict[str, Any]) -> list[str]:
    """Readiness gates that are not True; a GKE gate is True only with its own reason (it also times out to True)."""
    names = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    return [name for name in names if not _gate_open(pod, name)]


def _gate_open(pod: dict[str, Any], name: str) -> bool:
    if name == "cloud.google.com/load-balancer-neg-ready":
        return is_true(pod, name) and condition(pod, name).get("reason") == "LoadBalancerNegReady"
    return is_true(pod, name)


def is_ready(pod: dict[str, Any]) -> bool:
    """Ready as a user means it: the condition, every gate, every container reported, and not being deleted."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return (
        is_true(pod, "Ready")
        and not is_deleting(pod)
        and not gates_missing(pod)
        and len(statuses) == len(pod["spec"]["containers"])
        and all(row.get("ready") for row in statuses)
    )


def container_statuses(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Statuses of init containers, then of containers."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def container_specs(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Specs of init containers and containers by name."""
    rows = [*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"]]
    return {row["name"]: row for row in rows}


def runs_once(pod: dict[str, Any], container: str) -> bool:
    """Whether an exit with 0 of that container is its normal end: init containers that are not sidecars."""
    inits = pod["spec"].get("initContainers") or []
    return any(row["name"] == container and row.get("restartPolicy") != "Always" for row in inits)


def state_of(status: dict[str, Any], name: str) -> dict[str, Any]:
    """The current ``waiting``, ``running`` or ``terminated`` state; empty when it is not in it."""
    return (status.get("state") or {}).get(name) or {}


def last_end(status: dict[str, Any]) -> dict[str, Any]:
    """How a container ended last: its current or its previous terminated state; empty when it never ended."""
    return state_of(status, "terminated") or (status.get("lastState") or {}).get("terminated") or {}


def exits(status: dict[str, Any]) -> int:
    """How often a container has ended: its restarts, and its present end when it is not running again."""
    ended_now = not state_of(status, "running") and bool(last_end(status))
    return int(status.get("restartCount") or 0) + int(ended_now)


def restarts(pod: dict[str, Any]) -> int:
    """Restarts of all containers together."""
    return sum(int(row.get("restartCount") or 0) for row in container_statuses(pod))


def is_starting(pod: dict[str, Any]) -> bool:
    """Whether a scheduled pod still waits for its sandbox or volumes."""
    if (pod.get("status") or {}).get("phase") != "Pending" or not pod["spec"].get("nodeName"):
        return False
    reasons = [state_of(row, "waiting").get("reason") for row in container_statuses(pod)]
    return not reasons or any(reason in _STARTING for reason in reasons)


def summary(pod: dict[str, Any]) -> str:
    """The state of a pod in one or two words, as ``kubectl get pods`` shows it."""
    status = pod.get("status") or {}
    if is_deleting(pod):
        return "Terminating"
    if status.get("reason"):
        return str(status["reason"])
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return str(scheduled.get("reason") or "not scheduled")
    for row in container_statuses(pod):
        waiting, ended = state_of(row, "waiting"), state_of(row, "terminated")
        if waiting.get("reason"):
            return str(waiting["reason"])
        if ended and not (ended.get("exitCode") == 0 and runs_once(pod, row["name"])):
            return str(ended.get("reason") or f"exit {ended.get('exitCode')}")
    if status.get("phase") == "Running":
        return "Ready" if is_ready(pod) else "not ready"
    return str(status.get("phase") or "Pending")


def ready_allowance(pod: dict[str, Any]) -> float:
    """Seconds a running pod may take to become Ready by its own probes, with a tenth and five seconds on top.

    The slowest container decides: startup (initial + period × failures + timeout) + readiness (initial + period ×
    (failures + successes) + timeout). The five seconds are for the node to report.
    """
    return _REPORT_S + 1.1 * max(_container_allowance(row) for row in container_specs(pod).values())


def _container_allowance(spec: dict[str, Any]) -> float:
    startup, readiness = spec.get("startupProbe"), spec.get("readinessProbe")
    total = 0.0
    if startup:
        total += _initial(startup) + _number(startup, "periodSeconds", 10) * _number(startup, "failureThreshold", 3)
    if readiness:
        looks = _number(readiness, "failureThreshold", 3) + _number(readiness, "successThreshold", 1)
        total += _initial(readiness) + _number(readiness, "periodSeconds", 10) * looks
    return total


def _initial(probe: dict[str, Any]) -> float:
    return _number(probe, "initialDelaySeconds", 0) + _number(probe, "timeoutSeconds", 1)


def _number(probe: dict[str, Any], name: str, default: float) -> float:
    return float(probe.get(name) or default)


def rows(pods: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a result says of each pod."""
    return [
        {
            "name": pod["metadata"]["name"],
            "namespace": pod["metadata"].get("namespace", ""),
            "uid": pod["metadata"]["uid"],
            "node": pod["spec"].get("nodeName") or "",
            "phase": (pod.get("status") or {}).get("phase") or "",
            "ready": is_ready(pod),
            "ready_since": condition(pod, "Ready").get("lastTransitionTime") if is_ready(pod) else None,
            "restarts": restarts(pod),
            "state": summary(pod),
        }
        for pod in sorted(pods, key=lambda pod: str(pod["metadata"]["name"]))
    ]


def is_disrupted(pod: dict[str, Any]) -> bool:
    """Whether the cluster took the pod away or its node refused it: evicted, preempted, node lost or full."""
    reason = (pod.get("status") or {}).get("reason")
    return reason in _TAKEN_AWAY or is_true(pod, "DisruptionTarget")


def uses_claim(pod: dict[str, Any], claim: dict[str, Any]) -> bool:
    """Whether the pod mounts that claim (of the same namespace), also as an ephemeral volume of its own."""
    volumes = pod["spec"].get("volumes") or []
    named = [(row.get("persistentVolumeClaim") or {}).get("claimName") for row in volumes]
    own = [f"{pod['metadata']['name']}-{row['name']}" for row in volumes if "ephemeral" in row]
    return claim["metadata"]["name"] in (*named, *own)
