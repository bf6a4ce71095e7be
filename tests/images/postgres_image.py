# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The postgres image: the machine's own packages behind the entrypoint contract of the official image."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.cluster import oci
from tests.cluster.progress import ClusterError, part, run

from . import debian
from .kept import kept
from .recipes import Entries, reference

ENTRYPOINT = Path(__file__).parent / "postgres" / "docker-entrypoint.sh"
USER = 999
PACKAGES = ("postgresql", "busybox-static", "libnss-wrapper", "tzdata")


def build() -> Entries:
    """Returns the manifest entry of the image, keyed by its reference."""
    return kept("postgres", (__file__, ENTRYPOINT), lambda work, archive: write_server("postgres", work, archive))


def write_server(
    name: str, work: Path, archive: Path, releases: debian.Releases | None = None, more: Mapping[str, str] | None = None
) -> Entries:
    """Writes the image ``name``; ``more`` are packages to the program of each that is wanted beside the server."""
    programs = dict(more or {})
    with part(f"build {name}") as current:
        packages = debian.Packages(work, current, releases)
        versions = packages.resolve(*PACKAGES, *programs)
        majors = [match.group(1) for found in versions if (match := re.fullmatch(r"postgresql-(\d+)", found))]
        if len(majors) != 1:
            raise ClusterError("the package sources offer no PostgreSQL server")
        major = majors[0]
        packages.unpack(versions)
        current.detail = "choosing files"
        root = debian.RootFolder(work / "root", packages.root)
        _fill(root, major, programs.values())
        current.detail = "writing the archive"
        full = reference(name, major)
        owners = {"/var/lib/postgresql": (USER, USER), "/run/postgresql": (USER, USER)}
        digest = oci.write_image(archive, full, [work / "root"], _config(major), owners)
        size = archive.stat().st_size
        current.detail = " ".join([full, *(f"{one} {versions[one]}" for one in programs), f"{size / 1e6:.0f} MB"])
        return {
            full: {
                "name": name,
                "version": major,
                "package": versions[f"postgresql-{major}"],
                "major": int(major),
                "user": USER,
                "archive": str(archive),
                "bytes": size,
                "digest": digest,
            }
        }


def _fill(root: debian.RootFolder, major: str, more: Iterable[str]) -> None:
    programs = f"usr/lib/postgresql/{major}"
    # Just-in-time compilation would bring 120 MB of LLVM; without its module the server goes without.
    root.copy(f"{programs}/bin", f"{programs}/lib", leave=["bitcode", "llvmjit*", "pgxs", "*.a", "pg_test_*"])
    root.copy(f"usr/share/postgresql/{major}", leave=["man", "*.de.*"])
    # initdb asks `locale` for the collations of the system.
    root.copy("usr/lib/locale/C.utf8", "usr/share/zoneinfo", "usr/bin/locale", *more)
    wrapper = next((root.packages / "usr" / "lib").rglob("libnss_wrapper.so"))
    root.copy(str(wrapper.relative_to(root.packages)))
    shutil.copy2(wrapper.resolve(), root.target / wrapper.relative_to(root.packages).parent)
    busybox = next(path for path in ("usr/bin/busybox", "bin/busybox") if (root.packages / path).exists())
    shutil.copy2(root.packages / busybox, root.target / "usr/bin/busybox")
    for applet in run([root.target / "usr/bin/busybox", "--list"]).split():
        if applet != "busybox":
            root.link(f"usr/bin/{applet}", "busybox")
    root.add_libraries()
    sample = root.target / f"usr/share/postgresql/{major}/postgresql.conf.sample"
    sample.write_text(
        re.sub(r"^#?listen_addresses = .*", "listen_addresses = '*'", sample.read_text(), flags=re.MULTILINE)
    )
    users = [
        "root:x:0:0:root:/root:/bin/sh",
        f"postgres:x:{USER}:{USER}:PostgreSQL:/var/lib/postgresql:/bin/sh",
        "nobody:x:65534:65534:nobody:/:/bin/false",
    ]
    root.write("etc/passwd", "\n".join(users) + "\n")
    root.write("etc/group", f"root:x:0:\npostgres:x:{USER}:\nnogroup:x:65534:\n")
    root.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    root.write("usr/local/bin/docker-entrypoint.sh", ENTRYPOINT.read_bytes(), 0o755)
    root.folder("docker-entrypoint-initdb.d")
    root.readable_by_all()
    root.folder("var/lib/postgresql", 0o755)
    root.folder("var/lib/postgresql/data", 0o1777)
    root.folder("run/postgresql", 0o1777)
    root.link("var/run", "../run")


def _config(major: str) -> dict[str, object]:
    return {
        "Env": {
            "PATH": f"/usr/local/bin:/usr/lib/postgresql/{major}/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PG_MAJOR": major,
            "PGDATA": "/var/lib/postgresql/data",
        },
        "Entrypoint": ["docker-entrypoint.sh"],
        "Cmd": ["postgres"],
        "User": f"{USER}:{USER}",
        "ExposedPorts": ["5432/tcp"],
        "StopSignal": "SIGINT",
        "WorkingDir": "/var/lib/postgresql",
    }
