# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod needs that shares a claim with an app's pod: the same node, and the same user and groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.job import delete_job
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path

_USER = 65532
_ONE_NODE, _ONE_POD = "ReadWriteOnce", "ReadWriteOncePod"
_ENDED = ("Succeeded", "Failed")
_JOB_ENDS_S = 120.0
_NAME = "app.kubernetes.io/name"


def pod_beside(client: Client, namespace: str, claim: str, user: int | None, own: str) -> dict[str, Any]:
    """Fields of the spec of a pod that mounts the claim. ``own`` is the name label of pods like it.

    Who owns the files of a volume is not to be seen from outside, so that it runs as the app's pod does; ``user``
    decides otherwise. Raises GoliveError ``claim_missing``, or ``claim_taken`` when only one pod may use the claim.
    """
    try:
        found = client.get(collection_path("PersistentVolumeClaim", namespace, claim))
    except GoliveError as error:
        if error.code != "not_found":
            raise
        raise GoliveError(
            "claim_missing",
            f"There is no PersistentVolumeClaim {claim} in namespace {namespace}.",
            "Check in_cluster.claim and in_cluster.namespace.",
        ) from error
    modes = found["spec"].get("accessModes") or []
    users = _users(client, namespace, claim)
    theirs = [pod for pod in users if (pod["metadata"].get("labels") or {}).get(_NAME) != own]
    if modes == [_ONE_POD] and theirs:
        raise GoliveError(
            "claim_taken",
            f"The claim {claim} may be used by one pod at a time ({_ONE_POD}), and"
            f" {theirs[0]['metadata']['name']} has it.",
            f"Give the claim the access mode {_ONE_NODE}, or scale the app to nothing for the copy and set"
            " in_cluster.user.",
        )
    beside = next(iter([*theirs, *users]), None)
    spec: dict[str, Any] = {"securityContext": _security(beside, claim, user)}
    if beside is None:
        return spec
    spec["tolerations"] = [row for row in beside["spec"].get("tolerations") or [] if row.get("key")]
    if _ONE_NODE in modes or _ONE_POD in modes:
        terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": [beside["spec"]["nodeName"]]}]}]
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
        spec["affinity"] = {"nodeAffinity": required}
    return spec


def end_jobs(call: Call, client: Client, namespace: str, claim: str, own: str) -> None:
    """End the Jobs of killed runs on the claim, and wait until their pods are gone: they would freeze the file later.

    Raises GoliveError ``timeout`` with the pods that stay.
    """
    mine = {"labelSelector": f"{_NAME}={own}"}
    for job in client.list(collection_path("Job", namespace), mine):
        if _volumes(job["spec"]["template"]["spec"], claim):
            delete_job(client, job["metadata"])

    def look() -> Done[None] | Failed | Pending:
        pods = [pod for pod in client.list(collection_path("Pod", namespace), mine) if _volumes(pod["spec"], claim)]
        at_work = [pod["metadata"]["name"] for pod in pods if (pod.get("status") or {}).get("phase") not in _ENDED]
        return Pending(f"{', '.join(at_work)} still there") if at_work else Done(None)

    wait_for(call, look, what=f"the end of earlier Jobs on the claim {claim}", timeout=_JOB_ENDS_S)


def _users(client: Client, namespace: str, claim: str) -> list[dict[str, Any]]:
    """The pods on a node that mount the claim."""
    listed = client.list(collection_path("Pod", namespace), {})
    return [
        pod
        for pod in listed
        if pod["spec"].get("nodeName")
        and (pod.get("status") or {}).get("phase") not in _ENDED
        and _volumes(pod["spec"], claim)
    ]


def _volumes(spec: Mapping[str, Any], claim: str) -> set[str]:
    volumes: Sequence[Mapping[str, Any]] = spec.get("volumes") or []
    return {row["name"] for row in volumes if (row.get("persistentVolumeClaim") or {}).get("claimName") == claim}


def _security(beside: Mapping[str, Any] | None, claim: str, user: int | None) -> dict[str, Any]:
    """The security context: that of the pod beside, of its container that mounts the claim where they differ."""
    theirs: dict[str, Any] = {}
    if beside is not None:
        names = _volumes(beside["spec"], claim)
        mounting = (
            one
            for one in beside["spec"]["containers"]
            if names & {mount["name"] for mount in one.get("volumeMounts") or []}
        )
        container = next(mounting, beside["spec"]["containers"][0])
        of_pod, of_container = beside["spec"].get("securityContext") or {}, container.get("securityContext") or {}
        keys = ("runAsUser", "runAsGroup", "fsGroup", "supplementalGroups")
        theirs = {key: value for key in keys if (value := of_container.get(key, of_pod.get(key))) is not None}
    given = {} if user is None else {"runAsUser": user}
    found = {"runAsUser": _USER, **theirs, **given}
    return {
        **found,
        "runAsGroup": found.get("runAsGroup", found["runAsUser"]),
        "runAsNonRoot": found["runAsUser"] != 0,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
