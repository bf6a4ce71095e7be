# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.figures import figure
from ansible_collections.golive.cutover.plugins.plugin_utils._report import INTERRUPTED
from ansible_collections.golive.cutover.plugins.plugin_utils._timeline import Timeline


def summary(timeline: Timeline, report: Mapping[str, Any], most_hosts: int = 10) -> list[str]:
    """One line per host with its phases, and one more with what came of its switch and gates."""
    lines = []
    for line in timeline.summary(most_hosts):
        lines.append(line)
        host = line.partition(": ")[0]
        came_of = _came_of(report["apps"].get(host))
        if came_of:
            lines.append(f"{' ' * len(host)}  {came_of}")
    if report["outcome"] == INTERRUPTED:
        lines += [f"interrupted in {one['host']}: {one['task']}" for one in report["running"][:most_hosts]]
    return lines


def _came_of(app: Mapping[str, Any] | None) -> str:
    if not app:
        return ""
    parts = []
    if app["downtime"] == "measured":
        parts.append(
            f"downtime {figure(app['downtime_ms'])} ms, measured: "
            f"{app['failed_requests']:,} of {app['requests']:,} requests failed"
        )
    elif app["downtime"] == "not measured":
        parts.append("downtime not measured")
    if app["proof"]:
        parts.append(f"proof {app['proof']}")
    if app["gates"]:
        parts.append(f"{app['gates'].count('pass')} of {len(app['gates'])} gates passed")
    if app["held"]:
        parts.append("held: a gate could not decide")
    if app["undelivered"]:
        parts.append(f"{app['undelivered']} messages were not delivered")
    return "; ".join(parts)
