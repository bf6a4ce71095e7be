# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A way to a database that only the cluster reaches: a tunnel to a Job's pod, which passes connections on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.job import delete_job
from ansible_collections.golive.cutover.plugins.module_utils._kube.logs import log_tail
from ansible_collections.golive.cutover.plugins.module_utils._kube.track import failure_of, track
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_report import Scenes
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import Address, tunnel
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings
from ansible_collections.golive.cutover.plugins.module_utils._reach import relay_program
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_bundle import source_of
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_definition import SECURITY, job_definition
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_spec import NOT_ASKED

_NAME = "golive-relay"
# Between two sessions of one verb less time goes by than this.
_IDLE_S = 60
_KEPT_S = 60
# Codes of ``track`` for a Job whose pod has run and failed.
_PROGRAM_ENDED = ("job_backoff_limit", "job_failed")


@contextmanager
def relayed(call: Call, client: Client, where: Settings) -> Iterator[Address]:
    """The local end of a way to ``where`` through a Job that the option ``in_cluster`` of ``call`` describes.

    The Job is gone at the end of the block; that of a killed run ends once nobody is connected. Raises GoliveError
    ``invalid`` without a host, ``not_asked`` in check mode once the server has judged the Job, why the Job could not
    run, and as ``tunnel``.
    """
    if not where.host:
        raise GoliveError(
            "invalid", f"Reaching {where} through a Job was refused: no host is named.", "Set postgresql.host."
        )
    namespace = call.params["in_cluster"]["namespace"]
    definition = _definition(call.params["in_cluster"], where.host, where.port)
    query = {"fieldManager": "golive", **({"dryRun": "All"} if call.check_mode else {})}
    call.alive()
    job = client.request("POST", collection_path("Job", namespace), query=query, body=definition)
    if call.check_mode:
        raise GoliveError(NOT_ASKED, "Only a Job can ask the database, and check mode starts none.")
    pod = None
    try:
        pod = _serving(call, client, job)
        with tunnel(client, namespace, f"pod/{pod}", relay_program.PORT) as address:
            yield address
    except GoliveError as error:
        if pod and error.code == "unreachable":
            # The session only sees that the relay has closed it; the relay knows why.
            said = [line for line in log_tail(client, namespace, pod, _NAME, lines=1) if line != relay_program.READY]
            error.message += "".join(f" In the cluster, {line}." for line in said)
            error.args = (error.message,)
        raise
    finally:
        # It ends by itself, so that a failure here costs nothing.
        with suppress(GoliveError):
            delete_job(client.undisturbed(), job["metadata"])


class _Serving(BaseException):
    """Ends the tracking of a Job that is not awaited to its end; no failure that anybody else may take."""

    def __init__(self, pod: str) -> None:
        super().__init__(pod)
        self.pod = pod


def _serving(call: Call, client: Client, job: Mapping[str, Any]) -> str:
    """The name of the Job's pod, once it takes connections."""
    meta = job["metadata"]

    def look(scenes: Scenes) -> str:
        for pod in (pod for scene in scenes.values() if scene for pod in scene.pods):
            name = str(pod["metadata"]["name"])
            running = (pod.get("status") or {}).get("phase") == "Running"
            if running and relay_program.READY in log_tail(client, meta["namespace"], name, _NAME, lines=1):
                raise _Serving(name)
        return ""

    row = {"kind": "Job", "name": meta["name"], "namespace": meta["namespace"]}
    try:
        outcome = track(call, client, [row], timeout=call.params["in_cluster"]["timeout"], watcher=look)
    except _Serving as serving:
        return serving.pod
    failure = failure_of(outcome)
    if failure is None or failure.code in _PROGRAM_ENDED:
        last = next(iter(((outcome["cause"] or {}).get("logs") or [])[-1:]), "")
        raise GoliveError(
            "job_failed",
            f"Job {meta['name']} in namespace {meta['namespace']} has ended before it took connections"
            f"{f'; its last line: {last}' if last else ''}.",
            "Check that the image has python3 (3.10 or newer), and the memory limit.",
            outcome,
        )
    failure.message = failure.message.replace("Rollout", "Job", 1)
    raise failure


def _definition(inside: Mapping[str, Any], host: str, port: int) -> dict[str, Any]:
    program = (source_of(relay_program.__name__) or b"").decode()
    command = ["python3", "-B", "-c", program, host, str(port), str(_IDLE_S)]
    definition = job_definition(inside, _NAME, {"command": command}, {"securityContext": SECURITY})
    # A name of its own: a relay is of one call.
    definition["metadata"]["name"] = f"{_NAME}-{secrets.token_hex(5)}"
    definition["spec"]["ttlSecondsAfterFinished"] = _KEPT_S
    return definition
