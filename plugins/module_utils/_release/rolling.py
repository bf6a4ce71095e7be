# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would drop requests when a Deployment is updated in place; reference, section 2.6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.quantities import amount

Object = Mapping[str, Any]
_HANDLERS = ("httpGet", "tcpSocket", "exec", "grpc")
_QUOTA_PARTS = ("requests", "limits")


@dataclass(frozen=True)
class Surroundings:
    """What the pods meet. Times in seconds; ``nodes`` are those of the ready pods now, one entry a pod.

    ``propagation`` is how long the slowest node may still send requests to a pod that was taken out, ``longest`` the
    longest request. ``local`` is whether the live Service keeps traffic on the node.
    """

    propagation: float
    longest: float
    quotas: tuple[Object, ...] = ()
    local: bool = False
    nodes: tuple[str, ...] = ()


def rolling_faults(objects: Iterable[Object], around: Surroundings) -> list[GoliveError]:
    """Every fault of every Deployment among ``objects``, in the order of the reference."""
    rows = list(objects)
    budgets = [row for row in rows if row["kind"] == "PodDisruptionBudget"]
    found = [
        fault
        for row in rows
        if row["kind"] == "Deployment"
        for fault in (
            *_strategy(row),
            *_probes(row),
            *_ending(row, around),
            *_spread(row, budgets),
            *_room(row, around),
        )
    ]
    return [*found, *_local(around)]


def _strategy(deployment: Object) -> Iterator[GoliveError]:
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        yield _fault(
            "strategy_recreate",
            deployment,
            "strategy Recreate ends all pods before new ones serve",
            "Use RollingUpdate.",
        )
        return
    rolling = strategy.get("rollingUpdate") or {}
    unavailable, surge = rolling.get("maxUnavailable", "25%"), rolling.get("maxSurge", "25%")
    if str(unavailable) not in ("0", "0%"):
        reason = f"maxUnavailable is {unavailable}, so that pods end before new ones serve"
        yield _fault("max_unavailable", deployment, reason, "Set it to 0.")
    if str(surge) in ("0", "0%"):
        yield _fault(
            "max_surge", deployment, "maxSurge is 0, so that no new pod can come first", "Set it to 1 or more."
        )


def _probes(deployment: Object) -> Iterator[GoliveError]:
    for container in _pod(deployment)["containers"]:
        ready, alive = container.get("readinessProbe"), container.get("livenessProbe")
        if not container.get("ports"):
            continue
        if not ready:
            reason = (
                f"container {container['name']} has no readinessProbe, so that it gets requests as soon as it starts"
            )
            yield _fault("readiness_missing", deployment, reason, "Give it one that answers when it can serve.")
        elif alive and _handler(ready) == _handler(alive):
            reason = f"container {container['name']} asks the same for readiness and liveness: a busy pod is killed"
            yield _fault("probes_alike", deployment, reason, "Let liveness ask less: another path, or only the port.")


def _ending(deployment: Object, around: Surroundings) -> Iterator[GoliveError]:
    pod = _pod(deployment)
    grace = pod.get("terminationGracePeriodSeconds", 30)
    for container in pod["containers"]:
        if not container.get("ports"):
            continue
        hook = (container.get("lifecycle") or {}).get("preStop") or {}
        sleep = float((hook.get("sleep") or {}).get("seconds") or 0)
        # What a command does cannot be read; that there is one is taken for an answer.
        if not hook.get("exec") and not hook.get("httpGet") and sleep < around.propagation:
            reason = (
                f"container {container['name']} stops {sleep:g} s after it was taken out, "
                f"but nodes may send requests for {around.propagation:g} s"
            )
            yield _fault("pre_stop_short", deployment, reason, f"Let preStop sleep {around.propagation:g} s or more.")
        if grace < sleep + around.longest:
            reason = (
                f"pods are killed after {grace} s, "
                f"but preStop ({sleep:g} s) and the longest request ({around.longest:g} s) need more"
            )
            yield _fault("grace_short", deployment, reason, "Raise terminationGracePeriodSeconds.")
    allowance = pods.ready_allowance({"spec": pod})
    deadline = deployment["spec"].get("progressDeadlineSeconds", 600)
    if deadline < allowance:
        reason = (
            f"progressDeadlineSeconds is {deadline}, but a pod may take {allowance:.0f} s to be ready by its probes"
        )
        yield _fault("deadline_short", deployment, reason, "Raise the deadline, or shorten the probes.")


