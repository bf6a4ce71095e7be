# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints of a Service over all of its EndpointSlices and address families; reference section 2.3, R2 and R3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

_SERVICE = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
_CONTROLLER = "endpointslice-controller.k8s.io"
_SHOWN = 5


@dataclass(frozen=True)
class Endpoints:
    """``ready`` and ``every`` hold pod UIDs by family; an endpoint without a pod counts by its address.

    ``foreign`` are slices that another controller or a person wrote: kube-proxy uses them too. ``written_at`` is the
    newest write of a slice by the API server's clock, RFC 3339.
    """

    ready: Mapping[str, frozenset[str]]
    every: Mapping[str, frozenset[str]]
    names: Mapping[str, str]
    foreign: tuple[str, ...]
    slices: int
    written_at: str

    def ready_ids(self) -> frozenset[str]:
        """Ready in any family."""
        return frozenset().union(*self.ready.values())


def read_endpoints(client: Client, namespace: str, service: str) -> Endpoints:
    """All slices of a Service, in one consistent read."""
    path = client.path_of("discovery.k8s.io/v1", "EndpointSlice", namespace)
    return union(client.list(path, {"labelSelector": f"{_SERVICE}={service}"}))


def union(slices: Iterable[Mapping[str, Any]]) -> Endpoints:
    """One view over slices: a pod is ready when any slice says so, and present when any slice names it."""
    ready: dict[str, set[str]] = {}
    every: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    foreign = []
    rows = list(slices)
    for row in rows:
        family = str(row["addressType"])
        if ((row["metadata"].get("labels") or {}).get(_MANAGED_BY)) != _CONTROLLER:
            foreign.append(str(row["metadata"]["name"]))
        for endpoint in row.get("endpoints") or []:
            target = endpoint.get("targetRef") or {}
            ident = str(target.get("uid") or f"address {(endpoint.get('addresses') or ['?'])[0]}")
            names[ident] = str(target.get("name") or ident)
            every.setdefault(family, set()).add(ident)
            # An absent condition means true (API documentation of EndpointConditions.ready).
            if (endpoint.get("conditions") or {}).get("ready") is not False:
                ready.setdefault(family, set()).add(ident)
    return Endpoints(
        {family: frozenset(ids) for family, ids in ready.items()},
        {family: frozenset(ids) for family, ids in every.items()},
        names,
        tuple(foreign),
        len(rows),
        max((_written(row) for row in rows), default=""),
    )


def _written(row: Mapping[str, Any]) -> str:
    meta = row["metadata"]
    return max((str(entry.get("time") or "") for entry in meta.get("managedFields") or []), default="") or str(
        meta.get("creationTimestamp") or ""
    )


def gap(found: Endpoints, families: Iterable[str], wanted: Mapping[str, str], banned: Mapping[str, str]) -> str:
    """What separates the endpoints from what they must be; empty when nothing does.

    Every family must have exactly the pods of ``wanted`` (UID to name) ready, and none of ``banned`` in any slice,
    ready or not.
    """
    if not wanted:
        return "no pod is Ready"
    for family in families:
        ready = found.ready.get(family, frozenset())
        missing = [name for uid, name in wanted.items() if uid not in ready]
        if missing:
            return f"{family}: missing {_some(missing)}"
        left = [name for uid, name in banned.items() if uid in found.every.get(family, frozenset())]
        if left:
            return f"{family}: still there {_some(left)}"
        surplus = [found.names[uid] for uid in ready - wanted.keys()]
        if surplus:
            return f"{family}: also there {_some(surplus)}"
    return ""


def _some(names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
