# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry point ``sqlite`` of the role ``migrate`` carries a file over, again, and catches up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.integration.sqlite.conftest import Move
from tests.one_play import SQLITE_MOVE, one_play


def play(move: Move, folder: Path, *arguments: str, **variables: Any) -> tuple[int, str]:
    """Changed tasks and output of a play with the role, which must succeed."""
    settings = {
        "migrate_sqlite_path": str(move.path),
        "postgres_mode": "external",
        "app_name": "shop",
        # The role reads the password from a Secret; there is no cluster here.
        "__migrate_postgresql": move.database.options,
        **variables,
    }
    return one_play(SQLITE_MOVE, folder, move.database.password, settings, *arguments)


def test_the_role_copies_and_catches_up(move: Move, tmp_path: Path) -> None:
    folder = tmp_path / "play"
    folder.mkdir()
    move.make(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)",
        ("INSERT INTO t VALUES (?, ?)", [(i, "x") for i in range(50)]),
    )
    for arguments, state, changed in (("--check", "planned", 1), ("", "copied", 1), ("", "present", 0)):
        count, output = play(move, folder, *filter(None, [arguments]))
        assert (count, f"50 rows are {state}" in output) == (changed, True), output
    move.make("INSERT INTO t VALUES (99, 'late')")
    count, output = play(move, folder, migrate_sqlite_catch_up=True)
    assert (count, "51 rows are copied" in output) == (1, True), output
    assert move.query("SELECT count(*) FROM t") == [(51,)]
