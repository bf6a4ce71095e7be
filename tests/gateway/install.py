# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the controller, one GatewayClass and one Gateway with a NodePort on the test cluster, and takes them away."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

from tests.cluster.progress import ClusterError, part, run, wait_until
from tests.cluster.record import locked, state_dir

from . import build, versions

_CLUSTER = Path(__file__).resolve().parents[1] / "cluster" / "cluster"
_MANIFESTS = Path(__file__).parent / "manifests"
_EXPORT = re.compile(r"^export ([A-Z_]+)=(.*)$", re.MULTILINE)
# The first two node ports are the live and the preview Service of the demo and the flow tests.
_RESERVED = 2
_PORT_TRIES = 4


class Installation:
    """The data plane of one cluster. Raises ClusterError when that cluster is not up."""

    def __init__(self, cluster: str) -> None:
        self._name = cluster
        found = _EXPORT.findall(run([_CLUSTER, "env", "--name", cluster]))
        self._env = {**os.environ, **{name: shlex.split(value)[0] if value else "" for name, value in found}}

    def up(self) -> None:
        """Idempotent; prints a line for each part."""
        build.ensure()
        with locked(state_dir(self._name) / "gateway.lock"):
            if self._answers():
                return
            with part("image"):
                run([_CLUSTER, "load", "--name", self._name, build.image()], timeout=600)
            with part("definitions"):
                self._apply(*build.definitions())
                self._kubectl("wait", "crd", "--all", "--for=condition=Established", "--timeout=60s")
            with part("controller"):
                self._start_controller()
            with part("gateway") as current:
                current.detail = self._start_gateway()

    def down(self) -> None:
        """Gateways go first: their class keeps a finalizer that only the running controller takes off."""
        with locked(state_dir(self._name) / "gateway.lock"):
            if not self._json("get", "crd", "gateways.gateway.networking.k8s.io"):
                return
            kinds = "httproutes.gateway.networking.k8s.io,gateways.gateway.networking.k8s.io"
            with part("gateways"):
                self._kubectl("delete", kinds, "--all", "--all-namespaces", "--timeout=60s")
                self._kubectl("delete", "gatewayclasses.gateway.networking.k8s.io", "--all", "--timeout=60s")
            with part("controller"):
                names = [versions.SYSTEM, versions.NAMESPACE]
                self._kubectl("delete", "namespace", *names, "--ignore-not-found", "--timeout=120s")
                for kind in ("clusterrole", "clusterrolebinding"):
                    self._kubectl("delete", kind, "golive-envoy-gateway", "--ignore-not-found")
            with part("definitions"):
                files = [word for path in build.definitions() for word in ("-f", str(path))]
                self._kubectl("delete", *files, "--ignore-not-found", "--timeout=60s")

    def env(self) -> dict[str, str]:
        """Where the Gateway is. Raises ClusterError when it is not up."""
        port = self._port()
        if not port:
            raise ClusterError("the gateway is not up: tests/gateway/gateway up")
        return {
            "GOLIVE_GATEWAY": versions.GATEWAY,
            "GOLIVE_GATEWAY_NAMESPACE": versions.NAMESPACE,
            "GOLIVE_GATEWAY_URL": self._url(port),
        }

    def _start_controller(self) -> None:
        for name in (versions.SYSTEM, versions.NAMESPACE):
            self._apply_text(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
        self._run([str(build.CONTROLLER.path), "certgen", "--disable-topology-injector"])
        self._apply_text(self._manifest("controller.yaml"))
        where = ["-n", versions.SYSTEM, "rollout", "status", "deployment/envoy-gateway"]
        self._kubectl(*where, "--timeout=120s", timeout=130)

    def _start_gateway(self) -> str:
        """The URL. Another test may take the port that was free a moment ago; then the next one is tried."""
        for _try in range(_PORT_TRIES):
            port = self._port() or self._free_port()
            self._apply_text(self._manifest("edge.yaml", port=port))
            if self._came(port):
                return self._url(port)
            where = ["-n", versions.NAMESPACE, "gateways.gateway.networking.k8s.io,envoyproxies.gateway.envoyproxy.io"]
            self._kubectl("delete", where[2], versions.GATEWAY, *where[:2], "--timeout=60s")
        raise ClusterError("the Gateway was not programmed: no node port stayed free for it")

    def _came(self, port: str) -> bool:
        """False when the API server refused the Service, which shows only as a Gateway without an address."""
        end = time.monotonic() + 60

        def look() -> bool:
            return self._answers() or (not self._port() and time.monotonic() > end - 45)

        wait_until(look, 60, f"an answer of the Gateway on port {port}", interval=0.2)
        return bool(self._port())

    def _answers(self) -> bool:
        port = self._port()
        if not port:
            return False
        try:
            with urllib.request.urlopen(self._url(port), timeout=1):
                return True
        except urllib.error.HTTPError:
            return True  # 404: no route, and that is an answer of the data plane
        except OSError:
            return False

    def _port(self) -> str:
        """The node port of the Gateway's Service; empty before there is one."""
        label = f"gateway.envoyproxy.io/owning-gateway-name={versions.GATEWAY}"
        found = self._json("get", "services", "-n", versions.SYSTEM, "-l", label).get("items") or []
        return str(found[0]["spec"]["ports"][0].get("nodePort") or "") if found else ""

    def _free_port(self) -> str:
        services = self._json("get", "services", "--all-namespaces")["items"]
        used = {str(port.get("nodePort")) for service in services for port in service["spec"].get("ports") or []}
        for port in self._env["GOLIVE_NODE_PORTS"].split()[_RESERVED:]:
            if port not in used:
                return port
        raise ClusterError("every node port of the test cluster is in use")

    def _url(self, port: str) -> str:
        return self._env["GOLIVE_LIVE_URL"].rpartition(":")[0] + f":{port}"

    def _manifest(self, name: str, port: str = "") -> str:
        return Template((_MANIFESTS / name).read_text()).substitute(
            system=versions.SYSTEM,
            namespace=versions.NAMESPACE,
            name=versions.GATEWAY,
            class_name=versions.CLASS,
            image=versions.IMAGE,
            port=port,
        )

    def _apply(self, *paths: Path) -> None:
        self._kubectl("apply", "--server-side", *(word for path in paths for word in ("-f", str(path))), timeout=180)

    def _apply_text(self, text: str) -> None:
        self._run(["kubectl", "apply", "--server-side", "-f", "-"], stdin=text)

    def _kubectl(self, *arguments: str, timeout: float = 120) -> None:
        self._run(["kubectl", *arguments], timeout=timeout)

    def _json(self, *arguments: str) -> dict[str, Any]:
        """An answer of kubectl; empty when there is none."""
        command = ["kubectl", *arguments, "-o", "json"]
        done = subprocess.run(command, check=False, env=self._env, capture_output=True, text=True, timeout=60)
        found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        return found

    def _run(self, command: Sequence[str], stdin: str | None = None, timeout: float = 120) -> None:
        env = {**self._env, "ENVOY_GATEWAY_NAMESPACE": versions.SYSTEM}
        done = subprocess.run(
            command, check=False, env=env, input=stdin, capture_output=True, text=True, timeout=timeout
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()[-4:]
            raise ClusterError(f"{' '.join(command[:4])}: exit code {done.returncode}: {' / '.join(lines)}")
