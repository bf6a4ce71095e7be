# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real S3 server in the cluster: Service ``s3`` on 443 with a certificate of its own authority, and two buckets.

The objects last as long as its pod. There is no shell in its image: tests damage objects through S3.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import tunnel
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.stand import apply
from tests.images.cli import manifest_path
from tests.images.program_images import PORT, USER
from tests.integration.s3 import ACCESS_KEY, HEALTH, REGION, SECRET_KEY, new_tls, s3_client

NAME = "s3"
BUCKETS = ("backup-a", "backup-b")
KEYS = "s3-keys"
CA = "s3-ca"
_LABELS = {"app": NAME}


@dataclass(frozen=True)
class ClusterStore:
    """The server in ``namespace``; ``ca`` is the PEM text that its clients must trust."""

    namespace: str
    ca: str

    @property
    def endpoint(self) -> str:
        """Its name inside the cluster."""
        return f"{NAME}.{self.namespace}.svc"

    def repository(self, bucket: str = BUCKETS[0], **more: Any) -> dict[str, Any]:
        """An entry of ``backup_repositories`` for pods; ``give_secrets`` brings the Secrets it names."""
        return {
            "endpoint": self.endpoint,
            "bucket": bucket,
            "region": REGION,
            "uri_style": "path",
            "secret": {"name": KEYS, "key": "access_key", "secret_key": "secret_key"},
            "ca_secret": {"name": CA, "key": "ca.crt"},
            **more,
        }

    @property
    def tunnel(self) -> dict[str, str]:
        """The option ``tunnel`` of a repository, for verbs that run outside of the cluster."""
        return {"namespace": self.namespace, "service": NAME, "port": "443"}

    def give_secrets(self, namespace: str) -> None:
        """Put the keys and the authority's certificate into another namespace."""
        apply(*_secrets(namespace, self.ca))

    @contextmanager
    def client(self) -> Iterator[Any]:
        """A boto3 client through a tunnel of its own; it knows nothing of our own code for stores."""
        with (
            connected(call_for_tests({})) as kube,
            tunnel(kube, self.namespace, f"service/{NAME}", 443) as (host, port),
            tempfile.TemporaryDirectory(prefix="golive-s3-") as folder,
        ):
            ca = Path(folder) / "ca.crt"
            ca.write_text(self.ca)
            yield s3_client(f"https://{host}:{port}", str(ca))

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Nobody reaches it meanwhile, and its objects stay: scaling it to zero would lose them."""
        with self.led_to("nobody"):
            yield

    @contextmanager
    def led_to(self, app: str) -> Iterator[None]:
        """Its Service leads to the pods of that name meanwhile."""
        _select(self.namespace, {"app": app})
        try:
            yield
        finally:
            _select(self.namespace, _LABELS)


def keys(client: Any, bucket: str, prefix: str = "") -> list[str]:
    """Names of all objects below a prefix."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [row["Key"] for page in pages for row in page.get("Contents") or []]


def flip(client: Any, bucket: str, key: str, offset: int = -1) -> None:
    """Turn one bit of an object's byte at ``offset``; by default in its middle."""
    content = bytearray(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    content[offset if offset >= 0 else len(content) // 2] ^= 1
    client.put_object(Bucket=bucket, Key=key, Body=bytes(content))


def truncate(client: Any, bucket: str, key: str, size: int) -> None:
    """Keep the first ``size`` bytes of an object; with a negative one, leave out as many at its end."""
    content = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    client.put_object(Bucket=bucket, Key=key, Body=content[:size])


def bring_up(namespace: str) -> ClusterStore:
    """Start the server in a namespace that has none, wait until it serves, and make the buckets.

    Keys and certificate of the authority are Secrets beside it.
    """
    service_name = f"{NAME}.{namespace}"
    tls = new_tls(f"{service_name}.svc", f"{service_name}.svc.cluster.local", service_name, "127.0.0.1")
    meta = {"namespace": namespace, "name": NAME}
    served = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"namespace": namespace, "name": f"{NAME}-tls"},
        "stringData": {"tls.crt": tls.certificate, "tls.key": tls.key},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"selector": _LABELS, "ports": [{"name": "https", "port": 443, "targetPort": "https"}]},
    }
    apply(*_secrets(namespace, tls.ca), served, service, _deployment(meta))
    kubectl("-n", namespace, "rollout", "status", f"deployment/{NAME}", "--timeout=100s")
    store = ClusterStore(namespace, tls.ca)
    with store.client() as client:
        there = {row["Name"] for row in client.list_buckets()["Buckets"]}
        for bucket in BUCKETS:
            if bucket not in there:
                client.create_bucket(Bucket=bucket)
    return store


def _deployment(meta: dict[str, str]) -> dict[str, Any]:
    container = {
        "name": NAME,
        "image": json.loads(manifest_path().read_text())["s3"],
        "args": [
            *("--health", HEALTH, "--region", REGION, "--cert", "/tls/tls.crt", "--key", "/tls/tls.key"),
            *("posix", "--versioning-dir", "/versions", "/data"),
        ],
        "env": [_from_keys("ROOT_ACCESS_KEY", "access_key"), _from_keys("ROOT_SECRET_KEY", "secret_key")],
        "ports": [{"name": "https", "containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": HEALTH, "port": "https", "scheme": "HTTPS"}, "periodSeconds": 1},
        "securityContext": {
            "runAsNonRoot": True,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "versions", "mountPath": "/versions"},
            {"name": "tls", "mountPath": "/tls"},
        ],
    }
    pod = {
        "containers": [container],
        "securityContext": {"fsGroup": USER},
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "volumes": [
            {"name": "data", "emptyDir": {}},
            {"name": "versions", "emptyDir": {}},
            {"name": "tls", "secret": {"secretName": f"{NAME}-tls"}},
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": pod},
        },
    }


def _secrets(namespace: str, ca: str) -> list[dict[str, Any]]:
    values = {KEYS: {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}, CA: {"ca.crt": ca}}
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"namespace": namespace, "name": name},
            "stringData": content,
        }
        for name, content in values.items()
    ]


def _from_keys(variable: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": KEYS, "key": key}}}


def _select(namespace: str, labels: dict[str, str]) -> None:
    patch = json.dumps([{"op": "replace", "path": "/spec/selector", "value": labels}])
    kubectl("-n", namespace, "patch", "service", NAME, "--type=json", "-p", patch)
