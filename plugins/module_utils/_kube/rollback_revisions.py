# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Earlier revisions of a Deployment or StatefulSet, found by owner UID."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import REVISION
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_view import collection_path

# A revision that is used again gets a new number. ReplicaSets list their former ones; ControllerRevisions do not.
HISTORY = "deployment.kubernetes.io/revision-history"
FORMER = "golive.cutover/former-revisions"


@dataclass(frozen=True)
class Revision:
    """One stored pod template; ``former`` are numbers it had before it was used again."""

    number: int
    former: tuple[int, ...]
    obj: dict[str, Any]
    template: dict[str, Any]

    def row(self) -> dict[str, Any]:
        """What a result or an error says of it."""
        return {
            "revision": self.number,
            "former": list(self.former),
            "name": self.obj["metadata"]["name"],
            "created": self.obj["metadata"].get("creationTimestamp") or "",
            "images": [row["image"] for row in self.template["spec"]["containers"]],
        }


def revisions_of(client: Client, workload: dict[str, Any]) -> list[Revision]:
    """All stored revisions, oldest number first."""
    kind = "ReplicaSet" if workload["kind"] == "Deployment" else "ControllerRevision"
    listed = client.list(collection_path(kind, workload["metadata"]["namespace"]))
    mine = [row for row in listed if pods.owned_by(row, workload["metadata"]["uid"])]
    read = _of_replica_set if kind == "ReplicaSet" else _of_controller_revision
    return sorted((read(row) for row in mine), key=lambda row: row.number)


def current_of(workload: dict[str, Any], revisions: Iterable[Revision]) -> Revision:
    """The revision the workload's present template is; raises GoliveError ``no_revision``."""
    annotations = workload["metadata"].get("annotations") or {}
    name = (workload.get("status") or {}).get("updateRevision")
    for row in revisions:
        if workload["kind"] == "Deployment":
            if str(row.number) == annotations.get(REVISION):
                return row
        elif row.obj["metadata"]["name"] == name:
            return row
    raise _missing(workload, "its present revision", revisions)


def chosen(workload: dict[str, Any], revisions: list[Revision], current: Revision, wanted: int | None) -> Revision:
    """The revision to go to: the wanted number, also a former one, else the one before the present.

    Raises GoliveError ``no_revision`` whose ``revisions`` list what exists.
    """
    if wanted is None:
        earlier = [row for row in revisions if row.number < current.number]
        if not earlier:
            raise _missing(workload, "a revision before the present one", revisions)
        return earlier[-1]
    exact = [row for row in revisions if row.number == wanted]
    known = exact or [row for row in revisions if wanted in row.former]
    if not known:
        raise _missing(workload, f"revision {wanted}", revisions)
    return known[-1]


def _missing(workload: dict[str, Any], what: str, revisions: Iterable[Revision]) -> GoliveError:
    rows = [row.row() for row in revisions]
    listed = "; ".join(f"{row['revision']} ({', '.join(row['images'])})" for row in rows) or "none"
    meta = workload["metadata"]
    return GoliveError(
        "no_revision",
        f"Rolling back {workload['kind']} {meta['namespace']}/{meta['name']} did not find {what}; there are: {listed}.",
        "Name one of these in to_revision, or apply the earlier manifest; revisionHistoryLimit sets how many are kept.",
        {"revisions": rows},
    )


def _of_replica_set(obj: dict[str, Any]) -> Revision:
    annotations = obj["metadata"].get("annotations") or {}
    template = copy.deepcopy(obj["spec"]["template"])
    (template["metadata"].get("labels") or {}).pop("pod-template-hash", None)
    return Revision(int(annotations.get(REVISION) or 0), _numbers(annotations.get(HISTORY)), obj, template)


def _of_controller_revision(obj: dict[str, Any]) -> Revision:
    template = {key: value for key, value in obj["data"]["spec"]["template"].items() if key != "$patch"}
    annotations = obj["metadata"].get("annotations") or {}
    return Revision(int(obj["revision"]), _numbers(annotations.get(FORMER)), obj, template)


def _numbers(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (text or "").split(",") if part.strip().isdigit())
