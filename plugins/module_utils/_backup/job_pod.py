# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod of a Job that backs up or restores, under the restricted standard for pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def restricted_pod(
    container: Mapping[str, Any], volumes: Sequence[Mapping[str, Any]], user: int, pull_secrets: Sequence[str]
) -> dict[str, Any]:
    """One container that may only write to its volumes, as ``user``, and that knows nothing of the cluster."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "imagePullSecrets": [{"name": name} for name in pull_secrets],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{**container, "securityContext": security}],
        "volumes": list(volumes),
    }
