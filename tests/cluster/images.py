# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of the cluster's own parts, each one static binary, and the import of archives."""

from __future__ import annotations

from pathlib import Path

from . import build, oci, versions
from .components import CRI_SOCKET
from .processes import enter
from .progress import ClusterError, run, wait_until
from .record import Record, cache_dir

PROGRAMS = {
    versions.PAUSE_IMAGE: build.PAUSE,
    versions.COREDNS_IMAGE: build.COREDNS,
    versions.METRICS_SERVER_IMAGE: build.METRICS_SERVER,
}


def own_archives() -> list[Path]:
    """Archives of the cluster's own images, written once for each build."""
    archives = []
    for reference, program in PROGRAMS.items():
        archive = cache_dir() / "images" / f"{program.path.parent.name}.tar"
        if not archive.exists():
            layer: dict[str, oci.Entry] = {
                f"/{program.name}": program.path,
                "/tmp": oci.File(mode=0o1777, directory=True),
            }
            config = {"Entrypoint": [f"/{program.name}"], "User": "65534:65534"}
            oci.write_image(archive, reference, [layer], config)
        archives.append(archive)
    return archives


def wait_for_containerd(record: Record) -> None:
    """The socket lies in the cluster's own file system, so only its own client can tell."""
    wait_until(lambda: "Server:" in run([*_ctr(record), "version"], check=False), 30, "containerd")


def import_archive(record: Record, archive: Path) -> list[str]:
    """Imports into the cluster's containerd, unless all is there already; returns the references."""
    if not archive.is_file():
        raise ClusterError(f"{archive} is not a file")
    wanted = oci.read_index(archive)
    if not wanted:
        raise ClusterError(f"{archive} names no image: neither an OCI layout nor a docker archive with a tag")
    ctr = [*_ctr(record), "-n", "k8s.io", "images"]
    present = {line.split()[0]: line.split()[2] for line in run([*ctr, "ls"]).splitlines()[1:]}
    if any(not digest or present.get(reference) != digest for reference, digest in wanted.items()):
        # Through standard input, because parts of the file system look different to containerd.
        run(["sh", "-c", 'archive=$1; shift; exec "$@" < "$archive"', "sh", archive, *ctr, "import", "-"], timeout=600)
    return sorted(wanted)


def _ctr(record: Record) -> list[str]:
    return [*enter(record), "ctr", "-a", CRI_SOCKET]
