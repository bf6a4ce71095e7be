# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gate ends with its own time, whatever does not answer."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import health_gate
from tests.unit.kube.fault_server import SILENT, fault_server, silent_server

TUNNEL = {"namespace": "shop", "service": "shop-green"}
JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "smoke"}, "spec": {}}
# What a look at each kind needs of the API.
KINDS: dict[str, dict[str, Any]] = {
    "http": {"tunnel": TUNNEL, "path": "/"},
    "headers": {"tunnel": TUNNEL, "path": "/"},
    "tcp": {"tunnel": TUNNEL},
    "tls": {"tunnel": TUNNEL, "host": "shop.example.org"},
    "sql": {"tunnel": TUNNEL, "ready": True},
    "kube": {"object": {"namespace": "shop", "name": "shop-green"}, "rolled_out": True},
    "prometheus": {"tunnel": TUNNEL, "query": "up", "min": 1},
    "counters": {"kind": "prometheus", "tunnel": TUNNEL, "counters": {"bad": "b", "total": "t"}},
    "load": {"tunnel": TUNNEL, "path": "/", "load": {"dwell": 0.5}},
    "job": {"namespace": "shop", "definition": JOB},
    "exec": {"namespace": "shop", "pod": "shop-green-1", "command": ["true"]},
    "capacity": {"namespace": "shop"},
    "rights": {"namespace": "shop"},
    "pod_security": {"object": {"namespace": "shop", "name": "shop-green"}},
}
# For the answer to travel through this machine when it is busy; without a bound a look at a silent API takes minutes.
MARGIN_S = 3.0
GATE_S = 1.0


def stopped(host: str, *checks: dict[str, Any], **options: Any) -> tuple[GoliveError, float]:
    """How the gate ended that must not pass, and after how many seconds."""
    given = {"host": host, "validate_certs": True, "interval": 0.2, "timeout": GATE_S, "consecutive": 2}
    # The validation fills in what is given, so checks must not share it.
    wanted = json.loads(json.dumps({**given, "checks": list(checks), **options}))
    validated = ArgumentSpecValidator(health_gate.SPEC["argument_spec"]).validate(wanted)
    assert not validated.error_messages, validated.error_messages
    began = time.monotonic()
    with pytest.raises(GoliveError) as caught:
        health_gate.run(call_for_tests(validated.validated_parameters))
    return caught.value, time.monotonic() - began


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_api_that_is_silent_from_the_start_makes_it_inconclusive_in_time(kind: str) -> None:
    with silent_server() as host:
        error, seconds = stopped(host, {"name": "one", "kind": kind, **KINDS[kind]})
    assert (error.code, error.details["reasons"]) == ("gate_inconclusive", ["provider_down"]), error
    assert error.details["action"] == "abort"
    assert "No answer from the API server" in str(error) or "no answer from the API server" in str(error)
    assert GATE_S - 0.3 <= seconds < GATE_S + MARGIN_S


def test_all_kinds_together_take_no_longer() -> None:
    with silent_server() as host:
        checks = [{"name": kind, "kind": kind, **options} for kind, options in KINDS.items()]
        error, seconds = stopped(host, *checks, after_shift=True)
    assert (error.code, error.details["action"]) == ("gate_inconclusive", "hold")
    assert {row["reason"] for row in error.details["checks"]} == {"provider_down"}
    assert seconds < GATE_S + MARGIN_S


def test_a_gate_that_is_extended_ends_with_its_second_time() -> None:
    with silent_server() as host:
        error, seconds = stopped(host, {"name": "one", "kind": "http", **KINDS["http"]}, on_inconclusive="extend")
    assert (error.code, error.details["extended"]) == ("gate_inconclusive", True)
    assert 2 * GATE_S - 0.3 <= seconds < 2 * GATE_S + MARGIN_S


def test_an_api_that_falls_silent_later_is_no_pass() -> None:
    deployment = {
        "metadata": {"namespace": "shop", "name": "shop-green"},
        "status": {"conditions": [{"type": "Available", "status": "True"}]},
    }
    with fault_server() as script:
        script.on(
            "/apis/apps/v1", (200, {"resources": [{"kind": "Deployment", "name": "deployments", "namespaced": True}]})
        )
        script.on("/apis/apps/v1/namespaces/shop/deployments/shop-green", *[(200, deployment)] * 3, SILENT)
        one = {"name": "one", "kind": "kube", "object": KINDS["kube"]["object"], "timeout": 0.2}
        good = {**one, "conditions": {"Available": "True"}}
        error, seconds = stopped(script.url, good, consecutive=5, interval=0.05)
    (row,) = error.details["checks"]
    assert (error.code, row["reason"], row["passed"]) == ("gate_inconclusive", "provider_down", 3)
    assert row["attempts"] > 4
    assert seconds < GATE_S + MARGIN_S


def test_a_release_that_is_silent_fails_in_time() -> None:
    """What hangs is the release itself, for all of the gate's time and longer than it may take."""
    with silent_server() as url:
        check = {"name": "one", "kind": "http", "url": url, "timeout": 60}
        error, seconds = stopped("http://127.0.0.1:9", check)
        assert error.code == "gate_failed"
        assert seconds < GATE_S + MARGIN_S
        error, seconds = stopped(
            "http://127.0.0.1:9", {"name": "one", "kind": "load", "url": url, "load": {"dwell": 0.5}}
        )
    # Twice its time: too few answers are a reason to go on.
    assert (error.code, error.details["reasons"]) == ("gate_inconclusive", ["low_sample"])
    seconds -= GATE_S
    assert seconds < GATE_S + MARGIN_S


def test_a_call_without_a_deadline_has_all_the_time() -> None:
    call = call_for_tests({})
    assert (call.deadline(), call.left(5), call.for_undo().deadline()) == (math.inf, 5, math.inf)
