# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode, run, check again, run again, with the audit log as witness; and both ways to run the verb."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.both_ways.harness import PLAYBOOKS, assert_same, run_both
from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import Audit, actions, apply, live

APP = yaml.safe_load((Path(__file__).parent / "app.yml").read_text(encoding="utf-8"))
OBJECTS: list[dict[str, Any]] = APP["items"]


def _app(namespace: str) -> dict[str, Any]:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    return {"objects": [space, *OBJECTS], "namespace": namespace, "set": "shop", "prune": True}


def test_quartet(fresh: str, audit: Audit) -> None:
    planned = apply(check=True, diff=True, **_app(fresh))
    assert planned["changed"]
    assert set(actions(planned).values()) == {"created"}
    assert {row["decided_by"] for row in planned["objects"]} == {"server", "local"}
    assert len(planned["diff"]) == len(planned["objects"])
    assert audit.writes(fresh) == []
    assert kubectl("get", "namespace", fresh, "--ignore-not-found") == ""

    done = apply(**_app(fresh))
    assert actions(done) == actions(planned)
    assert {row["decided_by"] for row in done["objects"]} == {"server"}
    assert live(fresh, "deployment", "shop-blue", "spec.replicas") == 0

    audit.mark()
    again = apply(check=True, diff=True, **_app(fresh))
    assert not again["changed"]
    assert again["diff"] == []
    second = apply(**_app(fresh))
    assert not second["changed"]
    assert {row["decided_by"] for row in second["objects"]} == {"read"}
    assert {verb for verb, _uri in audit.requests(fresh)} <= {"get", "list"}


def test_check_mode_on_a_live_set_changes_nothing(namespace: str, audit: Audit) -> None:
    apply(**_app(namespace))
    before = json.loads(kubectl("-n", namespace, "get", "configmap,secret,deployment,service,hpa", "-o", "json"))
    changed = json.loads(json.dumps(OBJECTS).replace("notes:1.0.0", "notes:2.0.0"))
    gone = [row for row in changed if row["kind"] != "ConfigMap"]
    audit.mark()
    planned = apply(check=True, diff=True, objects=gone, namespace=namespace, set="shop", prune=True)
    assert actions(planned)["Deployment shop-blue"] == "updated"
    assert [row["action"] for row in planned["pruned"]] == ["pruned"]
    apply(check=True, objects=OBJECTS, namespace=namespace, state="absent")
    assert audit.writes(namespace) == []
    after = json.loads(kubectl("-n", namespace, "get", "configmap,secret,deployment,service,hpa", "-o", "json"))
    names = [(row["kind"], row["metadata"]["name"], row.get("spec")) for row in before["items"]]
    assert [(row["kind"], row["metadata"]["name"], row.get("spec")) for row in after["items"]] == names


@pytest.mark.parametrize("executable", PLAYBOOKS)
def test_both_ways_and_no_secret_at_any_verbosity(executable: str, namespace: str, tmp_path: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "planted"}}
    first = {"objects": [{**secret, "stringData": {"key": "planted-one-4711"}}], "namespace": namespace}
    second = {"objects": [{**secret, "stringData": {"key": "planted-two-4711"}}], "namespace": namespace}
    wrong = {"objects": [{**secret, "stringData": {"key": "planted-six-4711"}, "tipe": "x"}], "namespace": namespace}
    apply(**first)
    remove = {"golive.cutover.kube_apply": {**first, "state": "absent"}, "check_mode": True}
    cases = {
        "unchanged": {"golive.cutover.kube_apply": first},
        "would change": {"golive.cutover.kube_apply": second, "check_mode": True},
        "would go": remove,
        "wrong field": {"golive.cutover.kube_apply": wrong},
        "no input": {"golive.cutover.kube_apply": {"namespace": namespace}},
        "prune without set": {"golive.cutover.kube_apply": {**first, "prune": True}},
    }
    inside, module = assert_same(executable, cases, tmp_path / "quiet", "--diff")
    assert inside.result("would change")["changed"]
    assert inside.result("wrong field")["code"] == "unknown_field"
    assert "(new)" in inside.out
    loud = run_both(executable, cases, tmp_path / "loud", "--diff", "-vvv")
    for ran in (inside, module, *loud):
        assert "4711" not in ran.out
