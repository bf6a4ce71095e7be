# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTPRoute as read, the guarded patch of one of its rules, and what its conditions say."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_hazards import rule_hazards
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_patch import Target, patch_of
from ansible_collections.golive.cutover.plugins.module_utils._traffic.gateway_route import (
    WEIGHTS,
    Place,
    Rule,
    faults_of,
    hidden_by,
    read_rule,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.wish import Match

PLACE = Place("shop", "shop", "0", "shop", "shop")
COOKIE = Match(None, "team", "a+b")
HEADER = Match("X-Canary", None, "yes")


def ref(colour: str, **fields: Any) -> dict[str, Any]:
    return {"group": "", "kind": "Service", "name": f"shop-{colour}", "port": 80, **fields}


def route(*rules: dict[str, Any], **meta: Any) -> dict[str, Any]:
    """A route that its controller has accepted."""
    good = [{"type": kind, "status": "True", "observedGeneration": 3} for kind in ("Accepted", "ResolvedRefs")]
    parent = {"name": "edge", "namespace": "infra"}
    return {
        "metadata": {"name": "shop", "namespace": "shop", "generation": 3, "resourceVersion": "7", **meta},
        "spec": {"parentRefs": [parent], "rules": list(rules) or [rule()]},
        "status": {"parents": [{"parentRef": parent, "conditions": good}]},
    }


def rule(blue: int | None = 100, green: int | None = 0, **fields: Any) -> dict[str, Any]:
    weights = {"blue": blue, "green": green}
    refs = [ref(colour, **({} if weight is None else {"weight": weight})) for colour, weight in weights.items()]
    return {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": refs, **fields}


def target(blue: int, match: Match | None = None, mirror: int = 0, **notes: str | None) -> Target:
    return Target({"blue": blue, "green": 100 - blue}, "green", match, mirror, notes)


def patched(found: Rule, wanted: Target, token: str | None = None) -> dict[str, Any]:
    """The route after the patch, by the rules of RFC 6902; a failing test raises."""
    made = copy.deepcopy(dict(found.route))
    for op in patch_of(found, wanted, token):
        *way, last = [part.replace("~1", "/").replace("~0", "~") for part in op["path"][1:].split("/")]
        parent: Any = made
        for part in way:
            parent = parent[int(part)] if isinstance(parent, list) else parent[part]
        key: Any = last if isinstance(parent, dict) else len(parent) if last == "-" else int(last)
        if op["op"] == "test":
            assert parent[key] == op["value"], op
        elif op["op"] == "remove":
            del parent[key]
        elif op["op"] == "add" and isinstance(parent, list):
            parent.insert(key, op["value"])
        else:
            assert op["op"] == "add" or key in parent or isinstance(parent, list)
            parent[key] = op["value"]
    return made


@pytest.mark.parametrize(
    ("blue", "green", "percent"),
    [(100, 0, 100), (1, 0, 100), (None, None, 50), (1, 999, 1), (999, 1, 99), (0, 5, 0), (1, 2, 33)],
)
def test_weights_are_told_in_percent(blue: int | None, green: int | None, percent: int) -> None:
    found = read_rule(PLACE, route(rule(blue, green))).weights()
    assert found == {"blue": percent, "green": 100 - percent}


def test_rules_that_are_not_ours_to_move() -> None:
    for rules, said in (
        ([rule(0, 0)], "both weights are 0"),
        ([{"backendRefs": [ref("blue")]}], "no backend for Service shop-green"),
        ([{"backendRefs": [ref("blue"), ref("green"), ref("blue")]}], "more than one backend for Service shop-blue"),
        ([{"backendRefs": [ref("blue"), ref("green"), ref("red")]}], "also sends traffic to shop-red"),
        ([{"backendRefs": [ref("blue"), ref("green", namespace="other")]}], "no backend for Service shop-green"),
    ):
        with pytest.raises(GoliveError, match=said) as caught:
            read_rule(PLACE, route(*rules))
        assert caught.value.code == "selector_foreign"
    with pytest.raises(GoliveError, match="no such rule"):
        read_rule(Place("shop", "shop", "1", "shop", "shop"), route())


def test_a_rule_is_found_by_its_name() -> None:
    place = Place("shop", "shop", "main", "shop", "shop")
    assert read_rule(place, route({"name": "old"}, rule(name="main"))).index == 1


@given(
    blue=st.integers(0, 100),
    to=st.integers(0, 100),
    match=st.sampled_from([None, HEADER, COOKIE]),
    after=st.sampled_from([None, HEADER, COOKIE]),
    mirror=st.sampled_from([0, 10, 100]),
    copies=st.sampled_from([0, 10, 100]),
    filters=st.sampled_from([None, [], [{"type": "URLRewrite", "urlRewrite": {"hostname": "a"}}]]),
)
def test_the_patch_changes_what_is_ours_and_nothing_else(
    blue: int, to: int, match: Match | None, after: Match | None, mirror: int, copies: int, filters: Any
) -> None:
    spec = {} if filters is None else {"filters": filters}
    others = [{"name": "before", "backendRefs": [ref("red")]}, {"name": "after", "backendRefs": [ref("red")]}]
    start = route(others[0], rule(**spec), others[1], annotations={"team": "a"})
    place = Place("shop", "shop", "1", "shop", "shop")
    one = patched(read_rule(place, start), target(blue, match, mirror), "4")
    between = target(blue, match, mirror)
    assert between.is_in(read_rule(place, one))
    two = patched(read_rule(place, one), target(to, after, copies, note="x"), "5")
    assert target(to, after, copies).is_in(read_rule(place, two))
    three = patched(read_rule(place, two), target(100, note=None), "5")
    assert three["metadata"]["annotations"] == {"team": "a", "golive.cutover/token": "5"}
    left = copy.deepcopy(three["spec"]["rules"])
    if not left[1].get("filters"):
        left[1].pop("filters", None)
    spec = {"filters": filters} if filters else {}
    assert left == [others[0], rule(**spec), others[1]]


def test_the_patch_holds_only_for_what_was_read() -> None:
    found = read_rule(PLACE, route(rule(99, 1), annotations={"golive.cutover/token": "4"}))
    for path, value in (
        (("metadata", "resourceVersion"), "8"),
        (("metadata", "annotations", "golive.cutover/token"), "5"),
        (("spec", "rules", 0, "backendRefs", 0, "name"), "shop-green"),
        (("spec", "rules", 0, "backendRefs", 1, "weight"), 2),
    ):
        changed = copy.deepcopy(dict(found.route))
        place: Any = changed
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
        guards = [op for op in patch_of(found, target(0), "4") if op["op"] == "test"]
        assert any(_differs(changed, op) for op in guards), path


def _differs(obj: Any, op: dict[str, Any]) -> bool:
    for part in op["path"][1:].split("/"):
        key = part.replace("~1", "/")
        obj = obj[int(key)] if isinstance(obj, list) else obj[key]
    return bool(obj != op["value"])


def test_canary_users_by_cookie() -> None:
    made = patched(read_rule(PLACE, route()), target(90, COOKIE))["spec"]["rules"][1]
    header = made["matches"][0]["headers"][0]
    assert (header["name"], header["type"]) == ("Cookie", "RegularExpression")
    for cookie, hit in (
        ("team=a+b", True),
        ("x=1; team=a+b; y=2", True),
        ("steam=a+b", False),
        ("team=a+bc", False),
        ("team=aab", False),
    ):
        assert bool(re.fullmatch(header["value"], cookie)) is hit, cookie
    assert made["backendRefs"] == [ref("green", weight=1)]
    assert made["matches"][0]["path"] == {"type": "PathPrefix", "value": "/"}


def test_conditions() -> None:
    def after(change: Any) -> list[str]:
        found = route()
        change(found, found["status"]["parents"][0]["conditions"])
        return [fault.code for fault in faults_of(found)]

    assert after(lambda found, rows: None) == []
    assert after(lambda found, rows: rows[1].update(status="False", reason="BackendNotFound")) == ["route_unresolved"]
    assert after(lambda found, rows: rows[0].update(status="Unknown", reason="Pending")) == ["route_rejected"]
    assert after(lambda found, rows: found["metadata"].update(generation=4)) == ["route_pending"] * 2
    assert after(lambda found, rows: rows.pop()) == ["route_pending"]
    assert after(lambda found, rows: found["status"].clear()) == ["route_pending"]
    assert after(lambda found, rows: found["spec"]["parentRefs"].append({"name": "second"})) == ["route_pending"]
    partial = {"type": "PartiallyInvalid", "status": "True", "observedGeneration": 3}
    assert after(lambda found, rows: rows.append(partial)) == ["route_partial"]


def test_hazards_of_a_route() -> None:
    def codes(found: dict[str, Any], *accepted: str, place: Place = PLACE) -> list[tuple[str, str]]:
        return [(hazard.code, hazard.severity) for hazard in rule_hazards(read_rule(place, found), accepted)]

    assert codes(route()) == []
    second = Place("shop", "shop", "1", "shop", "shop")
    assert codes(route(rule(), rule()), place=second) == [("rule_hidden", "refuse")]
    assert hidden_by(read_rule(second, route({"matches": [{"path": {"type": "Exact", "value": "/"}}]}, rule()))) is None
    filtered = rule()
    filtered["backendRefs"][1]["filters"] = [{"type": "ResponseHeaderModifier"}]
    assert codes(route(filtered)) == [("backend_filters", "refuse")]
    filtered["backendRefs"][1]["weight"] = 1
    assert codes(route(filtered)) == []
    assert codes(route(annotations={WEIGHTS: "blue=100,green=0"})) == []
    assert codes(route(annotations={WEIGHTS: "blue=99,green=1"})) == [("weights_edited", "refuse")]
    owner = {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": {"f:spec": {"f:rules": {}}}}
    assert codes(route(managedFields=[owner])) == [("rules_owner", "refuse")]
    assert codes(route(managedFields=[owner]), "argocd-controller") == []
    assert codes(route(managedFields=[{**owner, "manager": "kubectl-create", "operation": "Update"}])) == [
        ("rules_owner", "warn")
    ]
