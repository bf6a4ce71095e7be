# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live view of everything that tracked objects consist of, by list and watch."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.mirror import Mirror
from ansible_collections.golive.cutover.plugins.module_utils._kube.pods_events import Events
from ansible_collections.golive.cutover.plugins.module_utils._kube.track_scene import Scene, scene_of

_COLLECTIONS = {
    "Deployment": ("/apis/apps/v1", "deployments"),
    "ReplicaSet": ("/apis/apps/v1", "replicasets"),
    "StatefulSet": ("/apis/apps/v1", "statefulsets"),
    "DaemonSet": ("/apis/apps/v1", "daemonsets"),
    "ControllerRevision": ("/apis/apps/v1", "controllerrevisions"),
    "Job": ("/apis/batch/v1", "jobs"),
    "Pod": ("/api/v1", "pods"),
    "PersistentVolumeClaim": ("/api/v1", "persistentvolumeclaims"),
    "Event": ("/api/v1", "events"),
}
KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "PersistentVolumeClaim", "Pod")
_NEEDS = {
    "Deployment": ("ReplicaSet", "Pod", "Event", "PersistentVolumeClaim"),
    "StatefulSet": ("Pod", "Event", "PersistentVolumeClaim"),
    "DaemonSet": ("ControllerRevision", "Pod", "Event", "PersistentVolumeClaim"),
    "Job": ("Pod", "Event", "PersistentVolumeClaim"),
    "Pod": ("Event", "PersistentVolumeClaim"),
    "PersistentVolumeClaim": ("Pod", "Event"),
}
# Without these the verdict is the same, only its cause is told less well.
_HELPFUL = ("Event", "PersistentVolumeClaim")
_FINAL = ("forbidden", "unauthorized")


@dataclass(frozen=True)
class Target:
    """An object to track."""

    kind: str
    name: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def absent(target: Target) -> dict[str, Any]:
    """Stands for an object that is not there."""
    return {"kind": target.kind, "metadata": {"uid": "", "name": target.name, "namespace": target.namespace}}


def collection_path(kind: str, namespace: str, name: str = "") -> str:
    """URL path of the objects of a kind in a namespace, or of one of them."""
    prefix, plural = _COLLECTIONS[kind]
    path = f"{prefix}/namespaces/{quote(namespace, safe='')}/{plural}"
    return f"{path}/{quote(name, safe='')}" if name else path


class View:
    """Mirrors of all collections the targets need. Use as a context manager."""

    def __init__(self, client: Client, targets: Sequence[Target]) -> None:
        self.changed = threading.Event()
        self._targets = targets
        self._mirrors: dict[tuple[str, str], Mirror] = {}
        self._helpful: set[tuple[str, str]] = set()
        self._stack = ExitStack()
        tracked = {(row.namespace, row.kind) for row in targets}
        needed = {(row.namespace, kind) for row in targets for kind in _NEEDS[row.kind]}
        for namespace, kind in sorted(tracked | needed):
            names = [row.name for row in targets if (row.namespace, row.kind) == (namespace, kind)]
            alone = len(names) == 1 and (namespace, kind) not in needed
            query = {"fieldSelector": f"metadata.name={names[0]}"} if alone else {}
            self._mirrors[namespace, kind] = Mirror(client, collection_path(kind, namespace), query, self.changed)
            if kind in _HELPFUL and (namespace, kind) not in tracked:
                self._helpful.add((namespace, kind))

    def __enter__(self) -> View:
        for mirror in self._mirrors.values():
            self._stack.enter_context(mirror)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def synced(self) -> bool:
        """Whether every list has arrived, apart from helpful ones that are refused."""
        return all(row.synced or self._refused(key) for key, row in self._mirrors.items())

    def trouble(self) -> GoliveError | None:
        """Why the view is stale right now. Raises it when waiting cannot help: no right, no valid credentials."""
        first = None
        for key, mirror in self._mirrors.items():
            error = mirror.trouble
            if error is None or self._refused(key):
                continue
            if error.code in _FINAL:
                raise error
            first = first or error
        return first

    def unread(self) -> list[str]:
        """Kinds that may not be read, so that causes are told less well."""
        return sorted({key[1] for key in self._mirrors if self._refused(key)})

    def scenes(self) -> dict[Target, Scene | None]:
        """Every target as of now; None when it does not exist."""
        namespaces = {row.namespace for row in self._targets}
        events = {namespace: Events(self._items("Event", namespace)) for namespace in namespaces}
        return {target: self._scene(target, events[target.namespace]) for target in self._targets}

    def _scene(self, target: Target, events: Events) -> Scene | None:
        namespace = target.namespace
        rows = self._items(target.kind, namespace)
        obj = next((row for row in rows if row["metadata"]["name"] == target.name), None)
        if obj is None:
            return None
        pods: Iterable[dict[str, Any]] = self._items("Pod", namespace)
        return scene_of(
            obj,
            all_pods=pods,
            replica_sets=self._items("ReplicaSet", namespace),
            revisions=self._items("ControllerRevision", namespace),
            events=events,
            claims=self._items("PersistentVolumeClaim", namespace),
        )

    def _items(self, kind: str, namespace: str) -> list[dict[str, Any]]:
        mirror = self._mirrors.get((namespace, kind))
        return mirror.items() if mirror else []

    def _refused(self, key: tuple[str, str]) -> bool:
        trouble = self._mirrors[key].trouble
        return key in self._helpful and trouble is not None and trouble.code in _FINAL
