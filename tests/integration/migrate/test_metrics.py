# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of a run for Prometheus, and rules that name only what is there."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path

from tests.integration.migrate.conftest import Project
from tests.integration.prometheus import promtool

RULES = Path(__file__).parents[3] / "roles/migrate/files/alerts.yml"


def numbers(file: Path) -> dict[str, float]:
    found = re.findall(r"^golive_migrate_(\w+)\{([^}]*)\} (\S+)$", file.read_text(), re.MULTILINE)
    assert all('ledger="golive.migrations"' in labels for _name, labels, _value in found)
    return {name: float(value) for name, _labels, value in found}


def test_a_run_writes_its_numbers_and_a_failed_one_too(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "migrate.prom"
    project.migrate(check_mode=True, metrics_file=str(file))
    assert not file.exists()
    project.migrate(metrics_file=str(file))
    seen = numbers(file)
    assert (seen["success"], seen["applied"], seen["pending"], seen["lock_retries"]) == (1, 2, 0, 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert list(tmp_path.glob(".migrate*")) == []
    checked = subprocess.run(
        [promtool(), "check", "metrics"], stdin=file.open(), capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr

    other = project.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM notes")
    project.write("0003_wrong.sql", "ALTER TABLE notes ADD COLUMN more text;")
    project.refused(metrics_file=str(file), lock_timeout=0.2, lock_wait=1)
    other.close()
    seen = numbers(file)
    assert (seen["success"], seen["applied"]) == (0, 0)
    assert seen["lock_retries"] >= 2
    assert seen["lock_wait_seconds"] >= 0.2


def test_a_file_that_cannot_be_written_is_a_warning(project: Project, tmp_path: Path) -> None:
    assert project.migrate(metrics_file=str(tmp_path / "nowhere" / "migrate.prom"))["head"] == "0002"
    assert any("migrate.prom failed" in text for text in project.warnings)


def test_the_rules_are_valid_and_ask_for_what_is_written(project: Project, tmp_path: Path) -> None:
    checked = subprocess.run([promtool(), "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    file = tmp_path / "migrate.prom"
    project.migrate()
    project.migrate(metrics_file=str(file))
    asked = set(re.findall(r"golive_migrate_(\w+)", RULES.read_text()))
    assert asked <= numbers(file).keys()
