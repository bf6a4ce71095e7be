# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count what a set would create against the object quotas of its namespaces.

A dry run checks each object alone: ten that fit one by one pass it where only nine fit together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_steps import Step
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.quantities import amount


def over_quota(client: Client, creating: Iterable[Step], threads: int) -> list[GoliveError]:
    """A fault for each namespace and quota that the steps together would exceed; nothing where it may not be read."""
    counts: dict[str, Counter[str]] = {}
    for step in creating:
        if step.key.namespace:
            plural = client.resource(step.wanted["apiVersion"], step.key.kind)["name"]
            names = [f"count/{plural}.{step.key.group}"] if step.key.group else [f"count/{plural}", plural]
            counts.setdefault(step.key.namespace, Counter()).update(names)
    spaces = [space for space, counted in counts.items() if max(counted.values()) > 1]

    def look(namespace: str) -> list[GoliveError]:
        try:
            quotas = client.list(f"/api/v1/namespaces/{quote(namespace, safe='')}/resourcequotas")
        except GoliveError as error:
            if error.code != "forbidden":
                raise
            return []
        return [fault for quota in quotas for fault in _exceeded(namespace, quota, counts[namespace])]

    return [fault for faults in client.map(look, spaces, threads) for fault in faults]


def _exceeded(namespace: str, quota: dict[str, Any], counted: Counter[str]) -> list[GoliveError]:
    status = quota.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    found = []
    for resource, number in counted.items():
        limit, taken = amount(hard.get(resource)), amount(used.get(resource, "0"))
        if limit is not None and taken is not None and taken + number > limit:
            found.append(
                GoliveError(
                    "quota_exceeded",
                    f"Creating {number} {resource} in namespace {namespace} would exceed quota "
                    f"{quota['metadata']['name']}: {taken:f} of {limit:f} are used.",
                    "Raise the ResourceQuota of the namespace, or remove objects from the set.",
                )
            )
    return found
