# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verb where only the cluster reaches what it works on: a Job runs it, and its result is the verb's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_value
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import APPLY_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.job import delete_job, run_job
from ansible_collections.golive.cutover.plugins.module_utils._kube.job_log import job_log
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_bundle import Bundle, bundle
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_definition import job_definition
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_program import RESULT, WARNING

_WORK, _PARTS = "/golive/work", "/golive/parts"
# Any Python will do; the parts are one archive that it can run.
_BOOT = (
    "import glob, runpy; whole = '" + _WORK + "/program.zip'; "
    "open(whole, 'wb').write(b''.join(open(part, 'rb').read() for part in sorted(glob.glob('" + _PARTS + "/*')))); "
    "runpy.run_path(whole, run_name='__main__')"
)
_LOG_LINES = 20
# What a killed controller leaves when its Job has ended is kept no longer.
_KEPT_S = 300
_HERE = ("kubeconfig", "context", "host", "api_key", "ca_cert", "validate_certs", "lease")
# Without a group of the pod's volumes nobody but root could read the parts.
_GROUP_MODE, _ALL_MODE = 0o440, 0o444


@dataclass(frozen=True)
class Program:
    """What a Job runs: ``main()`` of the module ``main``.

    ``name`` begins the names of its objects. ``params`` are the verb's options that are others inside. ``pod`` holds
    fields of the pod's spec, ``volumes`` and ``mounts`` come beside those of the program itself.
    """

    name: str
    main: str
    params: Mapping[str, Any]
    pod: Mapping[str, Any]
    volumes: Sequence[Mapping[str, Any]] = field(default=())
    mounts: Sequence[Mapping[str, Any]] = field(default=())


class VerbJob:
    """The Job that the option ``in_cluster`` of ``call`` describes; ``folder`` goes with it.

    Raises GoliveError ``bundle_too_large``. A run with the same options finds the Job of a killed one at work and
    follows it to its end; ``began`` tells that the last one was none of those.
    """

    def __init__(self, call: Call, client: Client, program: Program, where: Settings, folder: str | None = None):
        self._call = call
        self._client = client
        self._secrets = [where.password] if where.password else []
        self.began = False
        made = bundle(program.main, folder, _params(call.params, program, where), call.alive)
        self._parts = _secrets_of(program.name, made)
        self._asked = _job_call(call, _definition(call.params["in_cluster"], program, list(self._parts)))

    def judge(self) -> None:
        """Have the server judge the Job without making it, for check mode."""
        run_job(self._asked, self._client)

    def result(self) -> dict[str, Any]:
        """The verb's result; the Job and its Secrets are gone then.

        Raises GoliveError as the verb does at home, ``result_missing`` when the Job was lost, or why it could not run.
        """
        self.began = False
        result: dict[str, Any] = mask_value(self._run(), self._secrets)
        if result.get("failed"):
            raise _failure(result)
        return result

    def _run(self) -> dict[str, Any]:
        try:
            job = run_job(self._asked, self._client, self._make_secrets)["job"]
        except GoliveError as error:
            job = error.details.get("job")
            if not job:
                raise
            result = self._told(job)
            delete_job(self._client.undisturbed(), job)
            if result is None and error.details.get("exit_code"):
                last = next(iter(error.details["log_tail"][-1:]), "")
                error.message += f" It told no result{f'; its last line: {last}' if last else ''}."
                error.hint = "Check that the image has python3 (3.10 or newer) and psycopg2, and the memory limit."
            # What has ended the program tells more than that it was ended.
            if result is None or result.get("code") == "interrupted":
                raise
            return result
        result = self._told(job)
        delete_job(self._client.undisturbed(), job)
        if result is None:
            raise GoliveError(
                "result_missing",
                f"Reading the result of Job {job['name']} in namespace {job['namespace']} failed: its log has none.",
                "Run again: the database tells what was done.",
            )
        return result

    def _told(self, job: Mapping[str, Any]) -> dict[str, Any] | None:
        """The result in the log of the Job's newest pod; warnings are passed on. None without one."""
        text = job_log(self._client, job)
        if text is None:
            return None
        result = None
        for line in text.splitlines():
            if line.startswith(WARNING):
                self._call.warn(json.loads(line.removeprefix(WARNING)))
            elif line.startswith(RESULT):
                result = json.loads(line.removeprefix(RESULT))
        return result

    def _make_secrets(self, job: Mapping[str, Any]) -> None:
        # Only a Job whose program has not begun is equipped.
        self.began = True
        meta = job["metadata"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
        for name, piece in self._parts.items():
            secret = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "labels": meta["labels"], "ownerReferences": [owner]},
                "data": {f"{name}.part": base64.b64encode(piece).decode()},
            }
            # Applied, not created: one of an earlier Job may still wait for its end.
            path = f"/api/v1/namespaces/{quote(meta['namespace'], safe='')}/secrets/{quote(name, safe='')}"
            query = {"fieldManager": "golive", "force": "true"}
            self._client.request("PATCH", path, query=query, body=secret, content_type=APPLY_PATCH)


def _failure(result: Mapping[str, Any]) -> GoliveError:
    """The error that the verb has raised in the Job."""
    hint = result.get("hint")
    message = str(result["msg"]).removesuffix(f" Try: {hint}")
    details = {key: value for key, value in result.items() if key not in ("failed", "msg", "code", "hint")}
    return GoliveError(result["code"], message, hint, details)


def _params(params: Mapping[str, Any], program: Program, where: Settings) -> dict[str, Any]:
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
    mine = {"postgresql": reach, "tunnel": None, "in_cluster": None, **program.params}
    return {name: value for name, value in params.items() if name not in _HERE} | mine


def _secrets_of(name: str, made: Bundle) -> dict[str, bytes]:
    return {f"{name}-{made.digest[:16]}-{number:02}": piece for number, piece in enumerate(made.pieces)}


def _job_call(call: Call, definition: Mapping[str, Any]) -> Call:
    """The call of ``run_job``: the same one, with its options."""
    inside = call.params["in_cluster"]
    own = {
        "definition": definition,
        "namespace": inside["namespace"],
        "timeout": inside["timeout"],
        # A finished one tells of another time; the database knows what is done.
        "rerun": True,
        "ttl": _KEPT_S,
        "log_lines": _LOG_LINES,
        "limits": None,
    }
    return replace(call, params={**call.params, **own}, diff_mode=False)


def _definition(inside: Mapping[str, Any], program: Program, parts: Sequence[str]) -> dict[str, Any]:
    sources = [{"secret": {"name": name, "optional": False}} for name in parts]
    grouped = program.pod["securityContext"].get("fsGroup") is not None
    container = {
        "command": ["python3", "-B", "-c", _BOOT],
        "env": [{"name": "TMPDIR", "value": _WORK}],
        "volumeMounts": [
            {"name": "parts", "mountPath": _PARTS, "readOnly": True},
            {"name": "work", "mountPath": _WORK},
            *program.mounts,
        ],
    }
    volumes = [
        {
            "name": "parts",
            "projected": {"defaultMode": _GROUP_MODE if grouped else _ALL_MODE, "sources": sources},
        },
        {"name": "work", "emptyDir": {}},
        *program.volumes,
    ]
    definition = job_definition(inside, program.name, container, {"volumes": volumes, **program.pod})
    # Its Secrets come first, and belong to it.
    definition["spec"]["suspend"] = True
    return definition
