# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One colour: its Deployment, current ReplicaSet and pods, and whether it is really up; reference section 2.3, R1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import COLOURS

REVISION = "deployment.kubernetes.io/revision"
# A pod that was Ready this much longer than asked by the wall clock was so by any sane clock.
_CLOCK_MARGIN_S = 60.0


@dataclass(frozen=True)
class Pod:
    """What matters of a pod. ``closed_gates`` are readiness gates that are not True; ``ready_at`` an RFC 3339 time."""

    uid: str
    name: str
    node: str | None
    ready: bool
    deleting: bool
    restarts: int
    closed_gates: tuple[str, ...]
    ready_at: str | None

    @property
    def steady(self) -> pods.Steady:
        """What is another one as soon as the pod was not Ready, or a container of it started again."""
        return (self.uid, self.ready_at or "", self.restarts)


@dataclass(frozen=True)
class Colour:
    """One colour as read; no Deployment is None. ``pods`` are those of the current ReplicaSet."""

    name: str
    deployment_name: str
    deployment: Mapping[str, Any] | None
    replica_set: str | None = None
    pods: tuple[Pod, ...] = field(default=())

    @property
    def wanted(self) -> int:
        """``spec.replicas``; 0 without a Deployment."""
        spec = (self.deployment or {}).get("spec") or {}
        return int(spec.get("replicas", 1)) if spec else 0

    @property
    def current(self) -> int:
        """``status.replicas``: pods that exist now."""
        return self._status("replicas")

    @property
    def ready(self) -> int:
        """``status.readyReplicas``."""
        return self._status("readyReplicas")

    @property
    def ready_pods(self) -> tuple[Pod, ...]:
        """Pods of the current ReplicaSet that the Service may use."""
        return tuple(pod for pod in self.pods if pod.ready and not pod.deleting)

    @property
    def identity(self) -> str | None:
        """The Deployment at its revision: another value means that it runs something else than before."""
        return f"{self.deployment['metadata']['uid']}.{self.note(REVISION)}" if self.deployment else None

    def note(self, key: str) -> str | None:
        """An annotation of the Deployment."""
        return (((self.deployment or {}).get("metadata") or {}).get("annotations") or {}).get(key)

    def _status(self, name: str) -> int:
        return int(((self.deployment or {}).get("status") or {}).get(name) or 0)


def read_colour(client: Client, namespace: str, app: str, colour: str) -> Colour:
    """Read Deployment ``<app>-<colour>``, the ReplicaSet it owns at its current revision, and that one's pods."""
    name = f"{app}-{colour}"
    deployment = client.get_or_none(client.path_of("apps/v1", "Deployment", namespace, name))
    if deployment is None:
        return Colour(colour, name, None)
    query = {"labelSelector": selector_text(deployment["spec"]["selector"].get("matchLabels") or {})}
    paths = [client.path_of("apps/v1", "ReplicaSet", namespace), client.path_of("v1", "Pod", namespace)]
    sets, found = client.map(lambda path: client.list(path, query), paths)
    current = _current_set(deployment, sets)
    mine = tuple(read_pod(pod) for pod in found if current and pods.owned_by(pod, current["metadata"]["uid"]))
    return Colour(colour, name, deployment, current["metadata"]["name"] if current else None, mine)


