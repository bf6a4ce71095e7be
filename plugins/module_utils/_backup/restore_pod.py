# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Jobs of a restore: one that lists the backups where no server lives, and one that restores and proves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.job_pod import restricted_pod
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_commands import info
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_choice import Choice
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_script import SCRIPT
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import CONFIGURATION

_LOGIN = "/etc/golive/login"
_DATA = "/var/lib/postgresql/data"
_LABELS = {"app.kubernetes.io/managed-by": "golive", "app.kubernetes.io/component": "restore"}
# Folders of the pod's own, beside the data.
_SCRATCH = {"tmp": "/tmp", "run": "/var/run/postgresql", "spool": "/var/spool/pgbackrest"}  # noqa: S108


def list_job(params: Mapping[str, Any], image: str) -> dict[str, Any]:
    """The Job that lists the repositories."""
    return _job(params, image, f"{params['name']}-list", info(), {}, {"name": "data", "emptyDir": {}})


def restore_job(params: Mapping[str, Any], image: str, choice: Choice, queries: Sequence[tuple[str, str]]) -> Any:
    """The Job that restores what was chosen; ``queries`` are databases with what they are asked."""
    environment = {
        "PGDATA": params["data_directory"],
        "GOLIVE_USER": params["superuser"],
        "GOLIVE_MAJOR": str(choice.backup.pg_major),
        "GOLIVE_BYTES": str(choice.backup.database_bytes),
        "GOLIVE_REPO": str(choice.backup.repo),
        "GOLIVE_SET": choice.backup.id,
        "GOLIVE_TYPE": choice.engine_type,
        "GOLIVE_TARGET": choice.target,
        "GOLIVE_TIMELINE": str(choice.timeline),
        "GOLIVE_LAST_SEGMENT": choice.last_segment,
        "GOLIVE_LAST_SHA1": choice.last_sha1,
        "GOLIVE_PROVE": params["prove"],
        "GOLIVE_LOGIN": _LOGIN if params["login_secret"] else "",
        "GOLIVE_QUERIES": str(len(queries)),
    }
    for number, (database, sql) in enumerate(queries, 1):
        environment |= {f"GOLIVE_DATABASE_{number}": database, f"GOLIVE_SQL_{number}": sql}
    return _job(params, image, params["name"], ["sh", "-c", SCRIPT], environment, _volume(params["storage"]))


def claim(params: Mapping[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    """The volume that stays."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": params["storage"]["claim"],
            "namespace": params["namespace"],
            "labels": _LABELS,
            "annotations": dict(annotations),
        },
        "spec": _claim_spec(params["storage"]),
    }


def _claim_spec(storage: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage["size"]}},
    }
    return {**spec, "storageClassName": storage["class"]} if storage.get("class") else spec


def _volume(storage: Mapping[str, Any]) -> dict[str, Any]:
    if storage.get("claim"):
        return {"name": "data", "persistentVolumeClaim": {"claimName": storage["claim"]}}
    # It goes with the pod, whatever becomes of whoever asked for it.
    template = {"metadata": {"labels": _LABELS}, "spec": _claim_spec(storage)}
    return {"name": "data", "ephemeral": {"volumeClaimTemplate": template}}


def _job(
    params: Mapping[str, Any],
    image: str,
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    volume: Mapping[str, Any],
) -> dict[str, Any]:
    user, login = params["run_as_user"], params["login_secret"]
    container = {
        "name": "restore",
        "image": image,
        "imagePullPolicy": params["pull_policy"],
        "command": list(command),
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "resources": params["resources"],
        "volumeMounts": [
            {"name": "data", "mountPath": _DATA},
            {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108
            {"name": "configuration", "mountPath": CONFIGURATION, "readOnly": True},
            *({"name": key, "mountPath": path} for key, path in _SCRATCH.items()),
            *([{"name": "login", "mountPath": _LOGIN, "readOnly": True}] if login else []),
        ],
    }
    volumes = [
        volume,
        {"name": "configuration", "secret": {"secretName": params["config_secret"], "defaultMode": 0o440}},
        {"name": "shm", "emptyDir": {"medium": "Memory"}},
        *({"name": key, "emptyDir": {}} for key in _SCRATCH),
        *([{"name": "login", "secret": {"secretName": login, "defaultMode": 0o440}}] if login else []),
    ]
    pod = restricted_pod(container, volumes, user, params["pull_secrets"])
    # Whatever it has done is done again.
    pod["terminationGracePeriodSeconds"] = 1
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": _LABELS},
        "spec": {
            # A second try begins where a person or the next run has looked.
            "backoffLimit": 0,
            "activeDeadlineSeconds": round(params["timeout"]),
            "template": {"metadata": {"labels": {**_LABELS, **params["labels"]}}, "spec": pod},
        },
    }
