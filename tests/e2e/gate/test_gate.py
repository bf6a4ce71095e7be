# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate against a real app, a real database and the real API."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import health_gate
from tests.e2e.conftest import kubectl
from tests.e2e.flow.faulty_api import Faults, faulty_api
from tests.e2e.traffic.stand import Shop, perform

PASSWORD = "only-for-this-test"


def gate(*checks: dict[str, Any], **options: Any) -> dict[str, Any]:
    """A quick gate that passes."""
    return perform(health_gate, {"checks": list(checks), "consecutive": 2, "interval": 0.2, "timeout": 15, **options})


def stopped(*checks: dict[str, Any], code: str = "gate_failed", **options: Any) -> dict[str, Any]:
    """A quick gate that must end with this code; the details of its error."""
    with pytest.raises(GoliveError) as caught:
        gate(*checks, **{"timeout": 2, **options})
    assert caught.value.code == code, caught.value
    assert caught.value.message
    return {**caught.value.details, "msg": str(caught.value)}


def database(shop: Shop, **options: Any) -> dict[str, Any]:
    """A check of the app's database through a tunnel."""
    postgresql = {"database": "notes", "user": "notes", "password": PASSWORD}
    way = {"namespace": shop.namespace, "service": "database"}
    return {"name": "database", "kind": "sql", "tunnel": way, "postgresql": postgresql, **options}


def preview(shop: Shop, **options: Any) -> dict[str, Any]:
    """A check of the blue colour through a tunnel."""
    way = {"namespace": shop.namespace, "service": f"{shop.name}-blue"}
    return {"name": "preview", "kind": "http", "tunnel": way, "path": "/readyz", **options}


def workload(shop: Shop, **options: Any) -> dict[str, Any]:
    """A check of the blue Deployment."""
    place = {"namespace": shop.namespace, "name": f"{shop.name}-blue"}
    return {"name": "workload", "kind": "kube", "object": place, **options}


def test_every_kind_passes_and_again_and_in_check_mode(blue: Shop) -> None:
    host, port = blue.url.removeprefix("http://").split(":")
    options = {
        "checks": [
            {"name": "live", "kind": "http", "url": f"{blue.url}/readyz", "expect_headers": {"X-App-Colour": "blue"}},
            preview(blue, contains="ready", max_latency=3),
            {"name": "port", "kind": "tcp", "host": host, "port": int(port)},
            {"name": "pod port", "kind": "tcp", "tunnel": {"namespace": blue.namespace, "service": "database"}},
            database(blue, ready=True),
            database(blue, name="rows", query="SELECT 3 AS n, true AS up", expect=[
                {"name": "n", "min": 1, "max": 5}, {"name": "up", "equals": True},
            ]),
            workload(
                blue, rolled_out=True, max_restarts=0, conditions={"Available": "True"},
                expect=[{"name": "status.readyReplicas", "min": 2}],
            ),
        ],
        "consecutive": 3, "interval": 0.2, "timeout": 30,
    }  # fmt: skip
    for check_mode in (True, False, True, False):
        result = perform(health_gate, options, check_mode=check_mode)
        assert (result["verdict"], result["changed"], result["reasons"]) == ("pass", False, [])
        assert {row["verdict"] for row in result["checks"]} == {"pass"}
        assert all(row["in_a_row"] >= 3 and row["latency_ms"]["max"] > 0 for row in result["checks"])
    rows = {row["name"]: row for row in result["checks"]}
    assert rows["rows"]["last"]["values"] == {
        "latency_ms": rows["rows"]["last"]["values"]["latency_ms"],
        "rows": 1,
        "n": 3,
        "up": True,
    }
    assert rows["workload"]["last"]["values"]["restarts"] == 0
    assert PASSWORD not in json.dumps(result)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"status": [418]}, "status 200 where 418 is wanted"),
        ({"contains": "no such text"}, "does not contain"),
        ({"expect_headers": {"X-App-Colour": "green"}}, "X-App-Colour is 'blue'"),
        ({"max_latency": 0.000001, "timeout": 3}, "slower than 0.001 ms"),
        ({"path": "/nowhere"}, "status 404 where 200 to 299"),
    ],
)
def test_an_answer_beyond_its_threshold_fails(blue: Shop, options: dict[str, Any], said: str) -> None:
    details = stopped(preview(blue, **options))
    row = details["checks"][0]
    assert (details["verdict"], row["verdict"], row["passed"]) == ("fail", "fail", 0)
    assert said in row["last"]["seen"]
    assert said in details["msg"]
    assert row["attempts"] == sum(seen["times"] for seen in row["failed"]) >= 2


def test_rows_that_are_not_as_wanted_fail(blue: Shop) -> None:
    rule = {"name": "n", "max": 2}
    assert "n is 3, above 2" in stopped(database(blue, query="SELECT 3 AS n", expect=[rule]))["msg"]
    assert "rows is 0, below 1" in stopped(database(blue, query="SELECT 1 WHERE false", min_rows=1))["msg"]
    assert "no column m" in stopped(database(blue, query="SELECT 3 AS n", expect=[{"name": "m", "min": 1}]))["msg"]


def test_a_query_that_writes_is_refused(blue: Shop) -> None:
    details = stopped(database(blue, query="INSERT INTO notes (text) VALUES ('written by a gate') RETURNING id"))
    assert "read_only" in details["msg"]


def test_ready_does_not_need_to_be_let_in(blue: Shop) -> None:
    wrong = {"postgresql": {"database": "notes", "user": "nobody-of-that-name"}}
    assert gate(database(blue, ready=True, **wrong))["verdict"] == "pass"
    assert "auth_failed" in stopped(database(blue, query="SELECT 1", **wrong))["msg"]


