# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_migrate`` where only the cluster reaches the database: a Job runs it, and its result is the verb's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_value
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import APPLY_PATCH, Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.job import delete_job, run_job
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.job_bundle import Bundle, bundle
from ansible_collections.golive.cutover.plugins.module_utils._migrate.job_main import RESULT, WARNING
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import ALEMBIC, read_layout
from ansible_collections.golive.cutover.plugins.module_utils._migrate.metrics import recorded
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate import plan_from_nothing
from ansible_collections.golive.cutover.plugins.module_utils._migrate.migrate_verb import wish_of
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, settings
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import password_of

NAME = "golive-migrate"
_USER = 65532
_WORK, _PARTS = "/golive/work", "/golive/parts"
# Any Python will do; the parts are one archive that it can run.
_BOOT = (
    "import glob, runpy; whole = '" + _WORK + "/migrate.zip'; "
    "open(whole, 'wb').write(b''.join(open(part, 'rb').read() for part in sorted(glob.glob('" + _PARTS + "/*')))); "
    "runpy.run_path(whole, run_name='__main__')"
)
_LOG_LINES = 20
# What a killed controller leaves when its Job has ended is kept no longer.
_KEPT_S = 300
_HERE = ("kubeconfig", "context", "host", "api_key", "ca_cert", "validate_certs", "lease")


def migrate_by_job(call: Call) -> dict[str, Any]:
    """The result of the verb, from a Job that the option ``in_cluster`` describes.

    Raises GoliveError as the verb does at home, ``bundle_too_large``, ``result_missing`` when the Job was lost, or why
    it could not run. A run with the same options finds the Job of a killed one at work and follows it to its end.
    """
    with connected(call) as client:
        namespace = call.params["in_cluster"]["namespace"]
        options = call.params["postgresql"] or {}
        where = settings(options, password_of(client, options.get("password_secret"), namespace))
        labels = {"database": where.database or "", "ledger": str(wish_of(call.params).ledger)}
        return recorded(call, call.params["metrics_file"], labels, lambda: _migrated(call, client, where))


def _migrated(call: Call, client: Client, where: Settings) -> dict[str, Any]:
    wish = wish_of(call.params)
    # Files are read here first: what is wrong with them is told before anything is sent.
    files = [] if wish.layout == ALEMBIC else read_layout(wish.path, wish.layout, call.alive)
    made = bundle(wish.path, _params(call.params, where), call.alive)
    asked = _job_call(call, made)
    if call.check_mode:
        run_job(asked, client)
        reason = "Only a Job can ask the database and check mode starts none, so that every file is planned."
        return plan_from_nothing(call, wish, reason)
    secrets = [where.password] if where.password else []
    result: dict[str, Any] = mask_value(_run(call, asked, client, made), secrets)
    if result.get("failed"):
        raise _failure(result)
    if call.diff_mode:
        result["diff"] = _diff(files, result)
    return result


def _run(call: Call, asked: Call, client: Client, made: Bundle) -> dict[str, Any]:
    """What the Job has told; it and its Secrets are gone then."""
    try:
        job = run_job(asked, client, lambda found: _make_secrets(client, made, found))["job"]
    except GoliveError as error:
        job = error.details.get("job")
        if not job:
            raise
        result = _told(call, client, job)
        delete_job(client.undisturbed(), job)
        if result is None and error.details.get("exit_code"):
            last = next(iter(error.details["log_tail"][-1:]), "")
            error.message += f" It told no result{f'; its last line: {last}' if last else ''}."
            error.hint = "Check that the image has python3 (3.10 or newer) and psycopg2, and the memory limit."
        # What has ended the program tells more than that it was ended.
        if result is None or result.get("code") == "interrupted":
            raise
        return result
    result = _told(call, client, job)
    delete_job(client.undisturbed(), job)
    if result is None:
        raise GoliveError(
            "result_missing",
            f"Reading the result of Job {job['name']} in namespace {job['namespace']} failed: its log has none.",
            "Run again: the ledger tells what was applied.",
        )
    return result


