# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Autoscalers of the colours: an idle colour is scaled down by its own metric unless its lower bound is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

_API = "autoscaling/v2"
_KIND = "HorizontalPodAutoscaler"


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


def _scales(autoscaler: Mapping[str, Any], deployment: str) -> bool:
    target = autoscaler["spec"].get("scaleTargetRef") or {}
    return target.get("kind") == "Deployment" and target.get("name") == deployment
