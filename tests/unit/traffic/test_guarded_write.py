# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guarded writes against an API server that loses requests and answers and has other writers."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import (
    COLOUR_KEY,
    DONE,
    FENCING,
    LEAVING,
    LOST,
    UNCHANGED,
    Route,
    judge,
    patch_to,
    read_route,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import ServiceDriver

SHARED = {"app.kubernetes.io/name": "shop"}
REFUSING = ("annotated", "stolen", "token", "same_target")
EVENTS = ("none", "lost_request", "lost_answer", "annotated", "stolen", "token", "same_target", "deleted")


def service(colour: str | None, **notes: str) -> dict[str, Any]:
    """A live Service."""
    selector = {**SHARED, **({COLOUR_KEY: colour} if colour else {})}
    meta: dict[str, Any] = {"name": "shop", "resourceVersion": "1"}
    if notes:
        meta["annotations"] = {f"golive.cutover/{key}": value for key, value in notes.items()}
    return {"metadata": meta, "spec": {"selector": selector}}


def patched(obj: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """RFC 6902 as far as we use it; raises GoliveError invalid when a test fails, as the API server does (422)."""
    made = copy.deepcopy(obj)
    for op in patch:
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in op["path"].split("/")[1:]]
        parent = made
        for step in way:
            if step not in parent:
                raise GoliveError("invalid", f"no {op['path']}")
            parent = parent[step]
        if op["op"] == "test" and parent.get(last) != op["value"]:
            raise GoliveError("invalid", f"test of {op['path']} failed")
        if op["op"] in ("replace", "remove") and last not in parent:
            raise GoliveError("invalid", f"no {op['path']}")
        if op["op"] in ("add", "replace"):
            parent[last] = op["value"]
        elif op["op"] == "remove":
            del parent[last]
    return made


class FaultyServer:
    """Stands in for the client: before each PATCH one event of the list happens, or it takes effect on the answer."""

    def __init__(self, live: dict[str, Any], events: list[str]) -> None:
        self.live: dict[str, Any] | None = live
        self.events = list(events)
        self.patches = 0
        self.ours: list[tuple[dict[str, str], dict[str, str]]] = []

    def path_of(self, *_parts: str) -> str:
        return "/" + "/".join(_parts)

    def get_or_none(self, path: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.live) if path.endswith("/shop") else None

    def request(self, _method: str, _path: str, *, body: list[dict[str, Any]], **_others: Any) -> dict[str, Any]:
        self.patches += 1
        event = self.events.pop(0) if self.events else "none"
        self._happen(event)
        if event == "lost_request":
            raise GoliveError("unreachable", "connection refused")
        if self.live is None:
            raise GoliveError("not_found", "gone")
        before = dict(self.live["spec"]["selector"])
        self.live = patched(self.live, body)
        self._bump()
        self.ours.append((before, dict(self.live["spec"]["selector"])))
        if event == "lost_answer":
            raise GoliveError("unreachable", "connection reset")
        return copy.deepcopy(self.live)

    def _happen(self, event: str) -> None:
        if event == "deleted":
            self.live = None
        if self.live is None:
            return
        meta = self.live["metadata"]
        if event == "annotated":
            meta.setdefault("annotations", {})["other"] = str(self.patches)
        elif event == "token":
            meta.setdefault("annotations", {})[FENCING] = "9"
        elif event == "stolen":
            self.live["spec"]["selector"]["tier"] = "web"
        elif event == "same_target":
            self.live["spec"]["selector"].pop(COLOUR_KEY, None)
        if event in ("annotated", "token", "stolen", "same_target"):
            self._bump()

    def _bump(self) -> None:
        assert self.live is not None
        self.live["metadata"]["resourceVersion"] = str(int(self.live["metadata"]["resourceVersion"]) + 1)


def driver_of(server: FaultyServer, token: str | None = None) -> ServiceDriver:
    return ServiceDriver(call_for_tests({}), server, "apps", "shop", COLOUR_KEY, token)  # type: ignore[arg-type]  # stand-in


@given(
    start=st.sampled_from(["blue", "green", None]),
    target=st.sampled_from(["blue", "green", None]),
    events=st.lists(st.sampled_from(EVENTS), max_size=3),
    token=st.sampled_from([None, "7", "8"]),
    note=st.sampled_from([None, "blue"]),
)
def test_a_move_ends_in_its_target_or_says_why_not(
    start: str | None, target: str | None, events: list[str], token: str | None, note: str | None
) -> None:
    server = FaultyServer(service(start, token="7"), events)
    driver = driver_of(server, token)
    wanted = {**SHARED, **({COLOUR_KEY: target} if target else {})}
    route = driver.read()
    failure = ""
    try:
        assert driver.move(route, target, {LEAVING: note}).selector == wanted
    except GoliveError as error:
        failure = error.code
    assert failure in ("", "lease_lost", "write_failed", "not_found")
    if failure == "write_failed":
        assert server.live is not None
        assert server.live["spec"]["selector"] == route.selector
    # A refused write changed nothing and may be sent anew; one whose answer was lost only once.
    assert server.patches <= 2 + sum(event in REFUSING for event in events)
    for before, after in server.ours:
        # Our writes start from what was read, or from the target itself, and never empty or mix the selector.
        assert before in (route.selector, wanted)
        assert after == wanted


