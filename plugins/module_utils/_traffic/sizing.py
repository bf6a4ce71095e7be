# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change the number of pods of a colour, guarded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import MERGE_PATCH, Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import fenced
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import UNCERTAIN, WRITE_S

# Replicas belong to the release flow, which writes them under the same name.
SIZE_MANAGER = "golive-release"
_SENDS = 2
_TRIES = 20


def size_of(deployment: Mapping[str, Any]) -> int:
    """``spec.replicas``."""
    return int(deployment["spec"].get("replicas", 1))


def scale(
    call: Call, client: Client, deployment: Mapping[str, Any], replicas: int, token: str | None
) -> dict[str, Any]:
    """Set ``spec.replicas``, provided that the spec is still as read; returns the Deployment after the write.

    A write whose outcome is unknown is looked at, and sent once more only when nothing happened. Raises GoliveError
    ``overtaken`` when somebody else changes it, ``lease_lost``, ``not_found``, or the server's refusal.
    """
    meta = deployment["metadata"]
    path = client.path_of("apps/v1", "Deployment", meta["namespace"], meta["name"])

    def write(found: dict[str, Any]) -> dict[str, Any]:
        call.alive()
        _need_same(deployment, found, replicas)
        about = {"uid": meta["uid"], "resourceVersion": found["metadata"]["resourceVersion"]}
        return client.request(
            "PATCH",
            path,
            query={"fieldManager": SIZE_MANAGER},
            body={"metadata": about, "spec": {"replicas": replicas}},
            content_type=MERGE_PATCH,
            retry=False,
            timeout=WRITE_S,
        )

    found = {**deployment, "kind": "Deployment"}
    trouble: GoliveError | None = None
    for _send in range(_SENDS):
        try:
            return guarded(client, path, found, token, write)
        except GoliveError as error:
            if error.code not in UNCERTAIN:
                raise
            trouble = error
        found = {**client.get(path), "kind": "Deployment"}
        if size_of(found) == replicas and found["metadata"]["uid"] == meta["uid"]:
            return found
    raise trouble or GoliveError("internal", f"Scaling {meta['name']} was never sent.")


def guarded(
    client: Client,
    path: str,
    found: dict[str, Any],
    token: str | None,
    write: Callable[[dict[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """Write an object at the resourceVersion that was read, fenced by the run's token when it has one.

    Controllers write the status all the time; each such write costs one more look. Raises GoliveError ``conflict``,
    ``lease_lost``, or what ``write`` raises.
    """
    if token:
        return fenced(client, path, found, token, write)
    for _try in range(_TRIES):
        try:
            return write(found)
        except GoliveError as error:
            if error.code != "conflict":
                raise
        found = client.get(path)
    raise GoliveError("conflict", f"Writing {path} failed: it changed each of {_TRIES} times.", "Run again.")


def _need_same(before: Mapping[str, Any], found: Mapping[str, Any], replicas: int) -> None:
    """The spec itself is compared: a Deployment's generation moves with its annotations too, so with our own stamp."""
    known = before["metadata"]
    if known["uid"] != found["metadata"]["uid"] or before["spec"] != found["spec"]:
        raise GoliveError(
            "overtaken",
            f"Stopped scaling Deployment {known['name']} to {replicas}: somebody else changed it meanwhile; it has"
            f" {size_of(found)} replicas now.",
            "Look at who changes it, then run again.",
        )
