# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is held against a Prometheus: its groups, its targets, and which servers of an operator read a rule."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._monitor.proof import judge_groups, judge_targets
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule_readers import matches

WANTED = [{"name": "g", "rules": [{"record": "a:b", "expr": "sum(up) > 3600"}, {"alert": "C", "expr": "up == 0"}]}]


def loaded(**changes: Any) -> list[dict[str, Any]]:
    rules = [
        {"name": "a:b", "query": "sum(up)  >  3600", "health": "ok"},
        {"name": "C", "query": "up == 0", "health": "ok", **changes},
    ]
    return [{"name": "g", "interval": 15, "rules": rules}]


def never(_query: str) -> str:
    raise AssertionError("nobody needs to be asked")


def codes(groups: list[dict[str, Any]], formatted: Any = never) -> list[str]:
    return [row["code"] for row in judge_groups(WANTED, groups, formatted)[1]]


def test_a_group_is_known_by_its_rules() -> None:
    told, faults = judge_groups(WANTED, loaded(), never)
    assert told == [{"name": "g", "rules": 2, "loaded": 2, "healthy": 2}]
    assert faults == []
    assert codes([]) == ["group_missing"]
    assert codes(loaded(name="D")) == ["group_differs"]
    assert codes(loaded(query="up == 1"), str) == ["group_differs"]
    assert codes(loaded(query="up ==\n  0"), str) == []
    selector = [{"name": "g", "rules": [{"alert": "C", "expr": 'up{b="1",a="2"} == 0'}]}]
    have = [{"name": "g", "interval": 15, "rules": [{"name": "C", "query": 'up{a="2",b="1"} == 0', "health": "ok"}]}]
    assert judge_groups(selector, have, never)[1] == []
    # The server writes some expressions in another way.
    assert codes(loaded(query="0 == up"), lambda query: "0 == up") == []


def test_a_rule_must_work() -> None:
    assert codes(loaded(health="err", lastError="many-to-many")) == ["rule_fails"]
    assert codes(loaded(health="unknown")) == ["rule_unevaluated"]
    seldom = [{**loaded(health="unknown")[0], "interval": 300}]
    assert codes(seldom) == []


def test_of_a_job_all_targets_are_up() -> None:
    def target(health: str, job: str = "app") -> dict[str, Any]:
        return {"labels": {"job": job}, "health": health, "scrapeUrl": "http://x", "lastError": ""}

    wanted = [{"job": "app", "least": 2}]
    told, faults = judge_targets(wanted, [target("up"), target("up"), target("down", "other")])
    assert (told, faults) == ([{"job": "app", "up": 2, "targets": 2}], [])
    told, faults = judge_targets(wanted, [target("unknown")])
    assert [row["code"] for row in faults] == ["target_missing", "target_down"]
    assert "it was not scraped yet" in faults[1]["message"]


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ({}, True),
        ({"matchLabels": {"a": "1"}}, True),
        ({"matchLabels": {"a": "1", "b": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}, False),
    ],
)
def test_a_selector_matches_as_in_kubernetes(selector: dict[str, Any], fits: bool) -> None:
    assert matches(selector, {"a": "1"}) is fits


def test_an_operator_of_a_selector_that_nobody_knows_is_told() -> None:
    with pytest.raises(GoliveError, match="Near is not known"):
        matches({"matchExpressions": [{"key": "a", "operator": "Near"}]}, {})
