# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written, what is left to others, and what is removed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import Audit, actions, apply, config_map, deployment, live


def test_removed_fields_go_and_those_of_others_stay(namespace: str) -> None:
    apply(objects=[config_map("a", {"mine": "1", "old": "2"}, labels={"x": "y"})], namespace=namespace)
    kubectl("-n", namespace, "annotate", "configmap", "a", "by=hand")
    kubectl("-n", namespace, "patch", "configmap", "a", "--type=merge", "-p", '{"data": {"theirs": "3"}}')
    result = apply(objects=[config_map("a", {"mine": "1"})], namespace=namespace, diff=True)
    assert actions(result) == {"ConfigMap a": "updated"}
    assert live(namespace, "configmap", "a", "data") == {"mine": "1", "theirs": "3"}
    assert live(namespace, "configmap", "a", "metadata.annotations") == {"by": "hand"}
    assert live(namespace, "configmap", "a", "metadata.labels") is None
    assert '"old": "2"' in result["diff"][0]["before"]
    assert '"old"' not in result["diff"][0]["after"]


def test_a_removed_secret_key_goes(namespace: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    apply(objects=[{**secret, "stringData": {"a": "1", "b": "2"}}], namespace=namespace)
    result = apply(objects=[{**secret, "stringData": {"a": "3"}}], namespace=namespace, diff=True)
    assert list(live(namespace, "secret", "s", "data")) == ["a"]
    assert "(new)" in result["diff"][0]["after"]
    assert "Mw==" not in str(result)


def test_what_another_tool_made_is_adopted(namespace: str) -> None:
    kubectl("-n", namespace, "create", "configmap", "a", "--from-literal=a=b")
    result = apply(objects=[config_map("a")], namespace=namespace, diff=True)
    assert actions(result) == {"ConfigMap a": "updated"}
    assert "fields of golive" in result["diff"][0]["after"]
    assert not apply(objects=[config_map("a")], namespace=namespace)["changed"]


def test_a_conflict_names_manager_and_field_and_can_be_forced(namespace: str) -> None:
    apply(objects=[config_map("a"), config_map("b")], namespace=namespace)
    kubectl("-n", namespace, "patch", "configmap", "a", "--field-manager=helm", "-p", '{"data": {"a": "theirs"}}')
    wanted = {"objects": [config_map("a"), config_map("b", {"a": "new"})], "namespace": namespace}
    for check in (True, False):
        with pytest.raises(GoliveError) as failure:
            apply(check=check, **wanted)
        assert failure.value.code == "conflict"
        assert '"helm"' in failure.value.message
        assert ".data.a" in failure.value.message
        assert "force_conflicts" in str(failure.value.hint)
    assert live(namespace, "configmap", "b", "data") == {"a": "b"}, "nothing may be written before a conflict"
    result = apply(**wanted, force_conflicts=True)
    assert set(actions(result).values()) == {"updated"}
    assert live(namespace, "configmap", "a", "data") == {"a": "b"}


def _service(colour: str) -> dict[str, Any]:
    meta = {"name": "shop", "labels": {"golive.cutover/role": "live"}}
    spec = {"selector": {"app": "shop", "golive.cutover/colour": colour}, "ports": [{"port": 80, "targetPort": "http"}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def test_the_live_selector_belongs_to_the_switch(namespace: str, audit: Audit) -> None:
    apply(objects=[_service("blue")], namespace=namespace)
    assert _owner(namespace, "service", "shop", "f:selector") == {"golive-traffic"}
    switch = '[{"op": "replace", "path": "/spec/selector/golive.cutover~1colour", "value": "green"}]'
    kubectl("-n", namespace, "patch", "service", "shop", "--type=json", "--field-manager=golive-traffic", "-p", switch)
    audit.mark()
    for check in (True, False):
        result = apply(objects=[_service("blue")], namespace=namespace, check=check, diff=True)
        assert not result["changed"]
        assert result["diff"] == []
    assert {verb for verb, _uri in audit.requests(namespace)} <= {"get", "list"}
    changed = _service("blue")
    changed["spec"]["ports"][0]["port"] = 8080
    result = apply(objects=[changed], namespace=namespace, diff=True)
    assert result["changed"]
    assert "blue" not in result["diff"][0]["after"]
    assert live(namespace, "service", "shop", "spec.selector")["golive.cutover/colour"] == "green"


def test_a_selector_we_own_is_handed_over_with_its_live_value(namespace: str) -> None:
    """As after a run that was killed between creating the Service and handing its selector over."""
    plain = copy.deepcopy(_service("blue"))
    del plain["metadata"]["labels"]
    apply(objects=[plain], namespace=namespace)
    assert _owner(namespace, "service", "shop", "f:selector") == {"golive"}
    planned = apply(objects=[_service("green")], namespace=namespace, check=True, diff=True)
    assert "green" not in planned["diff"][0]["after"]
    apply(objects=[_service("green")], namespace=namespace)
    assert _owner(namespace, "service", "shop", "f:selector") == {"golive-traffic"}
    assert live(namespace, "service", "shop", "spec.selector")["golive.cutover/colour"] == "blue"
    assert not apply(objects=[_service("green")], namespace=namespace)["changed"]


def _scaler(name: str) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    spec = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": spec,
    }


def test_replicas_under_an_autoscaler_of_the_set(namespace: str) -> None:
    objects = [deployment("web"), _scaler("web")]
    apply(objects=objects, namespace=namespace)
    assert _owner(namespace, "deployment", "web", "f:replicas") == {"golive-traffic"}
    kubectl("-n", namespace, "scale", "deployment", "web", "--replicas=3")
    assert not apply(objects=objects, namespace=namespace)["changed"]
    assert live(namespace, "deployment", "web", "spec.replicas") == 3


def test_an_autoscaler_that_comes_later_does_not_reset_replicas(namespace: str) -> None:
    apply(objects=[deployment("web", replicas=2)], namespace=namespace)
    without = deployment("web")
    del without["spec"]["replicas"]
    result = apply(objects=[without, _scaler("web")], namespace=namespace)
    assert actions(result)["Deployment web"] == "updated"
    assert live(namespace, "deployment", "web", "spec.replicas") == 2
    assert _owner(namespace, "deployment", "web", "f:replicas") == {"golive-traffic"}


def test_an_autoscaler_that_only_lives_in_the_cluster_counts(namespace: str) -> None:
    apply(objects=[deployment("web", replicas=2)], namespace=namespace)
    apply(objects=[_scaler("web")], namespace=namespace)
    apply(objects=[deployment("web", replicas=2)], namespace=namespace)
    kubectl("-n", namespace, "scale", "deployment", "web", "--replicas=4")
    assert not apply(objects=[deployment("web", replicas=2)], namespace=namespace)["changed"]
    assert live(namespace, "deployment", "web", "spec.replicas") == 4


def test_create_only_of_the_caller(namespace: str) -> None:
    rule = [{"kind": "ConfigMap", "name": "a", "fields": ["data.seed"]}]
    objects = [config_map("a", {"seed": "1", "b": "2"})]
    apply(objects=objects, namespace=namespace, create_only=rule)
    kubectl("-n", namespace, "patch", "configmap", "a", "-p", '{"data": {"seed": "grown"}}')
    assert not apply(objects=objects, namespace=namespace, create_only=rule)["changed"]
    assert live(namespace, "configmap", "a", "data") == {"seed": "grown", "b": "2"}
    with pytest.raises(GoliveError) as failure:
        apply(objects=objects, namespace=namespace, create_only=[{"kind": "ConfigMap", "fields": ["data[0]"]}])
    assert failure.value.code == "path_invalid"


def _owner(namespace: str, kind: str, name: str, field: str) -> set[str]:
    return {
        entry["manager"]
        for entry in live(namespace, kind, name, "metadata.managedFields")
        if field in entry["fieldsV1"].get("f:spec", {})
    }


def test_prune_removes_what_the_set_no_longer_holds_and_nothing_else(namespace: str) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}},
    }
    setting = {"namespace": namespace, "set": "shop", "prune": True}
    apply(objects=[config_map("a"), config_map("b"), deployment("web"), claim], **setting)
    apply(objects=[config_map("other")], namespace=namespace, set="other", prune=True)
    kubectl("-n", namespace, "create", "configmap", "hand")
    kubectl("-n", namespace, "label", "configmap", "hand", "golive.cutover/set=shop")
    planned = apply(objects=[config_map("a")], **setting, check=True)
    assert live(namespace, "configmap", "b") is not None
    done = apply(objects=[config_map("a")], **setting)
    assert planned["pruned"] == done["pruned"]
    assert [f"{row['kind']} {row['name']}" for row in done["pruned"]] == ["ConfigMap b", "Deployment web"]
    assert live(namespace, "configmap", "b") is None
    for kind, name in (("configmap", "a"), ("configmap", "other"), ("configmap", "hand"), ("pvc", "data")):
        assert live(namespace, kind, name) is not None, name
    assert not apply(objects=[config_map("a")], **setting)["changed"]
    kinds = ["v1/ConfigMap", "v1/PersistentVolumeClaim"]
    named = apply(objects=[config_map("a")], **setting, prune_kinds=kinds)
    assert [row["name"] for row in named["pruned"]] == ["data"]


