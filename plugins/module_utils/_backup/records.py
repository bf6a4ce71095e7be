# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a backup beyond its engine: how far it was verified, who holds it, which run took it.

One JSON object for each backup in its own repository, so that a restore without the cluster has it too. Each write
rests on what was read, so that none of two writers is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Store
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

FOLDER = "golive/backups/"
LEVELS = ("L0", "L1", "L2", "L3", "L4", "L5", "L6", "L7")
_FORMAT = 1
_TRIES = 10
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}")
_RACED = ("changed", "not_found")


@dataclass(frozen=True)
class Record:
    """``verified_level`` is one of ``LEVELS`` or None, times are ISO 8601 in UTC, ``run`` is the run that took it.

    ``hold`` is None, or tells why it stays (``reason``, ``since``, ``keep_wal``). ``evidence`` is what each
    verification saw, newest last. ``more`` keeps what a later version has written.
    """

    label: str
    verified_level: str | None = None
    verified_at: str | None = None
    run: str | None = None
    hold: Mapping[str, Any] | None = None
    evidence: tuple[Mapping[str, Any], ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    def verified(self, level: str, at: str, evidence: Mapping[str, Any]) -> Record:
        """The same after a verification to ``level``; a lower one than before takes its place, for it is newer."""
        if level not in LEVELS:
            raise ValueError(f"{level} is no level of verification")
        return replace(self, verified_level=level, verified_at=at, evidence=(*self.evidence, evidence))

    def found_bad(self, at: str, evidence: Mapping[str, Any]) -> Record:
        """The same after a verification that failed: nothing before it counts any more."""
        return replace(self, verified_level=None, verified_at=at, evidence=(*self.evidence, evidence))


def read_record(store: Store, label: str) -> Record | None:
    """The record of a backup; None without one. Raises GoliveError ``record_unreadable``, and as the store."""
    content = store.get_or_none(_name(label))
    return _decoded(label, content.data) if content else None


def read_records(store: Store) -> tuple[dict[str, Record], list[str]]:
    """All records by label, and the labels whose record cannot be read. Raises as the store."""
    found: dict[str, Record] = {}
    bad: list[str] = []
    for entry in store.list(FOLDER):
        label = entry.name.removeprefix(FOLDER).removesuffix(".json")
        try:
            record = read_record(store, label)
        except GoliveError as error:
            if error.code != "record_unreadable":
                raise
            bad.append(label)
            continue
        if record is not None:
            found[label] = record
    return found, bad


def change_record(store: Store, label: str, change: Callable[[Record], Record]) -> Record:
    """Write what ``change`` makes of the record, or of an empty one; the new record. It may be called several times.

    Raises GoliveError ``record_unreadable``, ``changed`` when others write all the time, and as the store.
    """
    for attempt in range(_TRIES):
        content = store.get_or_none(_name(label))
        before = _decoded(label, content.data) if content else Record(label)
        after = change(before)
        if content and after == before:
            return after
        try:
            if content:
                store.put_if_match(_name(label), _encoded(after), content.etag)
            else:
                store.put_if_none(_name(label), _encoded(after))
        except GoliveError as error:
            if error.code not in _RACED or attempt == _TRIES - 1:
                raise
        else:
            return after
    raise AssertionError("the last attempt returns or raises")


def _name(label: str) -> str:
    if not _LABEL.fullmatch(label):
        raise GoliveError("record_unreadable", f"{label!r} cannot be the label of a backup.")
    return f"{FOLDER}{label}.json"


def _encoded(record: Record) -> bytes:
    known = {
        "format": _FORMAT,
        "label": record.label,
        "verified_level": record.verified_level,
        "verified_at": record.verified_at,
        "run": record.run,
        "hold": None if record.hold is None else dict(record.hold),
        "evidence": [dict(one) for one in record.evidence],
    }
    return json.dumps({**record.more, **known}, indent=1, sort_keys=True).encode()


def _decoded(label: str, data: bytes) -> Record:
    try:
        read = json.loads(data)
        if read["label"] != label or not isinstance(read["format"], int):
            raise ValueError("it is of another backup")
        level = read["verified_level"]
        if level is not None and level not in LEVELS:
            raise ValueError(f"{level!r} is no level")
        record = Record(
            label, level, read["verified_at"], read["run"], read["hold"], tuple(dict(one) for one in read["evidence"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise GoliveError(
            "record_unreadable",
            f"Reading the record of the backup {label} failed: {error}",
            "It is damaged: verify the backup again, which writes it anew after you have removed it.",
        ) from error
    known = {"format", "label", "verified_level", "verified_at", "run", "hold", "evidence"}
    return replace(record, more={key: value for key, value in read.items() if key not in known})
