# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a backup by a Job, and believe the repository alone about what has become of it.

The run's name goes with the backup as an annotation. So a run that was killed, or has lost its connection, finds its
backup there, or its Job at work, and never takes a second one.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup import pgbackrest_commands as commands
from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_lock import locked, unlocked
from ansible_collections.golive.cutover.plugins.module_utils._backup.backup_wish import Wish
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import RUN, TAG, Backup, Info
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import (
    JOB_LABEL,
    LOCKED,
    Engine,
    pod_spec,
    read_info,
    server_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.job import job_manifest, run_job
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path

_KEPT_S = 3600
_LOG_LINES = 20
_SEGMENT = 24
_EVERY_S = 2.0


def take(call: Call, client: Client, engine: Engine, wish: Wish) -> dict[str, Any]:
    """Take the backup of this run unless it is there.

    Raises GoliveError ``backup_locked`` with its ``holder``, ``backup_failed``, ``backup_missing`` where a Job has
    ended well and the repository does not know of it, ``pages_damaged`` and ``wal_missing``.
    """
    info = read_info(engine)
    found = of_run(info, wish)
    if found:
        return _result(wish, found, believed(info, found), changed=False)
    named = replace(wish, run=wish.run or f"{call.date():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}")
    asked = _job_call(call, client, named)
    end = call.now() + wish.wait_s
    while True:
        # One that a killed run has left is followed to its end.
        if info.locked and not _at_work(client, asked):
            left = replace(wish, wait_s=max(0.0, end - call.now()))
            info = unlocked(call, client, left, lambda: read_info(engine))
        if call.check_mode:
            info.of(wish.repo)
            result = {"changed": True, "backup": None, "job": run_job(asked, client)["job"]["name"]}
            return {**result, "diff": [_diff(wish, None)]} if call.diff_mode else result
        trouble = None
        try:
            job = run_job(asked, client)
        except GoliveError as error:
            trouble, job = error, error.details
        info = read_info(engine)
        made = of_run(info, named)
        if made:
            break
        if not _lost_the_lock(trouble) or call.now() >= end:
            raise _nothing_made(client, named, trouble)
        call.pause(_EVERY_S)
    if trouble:
        call.warn(f"The backup {made.id} was completed although its Job failed: {trouble.message}")
    result = _result(named, made, believed(info, made), changed=True)
    result["job"] = (job.get("job") or {}).get("name")
    return {**result, "diff": [_diff(named, made)]} if call.diff_mode else result


def of_run(info: Info, wish: Wish) -> Backup | None:
    """The backup that this run has taken; raises as ``Info.of``."""
    if wish.run is None:
        return None
    return next((one for one in reversed(info.of(wish.repo)) if one.annotations.get(RUN) == wish.run), None)


def believed(info: Info, made: Backup) -> Backup:
    """The backup, if it is as good as its listing can tell; raises GoliveError ``pages_damaged``, ``wal_missing``."""
    if made.error:
        raise GoliveError(
            "pages_damaged",
            f"Taking backup {made.id} has met pages with wrong checksums: the database itself is damaged.",
            "Restore an older backup beside it and compare; keep this one.",
            {"backup": made.record()},
        )
    archive = next((one for one in info.archives if (one.repo, one.id) == (made.repo, made.archive_id)), None)
    first, last = made.wal_first or "", made.wal_last or ""
    there = archive is not None and (archive.first or "~") <= first and last <= (archive.last or "")
    if len(first) != _SEGMENT or len(last) != _SEGMENT or not there:
        raise GoliveError(
            "wal_missing",
            f"Backup {made.id} cannot be restored: the archive of repository {made.repo} lacks WAL from"
            f" {first or 'its start'} to {last or 'its stop'}.",
            "Look at the archiver of the server, then take another one.",
            {"backup": made.record()},
        )
    return made


def _job_call(call: Call, client: Client, wish: Wish) -> Call:
    """The call of ``run_job``; the name of the Job follows from the run."""
    annotations = {RUN: str(wish.run), **({TAG: wish.tag} if wish.tag else {})}
    server = server_of(client, wish.namespace, wish.app)
    labels = {
        **wish.labels,
        "app.kubernetes.io/name": f"{wish.app}-postgres-backup",
        "app.kubernetes.io/managed-by": "golive",
        JOB_LABEL: wish.app,
    }
    arguments = commands.backup(wish.kind, wish.repo, annotations)
    definition = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{wish.app}-postgres-backup-{wish.kind}", "labels": labels},
        "spec": {
            # What a second try may do, the next run decides with the repository.
            "backoffLimit": 0,
            "activeDeadlineSeconds": round(wish.timeout_s),
            "template": {
                "metadata": {"labels": labels},
                "spec": pod_spec(wish.app, server, arguments, wish.resources),
            },
        },
    }
    own = {
        "definition": definition,
        "namespace": wish.namespace,
        "timeout": wish.timeout_s,
        # Whether a Job that has ended has made something, the repository has told before.
        "rerun": True,
        "ttl": _KEPT_S,
        "log_lines": _LOG_LINES,
        "limits": None,
    }
    return replace(call, params={**call.params, **own}, diff_mode=False)


def _at_work(client: Client, asked: Call) -> bool:
    meta = job_manifest(asked.params)["metadata"]
    job = client.get_or_none(collection_path("Job", meta["namespace"], meta["name"]))
    return bool(job and (job.get("status") or {}).get("active"))


def _nothing_made(client: Client, wish: Wish, trouble: GoliveError | None) -> GoliveError:
    if trouble is None:
        return GoliveError(
            "backup_missing",
            f"Taking a backup into {wish.place} failed: its Job has ended well, and the repository has no such backup.",
            "Check that the server's sidecar and the Job's Secret name the same repository.",
        )
    details = trouble.details
    if _lost_the_lock(trouble):
        return locked(client, wish)
    return GoliveError(
        "backup_failed",
        f"Taking a backup into {wish.place} failed: {trouble.message}",
        trouble.hint,
        {name: details[name] for name in ("cause", "exit_code", "log_tail", "job") if name in details},
    )


def _lost_the_lock(trouble: GoliveError | None) -> bool:
    """Whether another one was first. Of a lock in the sidecar the Job only warns, and ends with another code."""
    if trouble is None:
        return False
    log = trouble.details.get("log_tail") or []
    return trouble.details.get("exit_code") == LOCKED or any("unable to acquire lock" in line for line in log)


def _result(wish: Wish, made: Backup, sound: Backup, changed: bool) -> dict[str, Any]:
    return {"changed": changed, "backup": sound.record(), "run": wish.run, "id": made.id}


def _diff(wish: Wish, made: Backup | None) -> dict[str, str]:
    shown = {"kind": made.kind if made else wish.kind, "id": made.id if made else "known when it is taken"}
    return diff_of(f"backup of {wish.place}", None, {**shown, "tag": wish.tag})