def test_an_empty_set_prunes_nothing_by_accident(namespace: str) -> None:
    setting = {"namespace": namespace, "set": "shop", "prune": True}
    apply(objects=[config_map("a")], **setting)
    with pytest.raises(GoliveError) as failure:
        apply(content="# a template that came out empty\n", **setting)
    assert failure.value.code == "set_empty"
    with pytest.raises(GoliveError) as failure:
        apply(objects=[config_map("a")], **setting, prune_kinds=["ConfigMap"])
    assert failure.value.code == "prune_kind_invalid"
    gone = apply(objects=[], **setting, state="absent")
    assert [row["name"] for row in gone["pruned"]] == ["a"]
    assert live(namespace, "configmap", "a") is None


def test_absent(namespace: str) -> None:
    unknown = {"apiVersion": "nowhere.example/v1", "kind": "Widget", "metadata": {"name": "w"}}
    objects = [config_map("a"), deployment("web"), unknown]
    apply(objects=objects[:2], namespace=namespace)
    planned = apply(objects=objects, namespace=namespace, state="absent", check=True)
    assert actions(planned) == {"ConfigMap a": "deleted", "Deployment web": "deleted"}
    assert live(namespace, "configmap", "a") is not None
    assert actions(apply(objects=objects, namespace=namespace, state="absent")) == actions(planned)
    assert live(namespace, "configmap", "a") is None
    assert not apply(objects=objects, namespace=namespace, state="absent")["changed"]


