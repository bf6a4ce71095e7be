# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find what a set applied earlier and no longer holds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_owned import owned_fields
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_read import Job
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_steps import Step
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import SET_LABEL, Key, key_of

# Namespaced kinds that hold no data of their own.
PRUNE_KINDS = (
    "v1/ConfigMap",
    "v1/Secret",
    "v1/Service",
    "v1/ServiceAccount",
    "apps/v1/Deployment",
    "apps/v1/StatefulSet",
    "apps/v1/DaemonSet",
    "batch/v1/Job",
    "batch/v1/CronJob",
    "autoscaling/v2/HorizontalPodAutoscaler",
    "policy/v1/PodDisruptionBudget",
    "networking.k8s.io/v1/Ingress",
    "networking.k8s.io/v1/NetworkPolicy",
    "rbac.authorization.k8s.io/v1/Role",
    "rbac.authorization.k8s.io/v1/RoleBinding",
)


@dataclass(frozen=True)
class _Scope:
    api_version: str
    kind: str
    namespace: str | None


def check_kinds(kinds: Iterable[str]) -> list[GoliveError]:
    """Faults of the option ``prune_kinds``: an entry is ``version/Kind`` or ``group/version/Kind``."""
    return [
        GoliveError(
            "prune_kind_invalid",
            f"Reading prune_kinds failed: {entry!r} is not apiVersion/Kind.",
            "Write it like v1/ConfigMap or apps/v1/Deployment.",
        )
        for entry in kinds
        if entry.count("/") not in (1, 2) or not all(entry.split("/"))
    ]


def versions_of(kinds: Iterable[str]) -> set[str]:
    """The apiVersions of ``prune_kinds``."""
    return {entry.rpartition("/")[0] for entry in kinds}


def surplus_jobs(
    client: Client,
    name: str,
    kinds: Iterable[str],
    namespaces: set[str],
    keep: set[Key],
    manager: str,
    into: list[Step],
) -> list[Job]:
    """Jobs that gather the live objects with the set's label that ``manager`` applied and that are not in ``keep``.

    Namespaced kinds are looked for in ``namespaces`` only, because another environment in the same cluster may use
    the same set name. Kinds that the cluster does not serve are passed over.
    """
    wanted = [(version, kind) for version, _slash, kind in (entry.rpartition("/") for entry in kinds)]
    scopes: list[_Scope] = []
    for version, kind in wanted:
        found = client.known(version, kind)
        if found and found["namespaced"]:
            scopes.extend(_Scope(version, kind, namespace) for namespace in sorted(namespaces))
        elif found:
            scopes.append(_Scope(version, kind, None))

    def look(scope: _Scope) -> list[GoliveError]:
        path = client.path_of(scope.api_version, scope.kind, scope.namespace)
        try:
            items = client.list(path, {"labelSelector": f"{SET_LABEL}={name}"})
        except GoliveError as error:
            if error.code != "forbidden":
                raise
            place = f" in namespace {scope.namespace}" if scope.namespace else ""
            return [
                GoliveError(
                    "forbidden",
                    f"Looking for {scope.kind} objects to prune{place} was refused: {error.details['server_message']}",
                    "Grant list on them, or leave the kind out of prune_kinds.",
                )
            ]
        into.extend(
            Step(wanted=item, key=key_of(item), source="the cluster", live=item)
            for item in items
            if key_of(item) not in keep
            and owned_fields(item, manager)
            and not item["metadata"].get("deletionTimestamp")
        )
        return []

    return [partial(look, scope) for scope in dict.fromkeys(scopes)]
