# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback ``timeline`` beside the stdout callback."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.both_ways.harness import play_of, run_plays
from tests.integration.runner.cases import SECRET, probe

CALLBACK = "golive.cutover.timeline"
CASES = {
    "stage it": {**probe(name="x"), "tags": ["release", "release_stage"]},
    "write it": {**probe("write", name="x", place="f"), "tags": ["release_stage"]},
    "verify it": {**probe("fail", name="x", token=SECRET), "tags": ["release_verify"]},
    "hide it": {**probe("fail", name=SECRET), "no_log": True},
    "leave it": {**probe(name="x"), "when": False},
}


def test_report(executable: str, tmp_path: Path) -> None:
    reports = tmp_path / "state" / "reports"
    hosts = ("shop", "search")
    ran = run_plays(
        executable,
        "inside",
        [play_of(CASES)],
        tmp_path,
        hosts=hosts,
        ANSIBLE_CALLBACKS_ENABLED=CALLBACK,
        GOLIVE_REPORT_DIR=str(reports),
    )
    assert ran.code == 0, ran.out
    file, shown = sorted(reports.iterdir(), key=lambda one: one.suffix, reverse=True)
    assert (file.suffix, shown) == (".json", file.with_suffix(".html"))
    assert {stat.S_IMODE(one.stat().st_mode) for one in (file, shown)} == {0o600}
    assert stat.S_IMODE(reports.stat().st_mode) == 0o700
    assert SECRET not in file.read_text() + shown.read_text()
    report = json.loads(file.read_text())
    assert (report["playbook"], report["outcome"], report["check_mode"]) == ("play.yml", "ok", False)
    for host in hosts:
        phases = {one["phase"]: one for one in report["phases"] if one["host"] == host}
        assert [(name, one["tasks"], one["failed"], one["code"]) for name, one in phases.items()] == [
            ("stage", 2, 0, None),
            ("verify", 1, 1, "refused"),
            ("", 1, 1, "failed"),
        ]
        assert phases[""]["skipped"] == 1
        tasks = {one["task"]: one for one in report["tasks"] if one["host"] == host}
        assert "hint" not in tasks["hide it"]
        assert (tasks["hide it"]["status"], tasks["hide it"].get("message")) == ("failed", None)
        assert tasks["verify it"]["message"].endswith("Try: say please")
        assert f"{host}: stage " in ran.out
    assert f"report: {shown.as_uri()}" in ran.out


def test_the_stdout_callback_is_left_alone(executable: str, tmp_path: Path) -> None:
    plays = [play_of({"stage it": CASES["stage it"], "verify it": CASES["verify it"]})]
    alone = run_plays(
        executable, "inside", plays, tmp_path / "without", ANSIBLE_CALLBACKS_ENABLED="golive.probe.record"
    )
    missing = str(tmp_path / "file" / "below")
    (tmp_path / "file").touch()
    ran = run_plays(
        executable,
        "inside",
        plays,
        tmp_path / "together",
        ANSIBLE_CALLBACKS_ENABLED=CALLBACK,
        GOLIVE_REPORT_DIR=missing,
    )
    assert ran.code == alone.code
    assert "Writing the timeline failed" in ran.out
    assert ran.out.replace("/together/", "/without/").startswith(alone.out.rstrip())
