# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image with the distribution's Prometheus: the server and the C library, nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.cluster import oci
from tests.cluster.progress import part

from . import debian
from .kept import kept
from .recipes import Entries, reference

USER = 65534
PORT = 9090


def build() -> Entries:
    """Returns the manifest entry of the image, keyed by its reference."""
    return kept("prometheus", (__file__,), _build)


def _build(work: Path, archive: Path) -> Entries:
    with part("build prometheus") as current:
        packages = debian.Packages(work, current)
        versions = packages.resolve("prometheus")
        # The rest of what it depends on is its web pages.
        packages.unpack({name: versions[name] for name in ("prometheus", "libc6")})
        root = debian.RootFolder(work / "root", packages.root)
        root.copy("usr/bin/prometheus")
        root.add_libraries()
        root.readable_by_all()
        root.folder("data", 0o1777)
        # A tag of an image knows no "+" and no ":".
        version = "".join(sign if sign.isalnum() or sign in ".-" else "-" for sign in versions["prometheus"])
        name = reference("prometheus", version)
        config = {
            "Entrypoint": ["/usr/bin/prometheus"],
            "Cmd": ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/data"],
            "User": f"{USER}:{USER}",
            "WorkingDir": "/",
            "ExposedPorts": [f"{PORT}/tcp"],
        }
        digest = oci.write_image(archive, name, [work / "root"], config)
        size = archive.stat().st_size
        current.detail = f"{name} {size / 1e6:.0f} MB"
        return {
            name: {
                "name": "prometheus",
                "version": version,
                "port": PORT,
                "user": USER,
                "archive": str(archive),
                "bytes": size,
                "digest": digest,
            }
        }
