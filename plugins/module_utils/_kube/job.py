# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run one Job to its end: once for each input, followed live, and never left behind half done."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import MERGE_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import TOKEN, own_token, refuse_newer
from ansible_collections.golive.cutover.plugins.module_utils._kube.job_follow import Follower
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods_template import shown_templates
from ansible_collections.golive.cutover.plugins.module_utils._kube.track import failure_of, track
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path

INPUT = "golive.cutover/input"
_DAY_S = 86400
# Makes what a Job's pods need, owned by the Job that it gets.
Equip = Callable[[dict[str, Any]], None]
_DIGITS = 10
_NAME_LENGTH = 63


def run_job(call: Call, client: Client, equip: Equip | None = None) -> dict[str, Any]:
    """Do what the options of ``kube_job`` say; returns its result.

    With ``equip`` the definition must say ``suspend``: it is called with the Job that was created, before its pods are,
    so that whatever it makes has an owner at once and goes with it.

    Raises GoliveError with the cause when the Job failed, could not start, or did not end in time. An unfinished Job is
    deleted then, and also when the run is interrupted and this call created it.
    """
    manifest = job_manifest(call.params)
    namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
    found = client.get_or_none(collection_path("Job", namespace, name))
    token = own_token(call.params)
    if found and token is not None:
        refuse_newer(found, token)
    ended = _ended(found)
    if ended == "Complete" and found and not call.params["rerun"]:
        return _result(Follower(call, client, found), {"verdict": "success"}, found, changed=False)
    replaces = found if ended or (found and pods.is_deleting(found)) else None
    if call.check_mode:
        return _planned(call, client, manifest, found, replaces is not None)
    if replaces:
        _remove(call, client, replaces)
    job, created = (found, False) if found and not replaces else _create(call, client, manifest)
    if equip and job["spec"].get("suspend"):
        job = _equipped(call, client, job, equip)
    return _follow(call, client, job, created)


def job_manifest(params: Mapping[str, Any]) -> dict[str, Any]:
    """The Job to create: the definition under a name that holds the digest of its input.

    The name makes a rerun find its own Job; another input is another Job. Raises GoliveError ``bad_definition``.
    """
    given = params["definition"]
    meta = given.get("metadata") or {}
    if given.get("kind") != "Job" or given.get("apiVersion") != "batch/v1" or not meta.get("name"):
        raise GoliveError(
            "bad_definition",
            "Running a Job needs a definition with apiVersion batch/v1, kind Job and metadata.name.",
            "Give the whole manifest of one Job; generateName is not supported.",
        )
    job: dict[str, Any] = copy.deepcopy(given)
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    stem = str(meta["name"])[: _NAME_LENGTH - _DIGITS - 1].rstrip("-.")
    job["metadata"] |= {
        "name": f"{stem}-{digest[:_DIGITS]}",
        "namespace": params["namespace"] or meta.get("namespace") or "default",
        "annotations": {**(meta.get("annotations") or {}), INPUT: digest},
    }
    token = own_token(params)
    if token is not None:
        job["metadata"]["annotations"][TOKEN] = token
    spec = job.setdefault("spec", {})
    if params["ttl"] is not None:
        spec["ttlSecondsAfterFinished"] = params["ttl"]
    spec.setdefault("ttlSecondsAfterFinished", _DAY_S)
    return job


def _ended(job: dict[str, Any] | None) -> str:
    kinds = ("Complete", "Failed", "FailureTarget")
    return next((kind for kind in kinds if job and pods.is_true(job, kind)), "")


