# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real app in two colours on the real cluster, with its database: what the traffic and gate tests stand on."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.node_ports import free_node_port

COLOUR_KEY = "golive.cutover/colour"
_SETTLED = 60  # good answers in a row, over more than the second in which kube-proxy gathers changes
_DATABASE_PASSWORD = "only-for-this-test"  # the database lives as long as the test


def image(name: str) -> str:
    """An image of the tests, such as ``notes:1.0.0``."""
    return f"{os.environ['GOLIVE_IMAGE_PREFIX']}/{name}"


def apply(*objects: dict[str, Any]) -> None:
    """Apply with the cluster's own client."""
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))


def until(look: Callable[[], Any], seconds: float = 60.0, what: str = "the state") -> Any:
    """Look until the answer is true; the answer."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {seconds:g} s")
        time.sleep(0.1)


def served(url: str) -> None:
    """Wait until a new Service answers: its node needs a moment, and what fails in it is no failure of a switch."""
    until(lambda: all(_answers(url) for unused in range(_SETTLED)), 60, "answers of the new Service")


def _answers(url: str) -> bool:
    time.sleep(0.02)
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def database(namespace: str) -> None:
    """A PostgreSQL that makes the tables of `notes` when it starts."""
    sql = {path.name: path.read_text() for path in sorted((ROOT / "tests/app/migrations").glob("*.sql"))}
    labels = {"app.kubernetes.io/name": "database"}
    env = {"POSTGRES_USER": "notes", "POSTGRES_PASSWORD": _DATABASE_PASSWORD, "POSTGRES_DB": "notes"}
    container = {
        "name": "postgres",
        "image": image("postgres:15"),
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "ports": [{"containerPort": 5432}],
        "args": ["-c", "fsync=off"],
        "readinessProbe": {"exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", "notes"]}, "periodSeconds": 1},
        "volumeMounts": [{"name": "sql", "mountPath": "/docker-entrypoint-initdb.d"}],
    }
    volumes = [{"name": "sql", "configMap": {"name": "database-sql"}}]
    meta = {"namespace": namespace, "name": "database"}
    apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**meta, "name": "database-sql"}, "data": sql},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": [{"port": 5432}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [container], "volumes": volumes, "terminationGracePeriodSeconds": 1},
                },
            },
        },
    )


class Shop:
    """One app: its Services, and its colours as they are deployed. ``url`` leads to the live Service."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self.name = f"shop-{secrets.token_hex(3)}"
        self.shared = {"app.kubernetes.io/name": self.name}
        self.url = ""

    def services(self, live: str = "blue", **spec: Any) -> None:
        """The live Service and the two fixed ones."""
        for attempt in range(5):
            port = free_node_port()
            self.url = f"http://127.0.0.1:{port}"
            ports = [{"name": "http", "port": 80, "targetPort": "http", "nodePort": port}]
            try:
                apply(self._service(self.name, live, type="NodePort", ports=ports, **spec))
                break
            except AssertionError:
                if attempt == 4:
                    raise
        fixed = [{"name": "http", "port": 80, "targetPort": "http"}]
        apply(*(self._service(f"{self.name}-{colour}", colour, ports=fixed) for colour in ("blue", "green")))
        # The tests' client is no manager of the selector: kubectl apply would set it back.
        self.service_patch(
            [
                {"op": "remove", "path": "/metadata/annotations"},
                {"op": "replace", "path": "/metadata/managedFields", "value": [{}]},
            ]
        )

    def _service(self, name: str, colour: str, **spec: Any) -> dict[str, Any]:
        selector = {**self.shared, COLOUR_KEY: colour}
        meta = {"namespace": self.namespace, "name": name}
        return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": selector, **spec}}

    def deploy(self, colour: str, version: str = "1.0.0", replicas: int = 2, wait: bool = True, **pod: Any) -> None:
        """One colour with a release of notes."""
        template = self.template(colour, version, pod)
        apply(
            {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"namespace": self.namespace, "name": f"{self.name}-{colour}"},
                "spec": {
                    "replicas": replicas,
                    "selector": {"matchLabels": template["metadata"]["labels"]},
                    "template": template,
                },
            }
        )
        if wait:
            self.rolled_out(colour)

    def template(self, colour: str, version: str, pod: dict[str, Any]) -> dict[str, Any]:
        """Pod template of a release of notes; ``pod`` has ``env``, fields of its ``container`` and of its spec."""
        labels = {**self.shared, COLOUR_KEY: colour}
        env = {
            "APP_COLOUR": colour,
            "APP_DRAIN_DELAY": "3s",
            "DATABASE_HOST": "database",
            "DATABASE_NAME": "notes",
            "DATABASE_USER": "notes",
            "DATABASE_PASSWORD": _DATABASE_PASSWORD,
            "DATABASE_POOL_SIZE": "4",
            **pod.pop("env", {}),
        }
        container = {
            "name": "app",
            "image": image(f"notes:{version}"),
            "env": [{"name": key, "value": value} for key, value in env.items()],
            "ports": [{"name": "http", "containerPort": int(env.get("APP_PORT", 8080))}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1},
            **pod.pop("container", {}),
        }
        spec = {"containers": [container], "terminationGracePeriodSeconds": 30, "enableServiceLinks": False, **pod}
        return {"metadata": {"labels": labels}, "spec": spec}

    def rolled_out(self, colour: str) -> None:
        """Wait for a colour."""
        kubectl("-n", self.namespace, "rollout", "status", f"deployment/{self.name}-{colour}", "--timeout=90s")

    def scale(self, colour: str, replicas: int) -> None:
        """Set the replicas of a colour."""
        kubectl("-n", self.namespace, "scale", f"deployment/{self.name}-{colour}", f"--replicas={replicas}")

    def pods(self, colour: str) -> list[str]:
        """Names of the pods of a colour."""
        labels = f"app.kubernetes.io/name={self.name},{COLOUR_KEY}={colour}"
        return kubectl("-n", self.namespace, "get", "pods", "-l", labels, "-o", "name").split()

    def fixed_url(self, colour: str) -> str:
        """An address of a colour's fixed Service."""
        port = free_node_port()
        patch = [
            {"op": "replace", "path": "/spec/type", "value": "NodePort"},
            {"op": "add", "path": "/spec/ports/0/nodePort", "value": port},
        ]
        name = f"{self.name}-{colour}"
        kubectl("-n", self.namespace, "patch", "service", name, "--type=json", "-p", json.dumps(patch))
        url = f"http://127.0.0.1:{port}"
        served(f"{url}/healthz")
        return url

    def service(self) -> dict[str, Any]:
        """The live Service."""
        found: dict[str, Any] = json.loads(kubectl("-n", self.namespace, "get", "service", self.name, "-o", "json"))
        return found

    def live(self) -> str | None:
        """Colour in the live selector."""
        selector = self.service()["spec"]["selector"]
        assert selector.items() >= self.shared.items()
        colour: str | None = selector.get(COLOUR_KEY)
        return colour

    def notes(self) -> dict[str, str]:
        """Annotations of the live Service."""
        return dict(self.service()["metadata"].get("annotations") or {})

    def service_patch(self, patch: list[dict[str, Any]]) -> None:
        """JSON patch of the live Service."""
        kubectl("-n", self.namespace, "patch", "service", self.name, "--type=json", "-p", json.dumps(patch))

    def options(self, **options: Any) -> dict[str, Any]:
        """Options of the traffic verbs for this app."""
        return {"service": self.name, "namespace": self.namespace, **options}

    def switch_options(self, to: str, **options: Any) -> dict[str, Any]:
        """Options of a quick switch that is proven by probes."""
        probe = {"url": f"{self.url}/healthz"}
        return self.options(**{"to": to, "soak": 0.5, "ready_timeout": 30, "probe": probe, **options})

    def remove(self) -> None:
        """Take the app away without waiting."""
        names = [f"{kind}/{self.name}{end}" for kind in ("service", "deployment") for end in ("", "-blue", "-green")]
        kubectl("-n", self.namespace, "delete", "--ignore-not-found", "--wait=false", *names, check=False)


