# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The return: one write while the old colour is warm, and from a colour that has shrunk or lost its pods."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.modules import traffic_switch
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.audit import writes_during
from tests.e2e.traffic.load import load
from tests.e2e.traffic.stand import COLOUR_KEY, Shop, apply, perform, until


def steps(result: dict[str, Any]) -> list[str]:
    """Names of the steps."""
    return [row["step"] for row in result["steps"]]


def test_a_warm_return_is_one_write_and_quick(two: Shop) -> None:
    perform(traffic_switch, two.switch_options("green"))
    began = time.monotonic()
    written: list[float] = []

    def watch() -> None:
        until(lambda: two.live() == "blue", 30, "the write")
        written.append(time.monotonic() - began)

    thread = threading.Thread(target=watch)
    thread.start()
    with writes_during(two.namespace) as writes:
        back = perform(traffic_switch, two.switch_options("blue"))
    thread.join()
    assert steps(back) == ["preflight", "narrow", "proof", "close"]
    # All traffic to the old colour, and the mark of an unfinished switch off.
    assert [write.partition(" ")[0] for write in writes] == ["patch"] * 2
    assert back["downtime_ms"] == 0, back["ledger"]
    assert back["live"] == "blue"
    # The goal is 1 s to the write on a quiet machine; the look itself takes its time here.
    assert written[0] < 5


def test_a_colour_with_another_release_is_no_return(two: Shop) -> None:
    perform(traffic_switch, two.switch_options("green"))
    two.deploy("blue", "2.0.0")
    assert "overlap" in steps(perform(traffic_switch, two.switch_options("blue")))


def test_a_return_brings_the_pods_back_that_it_needs(two: Shop, tmp_path: Path) -> None:
    settle = {"replicas": 1, "timeout": 0}
    perform(traffic_switch, two.switch_options("green", settle=settle))
    assert len(two.pods("blue")) == 1
    with load(two.url, tmp_path, fresh=40, kept=40) as stream:
        shrunk = perform(traffic_switch, two.switch_options("blue", soak=10))
        assert len(two.pods("blue")) == 2
        perform(traffic_switch, two.switch_options("green", settle={"replicas": 0, "timeout": 0}))
        assert two.pods("blue") == []
        gone = perform(traffic_switch, two.switch_options("blue"))
        ledger = stream.ledger()
    assert ledger["failed"] == 0, ledger
    assert (shrunk["live"], gone["live"]) == ("blue", "blue")
    assert "refill" in steps(shrunk)
    assert "refill" in steps(gone)
    assert len(two.pods("blue")) == 2


def autoscaled(shop: Shop, colour: str, least: int, most: int = 4) -> None:
    """An autoscaler of a colour that its idle pods would let shrink."""
    target = {"type": "Utilization", "averageUtilization": 95}
    apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"namespace": shop.namespace, "name": f"{shop.name}-{colour}"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{shop.name}-{colour}"},
                "minReplicas": least,
                "maxReplicas": most,
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            },
        }
    )


def least(shop: Shop, colour: str) -> int:
    """Lower bound of the autoscaler of a colour."""
    name = f"{shop.name}-{colour}"
    return int(kubectl("-n", shop.namespace, "get", "hpa", name, "-o", "jsonpath={.spec.minReplicas}"))


def test_autoscalers_are_held_until_the_old_colour_has_settled(two: Shop) -> None:
    two.scale("blue", 3)
    two.rolled_out("blue")
    autoscaled(two, "blue", 1)
    autoscaled(two, "green", 1)
    there = perform(traffic_switch, two.switch_options("green", ready_timeout=90))
    assert there["downtime_ms"] == 0, there["ledger"]
    # Green was two pods; it had to grow to what blue ran.
    assert (least(two, "blue"), least(two, "green")) == (3, 3)
    assert len(two.pods("green")) >= 3
    done = perform(traffic_switch, two.switch_options("green", settle={"replicas": 1, "timeout": 0}))
    assert (least(two, "blue"), least(two, "green")) == (1, 1)
    assert done["drain"]["trouble"] is None, done["drain"]
    assert done["drain"]["to"] == 1


def test_pods_of_old_die_and_the_selector_is_edited_by_hand_in_between(two: Shop) -> None:
    perform(traffic_switch, two.switch_options("green"))
    labels = f"app.kubernetes.io/name={two.name},{COLOUR_KEY}=blue"
    kubectl("-n", two.namespace, "delete", "pods", "-l", labels, "--wait=false", "--grace-period=1")
    # By hand, to both: the next run sees the Service as it is, and takes the return from there.
    two.service_patch([{"op": "remove", "path": f"/spec/selector/{COLOUR_KEY.replace('/', '~1')}"}])
    back = perform(traffic_switch, two.switch_options("blue"))
    assert (back["live"], two.live()) == ("blue", "blue")
    assert back["downtime_ms"] == 0, json.dumps(back["ledger"])
