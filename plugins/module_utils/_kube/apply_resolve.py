# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a caller wrote to steps with namespaces and known kinds; every fault of the set is named at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_steps import Step
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import Key, Wanted

_DEFINITION = "CustomResourceDefinition"


def resolve(
    client: Client,
    wanted: Iterable[Wanted],
    namespace: str | None,
    absent: bool,
    faults: list[GoliveError],
    also: Iterable[str] = (),
) -> list[Step]:
    """Steps in the order written. Faults are appended: unknown kinds, no namespace, objects named twice.

    Kinds of a CustomResourceDefinition in the same set are known, but not ``served`` until it is there. With
    ``absent`` an object of an unknown kind is already gone and left out. The apiVersions in ``also`` are learnt beside.
    """
    rows = list(wanted)
    client.learn({row.api_version for row in rows} | set(also))
    coming = _defined_kinds(rows)
    steps: list[Step] = []
    seen: dict[Key, str] = {}
    unknown: set[tuple[str, str]] = set()
    for row in rows:
        kind = (row.api_version, str(row.obj["kind"]))
        found = client.known(*kind)
        if found is None and kind not in coming:
            if not absent and kind not in unknown:
                unknown.add(kind)
                faults.append(_unknown_kind(*kind, row))
            continue
        namespaced = bool(found["namespaced"]) if found else coming[kind]
        step = _placed(row, namespaced, namespace, faults)
        if step is None:
            continue
        step.served = found is not None
        if step.key in seen:
            faults.append(
                GoliveError(
                    "duplicate_object",
                    f"Reading the set failed: {step.key} is written twice, in {seen[step.key]} and in {row.source}.",
                    "Remove one of them.",
                )
            )
        seen[step.key] = row.source
        steps.append(step)
    return steps


def definition_of(step: Step) -> tuple[str, str] | None:
    """API group and kind that a CustomResourceDefinition defines; None for any other object."""
    if step.key.kind != _DEFINITION:
        return None
    spec = step.wanted.get("spec") or {}
    return str(spec.get("group")), str((spec.get("names") or {}).get("kind"))


def _defined_kinds(rows: Iterable[Wanted]) -> dict[tuple[str, str], bool]:
    """``(apiVersion, kind)`` that definitions of the set will serve, with whether they are namespaced."""
    found: dict[tuple[str, str], bool] = {}
    for row in rows:
        spec = row.obj.get("spec")
        if row.obj["kind"] == _DEFINITION and isinstance(spec, Mapping):
            kind = str((spec.get("names") or {}).get("kind"))
            for version in spec.get("versions") or []:
                if version.get("served"):
                    found[f"{spec.get('group')}/{version.get('name')}", kind] = spec.get("scope") == "Namespaced"
    return found


def _placed(row: Wanted, namespaced: bool, namespace: str | None, faults: list[GoliveError]) -> Step | None:
    meta: dict[str, Any] = dict(row.obj["metadata"])
    if not namespaced:
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        if not namespace:
            faults.append(
                GoliveError(
                    "namespace_missing",
                    f"Reading {row.source} failed: {row.obj['kind']} {meta['name']} has no namespace.",
                    "Set metadata.namespace, or the option namespace for all that have none.",
                )
            )
            return None
        meta["namespace"] = namespace
    placed = Wanted({**row.obj, "metadata": meta}, row.source)
    return Step(wanted=placed.obj, key=placed.key, source=row.source)


def _unknown_kind(api_version: str, kind: str, row: Wanted) -> GoliveError:
    return GoliveError(
        "kind_unknown",
        f"Reading {row.source} failed: the cluster does not know the kind {kind} of {api_version} "
        f"(object {row.obj['metadata']['name']}).",
        "Correct apiVersion and kind, install the CustomResourceDefinition, or put it into the same set.",
    )
