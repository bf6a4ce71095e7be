# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When reading alone is certain that an apply changes nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._kube.apply_owned import owned_fields, surely_equal
from ansible_collections.golive.cutover.plugins.module_utils._kube.quantities import amount

WANTED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "web:1",
                        "ports": [{"containerPort": 80}],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        "args": ["a", "b"],
                        "resources": {"limits": {"cpu": "1000m"}},
                    }
                ]
            }
        }
    },
}
FIELDS: dict[str, Any] = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:spec": {
        "f:template": {
            "f:spec": {
                "f:containers": {
                    'k:{"name":"web"}': {
                        ".": {},
                        "f:name": {},
                        "f:image": {},
                        "f:args": {},
                        "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                        "f:env": {
                            'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}},
                            'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}},
                        },
                        "f:resources": {"f:limits": {"f:cpu": {}}},
                    }
                }
            }
        }
    },
}


def _live(manager: str = "golive", **changes: Any) -> dict[str, Any]:
    live = copy.deepcopy(WANTED)
    container = live["spec"]["template"]["spec"]["containers"][0]
    container["ports"][0]["protocol"] = "TCP"
    container["resources"]["limits"]["cpu"] = "1"
    container["imagePullPolicy"] = "IfNotPresent"
    container.update(changes)
    live["spec"]["replicas"] = 1
    live["metadata"]["labels"]["other"] = "z"
    entry = {"manager": manager, "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": FIELDS}
    live["metadata"]["managedFields"] = [{"manager": "x", "operation": "Update", "fieldsV1": {}}, entry]
    return live


def _wanted(**changes: Any) -> dict[str, Any]:
    wanted = copy.deepcopy(WANTED)
    wanted["spec"]["template"]["spec"]["containers"][0].update(changes)
    return wanted


def test_an_unchanged_object_is_equal_whatever_the_server_and_others_added() -> None:
    assert surely_equal(WANTED, _live(), "golive")


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        (_wanted(image="web:2"), _live()),
        (WANTED, _live(image="web:2")),
        (_wanted(env=[{"name": "A", "value": "1"}]), _live()),
        (_wanted(env=[*WANTED["spec"]["template"]["spec"]["containers"][0]["env"], {"name": "C"}]), _live()),
        (_wanted(env=[{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]), _live()),
        (_wanted(args=["a"]), _live()),
        (_wanted(args=["b", "a"]), _live()),
        (_wanted(ports=[{"containerPort": 80, "protocol": "UDP"}]), _live()),
        (_wanted(ports=[{"containerPort": 80, "name": "http"}]), _live()),
        (_wanted(resources={"limits": {"cpu": "999m"}}), _live()),
        (_wanted(resources={"limits": {"cpu": 1}}), _live(resources={"limits": {"cpu": True}})),
        (WANTED, _live(manager="kubectl")),
        ({**WANTED, "apiVersion": "apps/v2"}, _live()),
        ({**WANTED, "metadata": {"name": "web"}}, _live()),
    ],
)
def test_anything_else_is_left_to_the_server(wanted: dict[str, Any], live: dict[str, Any]) -> None:
    assert not surely_equal(wanted, live, "golive")


def test_quantities_are_text_where_they_are_no_quantities() -> None:
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"cpu": "1000m"}}
    entry = {"manager": "golive", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:cpu": {}}}}
    live = {**wanted, "data": {"cpu": "1"}, "metadata": {"name": "a", "managedFields": [entry]}}
    assert not surely_equal(wanted, live, "golive")


def test_quantities_of_foreign_kinds_are_text() -> None:
    fields = {"f:spec": {"f:limits": {"f:cpu": {}}}}
    wanted = {
        "apiVersion": "example.org/v1",
        "kind": "X",
        "metadata": {"name": "a"},
        "spec": {"limits": {"cpu": "1000m"}},
    }
    entry = {"manager": "golive", "operation": "Apply", "apiVersion": "example.org/v1", "fieldsV1": fields}
    live = {**wanted, "spec": {"limits": {"cpu": "1"}}, "metadata": {"name": "a", "managedFields": [entry]}}
    assert not surely_equal(wanted, live, "golive")


def test_two_versions_of_one_manager_are_not_judged() -> None:
    live = _live()
    live["metadata"]["managedFields"].append({**live["metadata"]["managedFields"][1], "apiVersion": "apps/v1beta1"})
    assert owned_fields(live, "golive") is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("abc", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(wanted=VALUES, live=VALUES)
def test_atomic_values_are_equal_only_if_they_are_the_same(wanted: Any, live: Any) -> None:
    fields = {"f:spec": {}}
    entry = {"manager": "golive", "operation": "Apply", "apiVersion": "example.org/v1", "fieldsV1": fields}
    one = {"apiVersion": "example.org/v1", "kind": "X", "metadata": {"name": "a"}, "spec": wanted}
    two = {**one, "spec": live, "metadata": {"name": "a", "managedFields": [entry]}}
    assert surely_equal(one, two, "golive") == (repr(_sorted(wanted)) == repr(_sorted(live)))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("one", "two"),
    [("1000m", "1"), ("0.5Gi", "512Mi"), ("1024Ki", "1Mi"), ("1k", "1000"), (1, "1"), ("1e3", "1k"), ("100n", "0.1u")],
)
def test_equal_amounts(one: Any, two: Any) -> None:
    assert amount(one) is not None
    assert amount(one) == amount(two)


@pytest.mark.parametrize("text", ["", "m", "1 m", "1mm", "x", None, True, [], "1K"])
def test_no_amounts(text: Any) -> None:
    assert amount(text) is None
