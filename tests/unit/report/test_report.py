# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as data: what is kept of results, what it comes to, and what a journal gives back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.plugin_utils._report import (
    INTERRUPTED,
    OK,
    Report,
    digest,
    replayed,
)
from ansible_collections.golive.cutover.plugins.plugin_utils._report_evidence import (
    MOST_ROWS_OF_ALL,
    bounded,
    evidence_of,
    thinned,
)
from ansible_collections.golive.cutover.plugins.plugin_utils._report_journal import Journal, left_behind
from ansible_collections.golive.cutover.plugins.plugin_utils._report_page import page
from ansible_collections.golive.cutover.plugins.plugin_utils._report_run import identity, secrets_of
from tests.unit.report.sample import IDENTITY, release, report_of, series, stream, switch, told

SWITCH = "golive.cutover.traffic_switch"


def test_a_release_comes_to_its_figures() -> None:
    app = report_of(release())["apps"]["shop"]
    assert (app["downtime"], app["downtime_ms"], app["failed_requests"]) == ("measured", 0.0, 0)
    assert app["requests"] == 162 + 161 + 2 * 1204
    assert (app["before"], app["after"], app["live"], app["proof"]) == ("2.4.1", "2.4.2", "green", "probe")
    assert app["gates"] == ["pass", "pass"]
    assert [one["version"] for one in app["migrations"]] == ["0007"]


@pytest.mark.parametrize(
    ("downtimes", "expected"),
    [
        ([], ("no switch", None)),
        ([0.0], ("measured", 0.0)),
        ([None], ("not measured", None)),
        ([250.0, 50.0], ("measured", 300.0)),
        ([250.0, None], ("not measured", None)),
    ],
)
def test_downtime_is_measured_only_when_every_switch_was(
    downtimes: list[float | None], expected: tuple[str, float | None]
) -> None:
    found = digest([{"kind": "traffic_switch", "status": "changed", "downtime_ms": one} for one in downtimes])
    assert (found["downtime"], found["downtime_ms"]) == expected


def test_a_switch_that_had_nothing_to_do_takes_no_measurement_away() -> None:
    rows = [
        {"kind": "traffic_switch", "status": "changed", "downtime_ms": 0.0},
        {"kind": "traffic_switch", "status": "ok", "downtime_ms": None},
    ]
    assert digest(rows)["downtime"] == "measured"


def test_only_named_fields_of_our_own_verbs_are_kept() -> None:
    result = {**switch([]), "diff": {"before": "x"}, "invocation": {"module_args": {}}, "secret": "x"}
    (kept,) = evidence_of(SWITCH, result)
    assert not {"diff", "invocation", "secret"} & set(kept)
    assert list(evidence_of("ansible.builtin.uri", {"ledger": {}, "content": "x"})) == []
    assert list(evidence_of(SWITCH, {"skipped": True, "live": "blue"})) == []


def test_items_of_a_loop_are_kept_but_those_that_are_censored() -> None:
    items = [switch([]), {**switch([]), "_ansible_no_log": True}, {"censored": "hidden", "live": "blue"}]
    assert len(list(evidence_of(SWITCH, {"results": items}))) == 1


def test_recovery_times_are_kept_of_any_verb() -> None:
    found = list(evidence_of("golive.cutover.pg_restore", {"rto_s": 312.5, "rpo_s": 1.0, "level": 6, "x": 1}))
    assert found == [{"kind": "recovery", "verb": "pg_restore", "rto_s": 312.5, "rpo_s": 1.0, "level": 6}]


def test_what_is_kept_is_bounded() -> None:
    deep: Any = "end"
    for _level in range(30):
        deep = {"in": deep}
    found = bounded({"text": "x" * 100_000, "list": list(range(10_000)), "deep": deep, "odd": Path("/x")})
    assert len(json.dumps(found)) < 6_000
    assert found["list"][-1] == "… and 9800 more"
    assert found["odd"] == "/x"


def test_thinning_adds_counts_and_keeps_the_worst_latency() -> None:
    rows = series(0, 10, None, failed=7)
    found = thinned(rows, 3)
    assert [row["seconds"] for row in found] == [4, 4, 2]
    assert sum(row["ok"]["blue"] for row in found) == sum(row["ok"]["blue"] for row in rows)
    assert sum(row["failed"].get("http_5xx", 0) for row in found) == 7
    assert found[0]["p99_ms"] == max(row["p99_ms"] for row in rows[:4])
    assert thinned(found, 3) == found
    assert thinned("nothing", 3) == thinned([{"t": "x"}, None], 3) == []


