# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of Debian packages are built once, and again when a file that makes them is another one."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.cluster import oci
from tests.cluster.record import cache_dir, locked

from . import debian
from .recipes import Entries


def kept(name: str, sources: tuple[str | Path, ...], build: Callable[[Path, Path], Entries]) -> Entries:
    """The manifest entry of the image, keyed by its reference.

    ``build`` gets an empty folder to work in and the path of the archive to write; ``sources`` are the files, beside
    those shared by all images, whose content decides whether an earlier archive still holds.
    """
    images = cache_dir() / "images"
    content = hashlib.sha256()
    for path in (*sources, debian.__file__, oci.__file__, "/etc/os-release"):
        content.update(Path(path).read_bytes())
    key = content.hexdigest()[:12]
    note = images / f"{name}-{key}.json"
    with locked(images / f"{name}.lock"):
        if note.exists():
            found: Entries = json.loads(note.read_text())
            if all(Path(str(entry["archive"])).exists() for entry in found.values()):
                return found
        images.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=images, prefix=f".{name}-") as work:
            entry = build(Path(work), images / f"{name}-{key}.tar")
        note.write_text(json.dumps(entry, indent=1))
        return entry
