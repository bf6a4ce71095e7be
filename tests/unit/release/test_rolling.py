# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Deployment that keeps every rule of updates in place, and what is said of each rule it breaks."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._release.rolling import Surroundings, rolling_faults

LABELS = {"app": "shop"}
CONTAINER = {
    "name": "app",
    "image": "shop:1",
    "ports": [{"containerPort": 8080}],
    "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}},
    "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
    "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
}
DEPLOYMENT: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "shop"},
    "spec": {
        "progressDeadlineSeconds": 300,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                "terminationGracePeriodSeconds": 35,
                "topologySpreadConstraints": [{"maxSkew": 1}],
                "containers": [CONTAINER],
            },
        },
    },
}
BUDGET = {"kind": "PodDisruptionBudget", "metadata": {"name": "shop"}, "spec": {"selector": {"matchLabels": LABELS}}}
AROUND = Surroundings(propagation=2, longest=30)


def broken(path: str, value: Any) -> dict[str, Any]:
    """A copy with the field at ``path`` replaced, or removed for None; ``#`` stands for the container."""
    made = copy.deepcopy(DEPLOYMENT)
    keys = path.replace("#", "spec.template.spec.containers.0").split(".")
    node: Any = made
    for key in keys[:-1]:
        node = node[int(key) if key.isdigit() else key]
    if value is None:
        del node[keys[-1]]
    else:
        node[keys[-1]] = value
    return made


def codes(deployment: dict[str, Any], around: Surroundings = AROUND, budget: bool = True) -> list[str]:
    return [fault.code for fault in rolling_faults([deployment, *([BUDGET] if budget else [])], around)]


def test_a_careful_deployment_has_no_fault() -> None:
    assert codes(DEPLOYMENT) == []


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("spec.strategy.type", "Recreate", "strategy_recreate"),
        ("spec.strategy.rollingUpdate.maxUnavailable", 1, "max_unavailable"),
        ("spec.strategy.rollingUpdate.maxUnavailable", None, "max_unavailable"),
        ("spec.strategy.rollingUpdate.maxSurge", "0%", "max_surge"),
        ("#.readinessProbe", None, "readiness_missing"),
        ("#.livenessProbe", CONTAINER["readinessProbe"], "probes_alike"),
        ("#.lifecycle", None, "pre_stop_short"),
        ("spec.template.spec.terminationGracePeriodSeconds", 34, "grace_short"),
        ("spec.progressDeadlineSeconds", 10, "deadline_short"),
        ("spec.template.spec.topologySpreadConstraints", None, "spread_missing"),
    ],
)
def test_each_broken_rule_is_named(path: str, value: Any, code: str) -> None:
    assert codes(broken(path, value)) == [code]


def test_all_faults_are_named_at_once() -> None:
    made = broken("#.readinessProbe", None)
    made["spec"]["strategy"] = {}
    assert codes(made, budget=False) == ["max_unavailable", "readiness_missing", "budget_missing"]


@pytest.mark.parametrize(
    ("hard", "used", "full"),
    [
        ({"pods": "3"}, {"pods": "3"}, True),
        ({"pods": "4"}, {"pods": "3"}, False),
        ({"requests.cpu": "1"}, {"requests.cpu": "950m"}, True),
        ({"memory": "1Gi"}, {"memory": "1000Mi"}, True),
        ({"memory": "1Gi"}, {"memory": "960Mi"}, False),
    ],
)
def test_a_quota_must_have_room_for_the_surge(hard: dict[str, str], used: dict[str, str], full: bool) -> None:
    quota = {"metadata": {"name": "small"}, "status": {"hard": hard, "used": used}}
    assert codes(DEPLOYMENT, Surroundings(2, 30, quotas=(quota,))) == (["quota_exceeded"] if full else [])


@pytest.mark.parametrize(
    ("nodes", "expected"), [(("a", "a", "b", "b"), []), (("a", "a", "b"), ["local_single"]), ((), [])]
)
def test_traffic_that_stays_on_a_node_needs_two_pods_there(nodes: tuple[str, ...], expected: list[str]) -> None:
    assert codes(DEPLOYMENT, Surroundings(2, 30, local=True, nodes=nodes)) == expected
