# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WAL of a repository, by a listing of the store's own objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.golive.cutover.plugins.module_utils._backup.objects import ARCHIVE
from ansible_collections.golive.cutover.plugins.module_utils._backup.pgbackrest_info import Backup
from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal import Archive, read_archives
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import SEGMENT_BYTES, segment_bytes_from


def listed_archives(store: Store, segment_bytes: int, encrypted: bool) -> dict[str, Archive]:
    """The archives by id, such as ``17-1``; raises GoliveError as the store."""
    entries = (replace(entry, name=entry.name.removeprefix(ARCHIVE)) for entry in store.list(ARCHIVE))
    return read_archives(entries, segment_bytes=segment_bytes, encrypted=encrypted)


def segment_bytes_of(backups: Sequence[Backup]) -> int:
    """Size of a segment in bytes, as start and first segment of the backups tell it; the usual one where none does."""
    pairs = [(one.start_lsn, one.wal_first) for one in backups if one.start_lsn and one.wal_first]
    try:
        return segment_bytes_from(pairs) or SEGMENT_BYTES
    except ValueError:
        return SEGMENT_BYTES
