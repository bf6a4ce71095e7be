# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run that ends otherwise than planned, and secrets that must not get into it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.both_ways.harness import environment, play_of, run_plays, write_playbook
from tests.integration.runner.cases import probe

CALLBACK = "golive.cutover.timeline"
PLANTED = "planted-hunter2"
STEPS = [
    {"name": "first step", **probe(name="x"), "tags": ["release_stage"]},
    {
        "name": "second step",
        "ansible.builtin.shell": {"cmd": "touch waits; exec sleep 60", "chdir": "{{ playbook_dir }}"},
        "tags": ["release_verify"],
    },
]


def settings(reports: Path) -> dict[str, str]:
    return {"ANSIBLE_CALLBACKS_ENABLED": CALLBACK, "GOLIVE_REPORT_DIR": str(reports)}


def data_of(reports: Path) -> list[dict[str, Any]]:
    """Reports by their begin; each has its page beside it."""
    found = sorted(reports.glob("*.json"))
    assert all(one.with_suffix(".html").exists() for one in found)
    return [json.loads(one.read_text()) for one in found]


def end_within(executable: str, folder: Path, reports: Path, number: int) -> str:
    """Start a run and send its process group a signal while the second step waits; its output."""
    play = {"hosts": "all", "gather_facts": False, "tasks": STEPS}
    before = signal.getsignal(signal.SIGINT)
    # What started the tests may ignore Ctrl-C, and a child would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [executable, *write_playbook(folder, [play])],
            env=environment("inside", folder, **settings(reports)),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    limit = time.monotonic() + 60
    while not (folder / "waits").exists():
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.05)
    os.killpg(process.pid, number)
    return process.communicate(timeout=60)[0]


def test_ctrl_c_leaves_a_report_that_says_so(executable: str, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    out = end_within(executable, tmp_path, reports, signal.SIGINT)
    (report,) = data_of(reports)
    assert report["outcome"] == "interrupted", out
    assert [(one["task"], one["phase"]) for one in report["running"]] == [("second step", "verify")]
    assert [one["task"] for one in report["tasks"] if one["status"] == "ok"] == ["first step"]
    assert list(reports.glob("*.journal")) == []
    assert "report: file://" in out


def test_the_next_run_writes_the_report_of_a_killed_one(executable: str, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    end_within(executable, tmp_path, reports, signal.SIGKILL)
    assert data_of(reports) == []
    (journal,) = reports.iterdir()
    assert journal.stat().st_mode & 0o777 == 0o600
    again = run_plays(executable, "inside", [play_of({"x": probe(name="x")})], tmp_path, **settings(reports))
    gone, now = data_of(reports)
    assert (gone["outcome"], now["outcome"]) == ("interrupted", "ok")
    assert [one["task"] for one in gone["running"]] == ["second step"]
    assert f"An earlier run was killed; its report: file://{journal.with_suffix('.html')}" in again.out
    assert list(reports.glob("*.journal")) == []


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A vars file with the secret under names that a playbook may choose."""
    place = tmp_path / "secret.json"
    place.write_text(json.dumps({"db_password": PLANTED, "list_of_tokens": [{"value": PLANTED}]}))
    return place


def test_a_planted_secret_is_nowhere(executable: str, tmp_path: Path, planted: Path) -> None:
    reports = tmp_path / "reports"
    cases = {
        "use {{ db_password }} in a name": probe(name="{{ db_password }}", token="{{ db_password }}"),
        "refuse it": probe("fail", name="x", token="{{ db_password }}"),
        "a foreign module repeats it": {"ansible.builtin.fail": {"msg": "cannot use {{ db_password }}"}},
        "hidden {{ inventory_password }}": {**probe("fail", name="{{ db_password }}"), "no_log": True},
        "hidden fact": {"ansible.builtin.set_stats": {"data": {"golive_x": "{{ db_password }}"}}, "no_log": True},
        "told fact": {"ansible.builtin.set_stats": {"data": {"golive_x": "{{ db_password }}"}}},
    }
    arguments = ["-e", f"@{planted}"]
    play = play_of(cases, vars={"inventory_password": PLANTED})
    ran = run_plays(executable, "inside", [play], tmp_path, *arguments, **settings(reports))
    assert ran.code == 0, ran.out
    (report,) = data_of(reports)
    assert report["extra_vars"] == ["db_password", "list_of_tokens"]
    assert len(report["tasks"]) >= len(cases)
    for file in reports.iterdir():
        text = file.read_text()
        assert PLANTED not in text, text[max(text.find(PLANTED) - 300, 0) :][:600]
    assert PLANTED not in ran.out.partition("TIMELINE")[2]


def test_an_unreachable_host_is_told(executable: str, tmp_path: Path) -> None:
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"name": "reach it", "ansible.builtin.ping": None}]}
    keywords = {"vars": {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}}
    ran = run_plays(executable, "inside", [{**play, **keywords}], tmp_path, **settings(tmp_path / "reports"))
    (report,) = data_of(tmp_path / "reports")
    assert report["outcome"] == "failed", ran.out
    assert [one["status"] for one in report["tasks"]] == ["unreachable"]
    assert report["hosts"]["shop"]["unreachable"] == 1
