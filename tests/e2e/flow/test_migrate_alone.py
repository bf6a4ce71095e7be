# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What removes something is left by a release, refused while an old release has pods, and run when none has."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import ROOT, Stage
from tests.integration.postgres import binaries

CONTRACT = "-- golive: phase contract\nALTER TABLE notes DROP COLUMN spare;\n"


def columns(stage: Stage) -> set[str]:
    query = "SELECT attname FROM pg_attribute WHERE attrelid = 'notes'::regclass AND attnum > 0 AND NOT attisdropped"
    pod = ("exec", "-n", stage.namespace, "statefulset/notes-postgres", "--")
    return set(kubectl(*pod, "psql", "-U", "postgres", "-d", "notes", "-Atc", query).split())


def deployments(stage: Stage) -> set[str]:
    found = kubectl("-n", stage.namespace, "get", "deployments", "-l", "golive.cutover/colour", "-o", "name")
    return {line.rpartition("/")[2] for line in found.split()}


@pytest.mark.series
def test_a_contract_waits_for_the_old_release_to_go(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    # A rehearsal takes pg_dump from here.
    binaries()
    files = tmp_path / "migrations"
    shutil.copytree(ROOT / "tests/app/migrations", files)
    stage = make_stage(migrate_path=str(files))
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    # No version of the app reads it, so that the load shows what the playbook does.
    files.joinpath("0003_add_spare.sql").write_text("ALTER TABLE notes ADD COLUMN spare text;\n")
    files.joinpath("0004_drop_spare.sql").write_text(CONTRACT)
    play = stage.play("release.yml", app_version="2.0.0", migrate_target="")
    assert play.code == 0, play.output
    assert columns(stage) >= {"tag", "spare"}

    refused = stage.play("migrate.yml", app_version="2.0.0", migrate_target="", migrate_phase="contract")
    assert refused.code != 0
    assert "notes-blue still has pods of another release" in refused.output
    assert "spare" in columns(stage)

    contract = {
        "app_version": "2.0.0",
        "migrate_target": "",
        "migrate_phase": "contract",
        "release_give_up_standby": True,
        "migrate_rehearse": True,
    }
    planned = stage.play("migrate.yml", "--check", "--diff", **contract)
    assert planned.code == 0, planned.output
    assert "DROP COLUMN spare" in planned.output
    assert "-column public.notes.spare: " in planned.output
    assert "spare" in columns(stage)
    assert "notes-blue" in deployments(stage)
    with stage.load(rate=20) as ledger:
        done = stage.play("migrate.yml", **contract, migrate_max_block=60)
    assert done.code == 0, done.output
    assert "spare" not in columns(stage)
    assert deployments(stage) == {"notes-green"}
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    again = stage.play("migrate.yml", **contract)
    assert (again.code, again.changed) == (0, 0), again.output
    assert stage.runs()[0]["purpose"] == "migrate"
    back = stage.play("rollback.yml")
    assert back.code != 0
    assert "has no earlier release to return to" in back.output, back.output
