# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose the fields of a pod template are after a rollback: they go back to the managers that applied them (KEP-555).

A field that was changed goes to who owned it before. One that came back had been removed by a later apply, and an apply
removes only what it owned: it goes to who applies the template. A field handed to somebody who does not apply it would
vanish with his next apply, so that what the server fills in by itself goes to nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_owned import place_of

Path = tuple[str, ...]  # keys of ``fieldsV1``: f:<field>, k:<keys of a list item>, v:<value of one>
Row = Mapping[str, Any]  # an entry of metadata.managedFields

_TEMPLATE: Path = ("f:spec", "f:template")
# Values that the API server gives to fields of a pod template which nobody wrote (core/v1).
_FILLED_IN: dict[str, tuple[Any, ...]] = {
    "defaultMode": (420,),
    "dnsPolicy": ("ClusterFirst",),
    "failureThreshold": (3,),
    "imagePullPolicy": ("IfNotPresent", "Always"),
    "periodSeconds": (10,),
    "protocol": ("TCP",),
    "resources": ({},),
    "restartPolicy": ("Always",),
    "schedulerName": ("default-scheduler",),
    "scheme": ("HTTP",),
    "securityContext": ({},),
    "successThreshold": (1,),
    "terminationGracePeriodSeconds": (30,),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "timeoutSeconds": (1,),
    "type": ("",),
}
# Written by commands, never by an apply: a copy of another field, and the mark of kubectl rollout restart.
_NEVER_APPLIED = frozenset({"serviceAccount", "kubectl.kubernetes.io/restartedAt"})


def handed_back(
    before: Iterable[Row], rows: Iterable[Row], template: Mapping[str, Any], manager: str
) -> tuple[dict[int, dict[str, Any]], list[dict[str, Any]]]:
    """What gives back the fields of the pod template that ``manager`` took: new ``fieldsV1`` by index in ``rows``, and
    rows to add for managers that lost all they had.

    ``before`` and ``rows`` are the managedFields of before and after the write that set ``template``.
    """
    had = {_name(row): set(_owned(row)) for row in before if _applies(row)}
    taken = {path for row in rows if _name(row) == manager for path in _owned(row)}
    came = _applied(taken.difference(*(_owned(row) for row in before)), template)
    owner = max(had, key=lambda name: sum(path[:2] == _TEMPLATE for path in had[name]), default="")
    due = {name: (taken & paths) | (came if name == owner else set()) for name, paths in had.items()}
    there = {_name(row) for row in rows if _applies(row)}
    found = {
        index: _fields({*_owned(row), *due[_name(row)]})
        for index, row in enumerate(rows)
        if _applies(row) and due.get(_name(row))
    }
    lost = [
        {**row, "fieldsV1": _fields(due[_name(row)])}
        for row in before
        if _applies(row) and due[_name(row)] and _name(row) not in there
    ]
    return found, lost


def _name(row: Row) -> str:
    return str(row.get("manager"))


def _applies(row: Row) -> bool:
    return row.get("operation") == "Apply" and not row.get("subresource")


def _owned(row: Row) -> Iterator[Path]:
    return _paths(row.get("fieldsV1") or {})


def _applied(paths: set[Path], template: Mapping[str, Any]) -> set[Path]:
    """Those of ``paths`` that a manifest would hold: no whole maps beside their fields, nothing filled in."""
    obj = {"spec": {"template": template}}
    maps = {path[:length] for path in paths for length in range(len(path)) if path[length - 1].startswith("f:")}
    return {path for path in paths - maps if path[:2] == _TEMPLATE and not _filled_in(path, obj)}


def _filled_in(path: Path, obj: Any) -> bool:
    name = path[-1][2:]
    return name in _NEVER_APPLIED or (path[-1].startswith("f:") and _value(path, obj) in _FILLED_IN.get(name, ()))


def _value(path: Path, obj: Any) -> Any:
    """What stands at ``path``; None when nothing does."""
    for key in path:
        if isinstance(obj, list):
            place = place_of(obj, key)
            obj = None if place is None else obj[place]
        else:
            obj = obj.get(key[2:]) if isinstance(obj, Mapping) else None
    return obj


def _paths(fields: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    """Every owned field of a ``fieldsV1``."""
    for key, below in fields.items():
        if key == ".":
            yield above
        elif below:
            yield from _paths(below, (*above, key))
        else:
            yield (*above, key)


def _fields(paths: Iterable[Path]) -> dict[str, Any]:
    """The ``fieldsV1`` of owned fields."""
    fields: dict[str, Any] = {}
    whole = set(paths)
    for path in sorted(whole):
        below = fields
        for length, key in enumerate(path, 1):
            below = below.setdefault(key, {})
            if path[:length] in whole and length < len(path):
                below["."] = {}
    return fields
