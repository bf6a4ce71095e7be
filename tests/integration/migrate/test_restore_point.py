# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No backup, no destructive step: the verb's rule, and the role ``migrate`` that takes a dump before."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.migrate.conftest import Project

DROP = "ALTER TABLE notes DROP COLUMN tag;\n"
DROP_BACK = "ALTER TABLE notes ADD COLUMN tag text NOT NULL DEFAULT '';\n"
_RECAP = re.compile(r"changed=(\d+)\s.*failed=(\d+)")


@pytest.fixture
def destructive(project: Project) -> Project:
    """Two migrations are applied, the third drops a column."""
    project.migrate()
    project.database.query("INSERT INTO notes VALUES (1, 'one', 'kept')")
    project.write("0003_drop_tag.sql", DROP)
    project.write("0003_drop_tag.down.sql", DROP_BACK)
    return project


def test_what_removes_data_waits_for_a_restore_point(destructive: Project) -> None:
    for check_mode in (True, False):
        error = destructive.refused(check_mode=check_mode, require_restore_point=True)
        assert error.code == "restore_point_missing"
        assert error.details["files"] == ["0003_drop_tag.sql"]
    assert destructive.info()["head"] == "0002"
    planned = destructive.migrate(check_mode=True, require_restore_point=True, restore_point="before-3")
    assert [(row["version"], row["loss"]) for row in planned["pending"]] == [("0003", "restore_only")]
    done = destructive.migrate(require_restore_point=True, restore_point="before-3")
    assert done["head"] == "0003"
    again = destructive.migrate(require_restore_point=True)
    assert (again["changed"], again["restore_points_needed"]) == (False, ["before-3"])


def test_what_removes_nothing_needs_none(project: Project) -> None:
    assert project.migrate(require_restore_point=True)["head"] == "0002"
    assert project.migrate()["restore_points_needed"] == []


def test_the_ledger_keeps_why_there_is_none(destructive: Project) -> None:
    destructive.migrate(require_restore_point=True, waive_restore_point="a copy of yesterday")
    assert destructive.info()["applied"][-1]["restore_point"] == "none: a copy of yesterday"
    error = destructive.refused(revert_to="0002")
    assert error.code == "restore_only"
    assert "No restore point was taken: a copy of yesterday." in error.message
    assert destructive.migrate()["restore_points_needed"] == []


def test_the_way_back_is_the_backup_before_the_first_file(destructive: Project) -> None:
    destructive.migrate(restore_point="z-first")
    destructive.write("0004_empty.sql", "TRUNCATE notes;")
    destructive.migrate(restore_point="a-second")
    assert "restore point taken before is z-first." in destructive.refused(revert_to="0002").message
    assert destructive.migrate()["restore_points_needed"] == ["a-second", "z-first"]


def test_a_file_that_did_not_end_keeps_its_first_restore_point(destructive: Project) -> None:
    destructive.write(
        "0003_drop_tag.sql", "-- golive: kind separate\nALTER TABLE notes DROP COLUMN tag;\nSELECT wrong;\n"
    )
    destructive.refused(restore_point="with-the-column")
    destructive.write("0003_drop_tag.sql", "-- golive: kind separate\nALTER TABLE notes DROP COLUMN tag;\nSELECT 1;\n")
    destructive.migrate(restore_point="without-it")
    assert destructive.info()["applied"][-1]["restore_point"] == "with-the-column"


