# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver of webhooks in a pod of its own: its log holds each message, with the time it came."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.e2e.conftest import kubectl
from tests.e2e.traffic.stand import apply
from tests.images.cli import manifest_path

PORT = 8080
# The Secret and its keys: what one gets, and who gets the heartbeat.
SECRET = "receiver"
_PROGRAM = f"""
import http.server, json, os, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        # One write: two messages at once must not share a line.
        print(json.dumps({{"at": time.time(), "path": self.path, "body": body}}) + "\\n", end="", flush=True)
        self.send_response(410 if os.path.exists("/tmp/refused" + self.path) else 200)
        self.end_headers()

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("", {PORT}), Handler).serve_forever()
"""


@dataclass(frozen=True)
class Message:
    """An alert in a webhook: when it came (Unix seconds), by which path, and what it says."""

    at: float
    path: str
    status: str
    labels: dict[str, str]

    @property
    def name(self) -> str:
        return self.labels["alertname"]


def start(namespace: str) -> None:
    """The receiver and the Secret with its addresses."""
    meta, labels = {"namespace": namespace, "name": "receiver"}, {"app": "receiver"}
    container = {
        "name": "receiver",
        "image": json.loads(manifest_path().read_text())["python"],
        "command": ["python3", "-u", "-c", _PROGRAM],
        "ports": [{"name": "web", "containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": "web"}, "periodSeconds": 1},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    security = {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}}
    pod = {"containers": [container], "securityContext": security, "terminationGracePeriodSeconds": 1}
    address = f"http://receiver.{namespace}.svc"
    apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"namespace": namespace, "name": SECRET},
            "stringData": {name: f"{address}/{name}" for name in ("team", "heartbeat", "second")},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": "web"}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}},
        },
    )


def refuse(namespace: str, name: str, refused: bool) -> None:
    """Whether the receiver refuses what comes by this path."""
    how = f"os.makedirs('/tmp/refused/{name}')" if refused else f"os.removedirs('/tmp/refused/{name}')"
    kubectl("-n", namespace, "exec", "deployment/receiver", "--", "python3", "-c", f"import os; {how}")


def messages(namespace: str) -> Iterator[Message]:
    """Every alert that came, in order; a message that names several gives one each."""
    for line in kubectl("-n", namespace, "logs", "deployment/receiver").splitlines():
        said: dict[str, Any] = json.loads(line)
        for alert in said["body"]["alerts"]:
            yield Message(said["at"], said["path"], alert["status"], alert["labels"])
