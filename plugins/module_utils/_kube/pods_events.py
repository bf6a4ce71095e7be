# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of one namespace, by the object they are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Events:
    """Look up events by object UID. The cluster keeps them for an hour, also those that no longer matter."""

    def __init__(self, rows: Iterable[dict[str, Any]] = ()) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            self._rows.setdefault((row.get("involvedObject") or {}).get("uid") or "", []).append(row)

    def of(self, uid: str, *reasons: str, container: str = "") -> list[dict[str, Any]]:
        """Events of those reasons about an object, or about one of its containers, oldest change first."""
        found = [
            row
            for row in self._rows.get(uid, [])
            if row.get("reason") in reasons
            and (not container or f"{{{container}}}" in ((row.get("involvedObject") or {}).get("fieldPath") or ""))
        ]
        return sorted(found, key=lambda row: (_when(row), _version(row)))

    def last(self, uid: str, *reasons: str, container: str = "") -> dict[str, Any]:
        """The newest of them; empty when there is none."""
        found = self.of(uid, *reasons, container=container)
        return found[-1] if found else {}

    def count(self, uid: str, *reasons: str, container: str = "", text: str = "") -> int:
        """How often it happened: repeated events are one object with a count."""
        found = self.of(uid, *reasons, container=container)
        return sum(_times(row) for row in found if text in (row.get("message") or ""))


def _when(event: dict[str, Any]) -> str:
    series = event.get("series") or {}
    stamps = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    stamp = next((row for row in stamps if row), None) or event["metadata"].get("creationTimestamp") or ""
    return str(stamp)[:19]


def _times(event: dict[str, Any]) -> int:
    return int(event.get("count") or (event.get("series") or {}).get("count") or 1)


def _version(event: dict[str, Any]) -> int:
    version = str(event["metadata"].get("resourceVersion") or "")
    return int(version) if version.isdigit() else 0
