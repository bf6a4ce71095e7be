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
    "migrate_target": "0002",
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


def _other(stage: Stage) -> str:
    """The version that is not live: releasing the live one changes nothing and asks no gate."""
    return "2.0.0" if _serves(stage) == "1.0.0" else "1.0.0"


@pytest.mark.series
def test_the_policy_may_return_the_traffic(own: Stage) -> None:
    before, colours = _serves(own), _states(own)
    live = next(colour for colour, state in colours.items() if state == "live")
    play = _release(own, app_version=_other(own), release_on_inconclusive={"provider_down": "return"})
    assert play.code != 0
    assert f"Traffic is back on {live}" in play.output, play.output
    assert _serves(own) == before


@pytest.mark.series
def test_a_gate_that_cannot_decide_holds_the_run_until_it_can(own: Stage) -> None:
    before, wanted = _serves(own), _other(own)
    with own.load(rate=40) as ledger:
        held = _release(own, app_version=wanted)
        assert held.code != 0
        assert "provider_down" in held.output, held.output
        assert "is held as it is. Run the same command again" in held.output, held.output
        assert _serves(own) == wanted
        status = own.play("status.yml")
        assert ": held" in status.output, status.output
        returned = own.play("rollback.yml")
        assert returned.code == 0, returned.output
        assert _serves(own) == before
        again = _release(own, app_version=wanted)
        assert "is held" in again.output, again.output
        done = _release(own, app_version=wanted, release_observe_gates=[])
        assert done.code == 0, done.output
        assert "observe and settle are left" in done.output, done.output
        assert "goes on from what it left" in done.output, done.output
    assert _serves(own) == wanted
    assert sorted(_states(own).values()) == ["live", "standby"]
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])


@pytest.mark.series
def test_profiles_ask_more_and_name_all_that_is_wrong(own: Stage) -> None:
    before, other = _serves(own), _other(own)
    short = {"load": {"load": {"dwell": 4}}}
    wanted = {"app_version": other, "release_paths": ["/notes?q=a"], "release_observe_passes": 2}
    refused = own.play(
        "release.yml", release_profile="enterprise", release_overrides=short, release_verify_timeout=30, **wanted
    )
    assert refused.code != 0
    for told in ("refused before it took traffic", "no approval is recorded"):
        assert told in refused.output, refused.output
    assert _serves(own) == before
    passed = own.play("release.yml", release_profile="standard", release_overrides=short, **wanted)
    assert passed.code == 0, passed.output
    assert _serves(own) == other
