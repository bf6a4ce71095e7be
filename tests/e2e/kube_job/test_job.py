# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs run to their end once for each input, and nothing unfinished is left behind."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import Interrupted
from ansible_collections.golive.cutover.plugins.modules import kube_job
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.situations import container, job, pod_spec
from tests.e2e.kube_track.verbs import call_verb


def run(namespace: str, script: str, **options: Any) -> dict[str, Any]:
    """Run a Job with that script."""
    fields = options.pop("fields", {})
    definition = options.pop("definition", None) or job("work", pod_spec(container(script, **fields)))
    return call_verb(kube_job, definition=definition, namespace=namespace, **{"timeout": 60, **options})


def jobs(namespace: str) -> list[dict[str, Any]]:
    """What the cluster holds, by an independent witness."""
    found: list[dict[str, Any]] = json.loads(kubectl("-n", namespace, "get", "jobs", "-o", "json"))["items"]
    return found


def test_quartet(namespace: str) -> None:
    planned = run(namespace, "echo counted 42", check=True, diff=True)
    assert (planned["changed"], planned["verdict"], jobs(namespace)) == (True, "pending", [])
    assert planned["diff"][0]["before"] == ""
    assert "counted 42" in planned["diff"][0]["after"]
    ran = run(namespace, "echo counted 42")
    assert (ran["changed"], ran["verdict"], ran["exit_code"]) == (True, "success", 0)
    assert ran["log_tail"] == ["counted 42"]
    checked = run(namespace, "echo counted 42", check=True)
    again = run(namespace, "echo counted 42")
    for row in (checked, again):
        assert (row["changed"], row["verdict"], row["exit_code"], row["log_tail"]) == (
            False,
            "success",
            0,
            ["counted 42"],
        )
        assert row["job"] == ran["job"]
    assert len(jobs(namespace)) == 1


def test_rerun_and_another_input(namespace: str) -> None:
    first = run(namespace, "echo one")
    second = run(namespace, "echo one", rerun=True)
    assert second["changed"]
    assert second["job"]["name"] == first["job"]["name"]
    assert second["job"]["uid"] != first["job"]["uid"]
    other = run(namespace, "echo two")
    assert other["changed"]
    assert other["job"]["name"] != first["job"]["name"]


def test_failed_is_failed_and_runs_again(namespace: str) -> None:
    failed = run(namespace, "echo disk full >&2; exit 3", log_lines=5)
    assert failed["failed"]
    assert (failed["code"], failed["verdict"], failed["exit_code"]) == ("job_backoff_limit", "failure", 3)
    assert failed["log_tail"] == failed["cause"]["logs"] == ["disk full"]
    assert len(jobs(namespace)) == 1
    again = run(namespace, "echo disk full >&2; exit 3")
    assert again["failed"]
    assert again["job"]["uid"] != failed["job"]["uid"]


def test_failed_with_restarts_in_place_keeps_its_log(namespace: str) -> None:
    definition = job("work", pod_spec(container("echo broken pipe; sleep 2; exit 3"), restartPolicy="OnFailure"))
    failed = run(namespace, "", definition=definition)
    assert failed["code"] == "job_backoff_limit"
    assert failed["log_tail"] == ["broken pipe"]


def test_image_that_cannot_start_fails_fast_and_is_removed(namespace: str) -> None:
    failed = run(namespace, "", fields={"image": "registry.invalid/Tools:1"})
    assert (failed["code"], failed["exit_code"]) == ("image_name_invalid", None)
    assert failed["cause"]["seconds"] <= 10
    assert jobs(namespace) == []


def test_timeout_leaves_nothing_running(namespace: str) -> None:
    slow = run(namespace, "echo at work; exec sleep 600", timeout=15)
    assert (slow["code"], slow["verdict"], slow["log_tail"]) == ("timeout", "timeout", ["at work"])
    assert jobs(namespace) == []


def test_cancelled_run_removes_its_job(namespace: str) -> None:
    began = time.monotonic()

    def alive() -> None:
        if time.monotonic() - began > 4:
            raise Interrupted("cancelled")

    with pytest.raises(Interrupted):
        run(namespace, "exec sleep 600", call_options={"alive": alive})
    assert jobs(namespace) == []


def test_running_job_of_a_killed_run_is_followed(namespace: str) -> None:
    script = "sleep 6; echo finished"
    planned = run(namespace, script, check=True)
    definition = job("work", pod_spec(container(script)))
    definition["metadata"]["name"] = planned["job"]["name"]
    kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(definition))
    ran = run(namespace, script)
    assert (ran["verdict"], ran["log_tail"], len(jobs(namespace))) == ("success", ["finished"], 1)


def test_progress_shows_the_log_live(namespace: str) -> None:
    lines: list[str] = []
    run(
        namespace,
        "for i in 1 2 3 4; do echo step $i; sleep 1; done",
        call_options={"show": lambda text, done, total: lines.append(text)},
    )
    assert any("step 2" in line for line in lines)


def test_secrets_are_masked_in_logs_and_diff(namespace: str) -> None:
    script = "echo the password is hunter2secret"
    fields = {"env": [{"name": "PASSWORD", "value": "hunter2secret"}]}
    secrets = frozenset({"hunter2secret"})
    ran = run(namespace, script, fields=fields, call_options={"secrets": secrets})
    assert ran["log_tail"] == ["the password is ********"]
    planned = run(namespace, "true", fields=fields, check=True, diff=True)
    assert "hunter2secret" not in json.dumps(planned)


def test_ttl(namespace: str) -> None:
    ran = run(namespace, "true", ttl=1)
    assert ran["verdict"] == "success"
    kubectl("-n", namespace, "wait", "--for=delete", f"job/{ran['job']['name']}", "--timeout=30s")


@pytest.mark.parametrize("definition", [{"kind": "Job"}, {"apiVersion": "batch/v1", "kind": "CronJob"}])
def test_bad_definition(namespace: str, definition: dict[str, Any]) -> None:
    assert run(namespace, "", definition=definition)["code"] == "bad_definition"


def test_server_refuses_the_definition_also_in_check_mode(namespace: str) -> None:
    definition = job("work", pod_spec(container(), restartPolicy="Always"))
    for check in (True, False):
        assert run(namespace, "", definition=definition, check=check)["code"] == "invalid"


def test_check_mode_without_the_namespace(cluster: dict[str, str]) -> None:
    planned = run("golive-job-absent", "true", check=True)
    assert (planned.get("failed"), planned["changed"]) == (None, True)
