# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gather what an update in place meets in the cluster, and refuse it with all faults at once."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_faults import raise_faults
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import gather
from ansible_collections.golive.cutover.plugins.module_utils._release.rolling import Surroundings, rolling_faults


def lint(call: Call, client: Client) -> None:
    """Raises GoliveError with every fault of the objects in ``content`` and of what surrounds them."""
    faults: list[GoliveError] = []
    objects = [wanted.obj for wanted in gather({"content": call.params["content"]}, faults)]
    raise_faults(faults)
    namespace = call.params["namespace"]
    service = client.get_or_none(client.path_of("v1", "Service", namespace, call.params["service"]))
    spec = (service or {}).get("spec") or {}
    local = spec.get("externalTrafficPolicy") == "Local"
    around = Surroundings(
        propagation=call.params["propagation"],
        longest=call.params["longest_request"],
        quotas=tuple(_quotas(client, namespace)),
        local=local,
        nodes=_nodes(client, namespace, spec.get("selector") or {}) if local else (),
    )
    raise_faults(rolling_faults(objects, around))


def _quotas(client: Client, namespace: str) -> list[dict[str, Any]]:
    try:
        return client.list(client.path_of("v1", "ResourceQuota", namespace))
    except GoliveError as error:
        if error.code != "forbidden":
            raise
        return []


def _nodes(client: Client, namespace: str, selector: dict[str, str]) -> tuple[str, ...]:
    query = {"labelSelector": ",".join(f"{key}={value}" for key, value in sorted(selector.items()))}
    found = client.list(client.path_of("v1", "Pod", namespace), query)
    return tuple(str(pod["spec"].get("nodeName")) for pod in found if pods.is_ready(pod))