@dataclass
class App:
    """An app whose role ``migrate`` reaches the database of ``project``."""

    project: Project
    folder: Path

    @property
    def dumps(self) -> list[str]:
        """Names of the dumps that were taken."""
        return sorted(path.name for path in (self.folder / "dumps").glob("[!.]*"))

    def play(self, *arguments: str, **variables: Any) -> tuple[int, int, str]:
        """Exit code, changed tasks and output of a play with the role."""
        settings = {
            "migrate_path": str(self.project.path),
            "migrate_restore_dir": str(self.folder / "dumps"),
            "postgres_mode": "external",
            "app_name": "shop",
            "app_version": "2.4.1",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            # The role reads the password from a Secret; there is no cluster here.
            "__migrate_postgresql": self.project.database.options,
            **variables,
        }
        role = {"ansible.builtin.import_role": {"name": "golive.cutover.migrate"}}
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [role]}
        file = self.folder / "play.yml"
        file.write_text(yaml.safe_dump([play]))
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        done = subprocess.run(
            ["ansible-playbook", str(file), "--diff", "-e", json.dumps(settings), *arguments],
            cwd=self.folder,
            env={**kept, "PWD": str(self.folder), "KUBECONFIG": "/nowhere"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        output = done.stdout + done.stderr
        recap = _RECAP.search(output)
        assert recap, output
        return done.returncode, int(recap[1]), output


@pytest.fixture
def app(destructive: Project, tmp_path: Path) -> App:
    return App(destructive, tmp_path)


def test_the_role_dumps_before_it_migrates_and_keeps_what_alone_has_the_data(app: App) -> None:
    planned = app.play("--check")
    assert (planned[0], planned[1]) == (0, 2), planned[2]
    assert '"head": "0002"' in planned[2]
    assert app.dumps == []
    assert app.project.info()["head"] == "0002"

    done = app.play(migrate_run_id="r-7")
    assert (done[0], done[1]) == (0, 2), done[2]
    (name,) = app.dumps
    assert re.fullmatch(r"shop-\d{8}T\d{6}Z-0002-r-7", name)
    manifest = json.loads((app.folder / "dumps" / name / "manifest.json").read_text())
    assert manifest["labels"] == {"run_id": "r-7", "head": "0002", "app": "shop", "release": "2.4.1"}
    rows = {f"{one['schema']}.{one['name']}": one["rows"] for one in manifest["tables"]}
    assert (rows["golive.migrations"], rows["public.notes"]) == (2, 1)
    row = app.project.info()["applied"][-1]
    assert (row["restore_point"], row["run_id"]) == (name, "r-7")
    assert f"restore point taken before is {name}." in app.project.refused(revert_to="0002").message

    again = app.play()
    assert (again[0], again[1]) == (0, 0), again[2]
    assert app.dumps == [name]

    app.project.write("0004_more.sql", "CREATE TABLE more ();")
    app.play(migrate_restore_keep=1)
    assert len(app.dumps) == 2
    assert name in app.dumps
    app.project.write("0005_most.sql", "CREATE TABLE most ();")
    app.play(migrate_restore_keep=1, migrate_restore_keep_needed=False)
    assert len(app.dumps) == 1
    assert app.dumps != [name]


@pytest.mark.series
def test_the_role_takes_the_point_of_other_tasks_or_says_why_there_is_none(app: App) -> None:
    tasks = app.folder / "backup.yml"
    tasks.write_text(yaml.safe_dump([{"ansible.builtin.debug": {"msg": "nothing"}}]))
    refused = app.play(migrate_restore_tasks=str(tasks))
    assert refused[0] != 0
    assert "without setting the fact migrate_restore_point_taken" in refused[2]
    assert app.project.info()["head"] == "0002"

    fact = {"ansible.builtin.set_fact": {"migrate_restore_point_taken": "20261129F"}}
    tasks.write_text(yaml.safe_dump([fact]))
    assert app.play(migrate_restore_tasks=str(tasks))[0] == 0
    app.project.write("0004_empty.sql", "TRUNCATE notes;")
    assert app.play(migrate_waive_restore_point="nothing in it counts")[0] == 0
    points = [row["restore_point"] for row in app.project.info()["applied"]]
    assert points == [None, None, "20261129F", "none: nothing in it counts"]
    assert app.dumps == []


def test_the_role_stops_when_no_dump_can_be_taken(app: App) -> None:
    app.folder.joinpath("dumps").write_text("a file in the way")
    refused = app.play()
    assert refused[0] != 0
    assert "it is no directory" in refused[2]
    assert app.project.info()["head"] == "0002"
