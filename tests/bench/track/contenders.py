# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits for a release: one process a user could start, for each contender."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from helm import HELM, helm

REPOSITORY = Path(__file__).resolve().parents[3]
OURS = """
- hosts: localhost
  gather_facts: false
  tasks:
    - golive.cutover.kube_apply:
        files: ["{{ file }}"]
    - golive.cutover.kube_track:
        objects: [{kind: Deployment, name: notes}]
        namespace: "{{ space }}"
        timeout: "{{ limit }}"
"""
PEER = """
- hosts: localhost
  gather_facts: false
  tasks:
    - kubernetes.core.k8s:
        state: present
        src: "{{ file }}"
        wait: true
        wait_timeout: "{{ limit }}"
"""


@dataclass(frozen=True)
class Contender:
    """A command with ``{file}``, ``{space}`` and ``{limit}`` to fill in; Helm gets the file as a chart."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    chart: bool = False

    def wait_for(self, manifest: dict[str, Any], space: str, limit: int, work: Path) -> tuple[float, str]:
        """Seconds until the command ended, and everything it said."""
        file = self._file(manifest, work / f"{space}-{self.name.split()[0]}")
        command = [part.format(file=file, space=space, limit=limit) for part in self.command]
        started = time.monotonic()
        done = subprocess.run(
            command,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=limit + 120,
        )
        return time.monotonic() - started, done.stdout

    def _file(self, manifest: dict[str, Any], folder: Path) -> Path:
        folder.mkdir()
        path = folder / "notes.json"
        if self.chart:
            (folder / "Chart.yaml").write_text("apiVersion: v2\nname: notes\nversion: 1.0.0\n", encoding="utf-8")
            (folder / "templates").mkdir()
            path = folder / "templates" / "notes.yaml"
        path.write_text(json.dumps(manifest), encoding="utf-8")
        return folder if self.chart else path


def contenders(work: Path, with_helm: bool) -> tuple[list[Contender], dict[str, str]]:
    """Ours first, then the peers, and the versions of all."""
    shared = _shared()
    own, theirs = Path(sys.executable).parent, shared.peers_venv() / "bin"
    found = [
        Contender(
            "golive.cutover kube_track",
            _playbook(work, own, "ours", OURS),
            _environment(work, own, REPOSITORY / "build" / "collections"),
        ),
        *([_helm(work)] if with_helm else []),
        Contender(
            "kubernetes.core.k8s wait", _playbook(work, theirs, "peer", PEER), _environment(work, theirs, work / "none")
        ),
    ]
    return found, {**({"Helm": HELM.version} if with_helm else {}), **_versions(own, theirs)}


def _helm(work: Path) -> Contender:
    return Contender(
        "Helm install --wait",
        (str(helm()), "install", "notes", "{file}", "-n", "{space}", "--wait", "--timeout", "{limit}s"),
        {"HELM_CACHE_HOME": str(work), "HELM_CONFIG_HOME": str(work), "HELM_DATA_HOME": str(work)},
        chart=True,
    )


def _shared() -> ModuleType:
    """The bench of kube_apply has the environment of the same peer."""
    path = REPOSITORY / "tests" / "bench" / "apply" / "contenders.py"
    spec = importlib.util.spec_from_file_location("apply_contenders", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} cannot be loaded.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _playbook(work: Path, programs: Path, name: str, text: str) -> tuple[str, ...]:
    path = work / f"{name}.yml"
    path.write_text(text, encoding="utf-8")
    variables = ("-e", "file={file}", "-e", "space={space}", "-e", "limit={limit}")
    python = ("-e", "ansible_connection=local", "-e", f"ansible_python_interpreter={programs / 'python'}")
    return (str(programs / "ansible-playbook"), "-i", "localhost,", str(path), *variables, *python)


def _environment(work: Path, programs: Path, collections: Path) -> dict[str, str]:
    config = work / "ansible.cfg"
    config.write_text("[defaults]\nretry_files_enabled = false\n", encoding="utf-8")
    return {
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": "",
    }


def _versions(own: Path, theirs: Path) -> dict[str, str]:
    listed = subprocess.run(
        [theirs / "ansible-galaxy", "collection", "list", "kubernetes.core"], capture_output=True, text=True, check=True
    ).stdout
    core = subprocess.run(
        [own / "python", "-c", "import ansible.release as r; print(r.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"kubernetes\.core\s+(\S+)", listed)
    return {"kubernetes.core": found[1] if found else "unknown", "ansible-core": core.strip()}
