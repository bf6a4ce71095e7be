# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that is there already: its kubeconfig is used, nothing of it is changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from .progress import ClusterError, run, say
from .provider import environment
from .record import state_dir

FIRST_PORT = 30080


class Existing:
    """Needs `kubectl`. Images must be where the cluster can pull them; NodePorts are expected on 127.0.0.1,
    or on the address in GOLIVE_TEST_NODE_ADDRESS."""

    name = "kubeconfig"

    def __init__(self, cluster: str, kubeconfig: Path | None) -> None:
        self.cluster, self.state = cluster, state_dir(cluster)
        note = self.state / "kubeconfig-path"
        if kubeconfig is None and note.exists():
            kubeconfig = Path(note.read_text())
        if kubeconfig is None or not kubeconfig.is_file():
            raise ClusterError(f"no kubeconfig at {kubeconfig}: give --kubeconfig FILE or GOLIVE_TEST_KUBECONFIG")
        self.kubeconfig = kubeconfig.resolve()

    def up(self) -> None:
        if not shutil.which("kubectl"):
            raise ClusterError("an existing cluster needs the program kubectl")
        self._kubectl("get", "--raw", "/readyz")
        self.state.mkdir(parents=True, exist_ok=True)
        (self.state / "kubeconfig-path").write_text(str(self.kubeconfig))
        (self.state / "provider").write_text(self.name)
        say(f"  cluster of {self.kubeconfig} answers")

    def down(self) -> None:
        if self.state.exists():
            shutil.rmtree(self.state)

    def status(self) -> tuple[bool, list[tuple[str, str]]]:
        try:
            version = json.loads(self._kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
        except (ClusterError, KeyError, ValueError) as error:
            return False, [("cluster", f"{self.kubeconfig}: {error}")]
        return True, [("cluster", f"{self.kubeconfig} (Kubernetes {version})")]

    def load(self, archives: Sequence[Path]) -> None:
        names = " ".join(archive.name for archive in archives)
        raise ClusterError(f"images of an existing cluster come from its registry; push these yourself: {names}")

    def env(self) -> dict[str, str]:
        template = "{range .items[?(@.metadata.annotations.storageclass\\.kubernetes\\.io/is-default-class=='true')]}"
        classes = self._kubectl("get", "storageclass", "-o", f"jsonpath={template}{{.metadata.name}} {{end}}").split()
        ports = list(range(FIRST_PORT, FIRST_PORT + 10))
        return environment(self.cluster, self.name, self.kubeconfig, ports, classes[0] if classes else "")

    def _kubectl(self, *arguments: str) -> str:
        return run(["kubectl", "--kubeconfig", self.kubeconfig, "--request-timeout=10s", *arguments])
