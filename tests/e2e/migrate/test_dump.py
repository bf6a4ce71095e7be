# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``db_dump`` of a database in a pod: through the tunnel, or with the pod's own programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg import programs
from ansible_collections.golive.cutover.plugins.modules import db_dump
from tests.e2e.migrate.conftest import Stand


@pytest.fixture
def filled(fresh: Stand) -> Stand:
    """A database with rows that do not fit into one message."""
    fresh.psql(
        "CREATE TABLE notes (id int PRIMARY KEY, body text);"
        " INSERT INTO notes SELECT i, repeat(md5(i::text), 10) FROM generate_series(1, 30000) i"
    )
    return fresh


def take(stand: Stand, directory: Path, name: str, check_mode: bool = False, **reach: Any) -> dict[str, Any]:
    """Run ``db_dump``; ``reach`` is put into the option ``postgresql``."""
    options = {key: option.get("default") for key, option in db_dump.SPEC["argument_spec"].items()}
    given = stand.params()
    options |= {"postgresql": {**given["postgresql"], **reach}, "tunnel": given["tunnel"]}
    return db_dump.run(call_for_tests({**options, "directory": str(directory), "name": name}, check_mode))


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without PostgreSQL's programs."""
    monkeypatch.setattr(programs, "_DIRECTORIES", ())
    monkeypatch.setattr(programs.shutil, "which", lambda _name: None)


def test_the_pods_programs_make_the_same_dump_where_there_are_none_here(
    filled: Stand, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    through = take(filled, tmp_path, "through-the-tunnel")
    assert through["manifest"]["rows"] == 30000
    request.getfixturevalue("no_programs")
    assert take(filled, tmp_path, "in-the-pod", check_mode=True)["changed"] is True
    inside = take(filled, tmp_path, "in-the-pod")
    assert inside["manifest"]["tables"] == through["manifest"]["tables"]
    assert take(filled, tmp_path, "in-the-pod")["changed"] is False


@pytest.mark.usefixtures("no_programs")
def test_what_a_program_in_the_pod_refuses_is_told_without_the_password(filled: Stand, tmp_path: Path) -> None:
    password = "planted-reader-81c2"
    filled.psql(f"CREATE ROLE reader LOGIN PASSWORD '{password}'; GRANT USAGE ON SCHEMA public TO reader")
    try:
        with pytest.raises(GoliveError) as caught:
            take(filled, tmp_path, "x", user="reader", password=password, password_secret=None)
    finally:
        filled.psql("DROP OWNED BY reader; DROP ROLE reader")
    assert caught.value.code == "program_failed"
    assert "permission denied for table notes" in caught.value.message
    assert password not in str(caught.value)
    assert list(tmp_path.glob("[!.]*")) == []
