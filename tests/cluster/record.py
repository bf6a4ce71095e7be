# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie, and the record of one cluster."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from .progress import ClusterError, say


def cache_dir() -> Path:
    base = os.environ.get("GOLIVE_CACHE")
    if base:
        return Path(base).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "golive-cutover"


def state_dir(name: str) -> Path:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,20}", name):
        raise ClusterError(f"cluster name {name!r}: use a to z, 0 to 9 and -, at most 21 characters")
    return cache_dir() / "clusters" / name


@dataclasses.dataclass(frozen=True)
class Record:
    """What is chosen for a cluster before anything of it exists, so that `down` knows what to remove."""

    name: str
    provider: str
    subnet: int
    first_port: int
    ports: int

    @property
    def state(self) -> Path:
        return state_dir(self.name)

    @property
    def node(self) -> str:
        return f"{self.name}-node"

    @property
    def host_address(self) -> str:
        return f"10.{self.subnet}.255.1"

    @property
    def node_address(self) -> str:
        return f"10.{self.subnet}.255.2"

    @property
    def pod_subnet(self) -> str:
        return f"10.{self.subnet}.0.0/20"

    @property
    def service_subnet(self) -> str:
        return f"10.{self.subnet}.64.0/20"

    @property
    def service_address(self) -> str:
        return f"10.{self.subnet}.64.1"

    @property
    def dns_address(self) -> str:
        return f"10.{self.subnet}.64.10"

    @property
    def link(self) -> str:
        return f"gl-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"

    @property
    def tag(self) -> str:
        """Comment of every firewall rule of this cluster."""
        return f"golive-cluster-{self.name}"

    @property
    def cgroup(self) -> str:
        return f"golive-{self.name}"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.state / "audit" / "audit.log"

    @property
    def node_ports(self) -> list[int]:
        return list(range(self.first_port, self.first_port + self.ports))

    def save(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        partial = self.state / ".record.json"
        partial.write_text(json.dumps(dataclasses.asdict(self), indent=2))
        os.replace(partial, self.state / "record.json")


def load_record(name: str) -> Record | None:
    try:
        return Record(**json.loads((state_dir(name) / "record.json").read_text()))
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """One holder at a time over all processes; the descriptor may be handed to a child, which then holds it too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  waiting for another run to finish ({path.stem})")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
