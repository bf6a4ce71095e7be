# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cluster shows of an app now: pods, events, workloads, who changed what; unknown where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

_MOST_PODS = 100
_MOST_EVENTS = 50
_MOST_CHANGES = 50
_LONGEST = 400
# Written all the time, by those who run, not by those who change.
_BUSY_FIELDS = ("status",)
_KINDS = (
    ("/apis/apps/v1", "deployments", "Deployment"),
    ("/apis/apps/v1", "statefulsets", "StatefulSet"),
    ("/api/v1", "services", "Service"),
    ("/api/v1", "configmaps", "ConfigMap"),
    ("/apis/autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    ("/apis/networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
)

Rows = list[dict[str, Any]]


def collected(client: Client, namespace: str, now: datetime, hours: int) -> dict[str, Any]:
    """``pods, events, workloads, changes``; a part that could not be read is ``{"unknown": why}``."""
    base = f"/namespaces/{quote(namespace, safe='')}"
    parts: dict[str, Callable[[], Rows]] = {
        "pods": lambda: _pods(client.list(f"/api/v1{base}/pods")),
        "events": lambda: _events(client.list(f"/api/v1{base}/events")),
        "workloads": lambda: _workloads(
            [row for kind in ("deployments", "statefulsets") for row in client.list(f"/apis/apps/v1{base}/{kind}")]
        ),
        "changes": lambda: _changes(client, base, now - timedelta(hours=hours)),
    }
    found = client.map(lambda name: _known(parts[name]), parts)
    return dict(zip(parts, found, strict=True))


def _known(look: Callable[[], Rows]) -> Rows | dict[str, str]:
    try:
        return look()
    except GoliveError as error:
        return {"unknown": error.message}


def _pods(pods: Iterable[Mapping[str, Any]]) -> Rows:
    rows = []
    for pod in pods:
        status, spec = pod.get("status") or {}, pod.get("spec") or {}
        states = status.get("containerStatuses") or []
        rows.append(
            {
                "pod": pod["metadata"]["name"],
                "phase": status.get("phase", ""),
                "ready": f"{sum(bool(one.get('ready')) for one in states)}/{len(spec.get('containers') or [])}",
                "restarts": sum(int(one.get("restartCount") or 0) for one in states),
                "trouble": "; ".join(filter(None, map(_trouble, states))) or status.get("reason", ""),
                "image": ", ".join(str(one.get("image", "")) for one in spec.get("containers") or []),
                "node": spec.get("nodeName", ""),
                "since": status.get("startTime") or pod["metadata"].get("creationTimestamp", ""),
            }
        )
    # Those in trouble first.
    rows.sort(key=lambda row: (not row["trouble"], row["phase"] == "Running", row["pod"]))
    return rows[:_MOST_PODS]


def _trouble(state: Mapping[str, Any]) -> str:
    waiting = (state.get("state") or {}).get("waiting") or {}
    ended = (state.get("state") or {}).get("terminated") or (state.get("lastState") or {}).get("terminated") or {}
    told = [str(waiting.get("reason", ""))]
    if ended and ended.get("exitCode") != 0:
        told.append(f"ended with {ended.get('exitCode')} ({ended.get('reason', '')}) at {ended.get('finishedAt', '')}")
    return ", ".join(filter(None, told))


def _events(events: Iterable[Mapping[str, Any]]) -> Rows:
    rows = [
        {
            "at": _when(event),
            "type": event.get("type", ""),
            "object": f"{(event.get('involvedObject') or {}).get('kind', '')} "
            f"{(event.get('involvedObject') or {}).get('name', '')}",
            "reason": event.get("reason", ""),
            "times": int(event.get("count") or (event.get("series") or {}).get("count") or 1),
            "message": str(event.get("message") or "")[:_LONGEST],
        }
        for event in events
    ]
    newest = sorted(rows, key=lambda row: str(row["at"]), reverse=True)
    # Warnings are not pushed out by what is usual.
    warnings = [row for row in newest if row["type"] != "Normal"][:_MOST_EVENTS]
    return [*warnings, *(row for row in newest if row["type"] == "Normal")][:_MOST_EVENTS]


def _when(event: Mapping[str, Any]) -> str:
    series = event.get("series") or {}
    stamps = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return str(next((one for one in stamps if one), "") or event["metadata"].get("creationTimestamp") or "")[:19]


def _workloads(found: Iterable[Mapping[str, Any]]) -> Rows:
    rows = []
    for row in found:
        spec, status = row.get("spec") or {}, row.get("status") or {}
        notes = row["metadata"].get("annotations") or {}
        told = {
            "workload": f"{row['kind']} {row['metadata']['name']}",
            "ready": f"{status.get('readyReplicas') or 0}/{spec.get('replicas', 1)}",
            "generation": f"{status.get('observedGeneration')} of {row['metadata'].get('generation')}",
            "is": notes.get("golive.cutover/state", ""),
            "version": notes.get("golive.cutover/version", ""),
        }
        rows.append(told)
    return rows


def _changes(client: Client, base: str, since: datetime) -> Rows:
    """Who wrote to which object since then, the newest first: the API server keeps that by field manager."""
    first = f"{since:%Y-%m-%dT%H:%M:%SZ}"
    rows = []
    for group, plural, kind in _KINDS:
        for obj in client.list(f"{group}{base}/{plural}"):
            for field in obj["metadata"].get("managedFields") or []:
                at = str(field.get("time") or "")
                if at >= first and field.get("subresource") not in _BUSY_FIELDS:
                    rows.append(
                        {"at": at, "object": f"{kind} {obj['metadata']['name']}", "by": field.get("manager", "")}
                    )
    return sorted(rows, key=lambda row: row["at"], reverse=True)[:_MOST_CHANGES]
