# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kube_track, kube_job and kube_rollback give the same result in process and as modules, and hide the same values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import kube_job
from tests.both_ways.harness import PLAYBOOKS, assert_same
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.situations import apply, container, deployment, job, pod_spec
from tests.e2e.kube_track.verbs import call_verb

SECRET = "hunter2secret"


def _task(verb: str, namespace: str, check: bool = False, **options: Any) -> dict[str, Any]:
    task = {f"golive.cutover.{verb}": {"namespace": namespace, **options}, "diff": True}
    return {**task, "check_mode": True} if check else task


@pytest.mark.parametrize("executable", PLAYBOOKS)
def test_same_results(executable: str, namespace: str, tmp_path: Path) -> None:
    for version in ("1", SECRET):
        apply(namespace, deployment("shop", pod_spec(container(env=[{"name": "PASSWORD", "value": version}]))))
        kubectl("-n", namespace, "rollout", "status", "deployment/shop", "--timeout=60s")
    apply(namespace, deployment("paused", paused=True))
    done = job("work", pod_spec(container("echo counted 42")))
    assert call_verb(kube_job, definition=done, namespace=namespace)["verdict"] == "success"
    other = job("work", pod_spec(container("true", env=[{"name": "PASSWORD", "value": SECRET}])))
    shop = {"kind": "Deployment", "name": "shop"}
    cases = {
        "arrived": _task("kube_track", namespace, objects=[shop], soak=0),
        "look": _task("kube_track", namespace, check=True, objects=[{"kind": "StatefulSet", "name": "absent"}]),
        "paused": _task("kube_track", namespace, objects=[{"kind": "Deployment", "name": "paused"}]),
        "job done": _task("kube_job", namespace, definition=done),
        "job planned": _task("kube_job", namespace, check=True, definition=other),
        "job wrong": _task("kube_job", namespace, definition={"kind": "Job"}),
        "rollback planned": _task("kube_rollback", namespace, check=True, **shop),
        "rollback none": _task("kube_rollback", namespace, to_revision=9, **shop),
        "rollback there": _task("kube_rollback", namespace, to_revision=2, soak=0, **shop),
    }
    inside, module = assert_same(executable, cases, tmp_path)
    changed = {name: inside.result(name)["changed"] for name in cases}
    assert {name for name, value in changed.items() if value} == {"job planned", "rollback planned"}
    failed = {name: inside.result(name)["code"] for name in cases if "code" in inside.result(name)}
    assert failed == {"paused": "paused", "job wrong": "bad_definition", "rollback none": "no_revision"}
    for ran in (inside, module):
        assert SECRET not in str([one["result"].get("diff") for one in ran.events])
