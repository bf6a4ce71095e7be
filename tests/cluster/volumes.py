# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dynamic volumes: gives every claim of our StorageClass a clean directory as a `local` PersistentVolume.

`local` rather than `hostPath`, because only the former follows a pod's fsGroup, and a database runs without root.
It follows the rules of an external provisioner: annotation `pv.kubernetes.io/provisioned-by`, reclaim policy Delete.
"""

from __future__ import annotations

import http.client
import shutil
import threading
from pathlib import Path
from typing import Any

from .api import Api
from .record import Record, load_record

PROVISIONER = "golive.test/local"
CLAIM_NOTE = "volume.kubernetes.io/storage-provisioner"
VOLUME_NOTE = "pv.kubernetes.io/provisioned-by"
CLAIMS = "/api/v1/persistentvolumeclaims"
VOLUMES = "/api/v1/persistentvolumes"


def serve(name: str) -> int:
    """Runs until it is ended; every failure is tried again after a second."""
    record = load_record(name)
    if record is None:
        return 1
    root = record.state / "volumes"
    root.mkdir(exist_ok=True)
    pause = threading.Event()
    while True:
        try:
            api = Api(record)
            version = _reconcile(api, record, root)
            # It ends after a few seconds, so that released volumes are seen too.
            for _change in api.changes(CLAIMS, version, seconds=3):
                _reconcile(api, record, root)
        except (OSError, http.client.HTTPException, ValueError) as error:
            print(f"trying again: {error}", flush=True)
            pause.wait(1)


def volume_for(claim: dict[str, Any], record: Record, root: Path) -> dict[str, Any]:
    """The PersistentVolume for a claim, bound to it by claimRef."""
    meta, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{meta['uid']}"
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {VOLUME_NOTE: PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": spec["storageClassName"],
            "volumeMode": "Filesystem",
            "local": {"path": str(root / name)},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "namespace": meta["namespace"],
                "name": meta["name"],
                "uid": meta["uid"],
            },
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "kubernetes.io/hostname", "operator": "In", "values": [record.node]}
                            ]
                        }
                    ]
                }
            },
        },
    }


def wants_volume(claim: dict[str, Any]) -> bool:
    return (
        claim["metadata"].get("annotations", {}).get(CLAIM_NOTE) == PROVISIONER
        and not claim["spec"].get("volumeName")
        and claim["spec"].get("volumeMode", "Filesystem") == "Filesystem"
        and "deletionTimestamp" not in claim["metadata"]
    )


def _reconcile(api: Api, record: Record, root: Path) -> str:
    claims = api.call("GET", CLAIMS)
    volumes = api.call("GET", VOLUMES)
    known = {volume["metadata"]["name"] for volume in volumes["items"]}
    for claim in claims["items"]:
        volume = volume_for(claim, record, root) if wants_volume(claim) else None
        if volume and volume["metadata"]["name"] not in known:
            folder = root / volume["metadata"]["name"]
            folder.mkdir(mode=0o755, exist_ok=True)
            api.call("POST", VOLUMES, volume)
    for volume in volumes["items"]:
        meta = volume["metadata"]
        ours = meta.get("annotations", {}).get(VOLUME_NOTE) == PROVISIONER
        if ours and volume.get("status", {}).get("phase") == "Released":
            shutil.rmtree(root / meta["name"], ignore_errors=True)
            if "deletionTimestamp" not in meta:
                api.call("DELETE", f"{VOLUMES}/{meta['name']}")
    return str(claims["metadata"]["resourceVersion"])
