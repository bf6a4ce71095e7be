# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all our Jobs are: one pod that runs once, with no rights in the cluster and none on its node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

USER = 65532
# Of a pod that shares its files with no other one.
SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def job_definition(
    inside: Mapping[str, Any], name: str, container: Mapping[str, Any], pod: Mapping[str, Any]
) -> dict[str, Any]:
    """A Job as the option ``in_cluster`` describes it, with fields of its container and of its pod's spec."""
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "golive"}
    whole = {
        "name": name,
        "image": inside["image"],
        "imagePullPolicy": "IfNotPresent",
        "resources": inside["resources"] or {},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        **container,
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "imagePullSecrets": [{"name": secret} for secret in inside["pull_secrets"] or []],
        "containers": [whole],
        **pod,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            # One try: what a second one may do, the next run decides with the database.
            "backoffLimit": 0,
            "activeDeadlineSeconds": round(inside["timeout"]),
            "template": {"metadata": {"labels": {**labels, **(inside["labels"] or {})}}, "spec": spec},
        },
    }
