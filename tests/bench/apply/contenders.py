# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that are compared, each as one process a user could start."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PEERS = ("ansible>=12,<13", "kubernetes>=33.1,<38")

OURS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - golive.cutover.kube_apply:
        files: ["{{ file }}"]
"""
LIST = """
- hosts: localhost
  gather_facts: false
  tasks:
    - kubernetes.core.k8s:
        state: present
        src: "{{ file }}"
"""
LOOP = """
- hosts: localhost
  gather_facts: false
  tasks:
    - kubernetes.core.k8s:
        state: present
        resource_definition: "{{ item }}"
      loop: "{{ lookup('ansible.builtin.file', file) | from_yaml_all | list }}"
      loop_control:
        label: "{{ item.metadata.name }}"
"""
EMPTY_OURS, EMPTY_PEER = "empty playbook, our environment", "empty playbook, the peer's environment"
EMPTY = """
- hosts: localhost
  gather_facts: false
  tasks: []
"""


@dataclass(frozen=True)
class Contender:
    """A command with ``{file}`` to fill in.

    ``loops``: its time grows with one process per object. ``baseline``: the empty playbook to compare it with.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    loops: bool = False
    baseline: str = ""

    def seconds(self, file: Path, kubeconfig: Path) -> tuple[float, float]:
        """Wall time and processor time of one run; raises RuntimeError with its output when it fails."""
        command = [part.format(file=file) for part in self.command]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment, "KUBECONFIG": str(kubeconfig)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1800,
        )
        took = time.monotonic() - started
        if done.returncode:
            raise RuntimeError(f"{self.name} failed:\n{done.stdout[-3000:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def contenders(work: Path) -> tuple[list[Contender], dict[str, str]]:
    """The contenders, ours first and the empty playbooks last, and the versions of everything."""
    there = peers_venv() / "bin"
    own = Path(sys.executable).parent
    ours_env = _ansible_env(work, own, str(REPOSITORY / "build" / "collections"))
    peer_env = _ansible_env(work, there, "")
    kubectl = kubectl_path()
    found = [
        Contender("golive.cutover.kube_apply", _playbook(work, own, "ours", OURS), ours_env, baseline=EMPTY_OURS),
        Contender("kubernetes.core.k8s, list", _playbook(work, there, "list", LIST), peer_env, baseline=EMPTY_PEER),
        Contender("kubernetes.core.k8s, loop", _playbook(work, there, "loop", LOOP), peer_env, True, EMPTY_PEER),
        Contender("kubectl apply --server-side", (kubectl, "apply", "--server-side", "-f", "{file}")),
        Contender("kubectl apply", (kubectl, "apply", "-f", "{file}")),
        Contender(EMPTY_OURS, _playbook(work, own, "empty", EMPTY), ours_env),
        Contender(EMPTY_PEER, _playbook(work, there, "empty", EMPTY), peer_env),
    ]
    return found, _versions(own, there, kubectl)


def peers_venv() -> Path:
    """A Python environment with the package ``ansible``, which holds kubernetes.core; built once in the cache."""
    own = os.environ.get("GOLIVE_CACHE")
    root = Path(own) if own else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "golive-cutover"
    venv = root / "venvs" / f"peers-ansible-12-py3.{sys.version_info.minor}"
    if not (venv / "complete").exists():
        print(f"installing {', '.join(PEERS)} once", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True, stdout=sys.stderr)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PEERS], check=True, stdout=sys.stderr)
        (venv / "complete").touch()
    return venv


def kubectl_path() -> str:
    """The kubectl of the cluster where it brings one, else that of PATH."""
    status = subprocess.run(
        [REPOSITORY / "tests" / "cluster" / "cluster", "status"], capture_output=True, text=True, check=False
    ).stdout
    named = re.search(r"^kubectl\s+(\S+)$", status, re.MULTILINE)
    found = named[1] if named else shutil.which("kubectl")
    if not found:
        raise RuntimeError("There is no kubectl.")
    return found


def _playbook(work: Path, programs: Path, name: str, text: str) -> tuple[str, ...]:
    path = work / f"{name}.yml"
    path.write_text(text, encoding="utf-8")
    return (str(programs / "ansible-playbook"), "-i", "localhost,", str(path), "-e", "file={file}")


def _ansible_env(work: Path, programs: Path, collections: str) -> dict[str, str]:
    config = work / "ansible.cfg"
    config.write_text("[defaults]\nretry_files_enabled = false\n", encoding="utf-8")
    inventory = work / "host_vars"
    inventory.mkdir(exist_ok=True)
    (inventory / "localhost.yml").write_text(
        'ansible_connection: local\nansible_python_interpreter: "{{ ansible_playbook_python }}"\n', encoding="utf-8"
    )
    return {
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_COLLECTIONS_PATH": collections or str(work / "none"),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": "",
    }


def _versions(own: Path, peers: Path, kubectl: str) -> dict[str, str]:
    def output(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    code = "import kubernetes, ansible.release as r; print(r.__version__, kubernetes.__version__)"
    ours, theirs = (output(str(place / "python"), "-c", code).split() for place in (own, peers))
    listed = output(str(peers / "ansible-galaxy"), "collection", "list", "kubernetes.core")
    collection = re.search(r"kubernetes\.core\s+(\S+)", listed)
    client = re.search(r"Client Version: (\S+)", output(kubectl, "version", "--client"))
    return {
        "ansible-core": ours[0],
        "kubernetes (Python)": ours[1],
        "ansible-core of the peer": theirs[0],
        "kubernetes (Python) of the peer": theirs[1],
        "kubernetes.core": collection[1] if collection else "unknown",
        "kubectl": client[1] if client else "unknown",
        "Python": sys.version.split()[0],
    }


if __name__ == "__main__":
    print(peers_venv())
