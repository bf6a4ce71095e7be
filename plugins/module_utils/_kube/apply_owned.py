# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an apply would change anything, judged by the fields its manager owns.

``managedFields`` (KEP-555) name every field our last apply held, with the keys of list items. When the wanted fields
are exactly those, and each has the live value, applying is surely a no-op. Everything less certain is left to a dry
run of the server: False means "perhaps".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.quantities import amount
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import group_of

_IDENTITY = ("apiVersion", "kind")
_QUANTITY_MAPS = frozenset({"limits", "requests", "hard", "capacity", "max", "min", "default", "defaultRequest"})
_QUANTITY_FIELDS = frozenset({"sizeLimit", "averageValue", "divisor"})
# Server defaults inside maps and lists that are owned as a whole, so that managedFields cannot tell them apart, by the
# name of the map, or of the list with "[]".
_DEFAULTS: dict[str, dict[str, Any]] = {
    "fieldRef": {"apiVersion": "v1"},
    "resourceFieldRef": {"divisor": "0"},
    "serviceAccountToken": {"expirationSeconds": 3600},
    "ports[]": {"protocol": "TCP"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io"},
    "subjects[]": {"apiGroup": "rbac.authorization.k8s.io"},
    "volumeClaimTemplates[]": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}},
    "spec": {"volumeMode": "Filesystem"},
}
_MISSING = object()


def owned_fields(live: Mapping[str, Any], manager: str) -> tuple[str, dict[str, Any]] | None:
    """apiVersion and ``fieldsV1`` of what ``manager`` applied; None when it applied nothing, or in several versions."""
    entries = [
        entry
        for entry in live["metadata"].get("managedFields") or []
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")
    ]
    return (entries[0]["apiVersion"], entries[0].get("fieldsV1") or {}) if len(entries) == 1 else None


def surely_equal(wanted: Mapping[str, Any], live: Mapping[str, Any], manager: str) -> bool:
    """Whether applying ``wanted`` as ``manager`` cannot change ``live``, neither values nor ownership."""
    owned = owned_fields(live, manager)
    if owned is None or owned[0] != wanted["apiVersion"]:
        return False
    meta = {key: value for key, value in wanted["metadata"].items() if key not in ("name", "namespace")}
    body = {key: value for key, value in wanted.items() if key not in _IDENTITY and key != "metadata"}
    if meta:
        body["metadata"] = meta
    group = group_of(str(wanted["apiVersion"]))
    rules = _Rules(built_in="." not in group or group.endswith(".k8s.io"))
    return rules.same_map(body, live, owned[1], "")


class _Rules:
    """Comparison along ``fieldsV1``: ``f:`` names a field, ``k:`` a list item by keys, ``v:`` one by value."""

    def __init__(self, built_in: bool) -> None:
        self._built_in = built_in

    def same_map(self, wanted: Mapping[str, Any], live: Any, fields: Mapping[str, Any], above: str) -> bool:
        names = {key[2:]: below for key, below in fields.items() if key.startswith("f:")}
        if not isinstance(live, Mapping) or names.keys() != wanted.keys():
            return False
        return all(self._same(wanted[name], live.get(name, _MISSING), names[name], name, above) for name in names)

    def _same(self, wanted: Any, live: Any, fields: Mapping[str, Any], name: str, above: str) -> bool:
        if not fields.keys() - {"."}:
            return self._equal(wanted, live, name, above)
        if isinstance(wanted, Mapping):
            return self.same_map(wanted, live, fields, name)
        if isinstance(wanted, list) and isinstance(live, list):
            return self._same_list(wanted, live, fields)
        return False

    def _same_list(self, wanted: list[Any], live: list[Any], fields: Mapping[str, Any]) -> bool:
        items = {key: below for key, below in fields.items() if key != "."}
        if len(items) != len(wanted):
            return False
        places: dict[int, int] = {}
        for key, below in items.items():
            mine, theirs = place_of(wanted, key), place_of(live, key)
            if mine is None or theirs is None:
                return False
            if key.startswith("k:") and not self.same_map(wanted[mine], live[theirs], below, ""):
                return False
            places[mine] = theirs
        # Another order of the same items is a change: apply would reorder, and for env it has a meaning.
        order = [places[place] for place in sorted(places)]
        return len(order) == len(wanted) and order == sorted(order)

    def _equal(self, wanted: Any, live: Any, name: str, above: str) -> bool:
        if isinstance(wanted, Mapping) and isinstance(live, Mapping):
            extra = {key: value for key, value in live.items() if key not in wanted}
            defaults = _DEFAULTS.get(name, {}) if self._built_in else {}
            if any(defaults.get(key, _MISSING) != value for key, value in extra.items()):
                return False
            return all(self._equal(value, live.get(key, _MISSING), key, name) for key, value in wanted.items())
        if isinstance(wanted, list) and isinstance(live, list):
            return len(wanted) == len(live) and all(
                self._equal(mine, theirs, f"{name}[]", name) for mine, theirs in zip(wanted, live, strict=True)
            )
        if live is _MISSING:
            # Built-in kinds own zero values ("", false, {} …), but do not store them.
            return self._built_in and not wanted
        if type(wanted) is type(live) and wanted == live:
            return True
        if self._built_in and (above in _QUANTITY_MAPS or name in _QUANTITY_FIELDS):
            mine, theirs = amount(wanted), amount(live)
            return mine is not None and mine == theirs
        return False


def place_of(items: list[Any], key: str) -> int | None:
    """Index of the one item that ``k:{…}`` or ``v:…`` names; a key field that is not written has its default."""
    wanted = json.loads(key[2:])
    if key.startswith("k:"):
        places = [
            place
            for place, item in enumerate(items)
            if isinstance(item, Mapping) and all(item.get(field, value) == value for field, value in wanted.items())
        ]
        # A port that names its protocol before one that leaves it to the default.
        exact = [place for place in places if wanted.keys() <= items[place].keys()]
        places = exact if len(exact) == 1 else places
    elif key.startswith("v:"):
        places = [place for place, item in enumerate(items) if item == wanted]
    else:
        return None
    return places[0] if len(places) == 1 else None
