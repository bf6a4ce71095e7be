# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that cannot come up: the ``v3-*`` of the test app, and what the cluster itself can refuse."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

LABELS = {"app.kubernetes.io/name": "notes"}
# Nothing of this is used: these releases end or stay unready before they would ask a database.
DATABASE = {
    "DATABASE_HOST": "database",
    "DATABASE_NAME": "notes",
    "DATABASE_USER": "notes",
    "DATABASE_PASSWORD": "none",
}


@dataclass(frozen=True)
class Release:
    """``named`` matches the words by which a reader learns the cause; ``goal`` is in seconds."""

    name: str
    image: str
    named: str
    goal: float | None = None
    pod: dict[str, Any] = field(default_factory=dict)
    container: dict[str, Any] = field(default_factory=dict)
    env: list[dict[str, Any]] = field(default_factory=list)
    quota: bool = False

    def explains(self, output: str) -> bool:
        """Whether the output names the cause."""
        return re.search(self.named, output, re.IGNORECASE) is not None

    def manifest(self, namespace: str) -> dict[str, Any]:
        """Its Deployment of one replica."""
        probe = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 2}
        container = {
            "name": "app",
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "env": [{"name": key, "value": value} for key, value in DATABASE.items()] + self.env,
            "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
            "readinessProbe": probe,
            **self.container,
        }
        spec = {"terminationGracePeriodSeconds": 1, "containers": [container], **self.pod}
        template = {"metadata": {"labels": LABELS}, "spec": spec}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "notes", "namespace": namespace, "labels": LABELS},
            "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": template},
        }


def releases(prefix: str, registry: str) -> list[Release]:
    """All of them. ``prefix`` is that of the loaded images, ``registry`` one that answers and lacks the tag."""
    notes = f"{prefix}/notes"
    nowhere = {"nodeSelector": {"example.org/disk": "fast"}}
    key = {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "notes-keys", "key": "api"}}}
    pull = r"ImagePullBackOff|ErrImagePull|failed to pull"
    return [
        Release("bad image (the registry lacks the tag)", f"{registry}/notes:3.0.0-badimage", pull, 10),
        Release("bad image (no such registry)", "registry.invalid/notes:3.0.0-badimage", pull, 10),
        Release("crash loop", f"{notes}:3.0.0-crash", r"CrashLoopBackOff|exit code|licence file is damaged", 40),
        Release("unschedulable", f"{notes}:1.0.0", r"unschedulable|nodes are available", 20, pod=nowhere),
        Release("quota exceeded", f"{notes}:1.0.0", r"exceeded quota", 10, quota=True),
        Release(
            "missing Secret", f"{notes}:3.0.0-noconfig", r"secret \S+ not found|CreateContainerConfigError", env=[key]
        ),
        Release("out of memory", f"{notes}:3.0.0-oom", r"OOMKilled|killed for its memory"),
        Release("never ready", f"{notes}:3.0.0-neverready", r"readiness probe failed"),
    ]
