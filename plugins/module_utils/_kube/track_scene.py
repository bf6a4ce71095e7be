# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tracked object with what belongs to it at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods_events import Events

REVISION = "deployment.kubernetes.io/revision"
HASH = "controller-revision-hash"


@dataclass(frozen=True)
class Scene:
    """``pods`` are those of the new revision that still count; ``former`` are all its other pods.

    A pod that is being deleted, was taken away by the cluster, or (outside Jobs) has ended does not count.

    ``owner`` makes the pods: the new ReplicaSet of a Deployment, else the object itself; None while there is none.
    """

    obj: dict[str, Any]
    owner: dict[str, Any] | None
    pods: Sequence[dict[str, Any]]
    former: Sequence[dict[str, Any]]
    events: Events
    claims: Sequence[dict[str, Any]] = ()

    @property
    def kind(self) -> str:
        """Kind of the tracked object."""
        return str(self.obj["kind"])

    @property
    def uid(self) -> str:
        """UID of the tracked object."""
        return str(self.obj["metadata"]["uid"])

    @property
    def spec(self) -> dict[str, Any]:
        """Its spec."""
        return dict(self.obj.get("spec") or {})

    @property
    def status(self) -> dict[str, Any]:
        """Its status; empty before its controller wrote one."""
        return dict(self.obj.get("status") or {})

    @property
    def observed(self) -> bool:
        """Whether the status speaks of the present spec. Jobs, claims and pods have no such number."""
        if self.kind not in ("Deployment", "StatefulSet", "DaemonSet"):
            return True
        return int(self.status.get("observedGeneration") or 0) >= int(self.obj["metadata"].get("generation") or 0)


def scene_of(
    obj: dict[str, Any],
    *,
    all_pods: Iterable[dict[str, Any]],
    replica_sets: Iterable[dict[str, Any]],
    revisions: Iterable[dict[str, Any]],
    events: Events,
    claims: Sequence[dict[str, Any]],
) -> Scene:
    """Collect by owner UID what belongs to ``obj``; the lists may hold anything of its namespace."""
    kind, uid = obj["kind"], str(obj["metadata"]["uid"])
    owner: dict[str, Any] | None = obj
    if kind == "Pod":
        mine = [obj]
        new = mine
    elif kind == "Deployment":
        sets = [row for row in replica_sets if pods.owned_by(row, uid)]
        owner = _new_replica_set(obj, sets)
        mine = [pod for pod in all_pods if any(pods.owned_by(pod, row["metadata"]["uid"]) for row in sets)]
        new = [pod for pod in mine if owner and pods.owned_by(pod, owner["metadata"]["uid"])]
    else:
        uses = kind == "PersistentVolumeClaim"
        mine = [pod for pod in all_pods if (pods.uses_claim(pod, obj) if uses else pods.owned_by(pod, uid))]
        new = mine
        if kind in ("StatefulSet", "DaemonSet"):
            digest = _new_hash(obj, revisions)
            new = [pod for pod in mine if digest and (pod["metadata"].get("labels") or {}).get(HASH) == digest]
    current = [pod for pod in new if _counts(kind, pod)]
    chosen = {pod["metadata"]["uid"] for pod in current}
    former = [pod for pod in mine if pod["metadata"]["uid"] not in chosen]
    return Scene(obj, owner, current, former, events, claims)


def _counts(kind: str, pod: dict[str, Any]) -> bool:
    if kind == "Pod":
        return True
    ended = (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded")
    return not pods.is_deleting(pod) and not pods.is_disrupted(pod) and not (ended and kind != "Job")


def _new_replica_set(obj: dict[str, Any], sets: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    number = (obj["metadata"].get("annotations") or {}).get(REVISION)
    return next((row for row in sets if (row["metadata"].get("annotations") or {}).get(REVISION) == number), None)


def _new_hash(obj: dict[str, Any], revisions: Iterable[dict[str, Any]]) -> str:
    if obj["kind"] == "StatefulSet":
        return str((obj.get("status") or {}).get("updateRevision") or "")
    mine = [row for row in revisions if pods.owned_by(row, obj["metadata"]["uid"])]
    newest = max(mine, key=lambda row: int(row["revision"]), default=None)
    return str(((newest or {"metadata": {}})["metadata"].get("labels") or {}).get(HASH) or "")
