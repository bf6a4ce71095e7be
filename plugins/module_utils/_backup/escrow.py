# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``secret_escrow``: what a namespace cannot be made again without, sealed to keys outside of the cluster.

Nobody here can open what is kept, so whether anything has changed is told by a keyed sum in its name.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._backup.key import read_key
from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import opened_store
from ansible_collections.golive.cutover.plugins.module_utils._backup.sealing import need_pyrage, seal
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.diff import diff_of
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import masking

FOLDER = "golive/escrow/"
_NAME = re.compile(r"golive/escrow/(?P<time>\d{8}T\d{6}Z)-(?P<sum>[0-9a-f]{32})\.json\.age")
_KINDS = (("ConfigMap", "configmaps"), ("Secret", "secrets"))
# Each cluster makes these itself.
_OWN = (("ConfigMap", "kube-root-ca.crt"),)
_OWN_TYPES = ("kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token")
_KEPT = ("type", "data", "binaryData", "immutable")
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def secret_escrow(call: Call) -> dict[str, Any]:
    """The result of the verb; raises GoliveError."""
    need_pyrage()
    params = call.params
    if params["keep"] < 1:
        raise GoliveError("invalid", f"Keeping {params['keep']} copies was refused.", "Keep at least one.")
    with connected(call) as client:
        objects = read_objects(client, params["namespace"])
        passphrase = read_key(client, params).passphrase
        with masking([passphrase]):
            rows = [
                _kept(call, client, number, row, objects, passphrase)
                for number, row in enumerate(params["repositories"], 1)
            ]
    names = {kind: [one["metadata"]["name"] for one in objects if one["kind"] == kind] for kind, _path in _KINDS}
    result = {
        "changed": any(row["changed"] for row in rows),
        "config_maps": names["ConfigMap"],
        "secrets": names["Secret"],
        "repositories": rows,
    }
    if call.diff_mode and result["changed"]:
        after = {**names, "sealed to": sorted(params["recipients"])}
        result["diff"] = [
            diff_of(f"escrow in repository {row['number']}", row["before"], after) for row in rows if row["changed"]
        ]
    return result


def read_objects(client: Client, namespace: str) -> list[dict[str, Any]]:
    """Secrets and ConfigMaps of a namespace as one would apply them anew; raises as the API."""
    found: list[dict[str, Any]] = []
    for kind, plural in _KINDS:
        listed = client.list(f"/api/v1/namespaces/{quote(namespace, safe='')}/{plural}")
        found += [_anew(kind, one) for one in listed if not _of_cluster(kind, one)]
    return sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"]))


def keep_sealed(
    call: Call,
    store: Store,
    objects: Sequence[Mapping[str, Any]],
    recipients: Sequence[str],
    passphrase: str,
    keep: int,
) -> dict[str, Any]:
    """Have the newest copy of the objects in the repository, and no more than ``keep``.

    Returns ``changed``, the ``name`` of the newest copy, ``before`` it, and the ``removed`` ones. Raises GoliveError
    ``escrow_damaged`` when reading it back gives other bytes, ``invalid`` for what is no public key, and as the store.
    """
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}, sort_keys=True).encode()
    total = _sum(content, recipients, passphrase)
    sealed = io.BytesIO()
    # Sealed in check mode, too: it refuses the same keys.
    seal(io.BytesIO(content), sealed, recipients)
    names = sorted(entry.name for entry in store.list(FOLDER) if _NAME.fullmatch(entry.name))
    newest = names[-1] if names else None
    there = newest is not None and total == _NAME.sub(r"\g<sum>", newest)
    name = str(newest) if there else f"{FOLDER}{call.date():%Y%m%dT%H%M%SZ}-{total}.json.age"
    if not there:
        names.append(name)
    removed = names[:-keep]
    if not call.check_mode:
        if not there:
            store.put(name, sealed.getvalue())
            if store.get(name).data != sealed.getvalue():
                raise GoliveError(
                    "escrow_damaged",
                    f"Reading {name} back from {store.place} gave other bytes than were written.",
                    "Look at the store; nothing in it is believed.",
                )
        for old in removed:
            call.alive()
            store.delete(old)
    return {"changed": not there or bool(removed), "name": name, "before": newest, "removed": removed}


def _kept(
    call: Call,
    client: Client,
    number: int,
    row: Mapping[str, Any],
    objects: Sequence[Mapping[str, Any]],
    passphrase: str,
) -> dict[str, Any]:
    params = call.params
    call.progress(f"sealing for repository {number}")
    with opened_store(call, client, row, params["namespace"]) as store:
        return {
            "number": number,
            **keep_sealed(call, store, objects, params["recipients"], passphrase, params["keep"]),
        }


def _of_cluster(kind: str, one: Mapping[str, Any]) -> bool:
    return (kind, one["metadata"]["name"]) in _OWN or one.get("type") in _OWN_TYPES


def _anew(kind: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """An object without what its cluster alone has said of it."""
    meta = one["metadata"]
    notes = {name: text for name, text in (meta.get("annotations") or {}).items() if name != _LAST_APPLIED}
    named = {"name": meta["name"], "namespace": meta["namespace"]}
    more = {"labels": meta.get("labels"), "annotations": notes}
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {**named, **{key: value for key, value in more.items() if value}},
        **{key: one[key] for key in _KEPT if one.get(key) is not None},
    }


def _sum(content: bytes, recipients: Iterable[str], passphrase: str) -> str:
    """Tells a change, and nothing of the content to somebody without the passphrase."""
    text = "\n".join(sorted(recipients)).encode() + b"\n\n" + content
    return hmac.new(f"golive escrow {passphrase}".encode(), text, hashlib.sha256).hexdigest()[:32]
