# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's own Python with the standard library and psycopg2; the image of the exporter has a library more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import oci
from tests.cluster.progress import ClusterError, part

from . import debian
from .kept import kept
from .recipes import Entries, reference

USER = 65532
# Packages to what they bring below dist-packages.
LIBRARIES = {"python3-psycopg2": "psycopg2"}
OF_THE_EXPORTER = {
    **LIBRARIES,
    "python3-prometheus-client": "prometheus_client",
    "python3-decorator": "decorator.py",
}
# Of no use without a screen, a compiler or a developer.
LEFT_OUT = ["__pycache__", "config-3*", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "tkinter", "test"]


def build() -> Entries:
    """Returns the manifest entry of the image, keyed by its reference; so does the other."""
    return kept("python", (__file__,), lambda work, archive: _build("python", LIBRARIES, work, archive))


def build_exporter() -> Entries:
    return kept("exporter", (__file__,), lambda work, archive: _build("exporter", OF_THE_EXPORTER, work, archive))


def _build(image: str, libraries: Mapping[str, str], work: Path, archive: Path) -> Entries:
    with part(f"build {image}") as current:
        packages = debian.Packages(work, current)
        versions = packages.resolve("python3-minimal", "libpython3-stdlib", *libraries)
        found = [match.group(1) for name in versions if (match := re.fullmatch(r"python(3\.\d+)-minimal", name))]
        if len(found) != 1:
            raise ClusterError("the machine's package sources offer no Python 3")
        version = found[0]
        packages.unpack(versions)
        current.detail = "choosing files"
        root = debian.RootFolder(work / "root", packages.root)
        root.copy(f"usr/bin/python{version}", f"usr/lib/python{version}", leave=LEFT_OUT)
        root.link("usr/bin/python3", f"python{version}")
        for library in libraries.values():
            root.copy(f"usr/lib/python3/dist-packages/{library}", leave=LEFT_OUT)
        root.add_libraries()
        root.write("etc/passwd", "root:x:0:0:root:/root:/bin/false\nnobody:x:65534:65534:nobody:/:/bin/false\n")
        root.readable_by_all()
        current.detail = "writing the archive"
        name = reference(image, version)
        config = {"Env": {"PATH": "/usr/bin", "LANG": "C.UTF-8"}, "Cmd": ["python3"], "User": f"{USER}:{USER}"}
        digest = oci.write_image(archive, name, [work / "root"], config, {})
        size = archive.stat().st_size
        current.detail = f"{name} {size / 1e6:.0f} MB"
        return {
            name: {
                "name": image,
                "version": version,
                "user": USER,
                "archive": str(archive),
                "bytes": size,
                "digest": digest,
            }
        }
