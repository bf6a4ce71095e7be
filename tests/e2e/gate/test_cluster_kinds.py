# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that work inside of the cluster: Jobs, commands in pods, pod security, rights and capacity."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import Interrupted
from ansible_collections.golive.cutover.plugins.modules import health_gate
from tests.both_ways.harness import PLAYBOOKS, comparable, run_both
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.situations import LABEL, container, deployment, job, pod_spec
from tests.e2e.kube_track.verbs import call_verb

SAFE = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def rare(*values: Any) -> Any:
    """A case of the long series only."""
    return pytest.param(*values, marks=pytest.mark.series)


def gate(*checks: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A quick gate; its result, or its failure."""
    return call_verb(health_gate, checks=list(checks), **{"interval": 0.2, "consecutive": 2, "timeout": 60, **options})


def task(namespace: str, script: str, **options: Any) -> dict[str, Any]:
    """A check that runs a Job with that script."""
    return {
        "name": "smoke",
        "kind": "job",
        "namespace": namespace,
        "definition": job("smoke", pod_spec(container(script))),
        **options,
    }


def jobs(namespace: str) -> list[str]:
    return kubectl("-n", namespace, "get", "jobs", "-o", "name").split()


def no_jobs(namespace: str) -> bool:
    """Deletion is in the background, so wait a little."""
    end = time.monotonic() + 20
    while jobs(namespace) and time.monotonic() < end:
        kubectl("-n", namespace, "wait", "--for=delete", "jobs", "--all", "--timeout=5s", check=False)
    return not jobs(namespace)


@pytest.fixture(scope="module")
def rooms(cluster: dict[str, str]) -> Iterator[str]:
    """A namespace with a Deployment of one pod that has a shell."""
    name = f"golive-kinds-{time.time_ns() % 10**8}"
    kubectl("create", "namespace", name)
    app = deployment("shell", pod_spec(container(securityContext=SAFE)))
    kubectl("apply", "-n", name, "-f", "-", stdin=json.dumps(app))
    kubectl("-n", name, "rollout", "status", "deployment/shell", "--timeout=120s")
    yield name
    kubectl("delete", "namespace", name, "--wait=false", check=False)


def command(namespace: str, *words: str, **options: Any) -> dict[str, Any]:
    """A check that runs a command in the pod of ``rooms``."""
    row = {"name": "inside", "kind": "exec", "namespace": namespace, "labels": {LABEL: "shell"}, "command": list(words)}
    return {**row, **options}


def test_a_job_and_its_result_quartet(rooms: str) -> None:
    script = """echo starting; echo '{"rows": 42, "state": {"ok": true}}'"""
    check = task(rooms, script, expect=[{"name": "rows", "min": 40}, {"name": "state.ok", "equals": True}])
    planned = gate(check, check=True)
    assert (planned["verdict"], planned["checks"][0]["last"]["seen"]) == ("pass", "not run in check mode")
    assert jobs(rooms) == []
    for mode in (False, True, False):
        result = gate(check, check=mode)
        assert (result["verdict"], result["changed"]) == ("pass", False), result
        assert mode or result["checks"][0]["last"]["values"]["rows"] == 42
        assert no_jobs(rooms)


@pytest.mark.parametrize(
    ("script", "options", "said"),
    [
        ("echo disk full; exit 3", {}, "Last line: disk full"),
        rare("echo fine", {"contains": "excellent"}, "do not contain 'excellent'"),
        rare("echo fine", {"expect": [{"name": "rows", "min": 1}]}, "no line of its log is a JSON object"),
        ("""echo '{"rows": 0}'""", {"expect": [{"name": "rows", "min": 1}]}, "rows is 0, below 1"),
        ("sleep 300", {"timeout": 6}, "timed out"),
    ],
)
def test_a_job_that_is_not_as_wanted_fails_the_gate(
    rooms: str, script: str, options: dict[str, Any], said: str
) -> None:
    result = gate(task(rooms, script, **options))
    assert (result["code"], result["verdict"]) == ("gate_failed", "fail"), result
    assert said in result["msg"]
    assert no_jobs(rooms)


def test_a_job_that_the_gate_does_not_wait_for_is_removed(rooms: str) -> None:
    result = gate(task(rooms, "sleep 300"), timeout=4, on_inconclusive="hold")
    assert (result["code"], result["reasons"], result["action"]) == ("gate_inconclusive", ["low_sample"], "hold")
    assert no_jobs(rooms)


def test_other_checks_go_on_while_a_job_runs(rooms: str) -> None:
    result = gate(task(rooms, "sleep 4"), command(rooms, "true"))
    assert result["verdict"] == "pass"
    assert result["checks"][1]["attempts"] > 3


def test_an_interrupted_gate_leaves_no_job(rooms: str) -> None:
    begun = time.monotonic()

    def alive() -> None:
        if time.monotonic() - begun > 3:
            raise Interrupted("cancelled")

    with pytest.raises(Interrupted):
        gate(task(rooms, "sleep 300"), call_options={"alive": alive})
    assert no_jobs(rooms)


def test_a_job_that_the_server_refuses(rooms: str) -> None:
    result = gate(task("golive-no-such-namespace", "true"))
    assert result["code"] == "gate_failed"
    assert "not found" in result["msg"]


def test_commands_in_a_pod_quartet(rooms: str) -> None:
    checks = [
        command(rooms, "sh", "-c", "echo ready; echo warm >&2", name="says", contains="ready"),
        command(rooms, "sh", "-c", "exit 7", name="seven", exit_code=7),
    ]
    for mode in (True, False, True, False):
        result = gate(*checks, check=mode)
        assert (result["verdict"], result["changed"]) == ("pass", False), result
    says, seven = (row["last"]["values"] for row in result["checks"])
    assert (says["log_tail"], seven["exit_code"]) == (["ready", "warm"], 7)


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        (("sh", "-c", "echo broken; exit 7"), {}, "exit code 7 where 0 is wanted; last line: broken"),
        (("echo", "cold"), {"contains": "warm"}, "the output does not contain 'warm'"),
        (("no-such-command",), {}, "no-such-command"),
        (("sleep", "300"), {"timeout": 1}, "took longer than 1 s"),
        rare(("true",), {"labels": {LABEL: "nobody"}}, "is ready"),
        rare(("true",), {"labels": None, "pod": "nobody"}, "not found"),
    ],
)
def test_a_command_that_is_not_as_wanted_fails(
    rooms: str, words: tuple[str, ...], options: dict[str, Any], said: str
) -> None:
    result = gate(command(rooms, *words, **options), timeout=3)
    assert (result["code"], result["verdict"]) == ("gate_failed", "fail"), result
    assert said in result["msg"]


def test_a_command_that_takes_too_long_is_killed_with_its_children(rooms: str) -> None:
    result = gate(command(rooms, "sh", "-c", "sleep 2987; true", timeout=1), timeout=3)
    # The last look ends with the gate.
    assert "took longer than" in result["msg"]
    listing = "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$file; echo; done"
    running = kubectl("-n", rooms, "exec", "deployment/shell", "--", "sh", "-c", listing)
    assert "sleep 3600" in running
    assert "sleep 2987" not in running


def test_without_the_right_nothing_can_be_told(rooms: str) -> None:
    token = kubectl("-n", rooms, "create", "token", "default").strip()
    server = kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    nobody = {"host": server, "api_key": token, "validate_certs": False, "kubeconfig": None}
    result = gate(command(rooms, "true", labels=None, pod="any"), timeout=2, on_inconclusive="hold", **nobody)
    assert (result["code"], result["reasons"]) == ("gate_inconclusive", ["provider_down"])


def pods_of_every_sort() -> dict[str, dict[str, Any]]:
    return {
        "safe": pod_spec(container(securityContext=SAFE)),
        "root": pod_spec(container(securityContext={**SAFE, "runAsUser": 0})),
        "plain": pod_spec(),
        "host network": pod_spec(container(securityContext=SAFE), hostNetwork=True),
        "host path": pod_spec(container(securityContext=SAFE), volumes=[{"name": "root", "hostPath": {"path": "/"}}]),
        "privileged": pod_spec(container(securityContext={"privileged": True})),
        "capability": pod_spec(
            container(securityContext={**SAFE, "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}})
        ),
        "bind": pod_spec(
            container(securityContext={**SAFE, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}})
        ),
        "pod level": pod_spec(
            container(securityContext={"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}),
            securityContext={"runAsNonRoot": True, "runAsUser": 5, "seccompProfile": {"type": "RuntimeDefault"}},
        ),
    }


def _pod_of(app: dict[str, Any]) -> dict[str, Any]:
    spec = app["spec"]["template"]["spec"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": app["metadata"]["name"]}, "spec": spec}


def test_pod_security_agrees_with_the_server(namespace: str) -> None:
    """Pod Security admission of the API server judges the same pods by dry run."""
    # A Deployment is admitted whatever its pods are, so the check can read it.
    apps = {name: deployment(name.replace(" ", "-"), spec, replicas=0) for name, spec in pods_of_every_sort().items()}
    everything = {"apiVersion": "v1", "kind": "List", "items": list(apps.values())}
    kubectl("-n", namespace, "apply", "-f", "-", stdin=json.dumps(everything))
    pods = {**everything, "items": [_pod_of(app) for app in apps.values()]}
    trial = ("create", "--dry-run=server", "-o", "name", "-f", "-")
    for level in ("baseline", "restricted"):
        kubectl("label", "namespace", namespace, f"pod-security.kubernetes.io/enforce={level}", "--overwrite")
        admitted = kubectl("-n", namespace, *trial, stdin=json.dumps(pods), check=False)
        for name, app in apps.items():
            place = {"namespace": namespace, "name": app["metadata"]["name"]}
            row = {"name": "pods", "kind": "pod_security", "object": place, "level": level}
            result = gate(row, consecutive=1, timeout=0.5)
            server_says = f"pod/{app['metadata']['name']}\n" in admitted
            assert (result["verdict"] == "pass") == server_says, (level, name, result)


def test_rights_of_a_service_account(namespace: str) -> None:
    check = {"name": "rights", "kind": "rights", "namespace": namespace}
    assert gate(check)["verdict"] == "pass"
    kubectl(
        "-n", namespace, "create", "rolebinding", "much", "--clusterrole=edit", f"--serviceaccount={namespace}:default"
    )
    result = gate(check, timeout=1)
    assert result["verdict"] == "fail"
    for right in ("list secrets", "create pods/exec", "patch deployments"):
        assert f"default may {right}" in result["msg"]
    assert "may create rolebindings" not in result["msg"]
    denied = [{"verb": "delete", "resource": "nodes"}]
    assert gate({**check, "denied": denied})["verdict"] == "pass"


def test_capacity_of_a_namespace(namespace: str) -> None:
    check = {"name": "room", "kind": "capacity", "namespace": namespace}
    nothing = gate(check, timeout=1, on_inconclusive="hold")
    assert (nothing["code"], nothing["reasons"]) == ("gate_inconclusive", ["no_data"])
    kubectl("-n", namespace, "create", "quota", "room", "--hard=configmaps=10,pods=4")
    assert gate(check, timeout=20)["verdict"] == "pass"
    for number in range(9):
        kubectl("-n", namespace, "create", "configmap", f"filler-{number}", check=False)
    result = gate(check, timeout=3)
    assert result["verdict"] == "fail"
    assert "of configmaps is used" in result["msg"]
    assert gate({**check, "max": 1})["verdict"] == "pass"


def test_enterprise_profile_on_a_real_app(rooms: str) -> None:
    """The checks of the cluster; what needs HTTP is left out by overrides."""
    kubectl("-n", rooms, "create", "quota", "room", "--hard=pods=20", check=False)
    left_out = dict.fromkeys(("ready", "load"), False)
    app = {"namespace": rooms, "service": "none", "workload": "shell"}
    result = call_verb(
        health_gate, profile="enterprise", app=app, overrides=left_out, consecutive=2, interval=0.2, timeout=20
    )
    assert result["code"] == "gate_failed"
    assert "no approval is recorded" in result["msg"]
    approval = {"by": "A. Person", "until": "2999-01-01T00:00:00Z", "reference": "CHG-1"}
    result = call_verb(
        health_gate,
        profile="enterprise",
        app={**app, "approval": approval},
        overrides=left_out,
        consecutive=2,
        interval=0.2,
        timeout=20,
    )
    assert result["verdict"] == "pass", result
    rows = {row["name"]: row for row in result["checks"]}
    assert rows.keys() == {"workload", "pod security", "rights", "capacity", "approval"}
    assert rows["approval"]["last"]["values"] == approval


@pytest.mark.parametrize("executable", PLAYBOOKS)
def test_both_ways(executable: str, rooms: str, tmp_path: Path) -> None:
    rules = {"consecutive": 1, "interval": 0.2, "timeout": 30}
    name = "golive.cutover.health_gate"
    cases = {
        "pass": {name: {"checks": [task(rooms, "echo done"), command(rooms, "true")], **rules}},
        "fail": {name: {"checks": [task(rooms, "exit 4")], **rules}},
        "profile": {name: {"profile": "mvp", "app": {"namespace": rooms}, **rules}},
    }
    inside, module = run_both(executable, cases, tmp_path)
    for case, event in {"pass": "ok", "fail": "failed", "profile": "failed"}.items():
        left, right = (ran.of(case)[0] for ran in (inside, module))
        assert left["event"] == right["event"] == event
        assert _told(left["result"]) == _told(right["result"])
    assert no_jobs(rooms)


def _told(result: dict[str, Any]) -> dict[str, Any]:
    """A result without times, numbers of looks and the numbers of a Job's run."""
    unlike = {"attempts": None, "passed": None, "latency_ms": None, "failed": None, "in_a_row": None}
    rows = [
        {**row, **unlike, "last": {**row["last"], "seen": _without_counts(row["last"]["seen"])}}
        for row in comparable(result.get("checks") or [])
    ]
    return {**comparable(result), "checks": rows, "msg": _without_counts(result.get("msg", ""))}


def _without_counts(text: str) -> str:
    return re.sub(r"\d+(\.\d+)? (s|of)\b", "<n>", text)