def selector_text(labels: Mapping[str, str]) -> str:
    """Labels as a label selector."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _current_set(deployment: Mapping[str, Any], sets: list[dict[str, Any]]) -> dict[str, Any] | None:
    revision = (deployment["metadata"].get("annotations") or {}).get(REVISION)
    for candidate in sets:
        meta = candidate["metadata"]
        same = (meta.get("annotations") or {}).get(REVISION) == revision
        if same and revision is not None and pods.owned_by(candidate, deployment["metadata"]["uid"]):
            return candidate
    return None


def read_pod(pod: dict[str, Any]) -> Pod:
    """The parts of a pod that decide whether it serves."""
    return Pod(
        uid=pod["metadata"]["uid"],
        name=pod["metadata"]["name"],
        node=pod["spec"].get("nodeName"),
        ready=pods.is_ready(pod),
        deleting=pods.is_deleting(pod),
        restarts=sum(int(row.get("restartCount") or 0) for row in pods.container_statuses(pod)),
        closed_gates=tuple(pods.gates_missing(pod)),
        ready_at=pods.condition(pod, "Ready").get("lastTransitionTime"),
    )


def not_up(colour: Colour, needed: int) -> list[str]:
    """Why a colour is not really up, most telling first; empty when it is. Reference 2.3 R1 and section 6."""
    deployment = colour.deployment
    if deployment is None:
        return [f"Deployment {colour.deployment_name} does not exist"]
    never = cannot_come_up(colour, needed)
    if never:
        return [never]
    status = deployment.get("status") or {}
    if int(status.get("observedGeneration") or 0) != int(deployment["metadata"].get("generation") or 0):
        return ["its newest change has not been seen by the controller yet"]
    wrong = [
        f"{status.get(f'{word}Replicas') or 0} of {colour.wanted} {word}"
        for word in ("updated", "ready", "available")
        if int(status.get(f"{word}Replicas") or 0) != colour.wanted
    ]
    if colour.current != colour.wanted:
        wrong.append(f"{colour.current} pods where {colour.wanted} are wanted")
    if status.get("unavailableReplicas"):
        wrong.append(f"{status['unavailableReplicas']} unavailable")
    if colour.replica_set is None:
        wrong.append("no ReplicaSet of its own at the current revision")
    for pod in colour.pods:
        wrong += _pod_faults(pod)
    if not wrong and len(colour.pods) != colour.wanted:
        wrong.append(f"{len(colour.pods)} pods of the current revision where {colour.wanted} are wanted")
    return wrong


def cannot_come_up(colour: Colour, needed: int) -> str:
    """Why waiting would be useless; empty when it would not."""
    if ((colour.deployment or {}).get("spec") or {}).get("paused"):
        return "its rollout is paused"
    if colour.wanted == 0:
        return "it has 0 replicas"
    if colour.wanted < needed:
        return f"it has {colour.wanted} replicas where the live colour runs {needed}"
    return ""


def _pod_faults(pod: Pod) -> list[str]:
    if pod.deleting:
        return [f"pod {pod.name} is being deleted"]
    if pod.closed_gates:
        return [f"pod {pod.name}: readiness gate {pod.closed_gates[0]} is not True"]
    return [] if pod.ready else [f"pod {pod.name} is not Ready"]


def long_ready(colour: Colour, seconds: float, now: datetime) -> bool:
    """Whether every pod has been Ready for so long that no clock difference matters."""
    limit = now.timestamp() - seconds - _CLOCK_MARGIN_S
    return bool(colour.pods) and all(pod.ready_at and parse_time(pod.ready_at) <= limit for pod in colour.pods)


def parse_time(text: str) -> float:
    """Seconds since the epoch of a time as the API writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).timestamp()


@dataclass(frozen=True)
class Members:
    """Running pods that the live Service may select, per colour: UID to name of the Ready ones and of all, and nodes.

    ``strangers`` are pods that the selector without the colour would match although they are of no colour.
    ``containers`` are the names of all containers, injected ones too; ``gates`` the readiness gates per colour.
    """

    ready: Mapping[str, Mapping[str, str]]
    every: Mapping[str, Mapping[str, str]]
    nodes: Mapping[str, frozenset[str]]
    strangers: tuple[str, ...]
    containers: frozenset[str] = frozenset()
    gates: Mapping[str, frozenset[str]] = field(default_factory=dict)


def read_members(client: Client, namespace: str, shared: Mapping[str, str], colour_key: str) -> Members:
    """Every pod behind the live selector, whichever Deployment made it."""
    query = {"labelSelector": selector_text(shared)}
    return members_of(client.list(client.path_of("v1", "Pod", namespace), query), colour_key)


def members_of(found: Iterable[dict[str, Any]], colour_key: str) -> Members:
    """Sort pods by colour, Ready as the EndpointSlice controller means it; finished pods take no traffic."""
    ready: dict[str, dict[str, str]] = {colour: {} for colour in COLOURS}
    every: dict[str, dict[str, str]] = {colour: {} for colour in COLOURS}
    nodes: dict[str, set[str]] = {colour: set() for colour in COLOURS}
    gates: dict[str, set[str]] = {colour: set() for colour in COLOURS}
    containers: set[str] = set()
    strangers = []
    for raw in found:
        if (raw.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            continue
        colour = (raw["metadata"].get("labels") or {}).get(colour_key)
        uid, name = str(raw["metadata"]["uid"]), str(raw["metadata"]["name"])
        if colour not in ready:
            strangers.append(name)
            continue
        every[colour][uid] = name
        containers |= pods.container_specs(raw).keys()
        gates[colour] |= {str(gate["conditionType"]) for gate in raw["spec"].get("readinessGates") or []}
        if pods.is_true(raw, "Ready") and not pods.is_deleting(raw):
            ready[colour][uid] = name
            nodes[colour].add(str(raw["spec"].get("nodeName")))
    by_node = {colour: frozenset(names) for colour, names in nodes.items()}
    by_gate = {colour: frozenset(names) for colour, names in gates.items()}
    return Members(ready, every, by_node, tuple(sorted(strangers)), frozenset(containers), by_gate)
