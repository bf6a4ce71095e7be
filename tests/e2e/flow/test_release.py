# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release and its way back, under load; what is wrong with a release is named and live traffic never sees it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage

V2 = {"app_version": "2.0.0", "migrate_target": "0002"}
ALWAYS = {"reason": "stock-taking", "timezone": "Europe/Berlin", "from": "2026-01-01 00:00", "to": "2099-12-31 23:59"}


def test_release_and_rollback_under_load(live: Stage) -> None:
    with live.load() as ledger:
        release = live.play("release.yml", **V2)
        assert release.code == 0, release.output
        assert "pending migrations: 0002 " in release.output, release.output
        assert live.get("/readyz")[1]["X-App-Version"] == "2.0.0"
        measured = {phase["phase"]: phase["verdict"] for phase in live.runs()[0]["phases"]}
        assert [check["verdict"] for check in measured["verify"]["gate"]["checks"]] == ["pass"] * 2
        assert measured["observe"]["gate"]["checks"][0]["passed"] >= 5
        assert (measured["shift"]["switch"]["live"], measured["shift"]["switch"]["downtime_ms"]) == ("green", 0)
        assert measured["settle"]["switch"]["drain"]["to"] == 1
        status = live.play("status.yml")
        assert "gate of observe: pass after" in status.output, status.output
        again = live.play("release.yml", **V2, preflight_freeze=[ALWAYS], preflight_freeze_override="outage 4711")
        assert (again.code, again.changed) == (0, 0), again.output
        assert live.runs()[0]["inputs"]["freeze_override"] == "outage 4711"
        back = live.play("rollback.yml")
        assert back.code == 0, back.output
        assert live.get("/readyz")[1]["X-App-Version"] == "1.0.0"
    total = ledger
    assert total["failed"] == 0, total["failed_by"]
    assert set(total["versions"]) == {"1.0.0", "2.0.0"}
    assert set(total["colours"]) == {"blue", "green"}


def test_a_second_rollback_is_refused(live: Stage) -> None:
    play = live.play("rollback.yml")
    assert play.code != 0
    assert "no earlier release to return to" in play.output
    assert live.get("/readyz")[1]["X-App-Version"] == "1.0.0"


NO_CONFIG = {"app_secrets": [{"name": "notes-settings", "env": {"NOTES_TOKEN": "token"}}]}
PREVIEW = "{{ release_preview }}"
SLOW_GATE = {
    "release_verify_passes": 12,
    "release_gates": [
        {"name": "fast enough", "kind": "http", "path": "/notes?q=a", "max_latency": 0.7, "tunnel": PREVIEW},
    ],
}
ERRORS_GATE = {
    "release_verify_passes": 45,
    "release_verify_timeout": 35,
    "release_gates": [{"name": "answers", "kind": "http", "path": "/notes?q=a", "tunnel": PREVIEW}],
}


def _late(*values: Any) -> Any:
    """A case that only the long series runs: the tests of the tracking and of the gate have the cause too."""
    return pytest.param(*values, marks=pytest.mark.series)


@pytest.mark.parametrize(
    ("version", "settings", "cause"),
    [
        ("3.0.0-badimage", {}, "image"),
        _late("3.0.0-crash", {}, "crash"),
        _late("3.0.0-oom", {}, "memory"),
        ("3.0.0-noconfig", NO_CONFIG, "notes-settings"),
        _late("3.0.0-neverready", {"app_startup_seconds": 10}, "ready"),
        _late("3.0.0-slow", SLOW_GATE, "fast enough"),
        _late("3.0.0-errors", ERRORS_GATE, "answers"),
    ],
)
def test_a_bad_release_is_refused_with_its_cause(
    live: Stage, version: str, settings: dict[str, Any], cause: str
) -> None:
    before = kubectl("-n", live.namespace, "get", "service", "notes", "-o", "jsonpath={.spec.selector}")
    with live.load() as ledger:
        play = live.play("release.yml", app_version=version, migrate_target="0002", **settings)
    assert play.code != 0, play.output
    assert "was refused before it took traffic" in play.output, play.output
    assert cause in play.output.lower(), play.output
    if "release_gates" in settings:
        (verdict,) = (phase["verdict"] for phase in live.runs()[0]["phases"] if phase["phase"] == "verify")
        failed = [check["name"] for check in verdict["gate"]["checks"] if check["verdict"] == "fail"]
        assert (verdict["verdict"], failed) == ("fail", [cause])
    assert ledger["failed"] == 0, ledger["failed_by"]
    assert set(ledger["versions"]) == {"1.0.0"}
    assert kubectl("-n", live.namespace, "get", "service", "notes", "-o", "jsonpath={.spec.selector}") == before


def test_a_refused_release_gives_the_standby_back(live: Stage) -> None:
    assert live.play("release.yml", **V2).code == 0
    refused = live.play("release.yml", app_version="3.0.0-badimage", migrate_target="0002")
    assert refused.code != 0
    back = live.play("rollback.yml")
    assert back.code == 0, back.output
    assert live.get("/readyz")[1]["X-App-Version"] == "1.0.0"
