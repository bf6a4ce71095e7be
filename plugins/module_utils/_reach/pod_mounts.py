# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a kubelet bring the files of ConfigMaps and Secrets into a pod now instead of at its next turn."""

from __future__ import annotations

import secrets

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import MERGE_PATCH, Client

_ANNOTATION = "golive.cutover/refreshed"


def refresh_mounts(client: Client, namespace: str, pod: str) -> None:
    """A kubelet looks after a pod and its mounts whenever the pod is written; without the right it takes its time."""
    body = {"metadata": {"annotations": {_ANNOTATION: secrets.token_hex(4)}}}
    try:
        client.request("PATCH", client.path_of("v1", "Pod", namespace, pod), body=body, content_type=MERGE_PATCH)
    except GoliveError:
        return
