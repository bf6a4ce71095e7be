# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image with Debian's PgBouncer and a shell, as images/pgbouncer makes one for users.

That of sid on trixie's libraries: 1.25.1 and newer refuse a search_path that a client would slip into the query which
asks for its password (CVE-2025-12819).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cluster import oci
from tests.cluster.progress import part

from . import debian
from .kept import kept
from .recipes import Entries, reference

RELEASES = debian.Releases(base="trixie", newer="sid", pinned=("pgbouncer",))
USER = 65532
PORT = 6432


def build() -> Entries:
    """Returns the manifest entry of the image, keyed by its reference."""
    return kept("pgbouncer", (__file__,), _build)


def _build(work: Path, archive: Path) -> Entries:
    with part("build pgbouncer") as current:
        packages = debian.Packages(work, current, RELEASES)
        versions = packages.resolve("pgbouncer", "busybox-static")
        packages.unpack(versions)
        current.detail = "choosing files"
        root = debian.RootFolder(work / "root", packages.root)
        root.copy("usr/sbin/pgbouncer")
        busybox = next(path for path in ("usr/bin/busybox", "bin/busybox") if (packages.root / path).exists())
        shutil.copy2(packages.root / busybox, root.target / "usr/bin/busybox")
        for applet in ("sh", "cat"):
            root.link(f"usr/bin/{applet}", "busybox")
        root.add_libraries()
        root.write("etc/passwd", f"root:x:0:0:root:/root:/bin/sh\npooler:x:{USER}:{USER}:PgBouncer:/:/bin/sh\n")
        root.write("etc/nsswitch.conf", "passwd: files\nhosts: files dns\n")
        root.readable_by_all()
        # A tag of an image knows no "+" and no ":".
        version = "".join(sign if sign.isalnum() or sign in ".-" else "-" for sign in versions["pgbouncer"])
        name = reference("pgbouncer", version)
        config = {
            "Env": {"PATH": "/usr/sbin:/usr/bin"},
            "Entrypoint": ["pgbouncer"],
            "User": f"{USER}:{USER}",
            "WorkingDir": "/",
            "ExposedPorts": [f"{PORT}/tcp"],
            # PgBouncer ends at once at SIGTERM, or waits until its clients have gone; at this it ends transactions.
            "StopSignal": "SIGINT",
        }
        digest = oci.write_image(archive, name, [work / "root"], config)
        size = archive.stat().st_size
        current.detail = f"{name} {size / 1e6:.0f} MB"
        return {
            name: {
                "name": "pgbouncer",
                "version": version,
                "port": PORT,
                "user": USER,
                "archive": str(archive),
                "bytes": size,
                "digest": digest,
            }
        }
