# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moves an app between two releases: each prepares the app, and shifts and returns by one command."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from argo import controller

from ansible_collections.golive.cutover.plugins.modules import traffic_switch
from tests.e2e.conftest import kubectl
from tests.e2e.traffic import stand

REPLICAS = 2
# Argo's default: how long it keeps the old pods after a promotion.
SCALE_DOWN_S = 30
_VERSIONS = {"blue": "1.0.0", "green": "2.0.0"}
_OTHER = {"blue": "green", "green": "blue"}


class Contender(Protocol):
    """``move`` returns unix seconds: when its command began. ``stage`` is what may be done before, without traffic."""

    name: str

    def prepare(self, shop: stand.Shop) -> None:
        """Blue live."""

    def stage(self, shop: stand.Shop, to: str) -> None:
        """Have the pods of ``to``, as far as this contender can before the move."""

    def move(self, shop: stand.Shop, to: str, back: bool) -> float:
        """All live traffic to ``to``; ``back`` for a return."""

    def rest(self, shop: stand.Shop) -> None:
        """Let the time pass after which this contender has given up or shrunk the old release."""


class Ours:
    """traffic_switch. The standby stays warm, at one pod once the release has settled."""

    name = "golive.cutover traffic_switch"

    def __init__(self) -> None:
        self._rested = False

    def prepare(self, shop: stand.Shop) -> None:
        _two_deployments(shop)
        shop.services()

    def stage(self, shop: stand.Shop, to: str) -> None:
        _full_size(shop, to)

    def move(self, shop: stand.Shop, to: str, back: bool) -> float:
        begun = time.time()
        if self._rested:
            # A return brings the standby to size first.
            _full_size(shop, to)
            self._rested = False
        stand.perform(traffic_switch, shop.switch_options(to, soak=0 if back else 0.5))
        return begun

    def rest(self, shop: stand.Shop) -> None:
        live = shop.live() or "blue"
        shop.scale(_OTHER[live], 1)
        self._rested = True
        stand.until(lambda: len(shop.pods(_OTHER[live])) == 1, 60, "the shrunk standby")


