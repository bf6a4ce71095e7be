# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dynamic volumes: gives every claim of our StorageClass a clean directory as a `local` PersistentVolume.

`local` rather than `hostPath`, because only the former follows a pod's fsGroup, and a database runs without root.
It follows the rules of an external provisioner: annotation `pv.kubernetes.io/provisioned-by`, reclaim policy Delete.
"""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .certificates import Certificates
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
    while True:
        try:
            api = _Api(record)
            version = _reconcile(api, record, root)
            for _ in api.changes(version):
                _reconcile(api, record, root)
        except (OSError, http.client.HTTPException, ValueError) as error:
            print(f"trying again: {error}", flush=True)
            time.sleep(1)


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


def _reconcile(api: _Api, record: Record, root: Path) -> str:
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


class _Api:
    """The few calls needed, with the standard library only."""

    def __init__(self, record: Record) -> None:
        pki = Certificates(record)
        self.context = ssl.create_default_context(cafile=pki.cert("ca"))
        self.context.load_cert_chain(pki.cert("volumes"), pki.key("volumes"))
        self.address = record.node_address
        self.connection = self._connect(30)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Raises OSError on a refusal, except that an object is already there or already gone."""
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300 and answer.status not in (404, 409):
            raise OSError(f"{method} {path}: {answer.status} {text.decode(errors='replace')[:300]}")
        return json.loads(text)

    def changes(self, version: str) -> Iterator[None]:
        """One item for each change of a claim; ends after a few seconds, so that released volumes are seen too."""
        watch = self._connect(10)
        watch.request("GET", f"{CLAIMS}?watch=1&timeoutSeconds=3&resourceVersion={version}")
        answer = watch.getresponse()
        try:
            while answer.readline():
                yield
        finally:
            watch.close()

    def _connect(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self.address, 6443, context=self.context, timeout=timeout)
