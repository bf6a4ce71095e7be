# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields that are set once and belong to others afterwards; and the order of writes."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import (
    bare,
    create_only_paths,
    owns,
    parse_path,
    scaled_keys,
    value_at,
    with_values_of,
    without,
)
from ansible_collections.golive.cutover.plugins.module_utils._kube.ordering import waves
from ansible_collections.golive.cutover.plugins.module_utils._kube.sets import Key

SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "shop", "namespace": "shop", "labels": {"golive.cutover/role": "live"}},
    "spec": {"selector": {"colour": "blue"}, "ports": []},
}
WORKLOAD: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop-blue", "namespace": "shop"},
    "spec": {"replicas": 2},
}
SCALER: dict[str, Any] = {
    "metadata": {"name": "x", "namespace": "shop"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop-blue"}},
}


def test_the_live_selector_and_scaled_replicas() -> None:
    scaled = scaled_keys([SCALER])
    assert create_only_paths(SERVICE, scaled, []) == (("spec", "selector"),)
    assert create_only_paths(WORKLOAD, scaled, []) == (("spec", "replicas"),)
    other = {**WORKLOAD, "metadata": {"name": "shop-blue", "namespace": "elsewhere"}}
    assert create_only_paths(other, scaled, []) == ()
    colour = {**SERVICE, "metadata": {"name": "shop-blue", "labels": {"golive.cutover/role": "colour"}}}
    assert create_only_paths(colour, scaled, []) == ()


def test_the_caller_adds_more() -> None:
    rules = [{"kind": "Deployment", "name": None, "fields": ["spec.replicas", "metadata.annotations[a.b/c]"]}]
    assert create_only_paths(WORKLOAD, set(), rules) == (("spec", "replicas"), ("metadata", "annotations", "a.b/c"))
    assert create_only_paths(WORKLOAD, set(), [{**rules[0], "name": "other"}]) == ()


@pytest.mark.parametrize("text", ["", ".", "spec.containers[0].image", "spec..x]", "a[b"])
def test_paths_that_are_none(text: str) -> None:
    with pytest.raises(GoliveError) as failure:
        parse_path(text)
    assert failure.value.code == "path_invalid"


def test_a_field_is_owned_by_itself_or_by_the_map_around_it() -> None:
    assert owns({"f:spec": {"f:selector": {}}}, ("spec", "selector"))
    assert owns({"f:spec": {"f:selector": {}}}, ("spec", "selector", "colour"))
    assert not owns({"f:spec": {"f:ports": {}}}, ("spec", "selector"))


def test_taking_out_and_putting_in() -> None:
    live = {**SERVICE, "spec": {"selector": {"colour": "green"}}}
    path = (("spec", "selector"),)
    assert "selector" not in without(SERVICE, path)["spec"]
    assert SERVICE["spec"]["selector"] == {"colour": "blue"}
    assert value_at(with_values_of(SERVICE, live, path), path[0]) == {"colour": "green"}
    handed = with_values_of(bare(SERVICE), live, path)
    assert handed["spec"] == {"selector": {"colour": "green"}}
    assert handed["metadata"] == {"name": "shop", "namespace": "shop"}
    assert with_values_of(bare(SERVICE), {"metadata": {}}, path) == bare(SERVICE)


def _key(kind: str) -> Key:
    return Key("", kind, "", kind)


def test_waves() -> None:
    kinds = [
        "Deployment",
        "RoleBinding",
        "ConfigMap",
        "Widget",
        "Namespace",
        "CustomResourceDefinition",
        "APIService",
        "Role",
    ]
    ordered = waves(map(_key, kinds), lambda key: key)
    assert [sorted(key.kind for key in wave) for wave in ordered] == [
        ["Namespace"],
        ["CustomResourceDefinition"],
        ["ConfigMap", "Role"],
        ["RoleBinding"],
        ["Deployment", "Widget"],
        ["APIService"],
    ]
    assert waves(map(_key, kinds), lambda key: key, backwards=True) == ordered[::-1]
