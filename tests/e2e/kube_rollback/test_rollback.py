# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads return to earlier revisions, and only their pod template does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import kube_apply, kube_rollback
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.situations import Manifest, apply, container, deployment, pod_spec, stateful_set
from tests.e2e.kube_track.verbs import call_verb

BUILD = {"Deployment": deployment, "StatefulSet": stateful_set}


def rollback(namespace: str, kind: str, **options: Any) -> dict[str, Any]:
    """Roll the workload ``shop`` back with a short soak."""
    given = {"soak": 1, "timeout": 60, **options}
    return call_verb(kube_rollback, kind=kind, name="shop", namespace=namespace, **given)


def release(namespace: str, kind: str, *versions: str) -> None:
    """Bring up each version in turn."""
    for version in versions:
        env = [{"name": "VERSION", "value": version}]
        apply(namespace, BUILD[kind]("shop", pod_spec(container(env=env))))
        kubectl("-n", namespace, "rollout", "status", kind.lower(), "shop", "--timeout=60s")


def live(namespace: str, kind: str) -> Manifest:
    """The workload as the cluster has it."""
    found: Manifest = json.loads(kubectl("-n", namespace, "get", kind.lower(), "shop", "-o", "json"))
    return found


def version(workload: Manifest) -> str:
    """The version in its template."""
    return str(workload["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"])


@pytest.mark.parametrize("kind", BUILD)
def test_quartet(namespace: str, kind: str) -> None:
    release(namespace, kind, "1", "2", "3")
    kubectl("-n", namespace, "annotate", kind.lower(), "shop", "example.org/owner=team")
    before = live(namespace, kind)
    planned = rollback(namespace, kind, to_revision=1, check=True, diff=True)
    assert (planned["changed"], planned["from_revision"], planned["to_revision"]) == (True, 3, 1)
    assert planned["verdict"] == "pending"
    assert live(namespace, kind)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    ran = rollback(namespace, kind, to_revision=1, diff=True)
    assert (ran["changed"], ran["verdict"], ran["from_revision"], ran["to_revision"]) == (True, "success", 3, 1)
    assert ran["diff"] == planned["diff"]
    after = live(namespace, kind)
    assert version(after) == "1"
    assert after["metadata"]["annotations"]["example.org/owner"] == "team"
    assert after["spec"] | {"template": 0} == before["spec"] | {"template": 0}
    checked, again = rollback(namespace, kind, to_revision=1, check=True), rollback(namespace, kind, to_revision=1)
    assert (checked["changed"], again["changed"], again["verdict"]) == (False, False, "success")
    assert again["from_revision"] == again["to_revision"]


@pytest.mark.parametrize("kind", BUILD)
def test_previous_is_the_default(namespace: str, kind: str) -> None:
    release(namespace, kind, "1", "2")
    assert rollback(namespace, kind)["to_revision"] == 1
    assert version(live(namespace, kind)) == "1"
    assert rollback(namespace, kind)["to_revision"] == 2
    assert version(live(namespace, kind)) == "2"


@pytest.mark.parametrize("kind", BUILD)
def test_no_such_revision_lists_what_exists(namespace: str, kind: str) -> None:
    release(namespace, kind, "1")
    for wanted in (None, 7):
        result = rollback(namespace, kind, to_revision=wanted)
        assert result["code"] == "no_revision"
        assert [row["revision"] for row in result["revisions"]] == [1]
        assert "postgres" in result["msg"]


