# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner of all processes of a built cluster.

`launch` notes its own pid, joins the cluster's control group and becomes `unshare`; `supervise` is then process 1 of
new process, mount, network and host name namespaces. When either ends, the kernel ends everything below and drops all
mounts, interfaces and firewall rules inside. That is why nothing can stay behind after a crash.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

from . import build, processes
from .api import Api
from .certificates import Certificates
from .components import CRI_SOCKET, Component, components
from .packages import SYSTEM_PATH
from .progress import ClusterError, run, wait_until
from .record import Record, load_record

OWN_PYTHON = [sys.executable, str(Path(__file__).parent / "__main__.py")]
READY_FILE = "link-ready"
METRICS_API = {
    "apiVersion": "apiregistration.k8s.io/v1",
    "kind": "APIService",
    "metadata": {"name": "v1beta1.metrics.k8s.io"},
    "spec": {
        "service": {"name": "metrics-server", "namespace": "kube-system"},
        "group": "metrics.k8s.io",
        "version": "v1beta1",
        "insecureSkipTLSVerify": True,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
    },
}
# The kubelet insists on these values and would set them for the whole machine; it is shown a file of its own instead.
KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def start(record: Record, lock: int) -> int:
    """Starts the owner; the lock is released by `launch` once the pid file is there. Returns its pid."""
    with open(record.state / "log" / "supervisor.log", "ab") as log:
        child = subprocess.Popen(
            [*OWN_PYTHON, "_launch", "--name", record.name, "--lock", str(lock)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[lock], start_new_session=True,
        )  # fmt: skip
    inside = Path(f"/proc/{child.pid}/ns/net")
    outside = os.readlink("/proc/self/ns/net")

    def separated() -> bool:
        if child.poll() is not None:
            raise ClusterError(f"the supervisor ended with {child.returncode}: see {record.state}/log/supervisor.log")
        return processes.owner(record) == child.pid and os.readlink(inside) != outside

    wait_until(separated, 15, "start of the supervisor", interval=0.02)
    return child.pid


def launch(name: str, lock: int) -> int:
    record = _record(name)
    processes.write_pid_file(record)
    processes.join_cgroup(record)
    os.close(lock)
    namespaces = ["--pid", "--mount", "--net", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"]
    os.execvp("unshare", ["unshare", *namespaces, *OWN_PYTHON, "_supervise", "--name", name])


def supervise(name: str) -> int:
    record = _record(name)
    os.environ["PATH"] = f"{SYSTEM_PATH}:{os.environ.get('PATH', '')}"
    if os.uname().machine == "aarch64":
        os.environ["ETCD_UNSUPPORTED_ARCH"] = "arm64"
    _private_system(record)
    wait_until((record.state / READY_FILE).exists, 60, "network link")
    children = _Children(record)
    every = components(record, build.KUBERNETES.path, OWN_PYTHON)
    for component in every:
        if not component.after_api:
            children.start(component)
    threading.Thread(target=_start_later, args=(record, children, every), daemon=True).start()
    children.keep()
    return 0


def _record(name: str) -> Record:
    record = load_record(name)
    if record is None:
        raise ClusterError(f"there is no cluster {name}")
    return record


def _private_system(record: Record) -> None:
    """Mounts of our own, so that neither containerd nor kubelet writes outside of the state directory."""
    socket.sethostname(record.node)
    run(["mount", "--make-rshared", "/"])
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
    Path("/run/netns").mkdir()
    for folder in ("/var/lib", "/var/log"):
        if record.state.is_relative_to(folder):
            continue
        base = record.state / "private" / folder.strip("/").replace("/", "-")
        for part in ("upper", "work"):
            (base / part).mkdir(parents=True)
        options = f"lowerdir={folder},upperdir={base}/upper,workdir={base}/work"
        run(["mount", "-t", "overlay", "-o", options, "overlay", folder])
    for setting, value in KERNEL_SETTINGS.items():
        shown = Path("/run", setting.replace("/", "-"))
        shown.write_text(f"{value}\n")
        if Path("/proc/sys", setting).exists():
            run(["mount", "--bind", shown, Path("/proc/sys", setting)])


def _start_later(record: Record, children: _Children, every: list[Component]) -> None:
    context = ssl.create_default_context(cafile=Certificates(record).cert("ca"))

    def ready() -> bool:
        try:
            address = f"https://{record.node_address}:6443/readyz"
            with urllib.request.urlopen(address, context=context, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(lambda: ready() and Path(CRI_SOCKET).exists(), 120, "API server and containerd")
    for component in every:
        if component.after_api:
            children.start(component)
    _register_metrics(record)


def _register_metrics(record: Record) -> None:
    """An APIService without an answer behind it holds up every deletion of a namespace, so it comes last."""
    deployment = "/apis/apps/v1/namespaces/kube-system/deployments/metrics-server"

    def answers() -> bool:
        try:
            return bool(Api(record).call("GET", deployment).get("status", {}).get("availableReplicas"))
        except (OSError, http.client.HTTPException):
            return False

    wait_until(answers, 3600, "metrics-server", interval=1)
    Api(record).call("POST", "/apis/apiregistration.k8s.io/v1/apiservices", METRICS_API)


class _Children:
    """Starts components, reaps everything (this is process 1) and starts a component again one second after its end."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.guard = threading.Lock()
        self.running: dict[int, Component] = {}
        self.starts: dict[str, int] = {}

    def start(self, component: Component) -> None:
        with self.guard, open(self.record.state / "log" / f"{component.name}.log", "ab") as log:
            process = subprocess.Popen(component.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
            # Reaping is done by `keep`, for all.
            process.returncode = 0
            self.running[process.pid] = component
            self.starts[component.name] = self.starts.get(component.name, 0) + 1
            (self.record.state / "starts.json").write_text(json.dumps(self.starts))

    def keep(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: os._exit(0))
        nobody = threading.Event()
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                nobody.wait(0.2)
                continue
            with self.guard:
                component = self.running.pop(pid, None)
            if component:
                print(f"{component.name} ended with {os.waitstatus_to_exitcode(status)}", flush=True)
                threading.Timer(1.0, self.start, [component]).start()
