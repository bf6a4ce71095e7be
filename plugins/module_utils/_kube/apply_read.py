# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the live state of a set in as few round trips as its shape allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_steps import Step, about
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import is_scaled
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import key_of

# From this many objects of one kind and namespace one list is cheaper than a GET for each.
_LIST_FROM = 4
# A collection with this many times more strangers than objects of ours is not worth listing.
_STRANGERS = 8
_AUTOSCALERS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"

Job = Callable[[], list[GoliveError]]


def read_live(client: Client, steps: Iterable[Step], threads: int, beside: Iterable[Job] = ()) -> list[GoliveError]:
    """Fill ``step.live`` of every served step, and run the jobs ``beside`` in the same wave; returns refusals."""
    groups: dict[tuple[str, str, str], list[Step]] = {}
    for step in steps:
        if step.served:
            groups.setdefault((step.wanted["apiVersion"], step.key.kind, step.key.namespace), []).append(step)
    single: list[Step] = []
    jobs: list[Job] = list(beside)
    for group in groups.values():
        if len(group) < _LIST_FROM:
            jobs.extend(_reader(client, step) for step in group)
        else:
            jobs.append(_lister(client, group, single))
    found = client.map(lambda job: job(), jobs, threads)
    found += client.map(lambda step: _reader(client, step)(), single, threads)
    return [fault for faults in found for fault in faults]


def autoscaler_jobs(
    client: Client, steps: Iterable[Step], into: list[dict[str, Any]], warn: Callable[[str], None]
) -> list[Job]:
    """Jobs that read the autoscalers of every namespace in which the set has a workload they may own."""
    spaces = dict.fromkeys(step.key.namespace for step in steps if is_scaled(step.key))

    def reader(namespace: str) -> Job:
        def job() -> list[GoliveError]:
            try:
                into.extend(client.list(_AUTOSCALERS.format(quote(namespace, safe=""))))
            except GoliveError as error:
                if error.code not in ("forbidden", "not_found"):
                    raise
                if error.code == "forbidden":
                    warn(
                        f"May not list autoscalers in namespace {namespace}: spec.replicas is applied as written. "
                        "Grant list on horizontalpodautoscalers, or name the field in create_only."
                    )
            return []

        return job

    return [reader(namespace) for namespace in spaces]


def missing_namespaces(client: Client, namespaces: Iterable[str], threads: int) -> tuple[set[str], list[GoliveError]]:
    """Which of the namespaces do not exist, and a fault for each that is being deleted.

    One that may not be read counts as there.
    """

    def look(namespace: str) -> dict[str, Any] | None:
        try:
            return client.get_or_none(f"/api/v1/namespaces/{quote(namespace, safe='')}")
        except GoliveError as error:
            if error.code == "forbidden":
                return {"metadata": {}}
            raise

    names = sorted(namespaces)
    found = dict(zip(names, client.map(look, names, threads), strict=True))
    leaving = [
        GoliveError(
            "namespace_terminating",
            f"Applying to namespace {name} failed: it is being deleted.",
            "Wait until it is gone, or look at what holds it: kubectl get namespace -o yaml shows the finalizers.",
        )
        for name, live in found.items()
        if live and live["metadata"].get("deletionTimestamp")
    ]
    return {name for name, live in found.items() if live is None}, leaving


def _reader(client: Client, step: Step) -> Job:
    def job() -> list[GoliveError]:
        try:
            step.live = client.get_or_none(step.path(client))
        except GoliveError as error:
            if error.code != "forbidden":
                raise
            return [about(step.key, "Reading", error)]
        return []

    return job


def _lister(client: Client, group: list[Step], single: list[Step]) -> Job:
    first = group[0]

    def job() -> list[GoliveError]:
        path = client.path_of(first.wanted["apiVersion"], first.key.kind, first.key.namespace or None)
        try:
            items = client.list(path, most=max(500, _STRANGERS * len(group)))
        except GoliveError as error:
            if error.code != "forbidden":
                raise
            items = None
        if items is None:
            single.extend(group)
            return []
        live = {key_of(item): item for item in items}
        for step in group:
            step.live = live.get(step.key)
        return []

    return job
