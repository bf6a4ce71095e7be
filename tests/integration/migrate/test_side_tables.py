# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a migration removes is kept beside, when it says so, and comes back with its down script."""

from __future__ import annotations

import pytest

from tests.integration.migrate.conftest import Project

BACK = (
    "ALTER TABLE notes ADD COLUMN tag text NOT NULL DEFAULT '';\n"
    "UPDATE notes SET tag = kept.tag FROM golive.side_0003_drop_tag kept WHERE kept.id = notes.id;\n"
)


def notes(project: Project) -> list[tuple[object, ...]]:
    return project.database.query("SELECT * FROM notes ORDER BY id")


@pytest.fixture
def filled(project: Project) -> Project:
    project.migrate()
    project.database.query("INSERT INTO notes VALUES (1, 'a', 'x'), (2, 'b', 'y') RETURNING id")
    return project


def test_dropped_values_come_back(filled: Project) -> None:
    before = notes(filled)
    filled.write("0003_drop_tag.sql", "-- golive: side_table id\nALTER TABLE notes DROP COLUMN tag;\n")
    filled.write("0003_drop_tag.down.sql", BACK)
    filled.migrate()
    assert notes(filled) == [(1, "a"), (2, "b")]
    assert filled.info()["applied"][-1]["loss"] == "side_table"
    assert [row["version"] for row in filled.migrate(revert_to="0002")["reverted"]] == ["0003"]
    assert notes(filled) == before
    filled.migrate()
    assert filled.database.query("SELECT * FROM golive.side_0003_drop_tag ORDER BY id") == [(1, "x"), (2, "y")]


def test_a_whole_table_is_kept(filled: Project) -> None:
    filled.write("0003_drop_tag.sql", "-- golive: side_table\nDROP TABLE notes;\n")
    filled.migrate()
    assert filled.database.query("SELECT count(*) FROM golive.side_0003_drop_tag") == [(2,)]


def test_without_a_way_to_read_it_the_loss_stays(filled: Project) -> None:
    filled.write("0003_drop_tag.sql", "-- golive: side_table id\nALTER TABLE notes DROP COLUMN tag;\n")
    filled.write("0003_drop_tag.down.sql", BACK.partition("\n")[0])
    filled.migrate()
    assert filled.info()["applied"][-1]["loss"] == "restore_only"
    assert filled.refused(revert_to="0002").code == "restore_only"


def test_what_cannot_be_kept_is_an_error_before_anything_is_removed(filled: Project) -> None:
    filled.write("0003_drop_tag.sql", "-- golive: side_table nr\nALTER TABLE notes DROP COLUMN tag;\n")
    error = filled.refused()
    assert "0003_drop_tag.sql:2" in error.message
    assert '"nr" does not exist' in error.message
    assert notes(filled) == [(1, "a", "x"), (2, "b", "y")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("-- golive: side_table\nALTER TABLE notes DROP COLUMN tag;", ":2: the values of a column need the key"),
        ("-- golive: side_table id\nDELETE FROM notes WHERE id = 1;", ":2: a side table keeps what one DROP COLUMN"),
        ("-- golive: side_table id\nDROP TABLE notes, others;", ":2: a side table keeps what one DROP COLUMN"),
        ("-- golive: kind separate\n-- golive: side_table\nDROP TABLE notes;", ":3: a side table needs a file in one"),
    ],
)
def test_a_mark_that_cannot_hold_is_refused(project: Project, text: str, told: str) -> None:
    project.write("0003_drop_tag.sql", text)
    error = project.refused(check_mode=True)
    assert error.code == "files_invalid"
    assert told in error.message
