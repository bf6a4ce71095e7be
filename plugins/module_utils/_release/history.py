# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the colours of an app run, and which releases it can return to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube import pods
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.references import Reference, references_of
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import REVISION
from ansible_collections.golive.cutover.plugins.module_utils._release.records import (
    CONFIGURATION,
    RECORD,
    ROLE,
    Release,
    find,
    garbage,
    newest_first,
    read_record,
)

_COLOURS = ("blue", "green")
_NAME = "app.kubernetes.io/name"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_NOTES = ("release", "version", "state", "configuration", "before")


def read_releases(call: Call, client: Client) -> dict[str, Any]:
    """The result of the verb; raises GoliveError ``release_unknown`` when the wanted release is not recorded."""
    app, namespace = call.params["app"], call.params["namespace"]
    mine = f"{_NAME}={app}"
    paths = [client.path_of("v1", "ConfigMap", namespace), client.path_of("v1", "Secret", namespace)]
    configured = {"labelSelector": f"{mine},{ROLE}={CONFIGURATION}"}
    found = client.list(paths[0], {"labelSelector": f"{mine},{ROLE}={RECORD}"})
    maps = _references("ConfigMap", client.list(paths[0], configured))
    secrets = _references("Secret", _readable(client, paths[1], configured))
    colours = client.map(lambda colour: _colour(client, namespace, app, colour), _COLOURS)
    records = []
    for item in found:
        record = read_record(item)
        if record is None:
            call.warn(
                f"The release record {item['metadata']['name']} in {namespace} cannot be read; it is passed over."
            )
        else:
            records.append(record)
    rows = [row for row in colours if row]
    read = {one for row in rows for one in row.pop("reads")}
    surplus = garbage(records, call.params["keep"], [row["release"] for row in rows], [*maps, *secrets], read)
    return {
        "changed": False,
        "colours": rows,
        "releases": [one.row() for one in newest_first(records)],
        "wanted": _wanted(records, call.params["release"], f"{namespace}/{app}"),
        "garbage": [
            {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}}
            for kind, name in surplus
        ],
    }


def _wanted(records: list[Release], wanted: str | None, app: str) -> dict[str, Any] | None:
    if not wanted:
        return None
    release = find(records, wanted)
    if release is None:
        known = ", ".join(f"{one.id} ({one.content['version']})" for one in newest_first(records)) or "none"
        raise GoliveError(
            "release_unknown",
            f"Finding release {wanted} of {app} failed: recorded are {known}.",
            "Name one of these by its id or version, or release that version anew.",
        )
    return dict(release.content)


def _readable(client: Client, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Secrets of our own making; none for a user who may not list Secrets, because those also stay then."""
    try:
        return client.list(path, query)
    except GoliveError as error:
        if error.code != "forbidden":
            raise
        return []


def _references(kind: str, found: list[dict[str, Any]]) -> list[Reference]:
    return [(kind, str(item["metadata"]["name"])) for item in found]


def _colour(client: Client, namespace: str, app: str, colour: str) -> dict[str, Any] | None:
    name = f"{app}-{colour}"
    deployment = client.get_or_none(client.path_of("apps/v1", "Deployment", namespace, name))
    if deployment is None:
        return None
    notes = deployment["metadata"].get("annotations") or {}
    template = deployment["spec"]["template"]
    return {
        "colour": colour,
        "deployment": name,
        "image": template["spec"]["containers"][0]["image"],
        "digests": _digests(client, namespace, deployment),
        "revision": notes.get(REVISION) or "",
        **{note: notes.get(f"golive.cutover/{note}") or "" for note in _NOTES},
        "claims": _claims(template["spec"]),
        "reads": references_of(template),
    }


def _claims(pod: Mapping[str, Any]) -> list[str]:
    volumes = (row.get("persistentVolumeClaim") or {} for row in pod.get("volumes") or [])
    return sorted({row["claimName"] for row in volumes if row})


def _digests(client: Client, namespace: str, deployment: Mapping[str, Any]) -> list[str]:
    """Digests of the image that the pods of the present revision really run, by what the node reports."""
    labels = deployment["spec"]["selector"].get("matchLabels") or {}
    query = {"labelSelector": ",".join(f"{key}={value}" for key, value in sorted(labels.items()))}
    revision = (deployment["metadata"].get("annotations") or {}).get(REVISION)
    sets = [
        item["metadata"]["uid"]
        for item in client.list(client.path_of("apps/v1", "ReplicaSet", namespace), query)
        if pods.owned_by(item, deployment["metadata"]["uid"])
        and (item["metadata"].get("annotations") or {}).get(REVISION) == revision
    ]
    first = deployment["spec"]["template"]["spec"]["containers"][0]["name"]
    found = set()
    for pod in client.list(client.path_of("v1", "Pod", namespace), query):
        if not any(pods.owned_by(pod, uid) for uid in sets) or pods.is_deleting(pod):
            continue
        for status in (pod.get("status") or {}).get("containerStatuses") or []:
            match = _DIGEST.search(str(status.get("imageID") or "")) if status["name"] == first else None
            if match:
                found.add(match[0])
    return sorted(found)
