# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook ``lint`` as CI runs it: no inventory, no cluster, no database."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

PLAYBOOK = Path(__file__).parents[3] / "playbooks" / "lint.yml"


def play(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return subprocess.run(
        ["ansible-playbook", str(PLAYBOOK), "-e", json.dumps(variables)],
        cwd=folder,
        env={**kept, "PWD": str(folder), "KUBECONFIG": "/nowhere"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_unsafe_files_fail_and_leave_reports(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    file = tmp_path / "migrations" / "0002_index.sql"
    file.write_text("CREATE INDEX i ON notes (tag);\n")
    file.with_name("0001_notes.sql").write_text("CREATE TABLE notes (id bigint PRIMARY KEY, tag text);\n")
    names = {"migrate_path": "migrations", "lint_sarif": "lint.sarif", "lint_junit": "lint.xml", "lint_head": "0001"}
    failed = play(tmp_path, **names)
    assert failed.returncode == 2, failed.stdout
    assert "0002_index.sql:1: error create-index-blocking" in failed.stdout
    assert json.loads((tmp_path / "lint.sarif").read_text())["runs"][0]["results"]
    assert "create-index-blocking" in (tmp_path / "lint.xml").read_text()

    file.write_text("CREATE INDEX CONCURRENTLY i ON notes (tag);\n")
    passed = play(tmp_path, **names)
    assert passed.returncode == 0, passed.stdout
    assert "create-index-blocking" not in (tmp_path / "lint.xml").read_text()


def test_files_of_another_tool_are_linted_behind_its_head(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "V1_9__notes.sql").write_text("CREATE TABLE notes (id bigint PRIMARY KEY, tag text);\n")
    (tmp_path / "migrations" / "V1_10__index.sql").write_text("CREATE INDEX i ON notes (tag);\n")
    names = {"migrate_path": "migrations", "migrate_layout": "flyway", "lint_head": "1.9"}
    failed = play(tmp_path, **names)
    assert failed.returncode == 2, failed.stdout
    assert "V1_10__index.sql:1: error create-index-blocking" in failed.stdout
    assert "V1_9__notes.sql" not in failed.stdout


def test_files_are_written_anew_on_request(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_notes.sql").write_text("CREATE TABLE notes (id bigint PRIMARY KEY, tag text);\n")
    file = tmp_path / "migrations" / "0002_index.sql"
    file.write_text("CREATE INDEX i ON notes (tag);\n")
    passed = play(tmp_path, migrate_path="migrations", lint_head="0001", lint_rewrite="true")
    assert passed.returncode == 0, passed.stdout
    assert file.read_text() == "CREATE INDEX CONCURRENTLY i ON notes (tag);\n"
