# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An incident from its beginning to its review, in files, with no cluster."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._incident.page import markdown
from ansible_collections.golive.cutover.plugins.module_utils._incident.record import opened, seen
from ansible_collections.golive.cutover.plugins.module_utils._incident.severities import SEVERITIES, messages
from ansible_collections.golive.cutover.plugins.modules import incident
from tests.e2e.kube_track.verbs import call_verb

Act = Callable[..., dict[str, Any]]
OPEN = {"severity": "P1", "summary": "orders | cannot *be* paid", "who": "ada"}


@pytest.fixture
def act(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Act:
    """The verb without a cluster, in a directory of this test."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    fixed = {"app": "shop", "namespace": "shop", "directory": str(tmp_path / "incidents")}
    return lambda action, **options: call_verb(incident, action=action, **{**fixed, **options})


def test_quartet(act: Act, tmp_path: Path) -> None:
    planned = act("open", check=True, diff=True, **OPEN)
    assert (planned["changed"], planned["status"]) == (True, "open")
    assert not (tmp_path / "incidents").exists()
    first = act("open", diff=True, **OPEN)
    assert (first["changed"], len(first["diff"])) == (True, 1)
    before = Path(first["file"]).read_bytes()
    for again in (act("open", check=True, diff=True, **OPEN), act("open", diff=True, **OPEN)):
        assert (again["changed"], again["diff"], again["id"]) == (False, [], first["id"])
    assert Path(first["file"]).read_bytes() == before


def test_from_the_beginning_to_the_review(act: Act) -> None:
    began = {"date": lambda: datetime(2026, 11, 30, 10, 0, tzinfo=timezone.utc)}
    ended = {"date": lambda: datetime(2026, 11, 30, 11, 42, tzinfo=timezone.utc)}
    made = act("open", call_options=began, **OPEN)
    assert made["id"] == "20261130T100000Z-shop"
    assert "every 15 minutes" in made["messages"]["first"]
    page = Path(made["page"])
    assert "What to say" in page.read_text()
    assert act("note", text="went back to 2.4.1; PGPASSWORD=hunter2", call_options=began)["changed"] is True
    assert act("note", text="went back to 2.4.1; PGPASSWORD=hunter2", call_options=ended)["changed"] is False
    rated = act("note", severity="P2", call_options=ended)
    assert (rated["severity"], "every 30 minutes" in rated["messages"]["update"]) == ("P2", True)
    closed = act("close", text="orders are paid again", call_options=ended)
    assert (closed["status"], closed["seconds"]) == ("closed", 6120.0)
    assert act("close", id=closed["id"])["changed"] is False
    text = page.read_text()
    assert "after 1 h 42 min" in text
    assert "## Review" in text
    assert "What to say" not in text
    assert [row["kind"] for row in closed["incident"]["entries"]] == ["opened", "noted", "rated", "closed"]
    assert "hunter2" not in text + Path(closed["file"]).read_text()
    assert act("read")["incident"] is None
    assert act("open", call_options=began, **OPEN)["id"] == "20261130T100000Z-shop-2"


def test_a_cluster_that_is_away_is_written_down(act: Act) -> None:
    snapshot = {"traffic": {"state": "LIVE", "url": "https://u:hunter2@x/"}, "database": {"unknown": "no answer"}}
    made = act("open", collect=True, snapshot=snapshot, **OPEN)
    assert made["changed"] is True
    (entry,) = [row for row in made["incident"]["entries"] if row["kind"] == "seen"]
    assert entry["text"] == "the state of the app was collected, without cluster, database"
    text = Path(made["page"]).read_text()
    assert "Not known: no answer" in text
    assert "hunter2" not in text


def test_files_are_for_their_owner(act: Act) -> None:
    made = act("open", **OPEN)
    for place in (made["file"], made["page"]):
        assert stat.S_IMODE(Path(place).stat().st_mode) == 0o600
    assert stat.S_IMODE(Path(made["file"]).parent.stat().st_mode) == 0o700


def test_many_writers_lose_nothing(act: Act) -> None:
    made = act("open", **OPEN)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: act("note", text=f"note {number}"), range(16)))
    kept = json.loads(Path(made["file"]).read_text())["entries"]
    assert {row["text"] for row in kept if row["kind"] == "noted"} == {f"note {number}" for number in range(16)}


@pytest.mark.parametrize(
    ("action", "options", "code"),
    [
        ("note", {"text": "x"}, "not_found"),
        ("close", {"id": "other"}, "not_found"),
        ("note", {}, "invalid"),
        ("open", {**OPEN, "id": "../../etc/x"}, "invalid"),
        ("read", {"app": "../x"}, "invalid"),
        ("open", {**OPEN, "directory": "/proc/nowhere"}, "not_writable"),
    ],
)
def test_bad_input_is_one_clear_error(act: Act, action: str, options: dict[str, Any], code: str) -> None:
    result = act(action, **options)
    assert (result["failed"], result["code"]) == (True, code), result


def test_a_file_of_somebody_else_is_left_alone(act: Act, tmp_path: Path) -> None:
    made = act("open", **OPEN)
    Path(made["file"]).write_text("[]")
    result = act("note", text="x", id=made["id"])
    assert result["code"] == "file_invalid"
    assert Path(made["file"]).read_text() == "[]"


@pytest.mark.parametrize("severity", SEVERITIES)
def test_each_severity_says_what_to_tell(severity: str) -> None:
    record = opened("x", "shop", "production", severity, "it is slow", "ada", "2026-11-30T10:00:00.000Z")
    told = messages(severity, record)
    assert set(told) == {"first", "update", "resolved"}
    assert "shop" in told["first"]
    assert "2026-11-30 10:00 UTC" in told["first"]
    assert f"{severity}: " in markdown(record)


def test_a_table_stays_a_table() -> None:
    record = opened("x", "shop", "", "P4", "a | b\n# c", "ada", "2026-11-30T10:00:00.000Z")
    row = {"pod": "x", "message": "<script>|`x`\n| y", "more": {"a": [1, None]}}
    text = markdown(seen(record, "2026-11-30T10:01:00.000Z", "ada", {"events": [row], "pods": []}))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    heads = [line for line in lines if set(line) <= set("|- ")]
    assert len(heads) == 3
    # Every line of a table has as many cells as its head.
    for line in lines:
        assert line.replace("\\|", "").count("|") in (3, 4, 5)
    assert "<script>" not in text
    assert "\\<script\\>" in text
