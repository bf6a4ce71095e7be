# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A volume that is as small as it says: a file system in memory on the node, for one claim of a class of its own."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import processes
from tests.cluster.cli import DEFAULT_NAME
from tests.cluster.record import load_record
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.stand import apply

SIZE_MIB = 1024
_FILL = "fill"
# The program umount wants a /proc that this process is in. The 2 is MNT_DETACH: a pod that is going away may hold it.
_UNMOUNT = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.exit(libc.umount2(sys.argv[1].encode(), 2) and f"umount: errno {ctypes.get_errno()}")
"""


@dataclass(frozen=True)
class SmallVolume:
    """``storage_class`` is what a claim asks for."""

    storage_class: str
    path: Path

    def fill(self, left: float) -> None:
        """Take room from outside of any pod until this share of it is left."""
        size, free = map(int, self._node("stat", "-f", "-c", "%b %a", str(self.path)).split())
        block = int(self._node("stat", "-f", "-c", "%S", str(self.path)))
        self._node("fallocate", "-l", str((free - int(size * left)) * block), str(self.path / _FILL))

    def empty(self) -> None:
        """Give it back."""
        self._node("rm", "-f", str(self.path / _FILL))

    def mount(self) -> None:
        """Make it on the node."""
        self._node("mkdir", "-p", str(self.path))
        self._node("mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m,mode=0755", "tmpfs", str(self.path))

    def unmount(self) -> None:
        """Take it away, in use or not."""
        self._node(sys.executable, "-c", _UNMOUNT, str(self.path))
        self._node("rmdir", str(self.path))

    def _node(self, *command: str) -> str:
        record = load_record(DEFAULT_NAME)
        assert record is not None
        done = subprocess.run(
            [*processes.enter(record), *command], check=True, stdout=subprocess.PIPE, text=True, timeout=60
        )
        return done.stdout


@contextmanager
def small_volume() -> Iterator[SmallVolume]:
    """One such volume, which the first claim of its class gets; only on the built cluster."""
    record = load_record(DEFAULT_NAME)
    assert record is not None
    name = f"golive-small-{secrets.token_hex(3)}"
    volume = SmallVolume(name, record.state / name)
    volume.mount()
    node = {"key": "kubernetes.io/hostname", "operator": "In", "values": [record.node]}
    try:
        apply(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": name},
                "spec": {
                    "capacity": {"storage": f"{SIZE_MIB}Mi"},
                    "accessModes": ["ReadWriteOnce"],
                    "persistentVolumeReclaimPolicy": "Retain",
                    "storageClassName": name,
                    "local": {"path": str(volume.path)},
                    "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [node]}]}},
                },
            }
        )
        yield volume
    finally:
        kubectl("delete", "pv", name, "--wait=false", "--ignore-not-found", check=False)
        volume.unmount()
