# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shifts by weights through a real Gateway: shares, loss, return, canary users, copies, and the quartet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_proof import binomial_p
from ansible_collections.golive.cutover.plugins.modules import traffic_info, traffic_switch
from tests.e2e.conftest import kubectl
from tests.e2e.gateway.routed import RoutedShop
from tests.e2e.traffic.audit import writes_during
from tests.e2e.traffic.load import load
from tests.e2e.traffic.stand import COLOUR_KEY, apply, perform, until

LEAVING = "golive.cutover/leaving"
# The first test may have to wait for the build of the data plane.
pytestmark = pytest.mark.timeout(1800)


def test_no_request_fails_across_shift_and_return(shop: RoutedShop, tmp_path: Path) -> None:
    with load(shop.front.rpartition("/")[0], tmp_path, fresh=60, kept=60, path=f"/{shop.name}/healthz") as stream:
        moves = [perform(traffic_switch, shop.by_route(colour)) for colour in ("green", "blue") * 3]
        ledger = stream.ledger()
    assert ledger["failed"] == 0, ledger
    assert ledger["sent"] >= 300
    assert set(ledger["colours"]) == {"blue", "green"}
    assert [move["downtime_ms"] for move in moves] == [0] * 6
    assert [move["live"] for move in moves] == ["green", "blue"] * 3
    seconds = [move["timings"]["move_1"] + move["timings"]["move_100"] for move in moves]
    print(f"{ledger['sent']} requests, {ledger['failed']} failed, shifts of {seconds} s")


def test_quartet_over_canary_steps(shop: RoutedShop) -> None:
    options = shop.by_route("green", weight=25)
    with writes_during(shop.namespace) as writes:
        planned = perform(traffic_switch, options, check_mode=True, diff_mode=True)
    assert writes == []
    assert (planned["changed"], planned["weights"], planned["proof"]) == (True, {"blue": 75, "green": 25}, None)
    assert shop.weights() == {"blue": 100, "green": 0}

    done = perform(traffic_switch, options, diff_mode=True)
    assert done["diff"] == planned["diff"]
    assert [row["step"] for row in done["steps"]] == ["preflight", "stand_up", "move_1", "move_25"]
    assert (done["live"], done["weights"], done["proof"]["level"]) == (None, {"blue": 75, "green": 25}, "probe")
    assert shop.weights() == {"blue": 75, "green": 25}
    assert shop.route_notes()[LEAVING] == "blue"
    seen = shop.count(200)
    assert binomial_p(seen["green"], 200, 0.25) > 1e-4, seen

    info = perform(traffic_info, shop.info_options())
    assert (info["state"], info["driver"], info["leaving"]) == ("OVERLAP", "gateway", "blue")
    assert info["weights"] == {"blue": 75, "green": 25}
    assert (info["gateway"]["faults"], info["gateway"]["endpoints"]) == ([], {"blue": 2, "green": 2})

    version = shop.route()["metadata"]["generation"]
    for check in (True, False):
        again = perform(traffic_switch, options, check_mode=check)
        assert (again["changed"], again["weights"]) == (False, {"blue": 75, "green": 25})
    assert shop.route()["metadata"]["generation"] == version

    last = perform(traffic_switch, shop.by_route("green"))
    assert [row["step"] for row in last["steps"]][2:] == ["move_100", "close"]
    assert (last["live"], last["previous"]) == ("green", "blue")
    assert LEAVING not in shop.route_notes()
    assert shop.count(20) == {"green": 20}
    info = perform(traffic_info, shop.info_options())
    assert (info["state"], info["live"], info["standby"], info["previous"]) == ("LIVE", "green", "blue", "blue")


def test_a_new_colour_that_never_answers_is_taken_back(shop: RoutedShop) -> None:
    options = shop.by_route("green", probe={"expect": "never"}, outside_timeout=3)
    with pytest.raises(GoliveError) as caught:
        perform(traffic_switch, options)
    assert (caught.value.code, caught.value.details["returned"]) == ("proof_failed", True)
    assert shop.weights() == {"blue": 100, "green": 0}
    assert LEAVING not in shop.route_notes()


