# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields that are set when an object is made and belong to somebody else afterwards.

The live Service's selector belongs to the traffic switch, the replicas of an autoscaled workload to its autoscaler.
Dropping the last owner of a field resets it (kubernetes/kubernetes#25238 for replicas), so that ownership is handed to
another manager with the live value before we apply without the field.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import Key, group_of, key_of

TRAFFIC_MANAGER = "golive-traffic"
ROLE_LABEL = "golive.cutover/role"
_SELECTOR = ("spec", "selector")
_REPLICAS = ("spec", "replicas")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[([^\[\]]+)\]")
_SCALED = ("Deployment", "StatefulSet", "ReplicaSet")

Path = tuple[str, ...]


def parse_path(text: str) -> Path:
    """``spec.replicas`` or ``metadata.annotations[example.org/x]`` as keys; raises GoliveError ``path_invalid``."""
    steps = tuple(plain or bracketed for plain, bracketed in _STEP.findall(text))
    if not steps or _STEP.sub("", text) or any(step.isdigit() for step in steps):
        raise GoliveError(
            "path_invalid",
            f"Reading the create-only field {text!r} failed: it is not a path of map keys.",
            "Write it like spec.replicas or metadata.annotations[example.org/name]; list items cannot be named.",
        )
    return steps


def is_scaled(key: Key) -> bool:
    """Whether an autoscaler may own the replicas of such an object."""
    return key.group == "apps" and key.kind in _SCALED


def scaled_keys(autoscalers: Iterable[Mapping[str, Any]]) -> set[Key]:
    """Keys of the workloads that HorizontalPodAutoscalers target."""
    found: set[Key] = set()
    for scaler in autoscalers:
        target = (scaler.get("spec") or {}).get("scaleTargetRef") or {}
        namespace = str(scaler["metadata"].get("namespace") or "")
        group = group_of(str(target.get("apiVersion") or "apps/v1"))
        found.add(Key(group, str(target.get("kind")), namespace, str(target.get("name"))))
    return found


def create_only_paths(obj: Mapping[str, Any], scaled: set[Key], asked: Iterable[Mapping[str, Any]]) -> tuple[Path, ...]:
    """The create-only fields of one wanted object: by its role, by an autoscaler, by the caller's ``create_only``."""
    key = key_of(obj)
    paths: list[Path] = []
    if key.kind == "Service" and not key.group and (obj["metadata"].get("labels") or {}).get(ROLE_LABEL) == "live":
        paths.append(_SELECTOR)
    if key in scaled and is_scaled(key):
        paths.append(_REPLICAS)
    for rule in asked:
        if rule["kind"] == key.kind and rule.get("name") in (None, key.name):
            paths.extend(parse_path(text) for text in rule["fields"])
    return tuple(dict.fromkeys(paths))


def owns(fields: Mapping[str, Any], path: Path) -> bool:
    """Whether ``fieldsV1`` holds the field at ``path``, or the whole map around it."""
    for step in path:
        if f"f:{step}" not in fields:
            return False
        fields = fields[f"f:{step}"]
        if not fields:
            return True
    return True


def without(obj: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """A copy of ``obj`` that lacks the fields at ``paths``."""
    made = copy.deepcopy(dict(obj))
    for path in paths:
        parent = value_at(made, path[:-1])
        if isinstance(parent, dict):
            parent.pop(path[-1], None)
    return made


def with_values_of(obj: Mapping[str, Any], live: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """A copy of ``obj`` whose fields at ``paths`` have the values of ``live``; those it does not have stay out."""
    chosen = tuple(paths)
    made = without(obj, chosen)
    for path in chosen:
        value = value_at(live, path)
        if value is not None:
            parent = made
            for step in path[:-1]:
                parent = parent.setdefault(step, {})
            parent[path[-1]] = value
    return made


def value_at(obj: Mapping[str, Any], path: Path) -> Any:
    """The value at ``path``; None when there is none."""
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def bare(obj: Mapping[str, Any]) -> dict[str, Any]:
    """Only what names ``obj``: the start of an apply that holds nothing else."""
    meta = {key: value for key, value in obj["metadata"].items() if key in ("name", "namespace")}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": meta}
