# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images with Debian's Prometheus, Alertmanager and exporters: each a program and the C library, nothing else.

They are those of sid, because the stable releases have a Prometheus 2 and an exporter with other names of series. They
run on trixie's C library.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cluster import oci
from tests.cluster.progress import part

from . import debian
from .kept import kept
from .recipes import Entries, reference

USER = 65534


@dataclass(frozen=True)
class Packaged:
    """``also`` are folders that the program reads and programs that belong to it, ``arguments`` what it gets unless the
    pod says otherwise."""

    name: str
    package: str
    port: int
    also: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


PROMETHEUS = Packaged(
    "prometheus",
    "prometheus",
    9090,
    arguments=("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/data"),
)
ALERTMANAGER = Packaged(
    "alertmanager", "prometheus-alertmanager", 9093, ("usr/share/prometheus/alertmanager", "usr/bin/amtool")
)
POSTGRES_EXPORTER = Packaged("postgres-exporter", "prometheus-postgres-exporter", 9187)
BLACKBOX_EXPORTER = Packaged("blackbox-exporter", "prometheus-blackbox-exporter", 9115)


def build_prometheus() -> Entries:
    """Returns the manifest entry of the image, keyed by its reference; so do the others."""
    return _kept(PROMETHEUS)


def build_alertmanager() -> Entries:
    return _kept(ALERTMANAGER)


def build_postgres_exporter() -> Entries:
    return _kept(POSTGRES_EXPORTER)


def build_blackbox_exporter() -> Entries:
    return _kept(BLACKBOX_EXPORTER)


def _kept(what: Packaged) -> Entries:
    return kept(what.name, (__file__,), lambda work, archive: _build(what, work, archive))


def _build(what: Packaged, work: Path, archive: Path) -> Entries:
    with part(f"build {what.name}") as current:
        releases = debian.Releases(base="trixie", newer="sid", pinned=(what.package,))
        packages = debian.Packages(work, current, releases)
        versions = packages.resolve(what.package)
        # The rest of what it depends on is web pages and what sets up a machine.
        packages.unpack({name: versions[name] for name in (what.package, "libc6")})
        root = debian.RootFolder(work / "root", packages.root)
        root.copy(f"usr/bin/{what.package}", *what.also)
        root.add_libraries()
        root.readable_by_all()
        root.folder("data", 0o1777)
        # A tag of an image knows no "+" and no ":".
        version = "".join(sign if sign.isalnum() or sign in ".-" else "-" for sign in versions[what.package])
        name = reference(what.name, version)
        config = {
            "Entrypoint": [f"/usr/bin/{what.package}"],
            "Cmd": list(what.arguments),
            "User": f"{USER}:{USER}",
            "WorkingDir": "/",
            "ExposedPorts": [f"{what.port}/tcp"],
        }
        digest = oci.write_image(archive, name, [work / "root"], config)
        size = archive.stat().st_size
        current.detail = f"{name} {size / 1e6:.0f} MB"
        return {
            name: {
                "name": what.name,
                "version": version,
                "port": what.port,
                "user": USER,
                "archive": str(archive),
                "bytes": size,
                "digest": digest,
            }
        }
