# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server of an app is live: its Service leads to one pod by name, so that a second server can run beside it.

Server 1 of the Service ``shop-postgres`` has its name, the next ones are ``shop-postgres-2`` and so on; each is a
StatefulSet with one pod and one claim.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

# The StatefulSet controller puts it on each pod.
POD_NAME = "statefulset.kubernetes.io/pod-name"
KEPT = "golive.cutover/kept"
_FIRST = "-0"


@dataclass(frozen=True)
class Kept:
    """The server that was left, whose volume is the way back; ``by`` is ``restore`` or ``return``.

    ``reason`` is what the switch was for, ``since`` the first transaction id of the live server that the kept one
    cannot have, ``lost`` how many committed transactions were given up.
    """

    server: str
    by: str
    reason: str
    since: int
    lost: int | None


@dataclass(frozen=True)
class LiveServer:
    """``service`` is the object as it was read, None where there is none; ``pinned`` whether it names its pod."""

    service: dict[str, Any] | None
    server: str
    pinned: bool
    kept: Kept | None


def read_live(client: Client, namespace: str, name: str) -> LiveServer:
    """What the Service ``name`` leads to; raises GoliveError ``foreign`` for a selector that names no such pod."""
    service = client.get_or_none(client.path_of("v1", "Service", namespace, name))
    if service is None:
        return LiveServer(None, name, False, None)
    pod = (service["spec"].get("selector") or {}).get(POD_NAME)
    if pod is not None and not str(pod).endswith(_FIRST):
        raise GoliveError(
            "foreign",
            f"Finding the live server of Service {name} failed: its selector names the pod {pod}.",
            "Only the role postgres writes it; let it name a pod whose name ends in -0.",
        )
    return LiveServer(service, str(pod).removesuffix(_FIRST) if pod else name, pod is not None, _kept(service))


def pod_of(server: str) -> str:
    """Name of the pod of a server."""
    return f"{server}{_FIRST}"


def claim_of(server: str) -> str:
    """Name of the claim of a server."""
    return f"data-{server}{_FIRST}"


def beside_of(server: str, name: str) -> str:
    """Name of the server that comes behind ``server`` of the Service ``name``: one number more."""
    text = server.removeprefix(f"{name}-")
    number = int(text) if text != server and text.isdigit() else 1
    return f"{name}-{number + 1}"


def _kept(service: Mapping[str, Any]) -> Kept | None:
    text = (service["metadata"].get("annotations") or {}).get(KEPT)
    if not text:
        return None
    try:
        row = json.loads(text)
        return Kept(str(row["server"]), str(row["by"]), str(row["reason"]), int(row["since"]), row["lost"])
    except (ValueError, KeyError, TypeError) as error:
        raise GoliveError(
            "foreign",
            f"Reading what Service {service['metadata']['name']} keeps failed: its {KEPT} is not one of ours.",
            "Find out who has changed it; without it nothing is kept.",
        ) from error
