# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release while the live colour grows by the load on its processors: the new one is as large when it takes over,
keeps its size through another run, and shrinks when the load is over."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage
from tests.e2e.traffic.stand import COLOUR_KEY, until

LEAST, MOST = 2, 5
# So little that every request is a load worth more pods, on any machine.
RESOURCES = {"requests": {"cpu": "5m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}
QUICK = {"app_track_soak": 1, "release_soak": 1, "release_verify_passes": 1, "release_observe_passes": 2}
# One pod more at a time, so that the colour still grows while the release goes on.
SLOW_GROWTH = {"spec": {"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 20}]}}}}
# The role's five minutes are how long a lull may last; the test has none.
SOON_DOWN = {"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 10}}}}


def read(stage: Stage, what: str) -> Any:
    """An object of the namespace, or a list of them."""
    return json.loads(kubectl("-n", stage.namespace, "get", what, "-o", "json"))


def size(stage: Stage, colour: str) -> tuple[int, int]:
    """Wanted and ready pods of a colour; none before it is there."""
    rows = {row["metadata"]["name"]: row for row in read(stage, "deployments")["items"]}
    found = rows.get(f"notes-{colour}", {"spec": {"replicas": 0}, "status": {}})
    return int(found["spec"]["replicas"]), int(found["status"].get("readyReplicas", 0))


@contextmanager
def sizes_while(stage: Stage) -> Iterator[list[tuple[str | None, int, int]]]:
    """Again and again: the live colour (None for both), and the ready pods of blue and of green."""
    seen: list[tuple[str | None, int, int]] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.2):
            # Blue first: with the old selector after it, this was its size before the shift.
            blue = size(stage, "blue")[1]
            selector = read(stage, "service/notes")["spec"]["selector"]
            seen.append((selector.get(COLOUR_KEY), blue, size(stage, "green")[1]))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@pytest.mark.series
def test_the_new_colour_is_as_large_as_the_one_that_grows(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(
        app_autoscaling={"min": LEAST, "max": MOST, "cpu": 50},
        app_resources=RESOURCES,
        **QUICK,
    )
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    kubectl("-n", stage.namespace, "patch", "hpa", "notes-blue", "-p", json.dumps(SLOW_GROWTH))
    assert size(stage, "blue")[0] == LEAST
    # It ends with the block: on a busy machine both runs take many minutes.
    with stage.load(rate=60, seconds=1800) as ledger:
        began = time.monotonic()
        until(lambda: size(stage, "blue")[0] > LEAST, 180, "growth by load")
        print(f"grew after {time.monotonic() - began:.0f} s")
        with sizes_while(stage) as seen:
            play = stage.play("release.yml", app_version="2.0.0", migrate_target="0002")
        assert play.code == 0, play.output
        (autoscaler,) = read(stage, "hpa")["items"]

        def measured() -> bool:
            metrics = read(stage, "hpa/notes-green").get("status", {}).get("currentMetrics") or []
            return any("averageUtilization" in row.get("resource", {}).get("current", {}) for row in metrics)

        until(measured, 120, "a metric of the new colour")
        after = size(stage, "green")
        standby = size(stage, "blue")[0]
        with sizes_while(stage) as seen_again:
            kept = stage.play("site.yml", app_version="2.0.0", migrate_target="0002")
        assert kept.code == 0, kept.output
        # The autoscaler's size is written by nobody else, and the standby has no autoscaler.
        assert min(green for _live, _blue, green in seen_again) >= after[1]
        assert size(stage, "blue")[0] == standby < after[0]
        assert size(stage, "green")[0] > LEAST
    kubectl("-n", stage.namespace, "patch", "hpa", "notes-green", "-p", json.dumps(SOON_DOWN))
    began = time.monotonic()
    until(lambda: size(stage, "green") == (LEAST, LEAST), 240, "shrinking without load")
    print(f"shrank after {time.monotonic() - began:.0f} s")
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    before = [blue for live, blue, _green in seen if live != "green"]
    first = next(row for row in seen if row[0] == "green")
    print(f"blue before the shift {before[0]} to {before[-1]}, at the shift {first}, green after settle {after}")
    assert first[2] >= before[-1] > LEAST, seen
    assert autoscaler["metadata"]["name"] == "notes-green"
    assert autoscaler["spec"]["scaleTargetRef"]["name"] == "notes-green"
    # Its own bound is back, which the shift had raised.
    assert autoscaler["spec"]["minReplicas"] == LEAST
    assert "golive.cutover/min-replicas" not in (autoscaler["metadata"].get("annotations") or {})
    assert after[0] > LEAST