def perform(verb: ModuleType, options: dict[str, Any], **call: Any) -> dict[str, Any]:
    """Run a verb as the runner does, with validated options; raises GoliveError."""
    checked = ArgumentSpecValidator(verb.SPEC["argument_spec"]).validate(options)
    assert not checked.error_messages, checked.error_messages
    result: dict[str, Any] = verb.run(call_for_tests(checked.validated_parameters, **call))
    return json.loads(json.dumps(result, allow_nan=False))  # type: ignore[no-any-return]  # JSON is any


_CHILD = """
import json, sys
from importlib import import_module
from tests.e2e.traffic.stand import perform
name, options = json.loads(sys.argv[1])
verb = import_module("ansible_collections.golive.cutover.plugins.modules." + name)
try:
    print(json.dumps(perform(verb, options)))
except Exception as error:
    print(json.dumps({"failed": True, "code": getattr(error, "code", "internal"), "msg": str(error)}))
"""


@contextmanager
def child(verb: str, options: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """The verb in a process of its own that a test may kill; ended with the context."""
    path = os.pathsep.join([str(ROOT / "build/collections"), str(ROOT)])
    process = subprocess.Popen(
        [sys.executable, "-c", _CHILD, json.dumps([verb, options])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        cwd=Path(ROOT),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
