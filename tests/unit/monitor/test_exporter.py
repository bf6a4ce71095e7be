# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exporter: what it serves, for how long, and that its program holds all that it imports."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest

from ansible_collections.golive.cutover.plugins.filter.exporter_program import exporter_program
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._postgres import exporter
from ansible_collections.golive.cutover.plugins.module_utils._postgres.exported import EXPORTED
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_catalogue import with_thresholds


def test_each_series_shows_a_fact_that_is_known() -> None:
    assert set(EXPORTED.values()) <= set(with_thresholds({})[0])
    rows = [{"name": "invalid_indexes", "value": 2.0}, {"name": "sequence_used", "value": None}]
    assert exporter.values(rows) == {"golive_pg_invalid_indexes": 2.0}


def test_what_is_old_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = exporter.Seen()
    last = "golive_exporter_last_success_timestamp_seconds"
    assert seen.current(1000.0) == {last: 0.0}
    monkeypatch.setattr(exporter.time, "time", lambda: 1000.0)
    seen.keep({"golive_pg_invalid_indexes": 2.0})
    assert seen.current(1120.0) == {last: 1000.0, "golive_pg_invalid_indexes": 2.0}
    assert seen.current(1121.0) == {last: 1000.0}


def test_the_login_is_read_as_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("one\n")
    assert exporter.read_login(tmp_path) == {"password": "one"}
    (tmp_path / "username").write_text("shop_monitor_b")
    assert exporter.read_login(tmp_path) == {"password": "one", "user": "shop_monitor_b"}


def test_a_server_that_is_away_is_an_error_and_no_number() -> None:
    with pytest.raises(GoliveError):
        exporter.read({"user": "x", "password": "x", "host": "127.0.0.1", "port": "1"})


def test_the_program_is_the_same_each_time_and_starts_the_exporter() -> None:
    made = exporter_program("")
    assert made == exporter_program("")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(made))) as archive:
        assert b"_postgres.exporter import main" in archive.read("__main__.py")
        assert any(name.endswith("_postgres/health.py") for name in archive.namelist())
    # A ConfigMap holds 1 MiB.
    assert len(made) < 300_000
