# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run leaves an app, to be held against what another run leaves."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage
from tests.e2e.traffic.stand import until

_PREFIX = "golive.cutover/"


def end_of(stage: Stage) -> dict[str, Any]:
    """What matters of an app: both colours as live and other, and what a switch leaves on the Service."""
    found = json.loads(kubectl("-n", stage.namespace, "get", "deployments,services", "-o", "json"))["items"]
    by_name = {(row["kind"], row["metadata"]["name"]): row for row in found}
    service = by_name["Service", "notes"]
    colour = service["spec"]["selector"].get(f"{_PREFIX}colour")
    rows = {name: _colour(by_name.get(("Deployment", f"notes-{name}"))) for name in ("blue", "green")}
    marks = [name for name in service["metadata"].get("annotations") or {} if name == f"{_PREFIX}leaving"]
    other = {"blue": "green", "green": "blue"}.get(colour, "")
    return {"live": rows.get(colour), "other": rows.get(other), "marks": marks}


def _colour(deployment: dict[str, Any] | None) -> dict[str, Any] | None:
    if deployment is None:
        return None
    notes = deployment["metadata"]["annotations"]
    return {
        "version": notes.get(f"{_PREFIX}version"),
        "state": notes.get(f"{_PREFIX}state"),
        "replicas": deployment["spec"]["replicas"],
        "ready": deployment["status"].get("readyReplicas", 0),
    }


def settled(stage: Stage) -> dict[str, Any]:
    """The end once every colour has as many ready pods as it should."""

    def look() -> dict[str, Any] | None:
        end = end_of(stage)
        rows = [row for row in (end["live"], end["other"]) if row]
        return end if all(row["ready"] == row["replicas"] for row in rows) else None

    found: dict[str, Any] = until(look, 60, "the wanted sizes")
    return found
