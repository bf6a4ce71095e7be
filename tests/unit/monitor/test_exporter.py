# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exporter: what it serves, for how long, and that its program holds all that it imports."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.filter.exporter_program import GIVEN, exporter_program
from ansible_collections.golive.cutover.plugins.module_utils._backup import exported as of_backups
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.series import Sample, Source, Told
from ansible_collections.golive.cutover.plugins.module_utils._migrate import exported as of_migrations
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied
from ansible_collections.golive.cutover.plugins.module_utils._monitor.exporter import Seen, read_login
from ansible_collections.golive.cutover.plugins.module_utils._postgres import exported as of_database
from ansible_collections.golive.cutover.plugins.module_utils._postgres import exported_secrets as of_secrets
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_catalogue import FACTS
from ansible_collections.golive.cutover.plugins.module_utils._release import exported as of_releases
from ansible_collections.golive.cutover.plugins.module_utils._release.journal import Journal

NOW = 1_790_000_000.0
AT = "2026-09-21T14:13:20Z"


class Answers:
    """A source whose next answer the test says."""

    def __init__(self) -> None:
        self.told: Told | GoliveError = Told({})

    def read(self, _login: Mapping[str, str]) -> Told:
        if isinstance(self.told, GoliveError):
            raise self.told
        return self.told


def served(seen: Seen, now: float) -> dict[str, float]:
    """What a scrape would get, by name and the values of the labels."""
    return {"/".join([one.name, *one.labels.values()]): one.value for one in seen.current(now)}


def test_each_series_shows_a_fact_that_is_known() -> None:
    assert set(of_database.SHOWN.values()) <= set(FACTS)
    queries = [query for given in GIVEN for source in given.SOURCES for query in source.queries]
    assert len(queries) == len(set(queries))


def test_a_query_that_fails_hides_no_other_and_is_seen() -> None:
    answers = Answers()
    seen = Seen([Source(("a", "b"), frozenset({"x", "y"}), 30, 120, answers.read)])
    answers.told = Told({"a": [Sample("x", 1.0)], "b": [Sample("y", 2.0)]})
    seen.read(1000.0)
    last = {"golive_exporter_last_success_timestamp_seconds/a": 1000.0}
    last["golive_exporter_last_success_timestamp_seconds/b"] = 1000.0
    up = {"golive_exporter_query_up/a": 1.0, "golive_exporter_query_up/b": 1.0}
    assert served(seen, 1000.0) == {"x": 1.0, "y": 2.0, **up, **last}
    answers.told = Told({"a": [Sample("x", 3.0)]}, {"b": "no answer"})
    # Its time has not come.
    seen.read(1029.0)
    assert served(seen, 1029.0)["x"] == 1.0
    seen.read(1030.0)
    last["golive_exporter_last_success_timestamp_seconds/a"] = 1030.0
    up["golive_exporter_query_up/b"] = 0.0
    assert served(seen, 1120.0) == {"x": 3.0, "y": 2.0, **up, **last}
    # An old number would look like a good one.
    assert served(seen, 1121.0) == {"x": 3.0, **up, **last}
    answers.told = GoliveError("unreachable", "nobody is there")
    seen.read(1121.0)
    up["golive_exporter_query_up/a"] = 0.0
    assert served(seen, 1200.0) == {**up, **last}


def test_what_is_gone_is_not_served_any_more_and_of_two_the_greater_counts() -> None:
    one, other = Answers(), Answers()
    sources = [Source((name,), frozenset({"x"}), 1, 60, told.read) for name, told in (("a", one), ("b", other))]
    seen = Seen(sources)
    one.told = Told({"a": [Sample("x", 0.0, {"file": "1"}), Sample("x", 1.0, {"file": "2"})]})
    other.told = Told({"b": [Sample("x", 1.0, {"file": "1"})]})
    seen.read(10.0)
    assert {key: value for key, value in served(seen, 10.0).items() if key.startswith("x")} == {"x/1": 1.0, "x/2": 1.0}
    one.told, other.told = Told({"a": []}), Told({"b": []})
    seen.read(11.0)
    assert not [key for key in served(seen, 11.0) if key.startswith("x")]


def test_the_login_is_read_as_it_is_now(tmp_path: Path) -> None:
    assert read_login(tmp_path) == {}
    (tmp_path / "password").write_text("one\n")
    assert read_login(tmp_path) == {"password": "one"}
    (tmp_path / "username").write_text("shop_monitor_b")
    assert read_login(tmp_path) == {"password": "one", "user": "shop_monitor_b"}


@pytest.mark.parametrize("read", [of_database.read_facts, of_database.read_bloat, of_migrations.read_migrations])
def test_a_server_that_is_away_is_an_error_and_no_number(read: Any) -> None:
    with pytest.raises(GoliveError):
        read({"user": "x", "password": "x", "host": "127.0.0.1", "port": "1"})


def test_a_migration_without_its_runner_has_failed() -> None:
    done = Applied("0001", "one", (1,), "x", file="0001_one.sql", started_at=AT)
    half = Applied("0002", "two", (2,), "x", file="0002_two.sql", state="running", started_at=AT)

    def told(*rows: Applied, busy: bool) -> set[tuple[str, str]]:
        found = of_migrations.samples_of(rows, busy)
        assert {one.value for one in found if one.name == of_migrations.STARTED} <= {NOW}
        return {
            (one.labels["migration"], one.labels["state"])
            for one in found
            if one.name == of_migrations.STATE and one.value == 1
        }

    assert told(busy=False) == set()
    assert told(done, busy=True) == {("0001_one.sql", "applied")}
    assert told(done, half, busy=True) == {("0002_two.sql", "running")}
    assert told(done, half, busy=False) == {("0002_two.sql", "failed")}
    assert told(half, done, busy=False) == {("0001_one.sql", "applied"), ("0002_two.sql", "failed")}


