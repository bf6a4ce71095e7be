# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares by number of pods on the real data plane: a canary, its full switch, its return, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import Target, ask_fresh
from ansible_collections.golive.cutover.plugins.modules import traffic_switch
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.audit import writes_during
from tests.e2e.traffic.stand import Shop, apply, perform

_ASKED = 300


def moved(shop: Shop, to: str, weight: int, **options: Any) -> dict[str, Any]:
    """The result of a move by shares."""
    call = {key: options.pop(key) for key in ("check_mode",) if key in options}
    given = shop.switch_options(to, driver="replicas", weight=weight, **options)
    return perform(traffic_switch, given, **call)


def answers(shop: Shop) -> Counter[str]:
    """Colours of many answers on fresh connections."""
    target = Target(f"{shop.url}/healthz")
    return Counter(str(ask_fresh(target).identity) for _ask in range(_ASKED))


def sizes(shop: Shop) -> dict[str, int]:
    """Pods by colour."""
    return {colour: len(shop.pods(colour)) for colour in ("blue", "green")}


def test_a_canary_its_switch_and_its_return(two: Shop) -> None:
    with writes_during(two.namespace) as writes:
        planned = moved(two, "green", 30, check_mode=True)
    assert writes == []
    assert planned["weights"] == {"blue": 67, "green": 33}

    canary = moved(two, "green", 30)
    assert (canary["live"], canary["weights"], canary["driver"]) == (None, {"blue": 67, "green": 33}, "replicas")
    assert canary["proof"]["share"] == 33.3
    assert canary["proof"]["level"] == "node"
    assert canary["downtime_ms"] == 0, canary["ledger"]
    assert two.live() is None
    assert sizes(two) == {"blue": 2, "green": 1}
    # One in three, four standard deviations to each side.
    assert 67 <= answers(two)["green"] <= 133

    assert not moved(two, "green", 30, check_mode=True)["changed"]
    with writes_during(two.namespace) as writes:
        assert not moved(two, "green", 30)["changed"]
    assert writes == []

    full = moved(two, "green", 100)
    assert (full["live"], full["weights"]) == ("green", {"blue": 0, "green": 100})
    assert full["proof"]["level"] == "probe"
    assert full["downtime_ms"] == 0, full["ledger"]
    assert sizes(two) == {"blue": 2, "green": 2}
    assert "golive.cutover/leaving" not in two.notes()
    assert set(answers(two)) == {"green"}

    back = moved(two, "blue", 100)
    assert (back["live"], back["downtime_ms"]) == ("blue", 0)


def test_a_canary_is_taken_back_by_one_write(two: Shop) -> None:
    moved(two, "green", 50)
    with writes_during(two.namespace) as writes:
        back = moved(two, "blue", 100)
    assert (back["live"], back["weights"]) == ("blue", {"blue": 100, "green": 0})
    # The way back, and the end of the mark.
    assert [write.partition(" ")[0] for write in writes] == ["patch"] * 2
    assert set(answers(two)) == {"blue"}


def test_what_it_refuses(two: Shop) -> None:
    version = two.service()["metadata"]["resourceVersion"]
    with pytest.raises(GoliveError) as caught:
        moved(two, "green", 5)
    assert caught.value.code == "unsupported"
    assert caught.value.details["shares"] == [25, 33, 50]
    for options, feature in (({"match": {"header": "X-Canary", "value": "1"}}, "match"), ({"mirror": 10}, "mirror")):
        with pytest.raises(GoliveError) as caught:
            moved(two, "green", 50, **options)
        assert (caught.value.code, caught.value.details["features"]) == ("unsupported", [feature])
    with pytest.raises(GoliveError) as caught:
        perform(traffic_switch, two.switch_options("green", weight=50))
    assert (caught.value.code, caught.value.details["driver"]) == ("unsupported", "service")
    scaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"namespace": two.namespace, "name": two.name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": f"{two.name}-blue"},
            "minReplicas": 2,
            "maxReplicas": 3,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 90}},
                }
            ],
        },
    }
    apply(scaler)
    try:
        with pytest.raises(GoliveError, match="autoscaler") as caught:
            moved(two, "green", 50)
    finally:
        kubectl("-n", two.namespace, "delete", "hpa", two.name)
    assert caught.value.code == "unsupported"
    assert two.service()["metadata"]["resourceVersion"] == version, json.dumps(two.service())
