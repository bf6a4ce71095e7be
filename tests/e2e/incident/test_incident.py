# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an incident finds in a real namespace: pods in trouble, their events, who changed what; and no secret of it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import incident
from tests.both_ways.harness import PLAYBOOKS, assert_same
from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import Audit
from tests.e2e.kube_track.verbs import call_verb

HIDDEN = "hunter2-of-the-shop"
OPEN = {"severity": "P2", "summary": "it is slow", "who": "ada"}


def act(namespace: str, folder: Path, action: str, **options: Any) -> dict[str, Any]:
    fixed = {"app": "shop", "namespace": namespace, "directory": str(folder / "incidents")}
    return call_verb(incident, action=action, **{**fixed, **options})


@pytest.fixture
def broken(namespace: str) -> str:
    """A namespace with a Deployment whose pods cannot start, and a Secret and an event that hold something."""
    container = {"name": "shop", "image": "registry.invalid/shop:1", "imagePullPolicy": "Never"}
    labels = {"app.kubernetes.io/name": "shop"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": pod}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop-blue"}, "spec": spec}
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "shop.1"}, "type": "Warning", "reason": "Refused",
        "message": f"dial postgresql://shop:{HIDDEN}@db/shop: refused",
        "involvedObject": {"kind": "Pod", "name": "shop", "namespace": namespace},
    }  # fmt: skip
    for made in (deployment, event):
        kubectl("-n", namespace, "create", "--field-manager=ada", "-f", "-", stdin=json.dumps(made))
    kubectl("-n", namespace, "create", "secret", "generic", "shop", f"--from-literal=password={HIDDEN}")
    end = time.monotonic() + 60
    while "ErrImageNeverPull" not in kubectl("-n", namespace, "get", "pods", "-o", "json"):
        assert time.monotonic() < end
        time.sleep(0.5)
    return namespace


def test_quartet(broken: str, tmp_path: Path, audit: Audit) -> None:
    audit.mark()
    assert act(broken, tmp_path, "open", collect=True, check=True, **OPEN)["changed"] is True
    first = act(broken, tmp_path, "open", collect=True, snapshot={"traffic": {"live": "blue"}}, **OPEN)
    assert first["changed"] is True
    again = [act(broken, tmp_path, "open", collect=True, check=check, **OPEN) for check in (True, False)]
    assert [one["changed"] for one in again] == [False, False]
    assert audit.writes(broken) == []

    scene = first["incident"]["entries"][-1]["scene"]
    assert set(scene) == {"traffic", "pods", "events", "workloads", "changes"}
    (pod,) = scene["pods"]
    assert (pod["ready"], pod["phase"], "ErrImageNeverPull" in pod["trouble"]) == ("0/1", "Pending", True)
    (refused,) = [row for row in scene["events"] if row["reason"] == "Refused"]
    assert refused["message"] == "dial postgresql://shop:********@db/shop: refused"
    assert scene["workloads"][0]["ready"] == "0/1"
    assert ("Deployment shop-blue", "ada") in [(row["object"], row["by"]) for row in scene["changes"]]
    for place in (first["file"], first["page"]):
        assert HIDDEN not in Path(place).read_text()
    assert HIDDEN not in json.dumps(first)
    assert "ErrImageNeverPull" in Path(first["page"]).read_text()


@pytest.mark.parametrize("executable", PLAYBOOKS)
def test_both_ways(executable: str, namespace: str, tmp_path: Path) -> None:
    options = {"app": "shop", "namespace": namespace, "directory": "incidents", "id": "i-1", "who": "ada"}
    cases = {
        "nothing": {"golive.cutover.incident": {**options, "action": "read"}},
        "not there": {"golive.cutover.incident": {**options, "action": "close"}},
    }
    assert_same(executable, cases, tmp_path)
