# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back as data: what a run may have written is known by it, and the patch leads to the old colour."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._release.dead_man_rules import (
    ELSEWHERE,
    HERE,
    THERE,
    patch_back,
    place_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_driver import GatewayDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_route import WEIGHTS
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import (
    FENCING,
    LEAVING,
    PREVIOUS,
    SWITCHED_AT,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver
from ansible_collections.golive.cutover.plugins.module_utils._traffic.way_back import way_back

COLOUR = "golive.cutover/colour"
NAME = {"app.kubernetes.io/name": "shop"}
Object = dict[str, Any]


class KnownObjects:
    """Stands in for the client: the objects by path."""

    def __init__(self, **objects: Object) -> None:
        self.objects = objects

    def path_of(self, _version: str, kind: str, _namespace: str, name: str) -> str:
        return f"{kind}/{name}"

    def get_or_none(self, path: str) -> Object | None:
        return self.objects.get(path.partition("/")[0])


def service(colour: str | None, token: str | None = None) -> Object:
    notes = {FENCING: token} if token else {}
    selector = {**NAME, **({COLOUR: colour} if colour else {})}
    return {"metadata": {"resourceVersion": "3", "annotations": notes}, "spec": {"selector": selector}}


def route(blue: int, token: str | None = None) -> Object:
    refs = [
        {"name": f"shop-{name}", "port": 80, "weight": weight}
        for name, weight in (("green", 100 - blue), ("blue", blue))
    ]
    notes = {FENCING: token, WEIGHTS: f"blue={blue},green={100 - blue}"} if token else None
    meta = {"name": "shop", "namespace": "shop", "resourceVersion": "5", "annotations": notes}
    return {"metadata": meta, "spec": {"rules": [{"backendRefs": refs}]}}


def rows(driver: str = "service", shares: list[int] | None = None, **objects: Object) -> list[Object]:
    """The rows for the way back to blue of a run with token 7."""
    held = {"namespace": "shop", "name": "shop-golive", "token": "7", "holder": "me"}
    params = {
        "lease": held,
        "driver": driver,
        "gateway": {"route": "shop", "rule": "0", "namespace": None},
        "way_back": {"to": "blue", "shares": shares or []},
    }
    call, client = call_for_tests(params), KnownObjects(**objects)
    app = ServiceDriver(call, client, "shop", "shop", COLOUR, "7")  # type: ignore[arg-type] # it only reads
    by_route = GatewayDriver(call, client, app) if driver == "gateway" else None  # type: ignore[arg-type]
    found: list[Object] = way_back(app, by_route, params)["rows"]
    return found


def patched(obj: Object, row: Object) -> Object:
    """The object after the patch, by the rules of RFC 6902; a failing test raises."""
    made = copy.deepcopy(obj)
    for op in patch_back(row, obj, 8, "now"):
        *way, last = [part.replace("~1", "/") for part in op["path"][1:].split("/")]
        parent: Any = made
        for part in way:
            parent = parent[int(part)] if isinstance(parent, list) else parent[part]
        if op["op"] == "test":
            assert parent[last] == op["value"], op
        elif op["op"] == "remove":
            del parent[last]
        else:
            parent[last] = op["value"]
    return made


@pytest.mark.parametrize("moved", ["green", None])
def test_a_service(moved: str | None) -> None:
    (row,) = rows(Service=service("blue"))
    assert place_of(row, service("blue")) == HERE
    assert place_of(row, service("red", "7")) == ELSEWHERE
    assert place_of(row, service(moved, "6")) == place_of(row, service(moved, "8")) == ELSEWHERE
    there = service(moved, "7")
    there["metadata"]["annotations"] |= {LEAVING: "blue", PREVIOUS: "blue", SWITCHED_AT: "then"}
    assert place_of(row, there) == THERE
    back = patched(there, row)
    assert back["spec"] == service("blue")["spec"]
    assert back["metadata"]["annotations"] == {FENCING: "8", SWITCHED_AT: "now"}


def test_a_service_where_an_earlier_run_had_moved_it() -> None:
    (row,) = rows(Service=service("green", "5"))
    assert row["tokens"] == ["5", "7"]
    assert place_of(row, service("green", "5")) == THERE


@pytest.mark.parametrize("share", [1, 20, 100])
def test_a_route(share: int) -> None:
    first, second = rows("gateway", [20], Service=service("blue"), HTTPRoute=route(100))
    assert (first["name"], second["name"]) == ("HTTPRoute shop", "Service shop")
    assert place_of(first, route(100)) == HERE
    assert place_of(first, route(50, "7")) == ELSEWHERE
    there = route(100 - share, "7")
    assert place_of(first, there) == THERE
    back = patched(there, first)
    assert back["spec"] == route(100)["spec"]
    assert back["metadata"]["annotations"] == {FENCING: "8", SWITCHED_AT: "now", WEIGHTS: "blue=100,green=0"}


def test_what_has_no_patch_is_refused() -> None:
    for driver, shares, code in (("replicas", [], "unsupported"), ("service", [0], "invalid")):
        with pytest.raises(GoliveError) as caught:
            rows(driver, shares, Service=service("blue"))
        assert caught.value.code == code