def test_extra_variables_are_named_and_their_secrets_known() -> None:
    extra = {"app_version": "1", "db_password": "hunter2-planted", "tls": {"x": 1}, "awx_job_id": 7, "tower_job_id": 7}
    found = identity({"inventory": ["/a/b/production", "x,y,"], "tags": ["all"], "check": True}, extra, "2.19.0")
    assert found["extra_vars"] == ["app_version", "db_password", "tls"]
    assert found["awx"] == {"job_id": "7"}
    assert found["inventory"] == ["b/production", "2 hosts from the command line"]
    assert (found["tags"], found["check_mode"]) == ([], True)
    assert found["collection"] != "unknown"
    assert secrets_of({**extra, "api_keys": [{"v": "abcd-1"}], "auth": True}) == {"hunter2-planted", "abcd-1"}


def test_a_run_of_ten_thousand_tasks_stays_small() -> None:
    events = [("run", dict(IDENTITY))]
    for number in range(10_000):
        name = f"role : A task with a name of usual length, number {number}"
        bad = {"status": "failed", "code": "some_code", "message": "m" * 500} if number % 20 == 0 else {}
        events += told(f"host{number % 50}", "stage", name, number * 0.1, number * 0.1 + 0.6, **bad)
    result = switch(series(0, 3_600, None, failed=3))
    for number in range(20):
        host = f"host{number % 50}"
        events += told(host, "shift", "move", 1000 + number, 1001 + number, verb="traffic_switch", result=result)
    report = report_of(events)
    assert len(json.dumps(report, separators=(",", ":"))) < 5_000_000
    assert len(page(report, "x.json")) < 5_000_000
    assert sum(len(one["series"]) for one in report["evidence"]) < MOST_ROWS_OF_ALL + 20 * 200
    assert report["tasks_left_out"] == 10_020 - len(report["tasks"]) > 0
    assert sum(one["status"] == "failed" for one in report["tasks"]) == 500


def test_a_journal_gives_back_what_was_told(tmp_path: Path) -> None:
    events = [*release(), ("begin", {"host": "shop", "key": "k", "task": "hang", "phase": "settle", "at_s": 60.0})]
    (tmp_path / "other").mkdir()
    journal = Journal(tmp_path / "run.journal")
    for event, fields in events:
        journal.write(event, fields)
    gone = tmp_path / "other" / "gone.journal"
    gone.write_text(journal.place.read_text() + '{"event":"begin","ho')
    ((place, lines),) = left_behind(gone.parent)
    assert place == gone
    assert not gone.exists()
    data = replayed(lines).data(INTERRUPTED, 60.0, {})
    assert data["running"] == [{"host": "shop", "task": "hang", "phase": "settle", "began_s": 60.0}]
    assert data["apps"] == report_of(release())["apps"]
    assert data["tasks"] == report_of(release())["tasks"]
    journal.remove()
    assert not journal.place.exists()


def test_a_journal_that_is_held_belongs_to_a_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.journal")
    journal.write("run", IDENTITY)
    module = left_behind.__module__
    look = f"import sys, pathlib; from {module} import left_behind as look; print(*look(pathlib.Path(sys.argv[1])))"
    command = [sys.executable, "-c", look, str(tmp_path)]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == ""
    # A process loses its lock by closing the file, as the end of the run does.
    os.close(os.open(journal.place, os.O_RDONLY))
    assert "release.yml" in subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert list(tmp_path.iterdir()) == []


def test_lines_that_do_not_fit_are_left_out() -> None:
    report = replayed([{"event": "end", "host": "x"}, {"event": "run", "playbook": "p.yml"}, {"no": 1}])
    assert report.data(OK, 1, {})["playbook"] == "p.yml"


def test_running_tasks_belong_to_interrupted_runs_only() -> None:
    report = Report()
    report.apply("begin", {"host": "shop", "key": "k", "task": "t", "phase": "", "at_s": 1.0})
    assert report.data(OK, 2, {})["running"] == []


def test_requests_of_all_streams_are_counted() -> None:
    rows = [
        {"kind": "health_gate", "ledger": {"fresh": stream(10, {"timeout": 2, "reset": 1}), "golive.migrations": 1}}
    ]
    assert (digest(rows)["requests"], digest(rows)["failed_requests"]) == (10, 3)
