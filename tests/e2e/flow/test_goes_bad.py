# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release that looks sound until users come: it is seen and returned by itself, and the ledger tells who saw it.

And trouble during observe that is no fault of the release: it goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage

pytestmark = pytest.mark.faults

_COLOUR = "golive.cutover/colour"


@pytest.fixture(scope="module")
def own(make_stage: Callable[..., Stage]) -> Stage:
    stage = make_stage()
    play = stage.play("site.yml", migrate_target="0002")
    assert play.code == 0, play.output
    return stage


def _watched(stage: Stage, **load: Any) -> dict[str, Any]:
    """Settings of a release whose live traffic is judged by a load of the gate's own."""
    gate = {
        "name": "users are served",
        "kind": "load",
        "url": f"http://127.0.0.1:{stage.port}/notes?q=a",
        "load": {
            "rate": 60,
            "dwell": 90,
            "after_shift": True,
            "pods": {"namespace": stage.namespace, "service": "notes"},
            **load,
        },
    }
    return {"migrate_target": "0002", "release_observe_gates": [gate], "release_observe_timeout": 150}


@pytest.mark.parametrize(
    ("version", "settings", "cause"),
    [
        ("3.0.0-errors", {}, "status 500"),
        # Every pod serves until users have come, then all end at about the same time, again and again.
        pytest.param(
            "3.0.0-crash", {"app_env": {"APP_FAULT_AFTER": "60s"}}, "users are served", marks=pytest.mark.series
        ),
        pytest.param("3.0.0-slow", {}, "slower than", marks=pytest.mark.series),
    ],
)
def test_it_is_seen_and_returned(own: Stage, version: str, settings: dict[str, Any], cause: str) -> None:
    with own.load(rate=40) as ledger:
        play = own.play("release.yml", app_version=version, **_watched(own), **settings)
        assert own.get("/readyz")[1]["X-App-Version"] == "1.0.0"
    assert play.code != 0, play.output
    assert "failed under live traffic" in play.output, play.output
    assert "Traffic is back on" in play.output, play.output
    assert cause in play.output, play.output
    seen = ledger["versions"][version]
    # Answers that came with a version, and connections that nobody answered, which only the crash makes.
    assert ledger["versions"]["1.0.0"]["failed"] == 0, ledger["failures"]
    if version == "3.0.0-errors":
        assert 0 < seen["failed"] == ledger["failed"]
    assert seen["last_ms"] - seen["first_ms"] < 120_000
    after = [row for row in ledger["per_second"] if row["second"] * 1000 > seen["last_ms"] + 2000]
    assert sum(row["failed"] for row in after) == 0
    selector = kubectl("-n", own.namespace, "get", "service", "notes", "-o", "jsonpath={.spec.selector}")
    assert json.loads(selector)[_COLOUR] == "blue"


@pytest.mark.series
def test_evicted_and_lost_pods_are_no_fault_of_the_release(own: Stage) -> None:
    lost: list[str] = []

    def disturb() -> None:
        """A pod of new is evicted, as under node pressure, and all pods of old are deleted."""
        new = _pods(own, "green")
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": new[0], "namespace": own.namespace}}
        path = f"/api/v1/namespaces/{own.namespace}/pods/{new[0]}/eviction"
        kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
        old = _pods(own, "blue")
        kubectl("-n", own.namespace, "delete", "pod", "--wait=false", *old)
        lost.extend([new[0], *old])

    wanted = {"app_version": "2.0.0", "migrate_target": "0002", "release_observe_passes": 12}
    with own.load(rate=40) as ledger:
        play = own.play_and("release.yml", "Observe | gate", disturb, **wanted)
        assert play.code == 0, play.output
        assert own.get("/readyz")[1]["X-App-Version"] == "2.0.0"
        back = own.play("rollback.yml")
        assert back.code == 0, back.output
    assert len(lost) >= 3
    assert not set(lost) & set(_pods(own, "green") + _pods(own, "blue"))
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])


def _pods(stage: Stage, colour: str) -> list[str]:
    label = f"app.kubernetes.io/name=notes,{_COLOUR}={colour}"
    names = kubectl("-n", stage.namespace, "get", "pods", "-l", label, "-o", "jsonpath={.items[*].metadata.name}")
    return names.split()