def _create(call: Call, client: Client, manifest: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
    call.alive()
    try:
        job = client.request("POST", collection_path("Job", namespace), query={"fieldManager": "golive"}, body=manifest)
    except GoliveError as error:
        if error.code != "already_exists":
            raise
        return client.get(collection_path("Job", namespace, name)), False
    return job, True


def _equipped(call: Call, client: Client, job: dict[str, Any], equip: Equip) -> dict[str, Any]:
    meta = job["metadata"]
    try:
        equip(job)
        call.alive()
        path = collection_path("Job", meta["namespace"], meta["name"])
        return client.request("PATCH", path, body={"spec": {"suspend": False}}, content_type=MERGE_PATCH)
    except BaseException:
        _discard(client, job)
        raise


def _follow(call: Call, client: Client, job: dict[str, Any], created: bool) -> dict[str, Any]:
    meta = job["metadata"]
    row = {"kind": "Job", "name": meta["name"], "namespace": meta["namespace"]}
    follower = Follower(call, client, job)
    finished = False
    try:
        outcome = track(
            call,
            client,
            [row],
            timeout=call.params["timeout"],
            limits=call.params["limits"],
            log_lines=call.params["log_lines"],
            watcher=follower.look,
        )
        last = client.get_or_none(collection_path("Job", meta["namespace"], meta["name"]))
        finished = bool(_ended(last))
        result = _result(follower, outcome, last or job, changed=True)
        failure = failure_of(outcome)
        if failure:
            raise GoliveError(failure.code, failure.message.replace("Rollout", "Job", 1), failure.hint, result)
        return result
    except GoliveError:
        if not finished:
            _discard(client, job)
        raise
    except BaseException:
        if created and not finished:
            _discard(client, job)
        raise


def _result(follower: Follower, outcome: Mapping[str, Any], job: dict[str, Any], changed: bool) -> dict[str, Any]:
    meta, status = job["metadata"], job.get("status") or {}
    exit_code, log_tail = follower.ending()
    ended = status.get("completionTime") or next(
        (row["lastTransitionTime"] for row in status.get("conditions") or [] if row["type"] == "Failed"), None
    )
    lasted = (
        (_moment(ended) - _moment(status["startTime"])).total_seconds() if ended and status.get("startTime") else None
    )
    return {
        "changed": changed,
        "verdict": outcome["verdict"],
        "cause": outcome.get("cause"),
        "exit_code": exit_code,
        "log_tail": log_tail,
        "job": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
        "seconds": outcome.get("seconds", 0.0) if lasted is None else lasted,
    }


def _moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp.replace("Z", "+00:00"))


def _planned(
    call: Call, client: Client, manifest: dict[str, Any], found: dict[str, Any] | None, replaces: bool
) -> dict[str, Any]:
    """What would happen. A running Job of the same input would only be followed."""
    meta = manifest["metadata"]
    planned: dict[str, Any] = {
        "changed": True,
        "verdict": "pending",
        "cause": None,
        "exit_code": None,
        "log_tail": [],
        "job": {"name": meta["name"], "namespace": meta["namespace"], "uid": ""},
        "seconds": 0.0,
    }
    if found and not replaces:
        return planned
    _dry_run(call, client, manifest)
    if call.diff_mode:
        before, after = shown_templates(None, manifest)
        planned["diff"] = [diff_of(f"Job {meta['namespace']}/{meta['name']}", before, after)]
    return planned


def _dry_run(call: Call, client: Client, manifest: dict[str, Any]) -> None:
    # A free name: the server must judge the definition, not whether the Job of an earlier run is still there.
    meta = {key: value for key, value in manifest["metadata"].items() if key != "name"}
    trial = {**manifest, "metadata": {**meta, "generateName": f"{manifest['metadata']['name'][:50]}-"}}
    try:
        client.request("POST", collection_path("Job", meta["namespace"]), query={"dryRun": "All"}, body=trial)
    except GoliveError as error:
        if error.code != "not_found":
            raise
        call.warn(f"Namespace {meta['namespace']} does not exist yet, so the server could not check the Job.")


def _remove(call: Call, client: Client, job: dict[str, Any]) -> None:
    """Delete a Job that has ended and wait until its name is free."""
    meta = job["metadata"]
    path = collection_path("Job", meta["namespace"], meta["name"])
    call.alive()
    delete_job(client, meta)

    def look() -> Done[None] | Pending:
        left = client.get_or_none(path)
        return Done(None) if left is None or left["metadata"]["uid"] != meta["uid"] else Pending("still there")

    wait_for(call, look, what=f"Job {meta['name']} to be deleted", timeout=60.0, interval=0.2)


def _discard(client: Client, job: dict[str, Any]) -> None:
    try:
        delete_job(client.undisturbed(), job["metadata"])
    except GoliveError:
        # The failure that led here is the one to tell.
        return


def delete_job(client: Client, meta: Mapping[str, Any]) -> None:
    """Delete the Job with this ``namespace``, ``name`` and ``uid``, and its pods; one that is gone is fine."""
    body = {"propagationPolicy": "Background", "preconditions": {"uid": meta["uid"]}}
    try:
        client.request("DELETE", collection_path("Job", meta["namespace"], meta["name"]), body=body, timeout=10.0)
    except GoliveError as error:
        if error.code != "not_found":
            raise
