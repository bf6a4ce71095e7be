# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of releases: one ConfigMap each, and which of them and of their configuration nothing needs any more."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.references import Reference, references_of

# Label of the objects of a history; its values are the two below.
ROLE = "golive.cutover/role"
RECORD = "release"
CONFIGURATION = "configuration"
_KEY = "release.json"
_NEEDED = ("id", "version", "image", "pod", "live_at")


@dataclass(frozen=True)
class Release:
    """One record; ``content`` is what was recorded, ``reads`` the ConfigMaps and Secrets that its pods read."""

    name: str
    content: Mapping[str, Any]
    reads: frozenset[Reference]

    @property
    def id(self) -> str:
        """The release's id."""
        return str(self.content["id"])

    @property
    def live_at(self) -> str:
        """When it went live last, RFC 3339 in UTC."""
        return str(self.content["live_at"])

    def row(self) -> dict[str, Any]:
        """What a list says of it: everything but the pod."""
        return {key: value for key, value in self.content.items() if key != "pod"}


def read_record(found: Mapping[str, Any]) -> Release | None:
    """The record that a ConfigMap holds; None when it is not one that we could have written."""
    try:
        content = json.loads((found.get("data") or {})[_KEY])
        pod = json.loads(content["pod"])
        if any(not isinstance(content[key], str) for key in _NEEDED):
            return None
        return Release(str(found["metadata"]["name"]), content, frozenset(references_of(pod)))
    except (KeyError, TypeError, ValueError):
        return None


def newest_first(records: Iterable[Release]) -> list[Release]:
    """By when they went live last."""
    return sorted(records, key=lambda one: (one.live_at, one.id), reverse=True)


def find(records: Iterable[Release], wanted: str) -> Release | None:
    """The release with that id, else the newest one with that version."""
    ordered = newest_first(records)
    named = [one for one in ordered if one.id == wanted] or [one for one in ordered if one.content["version"] == wanted]
    return named[0] if named else None


def garbage(
    records: Iterable[Release], keep: int, used: Iterable[str], configuration: Iterable[Reference], read: set[Reference]
) -> list[Reference]:
    """What nothing needs: records beyond the newest ``keep``, and configuration that no kept record and no pod reads.

    ``used`` are ids of releases that a colour runs, which stay whatever their age. ``configuration`` are the objects
    of that role, ``read`` what the Deployments' pods read now.
    """
    ordered = newest_first(records)
    ids = set(used)
    kept = [one for number, one in enumerate(ordered) if number < keep or one.id in ids]
    needed = read.union(*(one.reads for one in kept))
    gone: list[Reference] = [("ConfigMap", one.name) for one in ordered if one not in kept]
    return [*gone, *(one for one in configuration if one not in needed)]
