# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that several files declare: its states, and nothing of it removed before it is made."""

from __future__ import annotations

from tests.integration.migrate.conftest import Project

CHANGE = "-- golive: change tag_of_notes\n"
FILL = (
    f"{CHANGE}-- golive: kind batch\n-- golive: batch_table notes\n-- golive: batch_key id\n"
    "UPDATE notes SET label = tag WHERE :range;\n"
)


def state(project: Project) -> tuple[str, list[str]]:
    (row,) = project.info()["changes"]
    assert row["name"] == "tag_of_notes"
    return row["state"], row["pending"]


def declare(project: Project) -> None:
    project.write("0003_add_label.sql", f"{CHANGE}ALTER TABLE notes ADD COLUMN label text;\n")
    project.write("0004_fill_label.sql", FILL)
    project.write("0005_drop_tag.sql", f"{CHANGE}-- golive: phase contract\nALTER TABLE notes DROP COLUMN tag;\n")


def test_a_change_goes_through_its_states(project: Project) -> None:
    declare(project)
    assert state(project) == ("planned", ["0003_add_label.sql", "0004_fill_label.sql", "0005_drop_tag.sql"])
    project.migrate(target="0003")
    assert state(project) == ("expanded", ["0004_fill_label.sql", "0005_drop_tag.sql"])
    project.migrate(phase="expand")
    assert state(project) == ("backfilled", ["0005_drop_tag.sql"])
    project.migrate(phase="contract")
    assert state(project) == ("contracted", [])


def test_a_batch_that_stopped_is_backfilling(project: Project) -> None:
    declare(project)
    project.write("0004_fill_label.sql", FILL.replace("= tag", "= tag || (1 / (id - 1))"))
    project.migrate(target="0003")
    project.database.query("INSERT INTO notes (id, body) VALUES (1, 'a') RETURNING id")
    assert project.refused(phase="expand").code == "sql_failed"
    assert state(project)[0] == "backfilling"


def test_nothing_is_removed_before_its_change_is_made_and_filled(project: Project) -> None:
    declare(project)
    project.migrate(target="0003")
    error = project.refused(phase="contract")
    assert error.code == "not_expanded"
    assert "0005_drop_tag.sql removes something, but 0004_fill_label.sql of its change is not applied" in error.message
    assert project.migrate()["head"] == "0005"


def test_a_removal_that_is_numbered_before_its_change_is_refused(project: Project) -> None:
    declare(project)
    project.write("0006_more.sql", f"{CHANGE}ALTER TABLE notes ADD COLUMN more text;\n")
    assert project.refused(check_mode=True).code == "not_expanded"
    assert project.tables() == set()


def test_files_of_other_changes_do_not_wait(project: Project) -> None:
    project.write("0003_drop_tag.sql", "-- golive: phase contract\nALTER TABLE notes DROP COLUMN tag;\n")
    project.migrate(target="0002")
    project.write("0004_other.sql", f"{CHANGE}ALTER TABLE notes ADD COLUMN more text;\n")
    assert [row["version"] for row in project.migrate(phase="contract")["applied"]] == ["0003"]
