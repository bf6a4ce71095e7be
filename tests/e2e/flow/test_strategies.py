# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways forward and back beyond the exchange of two colours: releases of the history, updates in place, shares."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage

PLANTED = "planted-Qz72mT"
PLAIN = {"app_env": {}, "app_secrets": [], "migrate_target": "0002"}
ROLLING = {**PLAIN, "release_strategy": "rolling", "release_history": 2}
CONFIGURED = {**ROLLING, "app_version": "2.0.0", "app_env": {"GREETING": "two"}}
CANARY = {**PLAIN, "release_strategy": "canary", "release_steps": [{"weight": 33, "hold": 1}]}
# These tests are about ways, not about how long a gate looks.
QUICK = {"app_track_soak": 1, "release_soak": 1, "release_verify_passes": 1, "release_observe_passes": 2}


@pytest.fixture(scope="module")
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """A live app that has configuration and a Secret of its own."""
    made = make_stage(
        app_env={"GREETING": "one"},
        app_secrets=[{"name": "keys", "env": {"TOKEN": "token"}, "data": {"token": PLANTED}}],
        **QUICK,
    )
    play = made.play("site.yml", "-vvv", "--diff")
    assert play.code == 0, play.output
    assert PLANTED not in play.output
    assert base64.b64encode(PLANTED.encode()).decode() not in play.output
    return made


def history(stage: Stage) -> list[dict[str, Any]]:
    """Recorded releases, the oldest first."""
    found = kubectl("-n", stage.namespace, "get", "configmaps", "-l", "golive.cutover/role=release", "-o", "json")
    rows = [json.loads(item["data"]["release.json"]) for item in json.loads(found)["items"]]
    return sorted(rows, key=lambda row: str(row["live_at"]))


def configuration(stage: Stage) -> list[str]:
    """Objects that hold configuration of releases."""
    found = kubectl(
        "-n", stage.namespace, "get", "configmaps,secrets", "-l", "golive.cutover/role=configuration", "-o", "name"
    )
    return sorted(found.split())


def pods(stage: Stage) -> list[str]:
    """UIDs of the app's pods."""
    label = "app.kubernetes.io/name=notes"
    found = kubectl("-n", stage.namespace, "get", "pods", "-l", label, "-o", "jsonpath={.items[*].metadata.uid}")
    return sorted(found.split())


def standby(stage: Stage) -> tuple[dict[str, Any], dict[str, str]]:
    """What the colour without traffic is told to be: its spec, and what the release flow wrote on it."""
    live = kubectl("-n", stage.namespace, "get", "service", "notes", "-o", "jsonpath={.spec.selector}")
    colour = {"blue": "green", "green": "blue"}[json.loads(live)["golive.cutover/colour"]]
    found = json.loads(kubectl("-n", stage.namespace, "get", "deployment", f"notes-{colour}", "-o", "json"))
    notes = {key: value for key, value in found["metadata"]["annotations"].items() if key.startswith("golive.")}
    return found["spec"], notes


def measured(stage: Stage) -> dict[str, Any]:
    """What the journal keeps of each phase of the last run."""
    return {phase["phase"]: phase["verdict"] for phase in stage.runs()[0]["phases"]}


def version(stage: Stage) -> str:
    """The version that takes traffic."""
    return stage.get("/readyz")[1]["X-App-Version"]


def test_a_release_of_the_history_comes_back_with_its_configuration(stage: Stage) -> None:
    had = configuration(stage)
    assert len(had) == 2
    with stage.load() as ledger:
        for wanted in ("1.0.0", "2.0.0"):
            play = stage.play("release.yml", **PLAIN, app_version=wanted)
            assert play.code == 0, play.output
        first, _second, third = history(stage)
        assert first["id"] != third["id"]
        assert first["digest"].startswith("sha256:")
        back = stage.play("rollback.yml", rollback_to=first["id"], rollback_emergency=True)
        assert back.code == 0, back.output
        again = stage.play("rollback.yml", rollback_to=first["id"])
        assert (again.code, again.changed) == (0, 0), again.output
    assert ledger["failed"] == 0, ledger["failed_by"]
    assert version(stage) == "1.0.0"
    assert configuration(stage) == had
    live = kubectl("-n", stage.namespace, "get", "service", "notes", "-o", "jsonpath={.spec.selector}")
    colour = json.loads(live)["golive.cutover/colour"]
    deployment = kubectl("-n", stage.namespace, "get", "deployment", f"notes-{colour}", "-o", "json")
    assert all(name.rpartition("/")[2] in deployment for name in had)
    assert PLANTED not in play.output + back.output + again.output


