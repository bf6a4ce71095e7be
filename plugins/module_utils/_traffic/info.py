# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is live, as a result: state, colours, endpoints, hazards."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import REVISION, Colour
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_driver import GatewayDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import (
    COLOURS,
    FOREIGN,
    LIVE,
    OVERLAP,
    PREVIOUS,
    SWITCHED_AT,
    other,
    read_route,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.scene import Scene, read_scene
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver

_NOTES = ("release", "version", "state")


def read_info(
    client: Client, driver: ServiceDriver, accepted: tuple[str, ...], by_route: GatewayDriver | None = None
) -> dict[str, Any]:
    """The result of the info verb; a Service that cannot be judged is FOREIGN with its reason, not an error.

    Of an app behind a Gateway, ``by_route`` says where its traffic goes.
    """
    try:
        shared = driver.shared()
        reason = ""
    except GoliveError as error:
        if error.code != "selector_foreign":
            raise
        shared, reason = driver.name_label(), error.message
    scene = read_scene(client, driver, shared, accepted)
    route = read_route(scene.service, shared, driver.colour_key)
    state = FOREIGN if reason else route.state
    live = route.live if state != FOREIGN else None
    found: dict[str, Any] = {
        "state": state,
        "reason": reason or route.reason or None,
        "live": live,
        "standby": other(live) if live else None,
        "leaving": route.leaving,
        "previous": route.note(PREVIOUS),
        "switched_at": route.note(SWITCHED_AT),
        "weights": _weights(scene) if state in (LIVE, OVERLAP) else None,
        "gateway": None,
        "selector": dict(route.selector),
        "colours": [_colour(scene.colours[name], scene) for name in COLOURS if scene.colours[name].deployment],
        "endpoints": {
            "ready": len(scene.endpoints.ready_ids()),
            "every": len(frozenset().union(*scene.endpoints.every.values())),
            "slices": scene.endpoints.slices,
            "by_family": {family: len(ids) for family, ids in sorted(scene.endpoints.ready.items())},
        },
        "proxy_mode": scene.data_plane.proxy_mode,
        "hazards": [hazard.as_dict() for hazard in scene.hazards],
    }
    return found if by_route is None else {**found, **_routed(by_route, found["hazards"], accepted)}


def _weights(scene: Scene) -> dict[str, int]:
    """Percent by colour of the endpoints behind the live Service; all 0 when there are none."""
    ready = scene.endpoints.ready_ids()
    counts = {colour: len(ready & scene.members.every[colour].keys()) for colour in COLOURS}
    total = sum(counts.values())
    share = round(100 * counts[COLOURS[0]] / total) if total else 0
    return {COLOURS[0]: share, COLOURS[1]: 100 - share if total else 0}


def _routed(driver: GatewayDriver, hazards: list[dict[str, str]], accepted: tuple[str, ...]) -> dict[str, Any]:
    try:
        split = driver.read()
    except GoliveError as error:
        if error.code == "not_found":
            # Before there is a route, the live Service alone says what takes traffic.
            return {"reason": error.message}
        if error.code != "selector_foreign":
            raise
        nothing = dict.fromkeys(("live", "standby", "leaving", "previous", "switched_at", "weights"))
        return {**nothing, "state": FOREIGN, "reason": error.message}
    fields, more = driver.describe(split, accepted)
    return {
        "state": LIVE if split.live else OVERLAP,
        "reason": None,
        "live": split.live,
        "standby": other(split.live) if split.live else None,
        "leaving": split.leaving,
        "previous": split.previous,
        "switched_at": split.switched_at,
        "weights": dict(split.weights),
        **fields,
        "hazards": [*hazards, *(hazard.as_dict() for hazard in more)],
    }


def _colour(colour: Colour, scene: Scene) -> dict[str, Any]:
    containers = (colour.deployment or {})["spec"]["template"]["spec"]["containers"]
    serving = scene.endpoints.ready_ids()
    return {
        "colour": colour.name,
        "deployment": colour.deployment_name,
        "replicas": colour.wanted,
        "ready": colour.ready,
        "image": containers[0]["image"],
        "revision": colour.note(REVISION),
        **{name: colour.note(f"golive.cutover/{name}") for name in _NOTES},
        "endpoints": len(serving & scene.members.every[colour.name].keys()),
    }
