# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Autoscalers of the colours: an idle colour is scaled down by its own metric unless its lower bound is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import MERGE_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import MANAGER
from ansible_collections.golive.cutover.plugins.module_utils._traffic.sizing import guarded

_API = "autoscaling/v2"
_KIND = "HorizontalPodAutoscaler"
# The lower bound that an autoscaler had before it was held.
HELD = "golive.cutover/min-replicas"


def read_autoscalers(client: Client, namespace: str, deployments: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The autoscaler of each of these Deployments that has one, by the Deployment's name.

    Empty when this user may not read them.
    """
    names = frozenset(deployments)
    try:
        found = client.list(client.path_of(_API, _KIND, namespace))
    except GoliveError as error:
        if error.code == "forbidden":
            return {}
        raise
    return {name: row for row in found for name in names if _scales(row, name)}


def least_of(autoscaler: Mapping[str, Any]) -> int:
    """Its lower bound."""
    return int(autoscaler["spec"].get("minReplicas") or 1)


def hold(call: Call, client: Client, autoscaler: dict[str, Any], pods: int, token: str | None) -> bool:
    """Raise the lower bound to ``pods`` (at most its upper one) and keep the old one beside it; whether it changed."""
    wanted = min(pods, int(autoscaler["spec"]["maxReplicas"]))
    if least_of(autoscaler) >= wanted:
        return False
    known = (autoscaler["metadata"].get("annotations") or {}).get(HELD) or str(least_of(autoscaler))
    _write(call, client, autoscaler, token, wanted, known)
    return True


def release(call: Call, client: Client, autoscaler: dict[str, Any], token: str | None) -> int:
    """Give a held autoscaler its own lower bound back; the bound that holds now."""
    known = (autoscaler["metadata"].get("annotations") or {}).get(HELD) or ""
    if not known.isdigit():
        return least_of(autoscaler)
    _write(call, client, autoscaler, token, int(known), None)
    return int(known)


def _write(
    call: Call, client: Client, autoscaler: dict[str, Any], token: str | None, least: int, known: str | None
) -> None:
    meta = autoscaler["metadata"]
    path = client.path_of(_API, _KIND, meta["namespace"], meta["name"])

    def write(found: dict[str, Any]) -> dict[str, Any]:
        call.alive()
        about = {"resourceVersion": found["metadata"]["resourceVersion"], "annotations": {HELD: known}}
        body = {"metadata": about, "spec": {"minReplicas": least}}
        return client.request("PATCH", path, query={"fieldManager": MANAGER}, body=body, content_type=MERGE_PATCH)

    guarded(client, path, {**autoscaler, "kind": _KIND}, token, write)


def _scales(autoscaler: Mapping[str, Any], deployment: str) -> bool:
    target = autoscaler["spec"].get("scaleTargetRef") or {}
    return target.get("kind") == "Deployment" and target.get("name") == deployment
