# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""tests/images/build [NAME...]: builds what is missing and prints the paths of the archives, one a line.

`images.json` in the image cache tells tests what there is:
{"images": {reference: {name, version, archive, bytes, digest, port?, user, ready_path?, major?}},
 "programs": {"load": path}, "foreign": reference of the app that is not ours, and the references of postgres,
 postgres-backup, pgbouncer, python, exporter, prometheus, alertmanager, postgres-exporter, blackbox-exporter,
 kube-state-stand-in and s3 by these names}
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.progress import ClusterError, say
from tests.cluster.record import cache_dir, locked

from . import (
    monitoring_images,
    pgbouncer_image,
    postgres_backup_image,
    postgres_image,
    program_images,
    programs,
    python_image,
)
from .recipes import Entries

BUILDERS = {
    "notes": program_images.build_notes,
    "notes-sqlite": program_images.build_notes_sqlite,
    "postgres": postgres_image.build,
    "postgres-backup": postgres_backup_image.build,
    "pgbouncer": pgbouncer_image.build,
    "httpbin": program_images.build_httpbin,
    "s3": program_images.build_s3,
    "kube-state-stand-in": program_images.build_kube_state,
    "python": python_image.build,
    "exporter": python_image.build_exporter,
    "prometheus": monitoring_images.build_prometheus,
    "alertmanager": monitoring_images.build_alertmanager,
    "postgres-exporter": monitoring_images.build_postgres_exporter,
    "blackbox-exporter": monitoring_images.build_blackbox_exporter,
}
PROGRAMS = {
    "notes": programs.NOTES,
    "notes-sqlite": programs.NOTES_SQLITE,
    "httpbin": programs.HTTPBIN_SERVER,
    "s3": programs.VERSITYGW_SERVER,
    "kube-state-stand-in": programs.KUBE_STATE,
    "load": programs.LOAD,
}
# Of these the manifest tells the reference by the name.
ONE_OF_A_KIND = (
    "postgres",
    "postgres-backup",
    "pgbouncer",
    "python",
    "exporter",
    "prometheus",
    "alertmanager",
    "postgres-exporter",
    "blackbox-exporter",
    "kube-state-stand-in",
    "s3",
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests/images/build", description=(__doc__ or "").split("\n", 1)[0])
    known = ", ".join([*BUILDERS, "load"])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {known}; all when none is given")
    parser.add_argument("--manifest", action="store_true", help="print the path of images.json instead of the archives")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - {*BUILDERS, "load"})
    if unknown:
        parser.error(f"unknown name {', '.join(unknown)}; known: {known}")
    started = time.monotonic()
    try:
        printed = _build(chosen.names or [*BUILDERS, "load"])
    except ClusterError as error:
        say(f"images: {error}")
        return 1
    say(f"images ready after {time.monotonic() - started:.1f} s")
    print("\n".join([str(manifest_path())] if chosen.manifest else printed))
    return 0


def manifest_path() -> Path:
    return cache_dir() / "images" / "images.json"


def _build(names: Sequence[str]) -> list[str]:
    # One build for all programs: they share most of what is compiled.
    programs.ensure(*(program for name, program in PROGRAMS.items() if name in names))
    images: Entries = {}
    for name in names:
        if name in BUILDERS:
            images.update(BUILDERS[name]())
    _record(images, names)
    return [str(entry["archive"]) for entry in images.values()] + [str(programs.LOAD.path)] * ("load" in names)


def _record(images: Entries, names: Sequence[str]) -> None:
    """Replaces what was built now and keeps the rest of the manifest."""
    path = manifest_path()
    with locked(path.with_suffix(".lock")):
        known = json.loads(path.read_text()) if path.exists() else {"images": {}, "programs": {}}
        known["images"] = {
            name: entry
            for name, entry in known["images"].items()
            if entry["name"] not in names and Path(entry["archive"]).exists()
        } | images
        for key, name in {**{name: name for name in ONE_OF_A_KIND}, "foreign": "httpbin"}.items():
            known[key] = next((full for full, entry in known["images"].items() if entry["name"] == name), None)
        if "load" in names:
            known["programs"]["load"] = str(programs.LOAD.path)
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(known, indent=1, sort_keys=True))
        os.replace(partial, path)