def test_password_comes_from_a_secret_and_is_never_shown(blue: Shop) -> None:
    kubectl("-n", blue.namespace, "create", "secret", "generic", "gate", f"--from-literal=password={PASSWORD}")
    postgresql = {"database": "notes", "user": "notes", "password_secret": {"name": "gate"}}
    query = f"SELECT '{PASSWORD}' AS word"
    result = gate(database(blue, postgresql=postgresql, query=query, expect=[{"name": "word", "equals": PASSWORD}]))
    assert result["verdict"] == "pass"
    assert PASSWORD not in json.dumps(result)


def test_a_missing_object_fails_and_a_broken_way_is_inconclusive(blue: Shop) -> None:
    gone = {"namespace": blue.namespace, "name": "nothing"}
    assert stopped(workload(blue, object=gone, rolled_out=True))["verdict"] == "fail"
    nowhere = {"host": "https://127.0.0.1:9", "api_key": "none", "timeout": 0.5}
    details = stopped(workload(blue, rolled_out=True), code="gate_inconclusive", on_inconclusive="hold", **nowhere)
    assert (details["verdict"], details["reasons"], details["action"]) == ("inconclusive", ["provider_down"], "hold")


def test_no_row_is_no_data_and_extends_once(blue: Shop) -> None:
    check = database(blue, query="SELECT 1 AS n WHERE false", expect=[{"name": "n", "min": 1}])
    begin = time.monotonic()
    details = stopped(check, code="gate_inconclusive", on_inconclusive="extend", timeout=1.5)
    assert (details["reasons"], details["extended"]) == (["no_data"], True)
    assert 2 < time.monotonic() - begin < 10


def test_no_ready_pod_is_bad_and_fails_early_when_asked(blue: Shop) -> None:
    green = {"namespace": blue.namespace, "service": f"{blue.name}-green"}
    begin = time.monotonic()
    details = stopped(preview(blue, tunnel=green), timeout=60, failures=3)
    assert time.monotonic() - begin < 10
    assert (details["verdict"], details["checks"][0]["attempts"]) == ("fail", 3)
    assert "no pod is ready" in details["msg"]


def test_a_closed_port_is_bad_whichever_way(blue: Shop) -> None:
    assert "refused" in stopped({"name": "shut", "kind": "tcp", "host": "127.0.0.1", "port": 9})["msg"]
    assert "refused" in stopped({"name": "shut", "kind": "http", "url": "http://127.0.0.1:9/"})["msg"]
    pod = kubectl("-n", blue.namespace, "get", "pods", "-l", "app.kubernetes.io/name=database", "-o", "name").strip()
    way = {"namespace": blue.namespace, "pod": pod.removeprefix("pod/"), "port": "9999"}
    details = stopped(
        {"name": "tcp", "kind": "tcp", "tunnel": {**way}},
        {"name": "http", "kind": "http", "path": "/", "tunnel": {**way}},
        database(blue, tunnel={**way}, query="SELECT 1"),
    )
    assert [row["verdict"] for row in details["checks"]] == ["fail"] * 3
    assert details["msg"].count("refused") >= 3


@pytest.mark.parametrize("fault", [Faults(share=1), Faults(silent=True)], ids=["failing", "silent"])
def test_a_way_that_is_cut_says_nothing_against_the_release(blue: Shop, tmp_path: Path, fault: Faults) -> None:
    short = {"timeout": 1}
    way = {"tunnel": {"namespace": blue.namespace, "service": "database"}}
    checks = [
        preview(blue, **short),
        {"name": "tcp", "kind": "tcp", **way, **short},
        database(blue, query="SELECT 1", **short),
    ]
    with faulty_api(tmp_path) as api:
        cut = threading.Timer(5, setattr, (api, "faults", fault))
        cut.start()
        rules = {"interval": 0.2, "consecutive": 60, "timeout": 12, "on_inconclusive": "hold"}
        details = stopped(*checks, code="gate_inconclusive", kubeconfig=str(api.kubeconfig), **rules)
        cut.join()
        assert api.injected, "nothing was injected"
    assert (details["reasons"], details["action"]) == (["provider_down"], "hold")
    for row in details["checks"]:
        assert row["passed"] > 0, row
        # A call that is only slow may come through, and is no verdict either.
        assert row["in_a_row"] < row["needed"], row
        assert row["verdict"] == "inconclusive", row


def test_a_release_that_crashes_never_passes(blue: Shop) -> None:
    blue.deploy("green", "3.0.0-crash", replicas=1, wait=False)
    place = {"namespace": blue.namespace, "name": f"{blue.name}-green"}
    details = stopped(workload(blue, object=place, rolled_out=True, max_restarts=0), timeout=12, consecutive=25)
    assert details["verdict"] == "fail"
    assert details["checks"][0]["in_a_row"] < 25


def test_all_wrong_settings_at_once() -> None:
    checks = [
        {"name": "a", "kind": "http", "query": "SELECT 1"},
        {"name": "a", "kind": "sql"},
        {"name": "b", "kind": "kube", "object": {"name": "x"}, "expect": [{"name": "status", "min": 2, "max": 1}]},
        {"name": "c", "kind": "tcp", "port": 70000, "host": "h", "timeout": -1},
    ]
    faults = stopped(*checks, code="invalid", consecutive=0)["faults"]
    assert faults == [
        "checks[0].query does not belong to kind http",
        "checks[0].url is missing (a path alone needs a tunnel)",
        "checks[1].query is missing (or set ready to ask only whether sessions are accepted)",
        "checks[2].expect[0]: min is greater than max",
        "checks[3].timeout must be greater than 0",
        "checks[3].port must be from 1 to 65535",
        "checks: the name 'a' is used twice",
        "consecutive must be at least 1",
    ]
