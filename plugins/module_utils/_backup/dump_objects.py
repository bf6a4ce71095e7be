# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where dumps are in a repository: each in a folder of its own, and there only once its key is.

``golive/dumps/NAME/`` holds the sealed dump and its sealed manifest, whose names begin with a word that no other try
has, and ``key.age``, which is written last and opens both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Entry, Store, Unfinished

FOLDER = "golive/dumps/"
KEY = "key.age"
_NAME = re.compile(r"golive/dumps/(?P<dump>[^/]+)/(?P<file>[^/]+)")


@dataclass(frozen=True)
class StoredDump:
    """A dump that is whole as far as its names tell; ``written`` is the store's time in UTC, ``bytes`` all it takes."""

    name: str
    written: datetime
    bytes: int
    objects: tuple[str, ...]


@dataclass(frozen=True)
class Dumps:
    """``whole`` by age, the oldest first; ``loose`` objects and ``begun`` ones belong to no whole dump."""

    whole: tuple[StoredDump, ...]
    loose: tuple[Entry, ...]
    begun: tuple[Unfinished, ...]


def name_of(dump: str, file: str) -> str:
    """Name of an object of a dump."""
    return f"{FOLDER}{dump}/{file}"


def list_dumps(store: Store) -> Dumps:
    """All there is; raises as the store."""
    folders: dict[str, list[Entry]] = {}
    for entry in store.list(FOLDER):
        found = _NAME.fullmatch(entry.name)
        if found:
            folders.setdefault(found["dump"], []).append(entry)
    whole, loose = [], []
    for name, entries in folders.items():
        key = [one for one in entries if one.name == name_of(name, KEY)]
        if not key:
            loose += entries
            continue
        # The key first: what it no longer opens is no dump any more.
        others = [one.name for one in entries if one is not key[0]]
        whole.append(
            StoredDump(name, key[0].modified, sum(one.size for one in entries), (key[0].name, *sorted(others)))
        )
    return Dumps(tuple(sorted(whole, key=lambda one: (one.written, one.name))), tuple(loose), store.uploads(FOLDER))
