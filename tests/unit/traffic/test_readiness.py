# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a colour is up, and what the endpoints must be: the false-ready cases of the reference, section 6."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import (
    Colour,
    Pod,
    members_of,
    not_up,
    read_pod,
)
from ansible_collections.golive.cutover.plugins.module_utils._traffic.endpoints import gap, union

GOOD_STATUS = {"observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}


def colour(status: dict[str, Any] | None = None, pods: int = 2, **spec: Any) -> Colour:
    """Two of two up, unless told otherwise."""
    deployment = {
        "metadata": {"generation": 3, "uid": "d"},
        "spec": {"replicas": 2, **spec},
        "status": {**GOOD_STATUS, **(status or {})},
    }
    made = tuple(Pod(f"u{n}", f"p{n}", "node", True, False, 0, (), None) for n in range(pods))
    return Colour("green", "shop-green", deployment, "shop-green-1", made)


def test_up() -> None:
    assert not_up(colour(), 2) == []


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (Colour("green", "shop-green", None), "does not exist"),
        (colour(paused=True), "paused"),
        (colour(replicas=0), "0 replicas"),
        (colour({"observedGeneration": 2}), "not been seen"),
        (colour({"updatedReplicas": 1}), "1 of 2 updated"),
        (colour({"updatedReplicas": 0}), "0 of 2 updated"),
        (colour({"readyReplicas": None}), "0 of 2 ready"),
        (colour({"availableReplicas": 1}), "1 of 2 available"),
        (colour({"replicas": 3}), "3 pods where 2"),
        (colour({"unavailableReplicas": 1}), "1 unavailable"),
        (colour(pods=1), "1 pods of the current revision"),
    ],
)
def test_not_up(seen: Colour, said: str) -> None:
    assert said in "; ".join(not_up(seen, 1))


def test_smaller_than_what_is_live() -> None:
    assert "runs 5" in not_up(colour(), 5)[0]


def pod(uid: str, colour_name: str | None, ready: str = "True", **meta: Any) -> dict[str, Any]:
    """A raw pod."""
    labels = {"golive.cutover/colour": colour_name} if colour_name else {}
    return {
        "metadata": {"uid": uid, "name": f"pod-{uid}", "labels": labels, **meta},
        "spec": {"nodeName": "n1", "containers": [{"name": "app"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready}],
            "containerStatuses": [{"name": "app", "restartCount": 1, "ready": True}],
        },
    }


def test_pods_that_are_ready_only_by_name() -> None:
    bare = pod("a", "blue")
    bare["status"]["containerStatuses"] = []
    assert not read_pod(bare).ready
    gated = pod("b", "blue")
    gated["spec"]["readinessGates"] = [{"conditionType": "lb"}]
    assert not read_pod(gated).ready
    assert read_pod(gated).closed_gates == ("lb",)


def test_members_by_colour() -> None:
    ended = pod("x", None)
    ended["status"]["phase"] = "Succeeded"
    found = members_of(
        [pod("a", "blue"), pod("b", "blue", "False"), pod("c", "green", deletionTimestamp="t"), pod("s", None), ended],
        "golive.cutover/colour",
    )
    assert found.ready == {"blue": {"a": "pod-a"}, "green": {}}
    assert set(found.every["blue"]) == {"a", "b"}
    assert set(found.every["green"]) == {"c"}
    assert found.strangers == ("pod-s",)


def piece(name: str, *endpoints: tuple[str, bool | None], family: str = "IPv4", own: bool = True) -> dict[str, Any]:
    """A raw EndpointSlice; None is an absent condition."""
    manager = "endpointslice-controller.k8s.io" if own else "somebody"
    rows = [
        {"targetRef": {"uid": uid, "name": f"pod-{uid}"}, "conditions": {} if ready is None else {"ready": ready}}
        for uid, ready in endpoints
    ]
    labels = {"endpointslice.kubernetes.io/managed-by": manager}
    return {"metadata": {"name": name, "labels": labels}, "addressType": family, "endpoints": rows}


WANTED = {"a": "pod-a", "b": "pod-b"}


def test_all_slices_count() -> None:
    found = union([piece("1", ("a", None)), piece("2"), piece("3", ("b", True), own=False)])
    assert gap(found, ["IPv4"], WANTED, {}) == ""
    assert (found.slices, found.foreign) == (3, ("3",))
    assert "missing pod-b" in gap(union([piece("1", ("a", None))]), ["IPv4"], WANTED, {})


def test_every_family_counts() -> None:
    found = union([piece("1", ("a", True), ("b", True)), piece("2", ("a", True), family="IPv6")])
    assert gap(found, ["IPv4"], WANTED, {}) == ""
    assert gap(found, ["IPv4", "IPv6"], WANTED, {}) == "IPv6: missing pod-b"


def test_a_slice_in_the_middle_of_a_rewrite() -> None:
    found = union([piece("1", ("a", False), ("b", True)), piece("2", ("a", True))])
    assert gap(found, ["IPv4"], WANTED, {}) == ""


def test_what_must_be_gone_is_gone_even_unready() -> None:
    found = union([piece("1", ("a", True), ("b", True), ("old", False))])
    assert "still there pod-old" in gap(found, ["IPv4"], WANTED, {"old": "pod-old"})
    surplus = union([piece("1", ("a", True), ("b", True), ("new", True))])
    assert "also there pod-new" in gap(surplus, ["IPv4"], WANTED, {})


def test_nobody_ready_is_never_right() -> None:
    assert gap(union([]), ["IPv4"], {}, {}) == "no pod is Ready"
    # A slice without endpoints and a Service without pods agree, which proves nothing.
    assert gap(union([piece("1")]), ["IPv4"], {}, {})
