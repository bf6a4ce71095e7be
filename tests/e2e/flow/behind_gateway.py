# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage whose app is reached through the Gateway of tests/gateway."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage
from tests.e2e.gateway.routed import KIND, data_plane
from tests.e2e.traffic.stand import until


def behind_gateway(make_stage: Callable[..., Stage], **settings: Any) -> Stage:
    """A new stage; the Gateway is brought up when it is not there.

    All such stages answer to the same address, so it waits until those before it are gone.
    """
    edge = data_plane()
    until(lambda: not _routes(), 180, "the end of other stages behind the Gateway")
    port = int(edge["GOLIVE_GATEWAY_URL"].rpartition(":")[2])
    gateway = {"name": edge["GOLIVE_GATEWAY"], "namespace": edge["GOLIVE_GATEWAY_NAMESPACE"]}
    own: dict[str, Any] = {
        "app_expose": {"gateway": gateway},
        "release_probe_url": f"http://127.0.0.1:{port}/readyz",
        "release_driver": "gateway",
        "release_gateway": {"route": "notes"},
        "app_track_soak": 1,
        "release_soak": 1,
        "release_verify_passes": 1,
        "release_observe_passes": 2,
    }
    stage = make_stage(exposed=False, **{**own, **settings})
    stage.port = port
    return stage


def _routes() -> list[str]:
    found = json.loads(kubectl("get", KIND, "-A", "-o", "json"))["items"]
    return [row["metadata"]["namespace"] for row in found if row["metadata"]["name"] == "notes"]


def weights(stage: Stage) -> dict[str, int]:
    """Weights of the app's route."""
    route = json.loads(kubectl("-n", stage.namespace, "get", KIND, "notes", "-o", "json"))
    (rule,) = route["spec"]["rules"]
    return {ref["name"]: ref["weight"] for ref in rule["backendRefs"]}


def service_colour(stage: Stage) -> str | None:
    """The colour that clients inside of the cluster get; None for both."""
    selector = kubectl("-n", stage.namespace, "get", "service", "notes", "-o", "jsonpath={.spec.selector}")
    found: str | None = json.loads(selector).get("golive.cutover/colour")
    return found
