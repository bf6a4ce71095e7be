# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that a Job's newest pod has written: where the result is in what it writes, its last lines are not enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path


def job_log(client: Client, job: Mapping[str, Any]) -> str | None:
    """The whole log of the newest pod of the Job with this ``namespace``, ``name`` and ``uid``; None without one."""
    label = f"batch.kubernetes.io/job-name={job['name']}"
    listed = client.list(collection_path("Pod", job["namespace"]), {"labelSelector": label})
    mine = [pod for pod in listed if pods.owned_by(pod, job["uid"])]
    if not mine:
        return None
    pod = max(mine, key=lambda one: str(one["metadata"]["creationTimestamp"]))
    try:
        return client.text(f"{collection_path('Pod', job['namespace'], pod['metadata']['name'])}/log")
    except GoliveError:
        return None
