# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built cluster: real Kubernetes components as processes of one bare Debian or Ubuntu machine."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import string
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import build, images, network, packages, processes, supervisor, versions
from .certificates import Certificates
from .components import settings_files
from .progress import ClusterError, part, run, say, wait_until
from .provider import OTHER_WAYS, environment
from .record import Record, load_record, locked, state_dir

MANIFESTS = Path(__file__).parent / "manifests"
STORAGE_CLASS = "golive-local"


class Built:
    name = "built"

    def __init__(self, cluster: str) -> None:
        self.cluster, self.state = cluster, state_dir(cluster)

    def up(self) -> None:
        self._check_machine()
        with self._exclusive() as lock:
            record = load_record(self.cluster)
            if record and processes.owner(record) and (self.state / "ready").exists():
                say(f"  cluster {self.cluster} is up already")
                self._wait_ready(record)
                return
            needed = packages.missing()
            if needed:
                with part("system packages") as current:
                    packages.install(current, needed)
            build.build_all()
            self._remove()
            self._wait_ready(self._create(lock))
            (self.state / "ready").touch()
            (self.state / "provider").write_text(self.name)

    def down(self) -> None:
        if not self.state.exists():
            say(f"  cluster {self.cluster} is not there")
            return
        with self._exclusive(), part("remove cluster"):
            self._remove()

    def status(self) -> tuple[bool, list[tuple[str, str]]]:
        record = load_record(self.cluster)
        if record is None or not processes.owner(record):
            return False, [("cluster", f"{self.cluster}: not up")]
        rows = [("cluster", f"{self.cluster} (built, Kubernetes {versions.KUBERNETES})")]
        node = self._read(record, "get", "nodes", "-o", _condition("Ready"))
        dns = self._read(record, "-n", "kube-system", "get", "deployment", "coredns", "-o", _condition("Available"))
        metrics = self._read(record, "get", "apiservice", "v1beta1.metrics.k8s.io", "-o", _condition("Available"))
        rows += [("node", _word(node)), ("DNS", _word(dns)), ("metrics API", _word(metrics))]
        with contextlib.suppress(FileNotFoundError, ValueError):
            starts = json.loads((self.state / "starts.json").read_text())
            again = [f"{name} {count - 1} times" for name, count in starts.items() if count > 1]
            rows.append(("restarted components", ", ".join(again) or "none"))
        rows += [
            ("kubeconfig", str(record.kubeconfig)),
            ("kubectl", str(self._kubectl())),
            ("NodePorts", f"127.0.0.1:{record.node_ports[0]} to {record.node_ports[-1]}"),
            ("audit log", str(record.audit_log)),
            ("logs", str(self.state / "log")),
        ]
        return node == dns == "True", rows

    def load(self, archives: Sequence[Path]) -> None:
        record = self._record()
        for archive in archives:
            with part(f"load {archive.name}"[:28]) as current:
                current.detail = " ".join(images.import_archive(record, archive))

    def env(self) -> dict[str, str]:
        record = self._record()
        return {
            **environment(
                self.cluster, self.name, record.kubeconfig, record.node_ports, STORAGE_CLASS, str(record.audit_log)
            ),
            "PATH": self._path_with_kubectl(),
        }

    def _record(self) -> Record:
        record = load_record(self.cluster)
        if record is None or not (self.state / "ready").exists():
            raise ClusterError(f"cluster {self.cluster} is not up: run `cluster up` first")
        return record

    def _check_machine(self) -> None:
        if platform.system() != "Linux" or not shutil.which("apt-get"):
            raise ClusterError(f"the built cluster needs Debian or Ubuntu: {OTHER_WAYS}")
        if os.geteuid() != 0:
            raise ClusterError(f"the built cluster needs root: {OTHER_WAYS}")

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[int]:
        with locked(self.state.parent / f"{self.cluster}.lock") as lock:
            yield lock

    def _create(self, lock: int) -> Record:
        with part("network and ports") as current, locked(self.state.parent / "choice.lock"):
            subnet, first_port = network.choose(self.cluster)
            record = Record(self.cluster, self.name, subnet, first_port, network.PORT_COUNT)
            record.save()
            os.chmod(self.state, 0o700)
            current.detail = f"10.{subnet}.0.0/16, 127.0.0.1:{first_port}"
        with part("certificates and settings"):
            Certificates(record).make_all()
            for folder in ("log", "audit", "volumes"):
                (self.state / folder).mkdir(exist_ok=True)
            for name, text in settings_files(record).items():
                path = self.state / "settings" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        with part("supervisor and link"):
            pid = supervisor.start(record, lock)
            network.connect(record, pid)
            (self.state / supervisor.READY_FILE).touch()
        with part("images"):
            images.wait_for_containerd(record)
            for archive in images.own_archives():
                images.import_archive(record, archive)
        with part("API server"):
            self._wait(record, "API server", "ok", "get", "--raw", "/readyz")
        with part("objects"):
            run([self._kubectl(), "--kubeconfig", record.kubeconfig, "apply", "--server-side", "-f", "-"],
                stdin=_manifests(record))  # fmt: skip
        return record

    def _wait_ready(self, record: Record) -> None:
        with part("node ready"):
            self._wait(record, "node Ready", "True", "get", "nodes", "-o", _condition("Ready"))
        dns = ["-n", "kube-system", "get", "deployment", "coredns", "-o", _condition("Available")]
        with part("DNS ready"):
            self._wait(record, "CoreDNS", "True", *dns)

    def _wait(self, record: Record, what: str, wanted: str, *arguments: str) -> None:
        def look() -> bool:
            if processes.owner(record) is None:
                raise ClusterError(f"the cluster's processes ended before {what}: see {self.state}/log")
            return self._read(record, *arguments) == wanted

        wait_until(look, 120, what, interval=0.2)

    def _remove(self) -> None:
        record = load_record(self.cluster)
        if record:
            processes.kill_all(record)
            if shutil.which("iptables", path=packages.SYSTEM_PATH):
                network.disconnect(record)
            processes.remove_cgroups(record)
        if self.state.exists():
            shutil.rmtree(self.state)

    def _path_with_kubectl(self) -> str:
        own = str(self._kubectl().parent)
        return ":".join([own, *(folder for folder in os.environ.get("PATH", "").split(":") if folder != own)])

    def _kubectl(self) -> Path:
        link = build.KUBERNETES.path.with_name("kubectl")
        with contextlib.suppress(FileExistsError):
            link.symlink_to(build.KUBERNETES.path.name)
        return link

    def _read(self, record: Record, *arguments: str) -> str:
        """Answer of kubectl, empty when the API does not answer yet."""
        command: list[str | Path] = [
            self._kubectl(),
            "--kubeconfig",
            record.kubeconfig,
            "--request-timeout=5s",
            *arguments,
        ]
        return run(command, check=False, timeout=30).strip()


def _condition(kind: str) -> str:
    items = "{.items[*].status.conditions" if kind == "Ready" else "{.status.conditions"
    return f"jsonpath={items}[?(@.type=='{kind}')].status}}"


def _word(status: str) -> str:
    return "ready" if status == "True" else "not ready yet"


def _manifests(record: Record) -> str:
    values = {
        "dns_address": record.dns_address,
        "coredns_image": versions.COREDNS_IMAGE,
        "metrics_server_image": versions.METRICS_SERVER_IMAGE,
    }
    files = [MANIFESTS / f"{name}.yaml" for name in ("storage", "coredns", "metrics-server")]
    return "\n---\n".join(string.Template(path.read_text()).substitute(values) for path in files)
