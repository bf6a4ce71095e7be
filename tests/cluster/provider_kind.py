# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kind on Docker or Podman. Thin, and not run so far: the machines that this was written on have no engine."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import network
from .components import audit_policy
from .progress import ClusterError, part, run
from .provider import environment
from .record import Record, load_record, state_dir


class Kind:
    name = "kind"

    def __init__(self, cluster: str, engine: str) -> None:
        self.cluster, self.state = cluster, state_dir(cluster)
        if engine == "podman":
            os.environ["KIND_EXPERIMENTAL_PROVIDER"] = "podman"

    def up(self) -> None:
        if self.cluster in run(["kind", "get", "clusters"]).split():
            return
        with part("kind create cluster"):
            record = Record(self.cluster, self.name, 0, network.free_ports(()), 10)
            record.save()
            (self.state / "audit").mkdir(exist_ok=True)
            (self.state / "audit-policy.json").write_text(json.dumps(audit_policy()))
            (self.state / "kind.json").write_text(json.dumps(configuration(record)))
            run(["kind", "create", "cluster", "--name", self.cluster, "--config", self.state / "kind.json",
                 "--kubeconfig", record.kubeconfig, "--wait", "300s"], timeout=900)  # fmt: skip
            (self.state / "provider").write_text(self.name)

    def down(self) -> None:
        run(["kind", "delete", "cluster", "--name", self.cluster], timeout=300)
        if self.state.exists():
            shutil.rmtree(self.state)

    def status(self) -> tuple[bool, list[tuple[str, str]]]:
        there = self.cluster in run(["kind", "get", "clusters"]).split()
        return there, [("cluster", f"{self.cluster} (kind): {'up' if there else 'not up'}")]

    def load(self, archives: Sequence[Path]) -> None:
        for archive in archives:
            with part(f"load {archive.name}"[:28]):
                run(["kind", "load", "image-archive", archive, "--name", self.cluster], timeout=600)

    def env(self) -> dict[str, str]:
        record = load_record(self.cluster)
        if record is None:
            raise ClusterError(f"cluster {self.cluster} is not up: run `cluster up` first")
        return environment(
            self.cluster, self.name, record.kubeconfig, record.node_ports, "standard", str(record.audit_log)
        )


def configuration(record: Record) -> dict[str, Any]:
    """kind's cluster file: NodePorts on 127.0.0.1 and the audit log of the API server in the state directory."""
    arguments = {"audit-policy-file": "/golive/audit-policy.json", "audit-log-path": "/golive/audit/audit.log"}
    mount = {"name": "golive", "hostPath": "/golive", "mountPath": "/golive"}
    patch = {
        "kind": "ClusterConfiguration",
        "apiServer": {"extraArgs": arguments, "extraVolumes": [{**mount, "readOnly": False}]},
    }
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "nodes": [
            {
                "role": "control-plane",
                "kubeadmConfigPatches": [json.dumps(patch)],
                "extraMounts": [{"hostPath": str(record.state), "containerPath": "/golive"}],
                "extraPortMappings": [
                    {"containerPort": port, "hostPort": port, "listenAddress": "127.0.0.1"}
                    for port in record.node_ports
                ],
            }
        ],
    }