def test_an_unknown_release_is_refused_with_what_there_is(stage: Stage) -> None:
    play = stage.play("rollback.yml", rollback_to="9.9.9")
    assert play.code != 0
    assert all(f"{row['id']} ({row['version']})" in play.output for row in history(stage))
    assert version(stage) == "1.0.0"


def test_an_update_in_place_is_linted_before_it_begins(stage: Stage) -> None:
    play = stage.play("release.yml", **ROLLING, app_version="2.0.0", app_live_path="/readyz", app_pre_stop_seconds=0)
    assert play.code != 0
    assert "asks the same for readiness and liveness" in play.output
    assert "nodes may send requests" in play.output
    assert play.changed == 0


def test_an_update_in_place_drops_nothing_and_a_bad_one_is_taken_back(stage: Stage) -> None:
    left_over = standby(stage)
    assert left_over[1]["golive.cutover/version"] == "2.0.0"
    with stage.load() as ledger:
        play = stage.play("release.yml", **CONFIGURED)
        assert play.code == 0, play.output
        assert version(stage) == "2.0.0"
        assert [name.startswith("configmap/") for name in configuration(stage)] == [True]
        bad = stage.play("release.yml", **ROLLING, app_version="3.0.0-badimage")
        assert bad.code != 0
        assert "The pods are back at 2.0.0" in bad.output, bad.output
        returned = pods(stage)
        again = stage.play("release.yml", **CONFIGURED)
        assert (again.code, again.changed) == (0, 0), again.output
        assert pods(stage) == returned
        back = stage.play("rollback.yml", **ROLLING)
        assert back.code == 0, back.output
        assert "replaces the pods" in back.output
    assert standby(stage) == left_over
    assert ledger["failed"] == 0, ledger["failed_by"]
    assert len(history(stage)) <= 3


def test_status_shows_the_history(stage: Stage) -> None:
    play = stage.play("status.yml")
    assert play.code == 0, play.output
    assert all(row["id"] in play.output for row in history(stage))


@pytest.mark.faults
@pytest.mark.series
def test_a_killed_canary_goes_on_where_it_was(stage: Stage) -> None:
    with stage.load() as ledger:
        assert "Step | gate" in stage.play_until("release.yml", "Step | gate", **CANARY, app_version="1.0.0")
        play = stage.play("release.yml", **CANARY, app_version="1.0.0")
        assert play.code == 0, play.output
        assert "takes a part of the traffic" in play.output, play.output
    assert ledger["failed"] == 0, ledger["failed_by"]
    assert version(stage) == "1.0.0"


def test_a_canary_whose_gate_fails_gives_all_traffic_back(stage: Stage) -> None:
    never = {"name": "never", "kind": "http", "path": "/nowhere", "tunnel": "{{ release_preview }}"}
    before = version(stage)
    steps = {"release_steps": [{"weight": 33, "hold": 1}, {"weight": 50, "hold": 1, "gates": [never]}]}
    with stage.load() as ledger:
        play = stage.play("release.yml", **{**CANARY, **steps}, app_version="1.0.0", app_files={"new": "x"})
    assert play.code != 0
    assert "All traffic is back on" in play.output, play.output
    assert "never" in play.output
    assert ledger["failed"] == 0, ledger["failed_by"]
    assert version(stage) == before
    kept = measured(stage)
    good, bad = kept["canary 33 %"], kept["canary 50 %"]
    assert (good["verdict"], good["gate"]["verdict"], bad["verdict"], bad["gate"]["verdict"]) == (
        *("pass", "pass"),
        *("fail", "fail"),
    )
    assert set(good["switch"]["weights"].values()) == {33, 67}
    assert set(bad["switch"]["weights"].values()) == {50}
    assert 100 in bad["give_back"]["weights"].values()
    assert [check["verdict"] for check in bad["gate"]["checks"] if check["name"] == "never"] == ["fail"]
    status = stage.play("status.yml").output
    for told in ("switch in canary 33 %: ", "gate of canary 33 %: pass", "gate of canary 50 %: fail"):
        assert told in status, status
