# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the old colour is to be drained and shrunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NONE = "none"
METRIC = "metric"
SOCKETS = "sockets"


@dataclass(frozen=True)
class Metric:
    """A gauge of open work on a Prometheus text page of each pod."""

    name: str
    path: str
    port: str | None


@dataclass(frozen=True)
class Sockets:
    """The container that can read ``/proc/net/tcp`` with ``cat``, and the port whose connections count."""

    container: str | None
    port: int | None


@dataclass(frozen=True)
class Nudge:
    """A request to each pod that asks it to end its connections."""

    method: str
    path: str
    port: str | None


@dataclass(frozen=True)
class SettleWish:
    """``replicas`` is the warm size; ``timeout`` the seconds that open work may take to end by itself."""

    replicas: int
    timeout: float
    count: str
    metric: Metric
    sockets: Sockets
    nudge: Nudge | None


def read_settle(given: Mapping[str, Any] | None) -> SettleWish | None:
    """The option as a wish; faults were looked for before."""
    if given is None:
        return None
    metric, sockets = given["metric"] or {}, given["sockets"] or {}
    return SettleWish(
        replicas=given["replicas"],
        timeout=given["timeout"],
        count=given["count"],
        metric=Metric(metric.get("name") or "", metric.get("path") or "/metrics", metric.get("port")),
        sockets=Sockets(sockets.get("container"), sockets.get("port")),
        nudge=Nudge(**given["nudge"]) if given["nudge"] else None,
    )


def settle_faults(given: Mapping[str, Any] | None, weight: int) -> list[str]:
    """What is wrong with the option, all at once."""
    if given is None:
        return []
    faults = []
    if weight != 100:
        faults.append("settle needs weight 100: the other colour still takes traffic")
    if given["replicas"] < 0:
        faults.append("settle.replicas must not be negative")
    if given["timeout"] < 0:
        faults.append("settle.timeout must not be negative")
    if given["count"] == METRIC and not given["metric"]:
        faults.append("settle.count is metric, but settle.metric is not given")
    return faults
