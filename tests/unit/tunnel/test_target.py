# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pod and port a tunnel leads to, from objects as the API gives them."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_target import PodPort, Target


class RecordedClient:
    """Answers reads from recorded objects."""

    def __init__(self, objects: dict[str, Any]) -> None:
        self.objects = objects

    def get(self, path: str) -> Any:
        return self.objects[path.rpartition("namespaces/ns/")[2]]

    def list(self, path: str, query: dict[str, str]) -> Any:
        return self.objects["endpointslices"]


def endpoint(pod: str, ready: bool = True, kind: str = "Pod") -> dict[str, Any]:
    return {"conditions": {"ready": ready}, "targetRef": {"kind": kind, "name": pod}}


SERVICE = {
    "spec": {
        "selector": {"app": "shop"},
        "ports": [{"name": "http", "port": 80, "targetPort": "web"}, {"name": "metrics", "port": 9090}],
    }
}
SLICE_PORTS = [{"name": "http", "port": 8080}, {"name": "metrics", "port": 9000}]


def target(where: str, port: int | str | None, **objects: Any) -> Target:
    known = {"services/shop": SERVICE, **objects}
    return Target(cast(Client, RecordedClient(known)), "ns", where, port)


@pytest.mark.parametrize(("asked", "number"), [(80, 8080), ("80", 8080), ("http", 8080), ("metrics", 9000)])
def test_service_port_becomes_the_pods_port(asked: int | str, number: int) -> None:
    slices = [{"ports": SLICE_PORTS, "endpoints": [endpoint("a")]}]
    assert target("service/shop", asked, endpointslices=slices).pick() == PodPort("a", number)


def test_ready_pods_take_turns_and_others_are_left_out() -> None:
    slices = [
        {"ports": SLICE_PORTS, "endpoints": [endpoint("b"), endpoint("sick", ready=False)]},
        {"ports": SLICE_PORTS, "endpoints": [endpoint("a"), endpoint("vm", kind="Node")]},
    ]
    aim = target("service/shop", "http", endpointslices=slices)
    assert [aim.pick().pod for _turn in range(3)] == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("endpoints", "reason"),
    [([], "no pod matches its selector app=shop"), ([endpoint("a", ready=False)], "not ready: a")],
)
def test_no_ready_pod_says_why(endpoints: list[Any], reason: str) -> None:
    slices = [{"ports": SLICE_PORTS, "endpoints": endpoints}]
    with pytest.raises(GoliveError, match=reason) as caught:
        target("service/shop", "http", endpointslices=slices).pick()
    assert caught.value.code == "no_ready_pod"


def test_a_wrong_port_lists_the_right_ones() -> None:
    with pytest.raises(GoliveError, match="http, metrics") as caught:
        target("service/shop", 8080, endpointslices=[]).pick()
    assert caught.value.code == "no_such_port"


@pytest.mark.parametrize(("asked", "number"), [("sql", 5432), (None, 5432), (9999, 9999)])
def test_a_named_pod(asked: int | str | None, number: int) -> None:
    pod = {
        "metadata": {},
        "status": {"phase": "Running"},
        "spec": {"containers": [{"name": "db", "ports": [{"name": "sql", "containerPort": 5432}]}]},
    }
    assert target("pod/db-0", asked, **{"pods/db-0": pod}).pick() == PodPort("db-0", number)


def test_a_pod_that_is_being_deleted_will_do_when_asked_for() -> None:
    pod = {"metadata": {"deletionTimestamp": "t"}, "status": {"phase": "Running"}, "spec": {"containers": []}}
    known = {"pods/web-0": pod}
    with pytest.raises(GoliveError, match="being deleted"):
        target("pod/web-0", 80, **known).pick()
    ending = Target(cast(Client, RecordedClient(known)), "ns", "pod/web-0", 80, ending=True)
    assert ending.pick() == PodPort("web-0", 80)


def test_a_pending_pod_says_what_its_container_waits_for() -> None:
    waiting = {"name": "db", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such tag"}}}
    pod = {"metadata": {}, "status": {"phase": "Pending", "containerStatuses": [waiting]}, "spec": {"containers": []}}
    with pytest.raises(GoliveError, match="ImagePullBackOff: no such tag") as caught:
        target("pod/db-0", 5432, **{"pods/db-0": pod}).pick()
    assert caught.value.code == "no_ready_pod"


@pytest.mark.parametrize("where", ["shop", "deployment/shop", "service/"])
def test_an_unknown_kind_of_target(where: str) -> None:
    with pytest.raises(GoliveError) as caught:
        target(where, 80)
    assert caught.value.code == "invalid"
