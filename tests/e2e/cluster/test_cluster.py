# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the collection rely on: volumes, NodePorts on loopback, metrics, names, the audit log."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import versions
from tests.e2e.conftest import kubectl

RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def _until(look: Callable[[], Any], what: str, timeout: float = 60) -> Any:
    end = time.monotonic() + timeout
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not seen within {timeout:.0f} seconds"
        time.sleep(0.5)


def _apply(namespace: str, *objects: dict[str, Any]) -> None:
    document = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    kubectl("-n", namespace, "apply", "-f", "-", stdin=json.dumps(document))


def _read(namespace: str, *arguments: str) -> Any:
    return json.loads(kubectl("-n", namespace, "get", *arguments, "-o", "json"))


def _pod(image: str, arguments: list[str], mounts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    volumes = [{"name": name, **source} for name, source in mounts.items() if source]
    return {
        "metadata": {"labels": {"app": "it"}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "it",
                    "image": image,
                    "args": arguments,
                    "securityContext": RESTRICTED,
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
                    "volumeMounts": [{"name": name, "mountPath": f"/{name}"} for name in mounts],
                }
            ],
            "volumes": volumes,
        },
    }


def _web(kind: str = "Deployment", **more: Any) -> list[dict[str, Any]]:
    """A pod that answers `OK` on port 8080, of an image that every built cluster has."""
    template = _pod(versions.COREDNS_IMAGE, ["-conf", "/conf/Corefile"], {"conf": {"configMap": {"name": "it"}}})
    template["spec"]["containers"][0]["readinessProbe"] = {
        "httpGet": {"path": "/health", "port": 8080},
        "periodSeconds": 1,
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "it"}}, "template": template, **more}
    files = {"Corefile": ".:1053 {\n health :8080\n}\n"}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": files},
        {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "it"}, "spec": spec},
    ]


@pytest.fixture(autouse=True)
def _built_only(cluster: dict[str, str]) -> None:
    if cluster["GOLIVE_PROVIDER"] != "built":
        pytest.skip("uses the images of the built cluster")


def test_a_node_port_answers_on_loopback(namespace: str) -> None:
    ports = [{"port": 80, "targetPort": 8080}]
    spec = {"type": "NodePort", "selector": {"app": "it"}, "ports": ports}
    _apply(namespace, *_web(), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "it"}, "spec": spec})
    kubectl("-n", namespace, "rollout", "status", "deployment/it", "--timeout=60s")
    port = _read(namespace, "service/it")["spec"]["ports"][0]["nodePort"]

    def answer() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=3) as reply:
                return bool(reply.read() == b"OK")
        except OSError:
            return False

    _until(answer, "answer on 127.0.0.1", 20)


def test_every_claim_finds_a_clean_volume_it_may_write_to(namespace: str, cluster: dict[str, str]) -> None:
    # metrics-server writes a certificate into the folder it is given before anything else.
    template = _pod(versions.METRICS_SERVER_IMAGE, ["--cert-dir=/data", "--secure-port=10250"], {"data": {}})
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}}
    spec = {
        "replicas": 1,
        "serviceName": "it",
        "selector": {"matchLabels": {"app": "it"}},
        "template": template,
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }
    folders = []
    for _round in range(2):
        _apply(namespace, {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "it"}, "spec": spec})
        bound = _until(lambda: _bound(namespace), "bound claim", 20)
        folder = Path(_read(namespace, f"persistentvolume/{bound}")["spec"]["local"]["path"])
        _until((folder / "apiserver.crt").exists, "file written by the pod", 40)
        assert os.stat(folder / "apiserver.crt").st_uid == 1000
        folders.append(folder)
        kubectl("-n", namespace, "delete", "statefulset/it", "pvc/data-it-0", "--timeout=60s")
        _until(lambda gone=folder: not gone.exists(), "removal of the folder", 30)
    assert folders[0] != folders[1]
    assert _read(namespace, "storageclass")["items"][0]["metadata"]["name"] == cluster["GOLIVE_STORAGE_CLASS"]


def _bound(namespace: str) -> str:
    items = _read(namespace, "pvc")["items"]
    return items[0]["spec"].get("volumeName", "") if items and items[0]["status"].get("phase") == "Bound" else ""


def test_an_autoscaler_gets_a_metric(namespace: str) -> None:
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
    }
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "it"},
        "minReplicas": 1,
        "maxReplicas": 2,
        "metrics": [metric],
    }
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "it"},
        "spec": spec,
    }
    _apply(namespace, *_web(), autoscaler)

    def seen() -> bool:
        metrics = _read(namespace, "hpa/it").get("status", {}).get("currentMetrics") or []
        return any("averageUtilization" in item.get("resource", {}).get("current", {}) for item in metrics)

    _until(seen, "CPU metric of the autoscaler", 120)


def test_the_metrics_of_kube_proxy_are_read_through_the_api() -> None:
    node = json.loads(kubectl("get", "nodes", "-o", "json"))["items"][0]["metadata"]["name"]
    text = kubectl("get", "--raw", f"/api/v1/nodes/{node}:10249/proxy/metrics")
    assert "kubeproxy_sync_proxy_rules_last_timestamp_seconds" in text


def test_the_audit_log_names_every_change(namespace: str, cluster: dict[str, str]) -> None:
    kubectl("-n", namespace, "create", "configmap", "seen")
    lines = Path(cluster["GOLIVE_AUDIT_LOG"]).read_text().splitlines()
    events = [json.loads(line) for line in lines if f'"namespace":"{namespace}"' in line and '"name":"seen"' in line]
    assert [(event["verb"], event["level"]) for event in events] == [("create", "Metadata")]


def test_pod_security_and_quota_are_enforced(namespace: str) -> None:
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    refused = kubectl("-n", namespace, "run", "bad", f"--image={versions.COREDNS_IMAGE}", check=False)
    assert "bad" not in refused
    kubectl("-n", namespace, "create", "quota", "none", "--hard=configmaps=0")
    assert kubectl("-n", namespace, "create", "configmap", "over", check=False) == ""