class Patch:
    """kubernetes.core: the selector is patched, then the old colour scaled away; a return scales up first."""

    name = "kubernetes.core selector patch"

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._play = folder / "patch.yml"
        self._play.write_text(_PATCH, encoding="utf-8")

    def prepare(self, shop: stand.Shop) -> None:
        _two_deployments(shop)
        shop.services()

    def stage(self, shop: stand.Shop, to: str) -> None:
        _full_size(shop, to)

    def move(self, shop: stand.Shop, to: str, back: bool) -> float:
        # The whole playbook is one command, but the start of Ansible is not the peer's fault: its tasks count.
        variables = {"space": shop.namespace, "app": shop.name, "to": to, "old": _OTHER[to], "size": REPLICAS}
        local = {"ansible_connection": "local", "ansible_python_interpreter": str(self._programs / "python")}
        command = [str(self._programs / "ansible-playbook"), "-i", "localhost,", str(self._play)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        done = subprocess.run(
            [*command, "-e", json.dumps({**variables, **local})],
            env={**environment, "PYTHONPATH": "", "PATH": f"{self._programs}:{os.environ['PATH']}"},
            cwd=self._folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name} failed:\n{done.stdout[-2000:]}")
        return float(done.stdout.split("begun=")[1].split('"')[0])

    def rest(self, shop: stand.Shop) -> None:
        stand.until(lambda: not shop.pods(_OTHER[shop.live() or "blue"]), 60, "the end of the old pods")


_PATCH = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
        msg: "begun={{ now().timestamp() }}"
    - kubernetes.core.k8s_scale:
        api_version: apps/v1
        kind: Deployment
        namespace: "{{ space }}"
        name: "{{ app }}-{{ to }}"
        replicas: "{{ size }}"
    - kubernetes.core.k8s:
        state: patched
        kind: Service
        namespace: "{{ space }}"
        name: "{{ app }}"
        definition:
          spec:
            selector:
              golive.cutover/colour: "{{ to }}"
    - kubernetes.core.k8s_scale:
        api_version: apps/v1
        kind: Deployment
        namespace: "{{ space }}"
        name: "{{ app }}-{{ old }}"
        replicas: 0
"""


class Argo:
    """Argo Rollouts, blue-green: a shift is a promotion of what is staged, a return the old template again."""

    name = "Argo Rollouts blue-green"

    def prepare(self, shop: stand.Shop) -> None:
        shop.services()
        kubectl("-n", shop.namespace, "delete", "service", f"{shop.name}-green")
        patch = [{"op": "replace", "path": "/spec/selector", "value": shop.shared}]
        for name in (shop.name, f"{shop.name}-blue"):
            kubectl("-n", shop.namespace, "patch", "service", name, "--type=json", "-p", json.dumps(patch))
        kubectl("apply", "-f", "-", stdin=json.dumps(self._rollout(shop, "blue", True)))
        stand.until(lambda: self._status(shop).get("phase") == "Healthy", 120, "Argo's first release")

    def stage(self, shop: stand.Shop, to: str) -> None:
        self._apply(shop, to, promote=False)
        stand.until(lambda: self._status(shop).get("pauseConditions"), 120, "Argo's pause before the promotion")

    def move(self, shop: stand.Shop, to: str, back: bool) -> float:
        begun = time.time()
        if back:
            self._apply(shop, to, promote=True)
        else:
            # What `kubectl argo rollouts promote` sends.
            patch = json.dumps({"status": {"pauseConditions": None}})
            names = ("-n", shop.namespace, "patch", "rollout", shop.name, "--subresource=status", "--type=merge")
            kubectl(*names, "-p", patch)
        stand.until(lambda: self._status(shop).get("phase") == "Healthy", 120, "Argo's move")
        return begun

    def rest(self, shop: stand.Shop) -> None:
        label = f"app.kubernetes.io/name={shop.name}"
        stand.until(
            lambda: len(kubectl("-n", shop.namespace, "get", "pods", "-l", label, "-o", "name").split()) == REPLICAS,
            SCALE_DOWN_S + 60,
            "the end of Argo's old pods",
        )

    def _status(self, shop: stand.Shop) -> dict[str, Any]:
        found = json.loads(kubectl("-n", shop.namespace, "get", "rollout", shop.name, "-o", "json"))
        status: dict[str, Any] = found.get("status") or {}
        seen = str(status.get("observedGeneration", "")) == str(found["metadata"]["generation"])
        return status if seen else {}

    def _apply(self, shop: stand.Shop, to: str, promote: bool) -> None:
        spec = self._rollout(shop, to, promote)["spec"]
        patch = json.dumps({"spec": {"template": spec["template"], "strategy": spec["strategy"]}})
        kubectl("-n", shop.namespace, "patch", "rollout", shop.name, "--type=merge", "-p", patch)

    def _rollout(self, shop: stand.Shop, colour: str, promote: bool) -> dict[str, Any]:
        strategy = {
            "activeService": shop.name,
            "previewService": f"{shop.name}-blue",
            "autoPromotionEnabled": promote,
            "scaleDownDelaySeconds": SCALE_DOWN_S,
        }
        template = shop.template(colour, _VERSIONS[colour], {})
        template["metadata"]["labels"] = shop.shared
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"namespace": shop.namespace, "name": shop.name},
            "spec": {
                "replicas": REPLICAS,
                "selector": {"matchLabels": shop.shared},
                "template": template,
                "strategy": {"blueGreen": strategy},
            },
        }


@contextmanager
def argo_controller(namespace: str, log: Path) -> Iterator[Argo]:
    """Its CRDs and, beside the cluster, its controller for one namespace."""
    program = controller()
    kubectl("apply", "--server-side", "-k", str(program.parent / "crds"))
    ports = [f"--{name}={_free_port()}" for name in ("metricsPort", "healthzPort")]
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(program), "--namespaced", "--namespace", namespace, "--leader-elect=false", *ports],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Argo()
    finally:
        process.terminate()
        process.wait(timeout=30)
        kubectl("-n", namespace, "delete", "rollouts.argoproj.io", "--all", check=False)
        kubectl("delete", "-k", str(program.parent / "crds"), "--wait=false", check=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _two_deployments(shop: stand.Shop) -> None:
    for colour, version in _VERSIONS.items():
        shop.deploy(colour, version, replicas=REPLICAS, wait=False)
    for colour in _VERSIONS:
        shop.rolled_out(colour)


def _full_size(shop: stand.Shop, colour: str) -> None:
    shop.scale(colour, REPLICAS)
    shop.rolled_out(colour)


def say(text: str) -> None:
    """To whoever waits; the table alone goes to stdout."""
    print(text, file=sys.stderr, flush=True)
