# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the files are there that a repository cannot do without: level L0 of a backup, as far as its names tell."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store

BACKUPS = "backup/main/"
ARCHIVE = "archive/main/"
# Each is there twice, and the engine says nothing when one of the two is lost (executed).
_DOUBLED = (f"{ARCHIVE}archive.info", f"{BACKUPS}backup.info")
_NOT_LABELS = ("backup.history",)


def doubled_faults(store: Store) -> list[str]:
    """What is wrong with the info files and their copies; raises as the store."""
    return [fault for name in _DOUBLED for fault in _faults(store, name)]


def manifest_faults(store: Store, label: str) -> list[str]:
    """What is wrong with the list of the backup's files, and its copy; raises as the store."""
    return _faults(store, f"{BACKUPS}{label}/backup.manifest")


def stored_labels(store: Store) -> list[str]:
    """Labels that have a folder, whatever the engine lists; raises as the store."""
    return [name for name in store.folders(BACKUPS) if name not in _NOT_LABELS]


def _faults(store: Store, name: str) -> list[str]:
    sizes = {entry.name: entry.size for entry in store.list(name)}
    copy = f"{name}.copy"
    missing = [f"{one} is missing" for one in (name, copy) if one not in sizes]
    empty = [f"{one} is empty" for one in (name, copy) if sizes.get(one) == 0]
    if missing or empty:
        return [*missing, *empty]
    # Both are written from the same text, and encryption makes both longer by as much.
    return [] if sizes[name] == sizes[copy] else [f"{name} has {sizes[name]} bytes, and its copy {sizes[copy]}"]