def _told(call: Call, client: Client, job: Mapping[str, Any]) -> dict[str, Any] | None:
    """The result in the log of the Job's newest pod; warnings are passed on. None without one."""
    label = f"batch.kubernetes.io/job-name={job['name']}"
    listed = client.list(collection_path("Pod", job["namespace"]), {"labelSelector": label})
    mine = [pod for pod in listed if pods.owned_by(pod, job["uid"])]
    if not mine:
        return None
    pod = max(mine, key=lambda one: str(one["metadata"]["creationTimestamp"]))
    try:
        text = client.text(f"{collection_path('Pod', job['namespace'], pod['metadata']['name'])}/log")
    except GoliveError:
        return None
    result = None
    for line in text.splitlines():
        if line.startswith(WARNING):
            call.warn(json.loads(line.removeprefix(WARNING)))
        elif line.startswith(RESULT):
            result = json.loads(line.removeprefix(RESULT))
    return result


def _failure(result: Mapping[str, Any]) -> GoliveError:
    """The error that the verb has raised in the Job."""
    hint = result.get("hint")
    message = str(result["msg"]).removesuffix(f" Try: {hint}")
    details = {key: value for key, value in result.items() if key not in ("failed", "msg", "code", "hint")}
    return GoliveError(result["code"], message, hint, details)


def _diff(files: Sequence[Migration], result: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the verb shows at home, from the files here: the Job's log need not hold them."""
    applied = {row["version"] for row in result["applied"]}
    shown = [diff_of(row["version"], None, f"recorded as applied ({row['origin']})") for row in result["recorded"]]
    shown += [diff_of(one.up.file, None, one.up.text) for one in files if one.version in applied]
    return shown + [diff_of(f"{row['version']}_{row['name']}", "applied", None) for row in result["reverted"]]


def _params(params: Mapping[str, Any], where: Settings) -> dict[str, Any]:
    """The options of the verb inside of the Job: they say where the database is, and nothing of this machine."""
    reach = {
        "host": where.host,
        "port": where.port,
        "database": where.database,
        "user": where.user,
        "password": where.password,
        "sslmode": where.sslmode,
        "sslrootcert": where.sslrootcert,
        "connect_timeout": where.connect_timeout,
    }
    mine = {"path": "", "postgresql": reach, "tunnel": None, "in_cluster": None, "metrics_file": None}
    return {name: value for name, value in params.items() if name not in _HERE} | mine


def _job_call(call: Call, made: Bundle) -> Call:
    """The call of ``run_job``: the same one, with its options."""
    inside = call.params["in_cluster"]
    own = {
        "definition": _definition(inside, made),
        "namespace": inside["namespace"],
        "timeout": inside["timeout"],
        # A finished one tells of another time; the ledger knows what is done.
        "rerun": True,
        "ttl": _KEPT_S,
        "log_lines": _LOG_LINES,
        "limits": None,
    }
    return replace(call, params={**call.params, **own}, diff_mode=False)


def _definition(inside: Mapping[str, Any], made: Bundle) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/managed-by": "golive"}
    sources = [{"secret": {"name": name, "optional": False}} for name in _names(made)]
    container = {
        "name": "migrate",
        "image": inside["image"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-B", "-c", _BOOT],
        "env": [{"name": "TMPDIR", "value": _WORK}],
        "volumeMounts": [
            {"name": "parts", "mountPath": _PARTS, "readOnly": True},
            {"name": "work", "mountPath": _WORK},
        ],
        "resources": inside["resources"] or {},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "imagePullSecrets": [{"name": name} for name in inside["pull_secrets"] or []],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "parts", "projected": {"defaultMode": 0o440, "sources": sources}},
            {"name": "work", "emptyDir": {}},
        ],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": NAME, "labels": labels},
        "spec": {
            # Its Secrets come first, and belong to it.
            "suspend": True,
            # One try: what a second one may do, the next run decides with the ledger.
            "backoffLimit": 0,
            "activeDeadlineSeconds": round(inside["timeout"]),
            "template": {"metadata": {"labels": {**labels, **(inside["labels"] or {})}}, "spec": pod},
        },
    }


def _names(made: Bundle) -> list[str]:
    return [f"{NAME}-{made.digest[:16]}-{number:02}" for number in range(len(made.pieces))]


def _make_secrets(client: Client, made: Bundle, job: Mapping[str, Any]) -> None:
    meta = job["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
    for name, piece in zip(_names(made), made.pieces, strict=True):
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "labels": meta["labels"], "ownerReferences": [owner]},
            "data": {f"{name}.part": base64.b64encode(piece).decode()},
        }
        # Applied, not created: one of an earlier Job may still wait for its end.
        path = f"/api/v1/namespaces/{quote(meta['namespace'], safe='')}/secrets/{quote(name, safe='')}"
        query = {"fieldManager": "golive", "force": "true"}
        client.request("PATCH", path, query=query, body=secret, content_type=APPLY_PATCH)
