# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases and summary of the timeline."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.plugin_utils._timeline import Entry, Timeline, phase_of


def _entry(phase: str, started_s: float, status: str = "ok", host: str = "shop", code: str | None = None) -> Entry:
    return Entry(host, "play", phase, None, f"task at {started_s}", "x", started_s, status=status, code=code)


def test_phase_comes_from_the_tag_then_from_the_role() -> None:
    assert phase_of(["release", "release_verify"], "golive.cutover.release") == "verify"
    assert phase_of(["release"], "golive.cutover.migrate") == "migrate"
    assert phase_of([], "migrate") == "migrate"
    assert phase_of([], None) == ""


def test_time_between_tasks_of_a_phase_counts_and_other_phases_do_not() -> None:
    timeline = Timeline()
    timeline.add(_entry("stage", 0), 1)
    timeline.add(_entry("stage", 1.5), 3)
    timeline.add(_entry("verify", 4), 5)
    timeline.skip(_entry("verify", 5), 5.5)
    timeline.add(_entry("stage", 10, "changed"), 11)
    report = timeline.report()
    assert [
        (one["phase"], one["seconds"], one["tasks"], one["skipped"], one["changed"]) for one in report["phases"]
    ] == [
        ("stage", 4.0, 3, 0, 1),
        ("verify", 1.5, 1, 1, 0),
    ]
    assert [one["seconds"] for one in report["tasks"]] == [1, 1.5, 1, 1]


def test_summary_names_the_first_failure_of_each_host() -> None:
    timeline = Timeline()
    timeline.add(_entry("stage", 0, "failed", code="bad_image"), 8.14)
    timeline.add(_entry("report", 9, "failed", code="refused"), 9.5)
    timeline.add(_entry("", 0, "unreachable", host="search"), 1)
    timeline.skip(_entry("stage", 1, host="idle"), 1)
    assert timeline.summary() == [
        "shop: stage 8.1 s, report 0.5 s; failed in stage: bad_image",
        "search: other tasks 1.0 s; failed in other tasks: unreachable",
        "idle: nothing to do",
    ]
    assert timeline.summary(most_hosts=1)[1:] == ["and 2 more hosts"]


def test_an_ignored_failure_is_no_failure_of_the_phase() -> None:
    timeline = Timeline()
    timeline.add(_entry("stage", 0, "ignored", code="x"), 1)
    assert timeline.report()["phases"][0]["failed"] == 0