@given(events=st.lists(st.sampled_from(["token", "stolen", "deleted"]), min_size=1, max_size=1))
def test_nothing_is_sent_once_somebody_else_writes(events: list[str]) -> None:
    server = FaultyServer(service("blue", token="7"), events)
    with pytest.raises(GoliveError) as caught:
        driver_of(server, "7").move(driver_of(server, "7").read(), None, {})
    assert caught.value.code in ("lease_lost", "not_found")
    assert server.patches == 1
    assert server.ours == []


def test_a_refusal_that_is_certain_is_not_looked_at() -> None:
    class Forbidding(FaultyServer):
        def request(self, *_arguments: Any, **_others: Any) -> dict[str, Any]:
            self.patches += 1
            raise GoliveError("forbidden", "no")

    server = Forbidding(service("blue"), [])
    with pytest.raises(GoliveError) as caught:
        driver_of(server).move(driver_of(server).read(), None, {})
    assert (caught.value.code, server.patches) == ("forbidden", 1)


def route(colour: str | None, version: str = "1", **notes: str) -> Route:
    return read_route({**service(colour, **notes)}, SHARED, COLOUR_KEY)


@pytest.mark.parametrize(
    ("before", "wanted", "found", "token", "verdict"),
    [
        (route("blue"), None, route(None), None, DONE),
        (route("blue"), None, route("blue"), None, UNCHANGED),
        (route("blue"), None, route("green"), None, LOST),
        (route("blue"), None, read_route(None, SHARED, COLOUR_KEY), None, LOST),
        (route("blue", token="7"), None, route(None, token="8"), "7", LOST),
        (route("blue", token="7"), None, route(None), "7", LOST),
        (route("blue", token="7"), None, route(None, token="7"), "7", DONE),
        (route("blue", token="6"), None, route(None, token="7"), "7", DONE),
        (route("blue", token="6"), None, route("blue", token="6"), "7", UNCHANGED),
        (route("blue", token="6"), None, route(None, token="6"), "7", UNCHANGED),
        (route("blue"), None, route("blue"), "7", UNCHANGED),
        (route("green", leaving="blue"), "green", route("green", leaving="blue"), None, UNCHANGED),
        (route("green", leaving="blue"), "green", route("green"), None, DONE),
    ],
)
def test_judgement(before: Route, wanted: str | None, found: Route, token: str | None, verdict: str) -> None:
    selector = {**SHARED, **({COLOUR_KEY: wanted} if wanted else {})}
    assert judge(before, selector, {LEAVING: None}, found, token) == verdict


def test_patches_test_what_they_change() -> None:
    key = "/spec/selector/golive.cutover~1colour"
    version = {"op": "test", "path": "/metadata/resourceVersion", "value": "1"}
    assert patch_to(route("blue"), None, COLOUR_KEY, {}, None) == [
        version, {"op": "test", "path": key, "value": "blue"}, {"op": "remove", "path": key},
    ]  # fmt: skip
    assert patch_to(route(None, token="7"), "green", COLOUR_KEY, {LEAVING: None}, "7") == [
        version,
        {"op": "test", "path": "/metadata/annotations/golive.cutover~1token", "value": "7"},
        {"op": "test", "path": "/spec/selector", "value": SHARED},
        {"op": "add", "path": key, "value": "green"},
    ]
    assert patch_to(route("blue", token="7"), None, COLOUR_KEY, {}, "8")[1:] == [
        {"op": "test", "path": "/metadata/annotations/golive.cutover~1token", "value": "7"},
        {"op": "test", "path": key, "value": "blue"},
        {"op": "remove", "path": key},
        {"op": "add", "path": "/metadata/annotations/golive.cutover~1token", "value": "8"},
    ]
    assert patch_to(route("green"), "blue", COLOUR_KEY, {LEAVING: "x"}, None)[2:] == [
        {"op": "replace", "path": key, "value": "blue"},
        {"op": "add", "path": "/metadata/annotations", "value": {}},
        {"op": "add", "path": "/metadata/annotations/golive.cutover~1leaving", "value": "x"},
    ]


@pytest.mark.parametrize(
    ("selector", "state"),
    [
        ({**SHARED, COLOUR_KEY: "blue"}, "LIVE"),
        (SHARED, "OVERLAP"),
        ({}, "FOREIGN"),
        ({COLOUR_KEY: "blue"}, "FOREIGN"),
        ({**SHARED, COLOUR_KEY: "red"}, "FOREIGN"),
        ({**SHARED, COLOUR_KEY: "blue", "tier": "web"}, "FOREIGN"),
        ({"app.kubernetes.io/name": "other", COLOUR_KEY: "blue"}, "FOREIGN"),
    ],
)
def test_states(selector: dict[str, str], state: str) -> None:
    found = read_route({"metadata": {"resourceVersion": "1"}, "spec": {"selector": selector}}, SHARED, COLOUR_KEY)
    assert found.state == state
    assert bool(found.reason) == (state == "FOREIGN")
    assert (found.live == "blue") == (state == "LIVE")
