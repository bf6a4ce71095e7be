# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract that every kind of cluster fulfils, and the choice between them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from . import versions
from .progress import ClusterError
from .record import state_dir

OTHER_WAYS = (
    "use an existing cluster (--kubeconfig FILE or GOLIVE_TEST_KUBECONFIG) or install kind with Docker or Podman"
)


class Provider(Protocol):
    """A cluster with a kubeconfig, a default StorageClass, DNS, and NodePorts on 127.0.0.1."""

    name: str

    def up(self) -> None:
        """Idempotent; prints a line for each part. Raises ClusterError."""

    def down(self) -> None:
        """Removes everything, also after a crash in the middle of `up`; idempotent."""

    def status(self) -> tuple[bool, list[tuple[str, str]]]:
        """Whether it is usable, and rows for people."""

    def load(self, archives: Sequence[Path]) -> None:
        """Makes the images of OCI or docker archives known to the cluster."""

    def env(self) -> dict[str, str]:
        """The environment of the tests; the same names for every provider."""


def environment(
    name: str, provider: str, kubeconfig: Path, ports: Sequence[int], storage_class: str, audit_log: str = ""
) -> dict[str, str]:
    host = os.environ.get("GOLIVE_TEST_NODE_ADDRESS") or "127.0.0.1"
    return {
        "KUBECONFIG": str(kubeconfig),
        "GOLIVE_PROVIDER": provider,
        "GOLIVE_STATE_DIR": str(state_dir(name)),
        "GOLIVE_NODE_PORTS": " ".join(str(port) for port in ports[:40]),
        "GOLIVE_LIVE_PORT": str(ports[0]),
        "GOLIVE_PREVIEW_PORT": str(ports[1]),
        "GOLIVE_LIVE_URL": f"http://{host}:{ports[0]}",
        "GOLIVE_PREVIEW_URL": f"http://{host}:{ports[1]}",
        "GOLIVE_STORAGE_CLASS": storage_class,
        "GOLIVE_AUDIT_LOG": audit_log,
        "GOLIVE_IMAGE_PREFIX": versions.IMAGE_PREFIX,
    }


def choose(name: str, kubeconfig: str | None, wanted: str | None) -> Provider:
    """First a kubeconfig given, then what runs under this name, then kind where an engine answers, then our own."""
    from .provider_built import Built
    from .provider_existing import Existing
    from .provider_kind import Kind

    given = kubeconfig or os.environ.get("GOLIVE_TEST_KUBECONFIG")
    kind = wanted or ("kubeconfig" if given else "") or _running(name) or ("kind" if _engine() else "built")
    if kind == "kubeconfig":
        return Existing(name, Path(given) if given else None)
    if kind == "kind":
        engine = _engine()
        if not engine:
            raise ClusterError("kind needs the program `kind` and a Docker or Podman engine that answers")
        return Kind(name, engine)
    return Built(name)


def _running(name: str) -> str:
    note = state_dir(name) / "provider"
    return note.read_text().strip() if note.exists() else ""


def _engine() -> str:
    if not shutil.which("kind"):
        return ""
    for engine in ("docker", "podman"):
        try:
            answer = subprocess.run([engine, "info"], check=False, capture_output=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if answer.returncode == 0:
            return engine
    return ""