def test_stateful_set_stuck_on_a_broken_release_comes_back(namespace: str) -> None:
    release(namespace, "StatefulSet", "1")
    broken = container(
        "exit 5", readinessProbe={"exec": {"command": ["true"]}}, env=[{"name": "VERSION", "value": "2"}]
    )
    apply(namespace, stateful_set("shop", pod_spec(broken)))
    kubectl("-n", namespace, "wait", "pod/shop-0", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1")
    result = rollback(namespace, "StatefulSet")
    assert (result["verdict"], result["replaced_pods"]) == ("success", ["shop-0"])


def test_rollback_that_does_not_come_up_names_its_cause(namespace: str) -> None:
    apply(namespace, deployment("shop", pod_spec(container("exit 5"))))
    kubectl("-n", namespace, "wait", "deployment/shop", "--for=jsonpath={.status.observedGeneration}=1")
    release(namespace, "Deployment", "2")
    result = rollback(namespace, "Deployment", soak=8)
    assert (result["code"], result["from_revision"], result["changed"]) == ("crash_loop", 2, True)


def test_revisions_of_another_owner_with_the_same_labels_do_not_count(namespace: str) -> None:
    release(namespace, "Deployment", "1")
    stranger = json.loads(kubectl("-n", namespace, "get", "replicasets", "-o", "json"))["items"][0]
    stranger["metadata"] = {
        "name": "stranger",
        "labels": stranger["metadata"]["labels"] | {"pod-template-hash": "other"},
        "annotations": {"deployment.kubernetes.io/revision": "0"},
        "ownerReferences": [
            {**stranger["metadata"]["ownerReferences"][0], "uid": "11111111-2222-3333-4444-555555555555"}
        ],
    }
    stranger["spec"]["replicas"] = 0
    stranger["spec"]["selector"]["matchLabels"]["pod-template-hash"] = "other"
    stranger["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] = "other"
    stranger.pop("status")
    kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(stranger))
    assert rollback(namespace, "Deployment")["code"] == "no_revision"


def test_paused_and_absent(namespace: str) -> None:
    assert rollback(namespace, "Deployment")["code"] == "not_found"
    release(namespace, "Deployment", "1", "2")
    kubectl("-n", namespace, "rollout", "pause", "deployment/shop")
    assert rollback(namespace, "Deployment")["code"] == "paused"


def test_diff_shows_names_and_hides_values(namespace: str) -> None:
    release(namespace, "Deployment", "hunter2secret", "swordfish9")
    diff = rollback(namespace, "Deployment", check=True, diff=True)["diff"][0]
    assert "hunter2secret" not in json.dumps(diff)
    assert "swordfish9" not in json.dumps(diff)
    assert diff["before"] != diff["after"]


def shop(namespace: str, number: str) -> Manifest:
    """The manifest of one version; the first has things that later ones have not."""
    spec = pod_spec(container(env=[{"name": "VERSION", "value": number}]))
    if number == "1":
        spec["containers"][0] |= {
            "envFrom": [{"configMapRef": {"name": "absent", "optional": True}}],
            "volumeMounts": [{"name": "files", "mountPath": "/files"}],
            "startupProbe": {"exec": {"command": ["true"]}, "periodSeconds": 2},
        }
        spec["volumes"] = [{"name": "files", "configMap": {"name": "absent", "optional": True}}]
    manifest = deployment("shop", spec)
    manifest["metadata"]["namespace"] = namespace
    return manifest


def bring(namespace: str, manifest: Manifest, **options: Any) -> dict[str, Any]:
    """Apply as ``kube_apply`` does and wait for the rollout."""
    applied = call_verb(kube_apply, objects=[manifest], **options)
    assert not applied.get("failed"), applied
    kubectl("-n", namespace, "rollout", "status", "deployment", "shop", "--timeout=60s")
    return applied


def owners(namespace: str) -> dict[str, Any]:
    """Owned fields by manager, without those of status."""
    shown = kubectl("-n", namespace, "get", "deployment", "shop", "-o", "json", "--show-managed-fields")
    rows = json.loads(shown)["metadata"]["managedFields"]
    return {row["manager"]: row["fieldsV1"] for row in rows if not row.get("subresource")}


def test_next_apply_meets_no_conflict(namespace: str) -> None:
    for number in ("1", "2"):
        manifest = shop(namespace, number)
        bring(namespace, manifest)
    assert rollback(namespace, "Deployment")["verdict"] == "success"
    applied = call_verb(kube_apply, objects=[manifest])
    assert applied["changed"], applied
    assert version(live(namespace, "Deployment")) == "2"


def test_the_fields_stay_with_who_applied_them(namespace: str) -> None:
    def note(text: str) -> None:
        meta = {"name": "shop", "namespace": namespace}
        noted = {"metadata": {"annotations": {"example.org/note": text}}}
        part = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": noted}}
        bring(namespace, part, field_manager="team")

    first = shop(namespace, "1")
    bring(namespace, first)
    note("one")
    before = owners(namespace)
    assert {"golive", "team"} <= before.keys()
    bring(namespace, shop(namespace, "2"))
    note("two")
    assert owners(namespace) != before
    assert rollback(namespace, "Deployment", to_revision=2)["verdict"] == "success"
    assert owners(namespace) == before
    generation = live(namespace, "Deployment")["metadata"]["generation"]
    for check in (True, False):
        again = call_verb(kube_apply, objects=[first], check=check)
        assert not again.get("failed"), again
        assert not again["changed"], again
    assert live(namespace, "Deployment")["metadata"]["generation"] == generation


def test_a_restart_that_comes_back_is_not_undone_by_the_next_apply(namespace: str) -> None:
    manifest = shop(namespace, "2")
    bring(namespace, manifest)
    kubectl("-n", namespace, "rollout", "restart", "deployment/shop")
    kubectl("-n", namespace, "rollout", "status", "deployment", "shop", "--timeout=60s")
    restarted = live(namespace, "Deployment")["spec"]["template"]
    assert rollback(namespace, "Deployment")["verdict"] == "success"
    assert live(namespace, "Deployment")["spec"]["template"] != restarted
    assert rollback(namespace, "Deployment")["verdict"] == "success"
    assert not bring(namespace, manifest)["changed"]
    assert live(namespace, "Deployment")["spec"]["template"] == restarted
