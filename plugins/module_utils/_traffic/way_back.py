# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a watcher that knows no driver gives one colour all traffic, from wherever a run may have put it; R6 as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.fencing import token_of
from ansible_collections.golive.cutover.plugins.module_utils._traffic.drivers import shares
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_driver import GatewayDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_hazards import told
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_route import WEIGHTS, Rule
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import (
    COLOURS,
    LEAVING,
    LIVE,
    PREVIOUS,
    PREVIOUS_RELEASE,
    SWITCHED_AT,
    Route,
    other,
    wanted_selector,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver

# Before it has all traffic, a new backend has this much, so that proxies learn it.
_FIRST = 1


def way_back(app: ServiceDriver, driver: GatewayDriver | None, params: Mapping[str, Any]) -> dict[str, Any]:
    """``{colour, serves, rows}`` as the option ``way_back`` of the verb asks.

    Raises GoliveError ``invalid``, ``unsupported``, ``not_found``, ``selector_foreign``, ``lease_lost``.
    """
    wish: Mapping[str, Any] = params["way_back"]
    if params["driver"] not in (ServiceDriver.kind, GatewayDriver.kind):
        raise GoliveError(
            "unsupported",
            f"With driver {params['driver']} only pods move traffic, so that no patch gives it back.",
            "Use the driver service or gateway.",
        )
    wrong = [share for share in wish["shares"] if not 1 <= share <= 100]
    if wrong:
        raise GoliveError("invalid", f"Cannot say the way back: shares has {wrong[0]}, which is not from 1 to 100.")
    colour = wish["to"]
    rows = [_of_service(app, app.read_usable(), colour)]
    if driver is not None:
        rows = [_of_route(driver, driver.read_rule(), colour, wish["shares"], app.token), *rows]
    return {"colour": colour, "serves": f"{app.name}-{colour}", "rows": rows}


def _of_service(app: ServiceDriver, route: Route, colour: str) -> dict[str, Any]:
    back = wanted_selector(route, colour, app.colour_key)
    moved = [wanted_selector(route, gained, app.colour_key) for gained in (other(colour), None)]
    there = [{"/spec/selector": selector} for selector in moved]
    return {
        "path": app.path(app.name),
        "name": f"Service {app.name}",
        "service": app.name,
        "here": {"/spec/selector": back},
        "there": there,
        "patch": [{"op": "add", "path": "/spec/selector", "value": back}],
        "notes": dict.fromkeys((LEAVING, PREVIOUS, PREVIOUS_RELEASE)),
        "dated": SWITCHED_AT,
        "tokens": _tokens(app.token, route.token, already=not (route.state == LIVE and route.live == colour)),
    }


def _of_route(driver: GatewayDriver, rule: Rule, colour: str, given: Iterable[int], own: str | None) -> dict[str, Any]:
    base = f"/spec/rules/{rule.index}/backendRefs"
    places = {name: f"{base}/{rule.positions[name]}" for name in COLOURS}
    names = {f"{places[name]}/name": rule.place.service(name) for name in COLOURS}

    def weights(share: int) -> dict[str, Any]:
        return {f"{places[name]}/weight": value for name, value in shares(other(colour), share).items()}

    back = shares(colour, 100)
    return {
        "path": driver.path,
        "name": f"HTTPRoute {rule.place.route}",
        "service": None,
        "here": {**names, f"{places[other(colour)]}/weight": 0},
        "there": [{**names, **weights(share)} for share in sorted({_FIRST, *given, 100})],
        "patch": [{"op": "add", "path": path, "value": value} for path, value in weights(0).items()],
        "notes": {LEAVING: None, PREVIOUS: None, WEIGHTS: told(back)},
        "dated": SWITCHED_AT,
        "tokens": _tokens(own, token_of(rule.route), already=rule.raw()[other(colour)] > 0),
    }


def _tokens(own: str | None, found: int, *, already: bool) -> list[str]:
    """Tokens under which the run knows traffic to be where it was put: its own, and the one that is there when an
    earlier run of the same release had put it there."""
    return sorted({*([own] if own is not None else []), *([str(found)] if already else [])})
