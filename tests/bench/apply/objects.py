# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets of objects that are applied: mostly ConfigMaps, some Services, some Deployments that start no pod."""

from __future__ import annotations

from typing import Any


def objects(count: int, namespace: str) -> list[dict[str, Any]]:
    """``count`` objects: 7 ConfigMaps, 2 Services and 1 Deployment with 0 replicas in every ten."""
    return [_object(number, namespace) for number in range(count)]


def _object(number: int, namespace: str) -> dict[str, Any]:
    meta = {"name": f"bench-{number:04d}", "namespace": namespace, "labels": {"app.kubernetes.io/name": "bench"}}
    labels = {"app.kubernetes.io/name": f"bench-{number:04d}"}
    if number % 10 < 7:
        data = {"index": str(number), "text": "All work and no play makes a dull configuration. " * 4}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
    if number % 10 < 9:
        ports = [{"name": "http", "port": 80, "targetPort": 8080}]
        return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": labels, "ports": ports}}
    container = {
        "name": "web",
        "image": "golive.test/notes:1.0.0",
        "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
    }
    spec = {
        "replicas": 0,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
