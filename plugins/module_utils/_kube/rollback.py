# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Return a workload to an earlier revision: only its pod template, by one guarded write, then tracked."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import JSON_PATCH, MERGE_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import (
    TOKEN,
    own_token,
    refuse_newer,
    stamped,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods_template import shown_templates
from ansible_collections.golive.cutover.plugins.module_utils._kube.rollback_owners import handed_back
from ansible_collections.golive.cutover.plugins.module_utils._kube.rollback_revisions import (
    FORMER,
    Revision,
    chosen,
    current_of,
    revisions_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.track import failure_of, track
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import HASH
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path

_MANAGER = "golive-rollback"
_TOKEN_PATH = "/metadata/annotations/" + TOKEN.replace("/", "~1")  # a part of a JSON pointer (RFC 6901)
_OBSERVE_S = 30.0
_HAND_BACK_TRIES = 5
_WRITE_TRIES = 4
_GUARD_FAILED = ("conflict", "invalid", "unreachable", "server_error")


def rollback(call: Call, client: Client) -> dict[str, Any]:
    """Do what the options of ``kube_rollback`` say; returns its result.

    Raises GoliveError ``not_found``, ``paused``, ``no_revision``, ``conflict`` when something else changed the workload
    meanwhile, or the cause of a rollout that did not succeed.
    """
    path = collection_path(call.params["kind"], call.params["namespace"], call.params["name"])
    workload = _observed(call, client, path)
    revisions = revisions_of(client, workload)
    current = current_of(workload, revisions)
    target = chosen(workload, revisions, current, call.params["to_revision"])
    changed = target is not current
    result: dict[str, Any] = {
        "changed": changed,
        "from_revision": current.number,
        "to_revision": target.number,
        "replaced_pods": [],
        "verdict": "pending",
        "cause": None,
        "pods": [],
        "seconds": 0.0,
    }
    if call.diff_mode:
        before, after = shown_templates(workload["spec"]["template"], target.template)
        result["diff"] = [
            diff_of(f"{call.params['kind']} {call.params['namespace']}/{call.params['name']}", before, after)
        ]
    if changed:
        _write(call, client, path, workload, target)
    if call.check_mode:
        return result
    if changed and workload["kind"] == "StatefulSet":
        _observed(call, client, path)
        result["replaced_pods"] = _replace_broken_pods(call, client, workload, current)
    return _tracked(call, client, result)


def _observed(call: Call, client: Client, path: str) -> dict[str, Any]:
    """The workload once its controller has seen the present generation, for only then its revisions are complete."""

    def look() -> Done[dict[str, Any]] | Failed | Pending:
        found = client.get(path)
        if found["spec"].get("paused"):
            message = f"Rolling back {path} is not possible while its rollout is paused."
            return Failed(GoliveError("paused", message, "Resume the rollout first: kubectl rollout resume."))
        seen = int((found.get("status") or {}).get("observedGeneration") or 0)
        return Done(found) if seen >= found["metadata"]["generation"] else Pending("its controller lags behind")

    hint = "Check that the controller manager of the cluster runs."
    return wait_for(call, look, what=f"the controller of {path}", timeout=_OBSERVE_S, interval=0.2, hint=hint)


def _write(call: Call, client: Client, path: str, workload: dict[str, Any], target: Revision) -> None:
    query = {"fieldManager": _MANAGER, **({"dryRun": "All"} if call.check_mode else {})}
    if workload["kind"] == "StatefulSet" and not call.check_mode:
        _note_number(client, target)
    token = own_token(call.params)
    now = _taken(call, client, path, workload, token)
    for last in (False,) * (_WRITE_TRIES - 1) + (True,):
        # The guard is the generation: the controller's status writes move the resourceVersion all the time.
        patch = [
            {"op": "test", "path": "/metadata/uid", "value": now["metadata"]["uid"]},
            {"op": "test", "path": "/metadata/generation", "value": now["metadata"]["generation"]},
            *([] if token is None or call.check_mode else [{"op": "test", "path": _TOKEN_PATH, "value": token}]),
            {"op": "replace", "path": "/spec/template", "value": target.template},
        ]
        call.alive()
        try:
            written = client.request("PATCH", path, query=query, body=patch, content_type=JSON_PATCH, retry=False)
            break
        except GoliveError as error:
            if error.code not in _GUARD_FAILED:
                raise
            # The answer may be lost while the write is not: never resend, look.
            written = client.get(path)
            if token is not None:
                refuse_newer(written, token)
            if written["spec"]["template"] == target.template:
                break
            same = written["metadata"]["generation"] == now["metadata"]["generation"]
            if written["spec"]["template"] != workload["spec"]["template"] or (last and not same):
                raise _overtaken(written) from error
            if same:
                raise
            now = written
    if not call.check_mode:
        _hand_back(call, client, path, now, written)


def _taken(call: Call, client: Client, path: str, workload: dict[str, Any], token: str | None) -> dict[str, Any]:
    """The workload with this run's token; raises GoliveError ``lease_lost`` when it has that of a later run."""
    if token is None:
        return workload
    refuse_newer(workload, token)
    return workload if call.check_mode else stamped(client, path, workload, token)


def _overtaken(now: dict[str, Any]) -> GoliveError:
    meta = now["metadata"]
    return GoliveError(
        "conflict",
        f"Rolling back {now['kind']} {meta['namespace']}/{meta['name']} stopped: something else changed it meanwhile.",
        "Look at what changed it, then run again.",
    )


def _note_number(client: Client, target: Revision) -> None:
    """Keep the number under which this revision is known: its controller is about to give it a new one."""
    meta = target.obj["metadata"]
    numbers = ",".join(str(number) for number in (*target.former, target.number))
    body = {"metadata": {"annotations": {FORMER: numbers}, "resourceVersion": meta["resourceVersion"]}}
    path = collection_path("ControllerRevision", meta["namespace"], meta["name"])
    try:
        client.request("PATCH", path, query={"fieldManager": _MANAGER}, body=body, content_type=MERGE_PATCH)
    except GoliveError as error:
        # Only a convenience of later calls; without the right to it they must use the new number.
        if error.code not in ("forbidden", "conflict"):
            raise


def _hand_back(call: Call, client: Client, path: str, before: dict[str, Any], written: dict[str, Any]) -> None:
    """Give the fields of the template back to who applied them, so that his next apply meets neither a conflict nor
    a change.
    """
    template = written["spec"]["template"]
    for _try in range(_HAND_BACK_TRIES):
        rows = written["metadata"].get("managedFields") or []
        mine = [index for index, row in enumerate(rows) if row.get("manager") == _MANAGER]
        if not mine or len(rows) == 1:
            return
        back, lost = handed_back(before["metadata"].get("managedFields") or [], rows, template, _MANAGER)
        # The controller writes at the same time: the guards are the entries, not the resourceVersion.
        patch = [
            *(_entry("test", index, rows[index]) for index in (*back, mine[0])),
            *(_entry("replace", index, {**rows[index], "fieldsV1": fields}) for index, fields in back.items()),
            {"op": "remove", "path": f"/metadata/managedFields/{mine[0]}"},
            *({"op": "add", "path": "/metadata/managedFields/-", "value": row} for row in lost),
        ]
        try:
            client.request("PATCH", path, body=patch, content_type=JSON_PATCH, retry=False)
            return
        except GoliveError as error:
            if error.code not in _GUARD_FAILED:
                raise
        written = client.get(path)
    call.warn(f"{_MANAGER} still owns the pod template of {path}; the next server-side apply must take it over.")


def _entry(operation: str, index: int, row: dict[str, Any]) -> dict[str, Any]:
    return {"op": operation, "path": f"/metadata/managedFields/{index}", "value": row}


def _replace_broken_pods(call: Call, client: Client, workload: dict[str, Any], left: Revision) -> list[str]:
    """Delete pods that never became Ready on the revision that is left: an ordered StatefulSet would wait for them.

    Source: Kubernetes documentation of StatefulSets, «Forced rollback».
    """
    namespace = workload["metadata"]["namespace"]
    names: list[str] = []
    for pod in client.list(
        collection_path("Pod", namespace), {"labelSelector": f"{HASH}={left.obj['metadata']['name']}"}
    ):
        meta = pod["metadata"]
        if not pods.owned_by(pod, workload["metadata"]["uid"]) or pods.is_ready(pod) or pods.is_deleting(pod):
            continue
        call.alive()
        body = {"preconditions": {"uid": meta["uid"]}}
        try:
            client.request("DELETE", collection_path("Pod", namespace, meta["name"]), body=body)
        except GoliveError as error:
            if error.code not in ("not_found", "conflict"):
                raise
        names.append(meta["name"])
    return names


def _tracked(call: Call, client: Client, result: dict[str, Any]) -> dict[str, Any]:
    row = {name: call.params[name] for name in ("kind", "name", "namespace")}
    options = {name: call.params[name] for name in ("timeout", "soak", "limits")}
    outcome = track(call, client, [row], min_count=0, **options)
    result |= {name: outcome[name] for name in ("verdict", "cause", "pods", "seconds")}
    failure = failure_of(outcome)
    if failure:
        raise GoliveError(failure.code, failure.message, failure.hint, result)
    return result