def journal(tmp_path: Path, *entries: dict[str, Any]) -> dict[str, float]:
    """What is served of a journal with these entries, ten seconds after its end."""
    made = Journal()
    for entry in entries:
        made = made.with_entry({"run": "r1", "at": AT, **entry})
    for name, text in made.as_data().items():
        (tmp_path / name).write_text(text)
    told = of_releases.read_journal({})
    return {"/".join(one.labels.values()): one.value for one in told.samples["journal"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(of_releases, "FOLDER", tmp_path)
    monkeypatch.setattr(of_releases.time, "time", lambda: NOW + 10)
    return tmp_path


BEGIN = {"event": "begin", "purpose": "release", "phase": "migrate"}
PASS, FAIL = {"verdict": {"verdict": "pass"}}, {"verdict": {"verdict": "fail"}}


def test_a_guard_is_tripped_until_its_move_is_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert journal(folder) == {}
    move = [BEGIN, {"event": "phase", "phase": "verify", **PASS}, {"event": "phase", "phase": "observe", **PASS}]
    assert journal(folder, *move) == {"verify": 0.0}
    back = [*move, {"event": "phase", "phase": "return", **FAIL}]
    assert journal(folder, *back) == {"verify": 0.0, "observe": 1.0}
    returned = [*back, {"event": "finish", "outcome": "returned", **FAIL}]
    assert journal(folder, *returned) == {"verify": 0.0, "observe": 1.0}
    held = [*move, {"event": "finish", "outcome": "held", "verdict": {"verdict": "inconclusive"}}]
    assert journal(folder, *held)["observe"] == 1.0
    good = [*move, {"event": "finish", "outcome": "success", **PASS}]
    assert journal(folder, *good) == {"verify": 0.0, "observe": 0.0}
    # What is held stays so; what has returned is over after a while.
    monkeypatch.setattr(of_releases.time, "time", lambda: NOW + 601)
    assert journal(folder, *held)["observe"] == 1.0
    assert journal(folder, *returned)["observe"] == 0.0
    # The next move begins with none.
    assert journal(folder, *returned, {**BEGIN, "run": "r2"}) == {}


def test_a_migration_that_ended_its_run_has_failed_until_another_run_migrates(folder: Path) -> None:
    named = {"verdict": {"verdict": "fail", "migration": "0002_two.sql"}}
    failed = [BEGIN, {"event": "finish", "outcome": "failed", **named}]
    assert journal(folder, *failed) == {"0002_two.sql/failed": 1.0}
    assert journal(folder, BEGIN, {"event": "finish", "outcome": "failed", **FAIL}) == {"run r1/failed": 1.0}
    later = [*failed, {**BEGIN, "run": "r2"}, {"run": "r2", "event": "phase", "phase": "plan", **PASS}]
    assert journal(folder, *later) == {}
    # A release that failed later has migrated well.
    stage = [BEGIN, {"event": "phase", "phase": "stage", **PASS}, {"event": "finish", "outcome": "failed", **FAIL}]
    assert "run r1/failed" not in journal(folder, *stage)


def test_a_drill_counts_when_it_proved_the_content_and_its_report_is_whole() -> None:
    def report(**what: Any) -> tuple[str, bytes]:
        body = json.dumps({"about": {"kind": "drill"}, "level": 6, "started": AT, **what}).encode()
        return f"20260921-drill-{hashlib.sha256(body).hexdigest()[:8]}.json", body

    assert of_backups.newest_drill({}) is None
    assert of_backups.newest_drill(dict([report()])) == NOW
    for bad in ({"level": 5}, {"about": {"kind": "restore"}}, {"faults": ["rows are missing"]}):
        assert of_backups.newest_drill(dict([report(**bad)])) is None
    name, body = report()
    assert of_backups.newest_drill({name: body.replace(b"2026-09-21", b"2026-09-22")}) is None
    assert of_backups.newest_drill(dict([report(), report(started="2026-09-21T14:13:21Z")])) == NOW + 1


def test_a_repository_that_was_not_read_lately_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_backups, "FOLDER", tmp_path)
    assert of_backups.read_repositories({}) == Told({"backups": [], "drills": []})
    monkeypatch.setenv(of_backups.NUMBER, "1")
    monkeypatch.setenv(of_backups.OLD, "60")
    told = of_backups.read_repositories({})
    assert set(told.faults) == {"backups", "drills"}
    (tmp_path / "reports-1.read").touch()
    assert set(of_backups.read_repositories({}).faults) == {"backups"}


def test_a_secret_tells_when_its_password_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_secrets, "FOLDER", tmp_path)
    monkeypatch.setenv(of_secrets.MOST_AGE, "7776000")
    (tmp_path / "shop-postgres").write_text(AT)
    told = of_secrets.read_rotations({})
    assert [(one.name, one.value) for one in told.samples["secrets"]] == [
        (of_secrets.ROTATED, NOW),
        (of_secrets.MAX_AGE, 7776000.0),
    ]
    assert {one.labels["name"] for one in told.samples["secrets"]} == {"shop-postgres"}
    (tmp_path / "other").write_text("yesterday")
    assert "other" in of_secrets.read_rotations({}).faults["secrets"]


def test_the_program_is_the_same_each_time_and_starts_the_exporter() -> None:
    made = exporter_program("")
    assert made == exporter_program("")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(made))) as archive:
        start = archive.read("__main__.py").decode()
        assert "_monitor.exporter import main" in start
        assert all(f"{given.__name__} import SOURCES" in start for given in GIVEN)
        assert any(name.endswith("_postgres/health.py") for name in archive.namelist())
    # A ConfigMap holds 1 MiB.
    assert len(made) < 400_000
