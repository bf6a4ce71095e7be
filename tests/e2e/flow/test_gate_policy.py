# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates of a release: what a profile asks, and what becomes of a run whose gate cannot decide."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Play, Stage

# Nothing listens there: the monitoring is down.
_DOWN = {"name": "errors", "kind": "prometheus", "url": "http://127.0.0.1:9", "query": "up", "min": 1}
_UNSURE = {
    "app_version": "2.0.0", "migrate_target": "0002",
    "release_observe_gates": [_DOWN], "release_observe_passes": 2, "release_observe_timeout": 6,
}  # fmt: skip


@pytest.fixture(scope="module")
def own(make_stage: Callable[..., Stage]) -> Stage:
    stage = make_stage()
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    return stage


def _serves(stage: Stage) -> str:
    return stage.get("/readyz")[1]["X-App-Version"]


def _states(stage: Stage) -> dict[str, str]:
    found = json.loads(
        kubectl("-n", stage.namespace, "get", "deployments", "-l", "golive.cutover/colour", "-o", "json")
    )
    return {
        one["metadata"]["labels"]["golive.cutover/colour"]: one["metadata"]["annotations"]["golive.cutover/state"]
        for one in found["items"]
    }


def _release(stage: Stage, **variables: Any) -> Play:
    return stage.play("release.yml", **{**_UNSURE, **variables})


@pytest.mark.series
def test_a_gate_that_cannot_decide_holds_the_run_until_it_can(own: Stage) -> None:
    with own.load(rate=40) as ledger:
        held = _release(own)
        assert held.code != 0
        assert "provider_down" in held.output, held.output
        assert "is held as it is. Run the same command again" in held.output, held.output
        assert _serves(own) == "2.0.0"
        status = own.play("status.yml")
        assert ": held" in status.output, status.output
        returned = own.play("rollback.yml")
        assert returned.code == 0, returned.output
        assert _serves(own) == "1.0.0"
        again = _release(own)
        assert "is held" in again.output, again.output
        done = _release(own, release_observe_gates=[])
        assert done.code == 0, done.output
        assert "observe and settle are left" in done.output, done.output
        assert "goes on from what it left" in done.output, done.output
    assert _serves(own) == "2.0.0"
    assert _states(own) == {"green": "live", "blue": "standby"}
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])


def test_the_policy_may_return_the_traffic(own: Stage) -> None:
    play = _release(own, app_version="1.0.0", release_on_inconclusive={"provider_down": "return"})
    assert play.code != 0
    assert "Traffic is back on green" in play.output, play.output
    assert _serves(own) == "2.0.0"


@pytest.mark.series
def test_profiles_ask_more_and_name_all_that_is_wrong(own: Stage) -> None:
    short = {"load": {"load": {"dwell": 4}}}
    wanted = {"app_version": "1.0.0", "release_paths": ["/notes?q=a"], "release_observe_passes": 2}
    refused = own.play(
        "release.yml", release_profile="enterprise", release_overrides=short, release_verify_timeout=30, **wanted
    )
    assert refused.code != 0
    for told in ("refused before it took traffic", "no approval is recorded"):
        assert told in refused.output, refused.output
    assert _serves(own) == "2.0.0"
    passed = own.play("release.yml", release_profile="standard", release_overrides=short, **wanted)
    assert passed.code == 0, passed.output
    assert _serves(own) == "1.0.0"
