# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mark in the pod template of what its Secrets and ConfigMaps hold, so that pods are replaced when that changes.

Kubernetes restarts no pod when a Secret or ConfigMap changes that it reads through its environment.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_steps import Step
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

ANNOTATION = "golive.cutover/references"
# On a pod template: names of volumes, separated by commas, that its programs read anew whenever they change.
REREAD = "golive.cutover/reread"
_KINDS = ("Deployment", "StatefulSet", "DaemonSet")

Reference = tuple[str, str]


def mark_references(client: Client, steps: Iterable[Step], threads: int) -> None:
    """Write the annotation into the wanted pod templates; objects of the set itself are left out of it.

    Raises GoliveError ``forbidden`` without the right to read a named Secret or ConfigMap. One that does not exist
    counts as such: it is the pods' own cause that then tells of it.
    """
    rows = list(steps)
    own = {(step.key.namespace, step.key.kind, step.key.name) for step in rows}
    marked = [
        (
            step,
            [
                one
                for one in references_of(_read_once(step.wanted["spec"]["template"]))
                if (step.key.namespace, *one) not in own
            ],
        )
        for step in rows
        if step.key.group == "apps" and step.key.kind in _KINDS
    ]
    asked = sorted({(step.key.namespace, *one) for step, found in marked for one in found})

    def read(where: tuple[str, str, str]) -> str:
        namespace, kind, name = where
        return digest(client.get_or_none(client.path_of("v1", kind, namespace, name)))

    digests = dict(zip(asked, client.map(read, asked, threads), strict=True))
    for step, found in marked:
        if found:
            text = "\n".join(f"{kind}/{name}={digests[step.key.namespace, kind, name]}" for kind, name in found)
            meta = step.wanted["spec"]["template"].setdefault("metadata", {})
            mark = hashlib.sha256(text.encode()).hexdigest()[:16]
            meta["annotations"] = {**(meta.get("annotations") or {}), ANNOTATION: mark}


def _read_once(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without the volumes that are read anew."""
    notes = (template.get("metadata") or {}).get("annotations") or {}
    reread = set(notes.get(REREAD, "").split(","))
    spec = template.get("spec") or {}
    volumes = [one for one in spec.get("volumes") or [] if one.get("name") not in reread]
    return {**template, "spec": {**spec, "volumes": volumes}}


def references_of(template: Mapping[str, Any]) -> list[Reference]:
    """Kind and name of every Secret and ConfigMap that a pod template reads, sorted."""
    spec = template.get("spec") or {}
    found: set[Reference] = set()
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        for source in container.get("envFrom") or []:
            found.update(_named(source, "secretRef", "configMapRef"))
        for variable in container.get("env") or []:
            found.update(_named(variable.get("valueFrom") or {}, "secretKeyRef", "configMapKeyRef"))
    for volume in spec.get("volumes") or []:
        for source in [volume, *((volume.get("projected") or {}).get("sources") or [])]:
            found.update(_named(source, "secret", "configMap"))
    return sorted(found)


def digest(obj: Mapping[str, Any] | None) -> str:
    """Digest of what an object holds, keyed by its UID: who may not read a Secret cannot test a guess against it."""
    if obj is None:
        return "absent"
    held = json.dumps([obj.get("data") or {}, obj.get("binaryData") or {}], sort_keys=True)
    return hmac.new(str(obj["metadata"]["uid"]).encode(), held.encode(), hashlib.sha256).hexdigest()


def _named(source: Mapping[str, Any], secret: str, config: str) -> Iterator[Reference]:
    for field, kind in ((secret, "Secret"), (config, "ConfigMap")):
        reference = source.get(field) or {}
        name = reference.get("secretName") or reference.get("name")
        if name:
            yield kind, str(name)
