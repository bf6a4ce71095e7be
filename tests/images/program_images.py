# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that hold one static program."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tests.cluster import oci
from tests.cluster.progress import part
from tests.cluster.record import cache_dir, locked

from . import programs
from .recipes import HTTPBIN, KUBE_STATE, NOTES_RELEASES, NOTES_SQLITE, VERSITYGW, Entries, reference

USER = 65532
PORT = 8080


def build_notes() -> Entries:
    return _write_all(
        "notes",
        programs.NOTES,
        {
            version: {"APP_VERSION": version, "APP_PORT": str(PORT), **settings}
            for version, settings in NOTES_RELEASES.items()
        },
    )


def build_notes_sqlite() -> Entries:
    """Under a name of its own in the manifest, as a release of notes in the cluster."""
    releases = {NOTES_SQLITE: {"APP_VERSION": NOTES_SQLITE, "APP_PORT": str(PORT)}}
    return _write_all("notes-sqlite", programs.NOTES_SQLITE, releases, image="notes")


def build_httpbin() -> Entries:
    made = _write_all("httpbin", programs.HTTPBIN_SERVER, {HTTPBIN: {"HOST": "0.0.0.0", "PORT": str(PORT)}})
    return {name: {**entry, "ready_path": "/status/200"} for name, entry in made.items()}


def build_s3() -> Entries:
    """The folders it keeps objects and versions in, certificate, and keys come with the pod."""
    return _write_all("s3", programs.VERSITYGW_SERVER, {VERSITYGW: {"VGW_PORT": f":{PORT}", "VGW_QUIET": "true"}})


def build_kube_state() -> Entries:
    return _write_all("kube-state-stand-in", programs.KUBE_STATE, {KUBE_STATE: {}})


def _write_all(
    name: str, program: programs.Program, releases: Mapping[str, Mapping[str, str]], image: str = ""
) -> Entries:
    images = cache_dir() / "images"
    made: Entries = {}
    for version, settings in releases.items():
        config = {
            "Env": {"PATH": "/", **settings},
            "Entrypoint": [f"/{program.name}"],
            "User": f"{USER}:{USER}",
            "WorkingDir": "/",
            "ExposedPorts": [f"{PORT}/tcp"],
        }
        content = hashlib.sha256(json.dumps([program.key, config]).encode() + Path(oci.__file__).read_bytes())
        archive = images / f"{name}-{version}-{content.hexdigest()[:12]}.tar"
        full = reference(image or name, version)
        with locked(images / f"{name}.lock"):
            if not archive.exists():
                with part(f"image {full}") as current:
                    oci.write_image(archive, full, [{f"/{program.name}": oci.File(program.path, 0o755)}], config)
                    current.detail = f"{archive.stat().st_size / 1e6:.1f} MB"
        made[full] = {
            "name": name,
            "version": version,
            "port": PORT,
            "user": USER,
            "archive": str(archive),
            "bytes": archive.stat().st_size,
            "digest": oci.read_index(archive)[full],
        }
    return made