def test_a_namespace_a_definition_and_what_needs_them_in_one_set(fresh: str) -> None:
    group = f"{fresh}.example"
    schema = {
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
    }
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget"}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {"group": group, "names": names, "scope": "Namespaced", "versions": [version]},
    }
    widget = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": fresh}}
    objects = [widget, config_map("a"), definition, space]
    try:
        planned = apply(objects=objects, namespace=fresh, check=True, diff=True)
        assert [row["decided_by"] for row in planned["objects"]] == ["local", "local", "server", "server"]
        done = apply(objects=objects, namespace=fresh)
        assert set(actions(done).values()) == {"created"}
        assert not apply(objects=objects, namespace=fresh)["changed"]

        wrong = {**widget, "spec": {"size": 1, "syze": 2}}
        with pytest.raises(GoliveError) as failure:
            apply(objects=[wrong, definition], namespace=fresh)
        assert failure.value.code == "unknown_field"

        schema["properties"]["spec"]["properties"]["syze"] = {"type": "integer"}
        assert actions(apply(objects=[wrong, definition], namespace=fresh))["Widget w"] == "updated"
        assert not apply(objects=[wrong, definition], namespace=fresh)["changed"]
    finally:
        kubectl("delete", "crd", f"widgets.{group}", "--wait=false", "--ignore-not-found", check=False)
