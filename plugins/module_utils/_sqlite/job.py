# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``sqlite_copy`` where the file lies in a claim of the cluster: a Job beside the app's pod runs it."""

from __future__ import annotations

import posixpath
from contextlib import ExitStack
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import settings
from ansible_collections.golive.cutover.plugins.module_utils._reach.job import Program, VerbJob
from ansible_collections.golive.cutover.plugins.module_utils._reach.login import with_secrets
from ansible_collections.golive.cutover.plugins.module_utils._sqlite import job_main, thaw_main
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.claim import end_jobs, pod_beside
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.report import write_report
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.sqlite_copy import definitions_shown

NAME = "golive-sqlite"


def copy_by_job(call: Call) -> dict[str, Any]:
    """The result of the verb, from a Job that the option ``in_cluster`` describes.

    Raises GoliveError as the verb does at home, as ``VerbJob`` and as ``pod_beside``, or ``invalid`` for a path that
    leads out of the claim.
    """
    params = call.params
    place = _place(params)
    work_dir = _within(place, params["work_dir"], "work_dir") if params["work_dir"] else None
    with ExitStack() as stack:
        client = stack.enter_context(connected(call))
        job = _job(call, client, stack, job_main.__name__, {"work_dir": work_dir, "report": None})
        if call.check_mode:
            job.judge()
            return _planned_from_nothing(call)
        result = job.result()
        while not job.began:
            # The Job of a killed run has taken its snapshot before this call: what was written since is not in it.
            followed, result = result, job.result()
            result = result if result["changed"] else followed
        write_report(params["report"] or "", result)
        if call.diff_mode:
            result["diff"] = {"before": "", "after": definitions_shown(result["tables"]) if result["changed"] else ""}
        return result


def thaw_by_job(call: Call) -> dict[str, Any]:
    """The result of ``sqlite_thaw``, in the same way."""
    with ExitStack() as stack:
        client = stack.enter_context(connected(call))
        job = _job(call, client, stack, thaw_main.__name__, {})
        if call.check_mode:
            job.judge()
            call.warn("Only a Job can read the file and check mode starts none, so that nothing is known of it.")
            return {"changed": not call.params["ask"], "frozen": False, "written": []}
        inside = call.params["in_cluster"]
        end_jobs(call, client, inside["namespace"], inside["claim"], NAME)
        return job.result()


def _job(call: Call, client: Client, stack: ExitStack, main: str, own: dict[str, Any]) -> VerbJob:
    """The Job beside the pod that has the claim; ``stack`` holds the files it needs."""
    params, inside = call.params, call.params["in_cluster"]
    claim, place = inside["claim"], _place(params)
    options = params["postgresql"] or {}
    where = settings(with_secrets(client, options, inside["namespace"], stack))
    program = Program(
        NAME,
        main,
        {"path": _within(place, params["path"], "path"), **own},
        pod_beside(client, inside["namespace"], claim, inside["user"], NAME),
        [{"name": "claim", "persistentVolumeClaim": {"claimName": claim}}],
        [{"name": "claim", "mountPath": place}],
    )
    return VerbJob(call, client, program, where)


def _place(params: dict[str, Any]) -> str:
    """Where the claim is mounted: its name tells files of the same path apart."""
    return f"/golive/claims/{params['in_cluster']['claim']}"


def _within(place: str, path: str, option: str) -> str:
    inside = posixpath.normpath(path.lstrip("/"))
    if inside == ".." or inside.startswith("../"):
        raise GoliveError("invalid", f"{option} is {path}, which leads out of the claim.", "Give a path within it.")
    return posixpath.join(place, inside)


def _planned_from_nothing(call: Call) -> dict[str, Any]:
    call.warn("Only a Job can read the file and check mode starts none, so that nothing is known of it.")
    return {
        **({"diff": {"before": "", "after": ""}} if call.diff_mode else {}),
        "changed": True,
        "state": "planned",
        "tables": [],
        "rows": 0,
        "bytes": 0,
        "seconds": 0.0,
        "resumed": 0,
        "snapshot": {"sha256": "", "bytes": 0},
        "frozen": "",
        "notices": [],
        "review": [],
    }