def _spread(deployment: Object, budgets: Iterable[Object]) -> Iterator[GoliveError]:
    labels = (deployment["spec"]["template"]["metadata"].get("labels") or {}).items()
    if not any(_matches(row["spec"].get("selector") or {}, labels) for row in budgets):
        yield _fault(
            "budget_missing",
            deployment,
            "no PodDisruptionBudget covers its pods",
            "Add one, so that a drained node waits.",
        )
    pod = _pod(deployment)
    if not pod.get("topologySpreadConstraints") and not (pod.get("affinity") or {}).get("podAntiAffinity"):
        yield _fault(
            "spread_missing", deployment, "nothing spreads its pods over nodes", "Add topologySpreadConstraints."
        )


def _room(deployment: Object, around: Surroundings) -> Iterator[GoliveError]:
    """Whether every quota has room for the surge."""
    surge = _surge(deployment)
    needs = {"pods": Decimal(surge), "count/pods": Decimal(surge)}
    for part in _QUOTA_PARTS:
        for resource in ("cpu", "memory"):
            each = [
                amount(((row.get("resources") or {}).get(part) or {}).get(resource, "0"))
                for row in _pod(deployment)["containers"]
            ]
            needs[f"{part}.{resource}"] = surge * sum((one for one in each if one is not None), Decimal(0))
    needs |= {resource: needs[f"requests.{resource}"] for resource in ("cpu", "memory")}
    for quota in around.quotas:
        status = quota.get("status") or {}
        for resource, need in needs.items():
            limit, used = (
                amount((status.get("hard") or {}).get(resource)),
                amount((status.get("used") or {}).get(resource, "0")),
            )
            if limit is not None and used is not None and used + need > limit:
                reason = (
                    f"quota {quota['metadata']['name']} has no room for {surge} more pods: "
                    f"{resource} {used:f} of {limit:f}, {need:f} more needed"
                )
                yield _fault("quota_exceeded", deployment, reason, "Raise the ResourceQuota.")


def _local(around: Surroundings) -> Iterator[GoliveError]:
    if not around.local:
        return
    for node in sorted(set(around.nodes)):
        if around.nodes.count(node) < 2:
            yield GoliveError(
                "local_single",
                f"The live Service keeps traffic on the node, and node {node} loses its requests with its one pod.",
                "Run two or more pods a node, or set externalTrafficPolicy to Cluster.",
            )


def _surge(deployment: Object) -> int:
    surge = ((deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}).get("maxSurge", "25%")
    if isinstance(surge, str) and surge.endswith("%"):
        return max(1, -(-int(deployment["spec"].get("replicas") or 1) * int(surge[:-1]) // 100))
    return max(1, int(surge))


def _pod(deployment: Object) -> dict[str, Any]:
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def _handler(probe: Object) -> dict[str, Any]:
    return {name: probe[name] for name in _HANDLERS if name in probe}


def _matches(selector: Object, labels: Iterable[tuple[str, str]]) -> bool:
    wanted = (selector.get("matchLabels") or {}).items()
    return bool(wanted) and set(wanted) <= set(labels)


def _fault(code: str, deployment: Object, reason: str, hint: str) -> GoliveError:
    return GoliveError(
        code, f"Updating Deployment {deployment['metadata']['name']} in place would drop requests: {reason}.", hint
    )
