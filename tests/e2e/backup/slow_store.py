# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A store behind a slow line: a relay in a pod of its own, which holds back each piece that it passes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.backup.store import ClusterStore
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.stand import apply
from tests.images.cli import manifest_path

_NAME = "slow-s3"
_PORT = 8443
_RELAY = """
import socket, sys, threading, time

def pass_on(source, sink):
    try:
        while piece := source.recv(65536):
            time.sleep(float(sys.argv[2]))
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass

server = socket.create_server(("", 8443))
while True:
    near = server.accept()[0]
    far = socket.create_connection((sys.argv[1], int(sys.argv[3])))
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pass_on, args=pair, daemon=True).start()
"""


@contextmanager
def slowed(store: ClusterStore, seconds: float) -> Iterator[None]:
    """Each piece of at most 64 KiB takes so many seconds longer, in both directions."""
    pods = json.loads(kubectl("-n", store.namespace, "get", "pods", "-l", "app=s3", "-o", "json"))["items"]
    port = str(pods[0]["spec"]["containers"][0]["ports"][0]["containerPort"])
    container = {
        "name": "relay",
        "image": json.loads(manifest_path().read_text())["python"],
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", _RELAY, pods[0]["status"]["podIP"], str(seconds), port],
        "ports": [{"name": "https", "containerPort": _PORT}],
        "readinessProbe": {"tcpSocket": {"port": _PORT}, "periodSeconds": 1},
    }
    meta = {"namespace": store.namespace, "name": _NAME, "labels": {"app": _NAME}}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
    apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    kubectl("-n", store.namespace, "wait", f"pod/{_NAME}", "--for=condition=Ready", "--timeout=60s")
    with store.led_to(_NAME):
        yield
    kubectl("-n", store.namespace, "delete", "pod", _NAME, "--wait=false")
