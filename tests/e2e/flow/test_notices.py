# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who wants to know is told, in order, by real receivers; one that is down holds nothing up and is in the report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Play, Stage, audit_mark, mutating_calls
from tests.integration.postgres import free_port
from tests.receivers.web import Receiver, receiving

TOKEN = "T0ken-of-the-team"
FAILS = [{"name": "cannot pass", "kind": "http", "path": "/nowhere", "tunnel": "{{ release_live }}"}]


@dataclass
class Told:
    """A live app, and the receivers of two targets: all events by a Secret, and few by a variable."""

    stage: Stage
    all: Receiver
    few: Receiver
    folder: Path

    def play(self, playbook: str, *arguments: str, **variables: Any) -> tuple[Play, list[str], dict[str, Any]]:
        """A run, the titles that came of it, and its report."""
        self.all.got.clear()
        self.few.got.clear()
        place = self.folder / "report.json"
        env = {
            "FEW_URL": f"json://127.0.0.1:{self.few.port}/{TOKEN}",
            "ANSIBLE_CALLBACKS_ENABLED": "golive.cutover.timeline",
            "GOLIVE_TIMELINE_PATH": str(place),
        }
        play = self.stage.play(playbook, *arguments, env=env, **variables)
        assert TOKEN not in play.output + place.read_text() + place.with_suffix(".html").read_text()
        return play, self.all.titles, json.loads(place.read_text())


@pytest.fixture(scope="module")
def told(make_stage: Callable[..., Stage], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    targets = [
        {"secret": {"name": "notify", "key": "all"}},
        {"name": "few", "variable": "FEW_URL", "events": ["failed", "returned"]},
    ]
    stage = make_stage(
        exposed=False,
        migrate_target="0002",
        notify_targets=targets,
        golive_environment="local",
        notify_link="https://example.org/notes",
    )
    with receiving() as everything, receiving() as few:
        kubectl("create", "namespace", stage.namespace)
        url = f"json://127.0.0.1:{everything.port}/{TOKEN}"
        kubectl("-n", stage.namespace, "create", "secret", "generic", "notify", f"--from-literal=all={url}")
        one = Told(stage, everything, few, tmp_path_factory.mktemp("report"))
        play, titles, _report = one.play("site.yml")
        assert play.code == 0, play.output
        assert titles == [
            "notes 1.0.0 (local): release has begun",
            "notes 1.0.0 (local): live traffic has moved",
            "notes 1.0.0 (local): release went well",
        ]
        yield one


@pytest.mark.series
def test_nothing_is_said_where_nothing_happens(told: Told) -> None:
    play, titles, _report = told.play("site.yml")
    assert (play.code, play.changed, titles) == (0, 0, []), play.output


def test_a_plan_sends_nothing(told: Told, cluster: dict[str, str]) -> None:
    audit = audit_mark(cluster)
    play, titles, _report = told.play("release.yml", "--check", "--diff", app_version="2.0.0")
    assert (play.code, titles, mutating_calls(audit, told.stage.namespace)) == (0, [], []), play.output
    assert "notes 2.0.0 (local): release has begun" in play.output


def test_a_release_that_is_returned(told: Told) -> None:
    play, titles, report = told.play(
        "release.yml",
        app_version="2.0.0",
        release_observe_gates=FAILS,
        release_observe_passes=1,
        release_observe_timeout=5,
    )
    assert play.code != 0
    assert titles == [
        "notes 2.0.0 (local): release has begun",
        "notes 2.0.0 (local): live traffic has moved",
        "notes 2.0.0 (local): release failed, traffic is back on the earlier release",
    ], play.output
    lines = told.all.got[-1]["body"]["message"].splitlines()
    assert any(line.startswith("Why: ") and "cannot pass" in line for line in lines), lines
    assert {"Before: 1.0.0", "Link: https://example.org/notes"} <= set(lines)
    assert lines[-1] == "Next: ansible-playbook golive.cutover.status -l notes"
    assert told.few.titles == titles[-1:]
    assert report["apps"]["notes"]["undelivered"] == 0


@pytest.mark.series
def test_a_release_that_is_refused(told: Told) -> None:
    play, titles, _report = told.play("release.yml", app_version="3.0.0-badimage")
    assert play.code != 0
    assert titles == ["notes 3.0.0-badimage (local): release has begun", "notes 3.0.0-badimage (local): release failed"]
    assert "image" in told.all.got[-1]["body"]["message"]


def test_a_receiver_that_is_down_holds_nothing_up(told: Told) -> None:
    down = f"json://127.0.0.1:{free_port()}/{TOKEN}"
    kubectl(
        "-n",
        told.stage.namespace,
        "patch",
        "secret",
        "notify",
        "--type=merge",
        "-p",
        json.dumps({"stringData": {"down": down}}),
    )
    targets = [{"secret": {"name": "notify", "key": key}} for key in ("all", "down", "nowhere")]
    play, titles, report = told.play("release.yml", app_version="2.0.0", notify_targets=targets)
    assert play.code == 0, play.output
    assert titles[-1] == "notes 2.0.0 (local): release went well"
    assert "Downtime: not measured" in told.all.got[-1]["body"]["message"]
    # Preflight has said of one of them that it cannot be reached.
    assert report["apps"]["notes"]["undelivered"] == 7
    assert "7 messages were not delivered" in play.output
    assert "would not reach Secret notify, key nowhere" in play.output
    assert "did not reach Secret notify, key nowhere" in play.output
    page = (told.folder / "report.html").read_text()
    assert "it refused the connection after 3 attempts" in page


def test_a_rollback(told: Told) -> None:
    play, titles, _report = told.play("rollback.yml")
    assert play.code == 0, play.output
    assert titles == [
        "notes 1.0.0 (local): rollback has begun",
        "notes 1.0.0 (local): live traffic has moved",
        "notes 1.0.0 (local): rollback went well",
    ]
    assert "Before: 2.0.0" in told.all.got[0]["body"]["message"]


def test_wrong_targets_are_refused_before_anything_changes(told: Told) -> None:
    play, titles, _report = told.play("release.yml", app_version="2.0.0", notify_targets=[{"events": ["failed"]}])
    assert play.code != 0
    assert "needs one of secret, variable and file" in play.output
    assert titles == []


@pytest.mark.series
def test_nothing_runs_for_nobody(told: Told) -> None:
    play, _titles, report = told.play("site.yml", notify_targets=[])
    assert play.code == 0, play.output
    assert not [task for task in report["tasks"] if "notify" in (task.get("role") or "")]