def test_canary_users_and_copies(shop: RoutedShop) -> None:
    match = {"header": "X-Canary", "value": "yes"}
    perform(traffic_switch, shop.by_route("green", weight=1, match=match))
    assert until(lambda: shop.count(20, **{"X-Canary": "yes"}) == {"green": 20}, 10, "canary users on green")
    assert shop.count(50).get("blue", 0) >= 45
    assert len(shop.route()["spec"]["rules"]) == 2

    cookie = {"cookie": "team", "value": "qa"}
    before = copies(shop)
    done = perform(traffic_switch, shop.by_route("green", weight=1, match=cookie, mirror=100))
    assert done["changed"]
    assert until(lambda: shop.count(20, Cookie="a=b; team=qa; c=d") == {"green": 20}, 10, "cookie users on green")
    assert shop.count(100, "/notes").get("blue", 0) >= 90
    until(lambda: copies(shop) >= before + 90, 10, "copies at green")
    assert perform(traffic_switch, shop.by_route("green", weight=1, match=cookie, mirror=100))["changed"] is False

    perform(traffic_switch, shop.by_route("green"))
    (rule,) = shop.route()["spec"]["rules"]
    assert [row["type"] for row in rule["filters"]] == ["URLRewrite"]


def test_the_new_colour_follows_an_old_one_that_grows(shop: RoutedShop) -> None:
    """Autoscalers without a metric change nothing by themselves, but keep to their bounds."""
    apply(*(autoscaler(shop, colour, least=1, most=4) for colour in ("blue", "green")))
    seen: list[tuple[str, dict[str, int]]] = []

    def show(text: str, _done: int | None, _total: int | None) -> None:
        if text == "move_1":
            # Just behind the look at whether green is large enough.
            shop.scale("blue", 4)
            until(lambda: size(shop, "blue")["replicas"] == 4, 30, "pods of blue")
        elif text.startswith(f"{shop.name}-green"):
            seen.append((text, shop.weights()))

    try:
        half = perform(traffic_switch, shop.by_route("green", weight=50, ready_timeout=60), show=show)
        assert half["weights"] == {"blue": 50, "green": 50}
        assert size(shop, "green")["readyReplicas"] == 2
        assert bounds(shop) == {"blue": 4, "green": 2}
        seen.clear()
        done = perform(traffic_switch, shop.by_route("green", ready_timeout=60), show=show)
        assert done["live"] == "green"
        assert size(shop, "green")["readyReplicas"] == 4
        assert bounds(shop) == {"blue": 4, "green": 4}
        # It was waited for while blue still had its share.
        assert {weights["blue"] for _text, weights in seen} == {50}
        perform(traffic_switch, shop.by_route("green", settle={"replicas": 2}))
        assert bounds(shop) == {"blue": 1, "green": 1}
    finally:
        kubectl("-n", shop.namespace, "delete", "hpa", "--all")
        for colour in ("blue", "green"):
            shop.scale(colour, 2)
            shop.rolled_out(colour)


def test_the_new_colour_follows_growth_between_two_stages(shop: RoutedShop) -> None:
    """From nothing to all traffic in one move: blue grows after green was found to be large enough."""
    apply(*(autoscaler(shop, colour, least=1, most=4) for colour in ("blue", "green")))
    seen: list[dict[str, int]] = []

    def show(text: str, _done: int | None, _total: int | None) -> None:
        if text == "move_100":
            shop.scale("blue", 3)
            until(lambda: size(shop, "blue")["replicas"] == 3, 30, "pods of blue")
        elif text.startswith(f"{shop.name}-green") and shop.weights()["green"]:
            seen.append(shop.weights())

    try:
        perform(traffic_switch, shop.by_route("green", ready_timeout=60), show=show)
        assert size(shop, "green")["readyReplicas"] == 3
        assert [weights for weights in seen if weights != {"blue": 99, "green": 1}] == []
        assert seen
    finally:
        kubectl("-n", shop.namespace, "delete", "hpa", "--all")
        for colour in ("blue", "green"):
            shop.scale(colour, 2)
            shop.rolled_out(colour)


