# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply sets to the real cluster and read in its audit log what was sent."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.modules import kube_apply
from tests.e2e.conftest import kubectl

_DEFAULTS = {name: row.get("default") for name, row in kube_apply.SPEC["argument_spec"].items()}
_WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})

Apply = Callable[..., dict[str, Any]]


def apply(*, check: bool = False, diff: bool = False, warn: Any = None, **params: Any) -> dict[str, Any]:
    """One run of the verb, as in process; raises GoliveError."""
    others = {"warn": warn} if warn else {}
    rules = [{"name": None, **rule} for rule in params.pop("create_only", [])]
    given = {**_DEFAULTS, "create_only": rules, **params}
    return kube_apply.run(call_for_tests(given, check_mode=check, diff_mode=diff, **others))


def actions(result: dict[str, Any]) -> dict[str, str]:
    """``Kind name`` to action."""
    return {f"{row['kind']} {row['name']}": row["action"] for row in [*result["objects"], *result["pruned"]]}


def config_map(name: str, data: dict[str, str] | None = None, **meta: Any) -> dict[str, Any]:
    """A ConfigMap without a namespace."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}, "data": data or {"a": "b"}}


def deployment(name: str, **spec: Any) -> dict[str, Any]:
    """A Deployment that starts no pod unless ``replicas`` says so."""
    labels = {"app.kubernetes.io/name": name}
    container = {"name": "web", "image": "golive.test/none:1", "ports": [{"containerPort": 8080}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    made = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": made}


def live(namespace: str, kind: str, name: str, path: str = "") -> Any:
    """The object as kubectl shows it, or one field of it; None when it is not there."""
    text = kubectl("-n", namespace, "get", kind, name, "-o", "json", "--ignore-not-found", "--show-managed-fields")
    value = json.loads(text) if text.strip() else None
    for step in path.split(".") if path and value is not None else []:
        value = value.get(step) if value is not None else None
    return value


@dataclass
class Audit:
    """The audit log of the cluster from a point on."""

    file: Path
    start: int = 0

    def mark(self) -> None:
        """Begin here."""
        self.start = self.file.stat().st_size

    def requests(self, about: str) -> list[tuple[str, str]]:
        """``(verb, URI)`` of our own requests whose URI holds ``about``, since the mark."""
        self._settle()
        with self.file.open(encoding="utf-8") as handle:
            handle.seek(self.start)
            rows = [json.loads(line) for line in handle if line.endswith("\n")]
        return [
            (row["verb"], row["requestURI"])
            for row in rows
            if row.get("userAgent") == "golive.cutover" and about in row["requestURI"]
        ]

    def writes(self, about: str) -> list[tuple[str, str]]:
        """Those that may change something: no dry run."""
        return [(verb, uri) for verb, uri in self.requests(about) if verb in _WRITES and "dryRun=All" not in uri]

    def _settle(self) -> None:
        # A request of our own shows that everything before it has been written.
        token = f"golive-audit-{secrets.token_hex(4)}"
        kubectl("get", "--raw", f"/api/v1/namespaces/{token}", check=False)
        end = time.monotonic() + 20
        while token not in self.file.read_text(encoding="utf-8")[self.start :]:
            assert time.monotonic() < end, "the audit log does not show a request of 20 s ago"
            time.sleep(0.1)


@pytest.fixture
def audit(cluster: dict[str, str]) -> Audit:
    """The audit log, marked now; skips where the provider has none."""
    if not cluster.get("GOLIVE_AUDIT_LOG"):
        pytest.skip("this provider gives no audit log")
    found = Audit(Path(cluster["GOLIVE_AUDIT_LOG"]))
    found.mark()
    return found


@pytest.fixture
def fresh(cluster: dict[str, str]) -> Iterator[str]:
    """The name of a namespace that does not exist yet; what becomes of it is removed."""
    name = f"golive-apply-{secrets.token_hex(4)}"
    yield name
    kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found", check=False)


@pytest.fixture
def api_proxy(cluster: dict[str, str]) -> Iterator[str]:
    """URL of ``kubectl proxy``: the real API server in plain HTTP, with the administrator's rights."""
    running = subprocess.Popen(
        ["kubectl", "proxy", "--port=0", "--keepalive=30s"], stdout=subprocess.PIPE, text=True, env=os.environ.copy()
    )
    line = running.stdout.readline() if running.stdout else ""
    yield "http://" + line.split()[-1]
    running.terminate()
    running.wait(timeout=10)
