# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load on real releases: a good one passes, bad ones are seen within seconds, and every pod is seen to serve."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import health_gate
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.stand import Shop, perform


def load(shop: Shop, colour: str, **options: Any) -> dict[str, Any]:
    """A check that puts one colour under load through a tunnel."""
    settings = {"rate": 20, "dwell": 10, **options}
    way = {"namespace": shop.namespace, "service": f"{shop.name}-{colour}"}
    return {"name": "load", "kind": "load", "path": "/notes", "tunnel": way, "load": settings}


def gate(*checks: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A gate that passes."""
    return perform(health_gate, {"checks": list(checks), "timeout": 90, **options})


def stopped(*checks: dict[str, Any], code: str = "gate_failed", **options: Any) -> tuple[GoliveError, float]:
    """The error of a gate that must end with this code, and the seconds of the load until then."""
    with pytest.raises(GoliveError) as caught:
        gate(*checks, **options)
    assert caught.value.code == code, caught.value
    return caught.value, float(caught.value.details["seconds"])


def test_a_good_release_passes_when_every_pod_served(blue: Shop) -> None:
    # The whole cluster shares this machine: no time is a bound here.
    result = gate(load(blue, "blue", slow=[]))
    values = result["checks"][0]["last"]["values"]
    pods = kubectl(
        *("-n", blue.namespace, "get", "pods", "-o", "jsonpath={.items[*].metadata.name}"),
        *("-l", f"app.kubernetes.io/name={blue.name}"),
    ).split()
    assert set(values["pods"]["served"]) == set(pods)
    assert (result["verdict"], values["pods"]["ready"], values["pods"]["restarted"]) == ("pass", 2, [])
    assert values["seconds"] >= 10
    assert set(result["series"][1]["ok"]) == {"blue"}


@pytest.mark.parametrize(("version", "said"), [("3.0.0-errors", "errors: "), ("3.0.0-slow", "slower than 1 s: ")])
def test_a_bad_release_is_seen_within_seconds(blue: Shop, version: str, said: str) -> None:
    blue.deploy("green", version, wait=False)
    blue.rolled_out("green")
    error, seconds = stopped(load(blue, "green", dwell=150), timeout=200)
    assert said in error.message
    assert seconds < 100
    test = next(row for row in error.details["checks"][0]["last"]["values"]["tests"] if row["verdict"] == "fail")
    # A request that timed out knows no pod.
    pods = [row["pod"] for row in test["first_bad"] if row["pod"]]
    assert all(name.startswith(f"{blue.name}-green") for name in pods)
    assert test["z"] >= test["fails_at"]


def test_errors_are_those_of_the_new_release_alone(blue: Shop) -> None:
    blue.deploy("green", "3.0.0-errors", wait=False)
    blue.rolled_out("green")
    live = {"tunnel": {"namespace": blue.namespace, "service": f"{blue.name}-blue"}}
    error, _seconds = stopped(load(blue, "green", dwell=150, slow=[], compare=live), timeout=200)
    test = error.details["checks"][0]["last"]["values"]["tests"][0]
    assert test["verdict"] == "fail"
    assert test["old"]["bad"] < test["bad"]


def test_the_live_address_under_load_and_a_container_that_restarts(blue: Shop) -> None:
    url = {"name": "live", "kind": "load", "url": f"{blue.url}/notes"}
    watched = {"pods": {"namespace": blue.namespace, "service": f"{blue.name}-blue"}}
    settings = {"rate": 40, "dwell": 6, "after_shift": True, "slow": [], **watched}
    assert gate({**url, "load": settings})["downtime_ms"] == 0
    pod = kubectl(
        *("-n", blue.namespace, "get", "pods", "-l", f"app.kubernetes.io/name={blue.name}"),
        *("-o", "jsonpath={.items[0].metadata.name}"),
    )
    image = kubectl("-n", blue.namespace, "get", "pod", pod, "-o", "jsonpath={.spec.containers[0].image}")
    patch = '{"spec":{"containers":[{"name":"app","image":"%s"}]}}'
    other = image.rpartition(":")[0] + ":2.0.0"
    # A new image restarts the container in its pod, after the drain.
    kubectl("-n", blue.namespace, "patch", "pod", pod, "-p", patch % other)
    error, seconds = stopped({**url, "load": {**settings, "dwell": 150}}, timeout=200)
    assert seconds < 100
    assert error.details["checks"][0]["verdict"] == "fail"