def autoscaler(shop: RoutedShop, colour: str, least: int, most: int) -> dict[str, Any]:
    """An autoscaler of a colour."""
    name = f"{shop.name}-{colour}"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"namespace": shop.namespace, "name": name},
        "spec": {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most},
    }


def bounds(shop: RoutedShop) -> dict[str, int]:
    """Lower bounds of the autoscalers by colour."""
    found = json.loads(kubectl("-n", shop.namespace, "get", "hpa", "-o", "json"))["items"]
    return {row["metadata"]["name"].rpartition("-")[2]: row["spec"]["minReplicas"] for row in found}


def size(shop: RoutedShop, colour: str) -> dict[str, int]:
    """Counts of a colour's Deployment."""
    found = json.loads(kubectl("-n", shop.namespace, "get", "deployment", f"{shop.name}-{colour}", "-o", "json"))
    return {"readyReplicas": 0, "replicas": 0, **found["status"]}


def copies(shop: RoutedShop) -> int:
    """Requests that green's pods have counted for notes, by their own metrics."""
    total = 0
    for pod in shop.pods("green"):
        name = pod.partition("/")[2]
        text = kubectl("get", "--raw", f"/api/v1/namespaces/{shop.namespace}/pods/{name}:8080/proxy/metrics")
        rows = [line for line in text.splitlines() if line.startswith("http_requests_total") and '"/notes"' in line]
        total += sum(int(float(row.rpartition(" ")[2])) for row in rows)
    return total


def test_a_backend_that_does_not_resolve_is_refused(shop: RoutedShop) -> None:
    shop.route_patch({"op": "replace", "path": "/spec/rules/0/backendRefs/1/port", "value": 81})
    refused(shop, "route_unresolved", "PortNotFound")
    info = perform(traffic_info, shop.info_options())
    assert [row["code"] for row in info["gateway"]["faults"]] == ["route_unresolved"]
    assert "route_unresolved" in [row["code"] for row in info["hazards"]]


def test_a_backend_without_endpoints_is_refused(shop: RoutedShop) -> None:
    def select(colour: str) -> None:
        path = "/spec/selector/" + COLOUR_KEY.replace("/", "~1")
        patch = f'[{{"op": "replace", "path": "{path}", "value": "{colour}"}}]'
        kubectl("-n", shop.namespace, "patch", "service", f"{shop.name}-green", "--type=json", "-p", patch)

    select("nobody")
    try:
        refused(shop, "no_endpoints", overlap_timeout=2)
    finally:
        select("green")


def test_a_route_that_loses_requests_or_never_matches_is_refused(shop: RoutedShop) -> None:
    header = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "X-To", "value": "g"}]}}
    shop.route_patch({"op": "add", "path": "/spec/rules/0/backendRefs/1/filters", "value": [header]})
    refused(shop, "backend_filters")
    shop.route_patch({"op": "remove", "path": "/spec/rules/0/backendRefs/1/filters"})
    shop.route_patch({"op": "add", "path": "/spec/rules/-", "value": shop.route()["spec"]["rules"][0]})
    refused(shop, "rule_hidden", gateway={"route": shop.name, "rule": "1"})
    refused(shop, "proof_unavailable", gateway={"route": shop.name, "rule": "1"}, probe=None)


def refused(shop: RoutedShop, code: str, said: str = ".", **options: object) -> None:
    """The move must be refused with this code, and the weights stay."""
    given = shop.by_route("green")
    with pytest.raises(GoliveError, match=said) as caught:
        perform(traffic_switch, {**given, **options})
    assert caught.value.code == code, caught.value
    assert shop.weights() == {"blue": 100, "green": 0}
    assert caught.value.details["returned"] is False
