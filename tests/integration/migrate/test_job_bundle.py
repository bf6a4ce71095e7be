# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that a Job runs: whole in itself, the same each time, and the verb's own result at its end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate import job_main
from ansible_collections.golive.cutover.plugins.module_utils._reach import job_bundle
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_bundle import Bundle, bundle
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_program import RESULT, WARNING
from tests.integration.migrate.conftest import Project
from tests.integration.migrate.test_crashes import SLOW, eventually, sleeping

# An image has Python and psycopg2, and nothing else of what is here.
BARE = """
import runpy, sys
class Bare:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("ansible", "kubernetes", "yaml", "urllib3", "websocket"):
            raise ImportError("not in the image: " + name)
sys.meta_path.insert(0, Bare())
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def make(project: Project, **options: Any) -> Bundle:
    return bundle(job_main.__name__, str(project.path), {**project.params(**options), "path": ""}, lambda: None)


def start(made: Bundle, folder: Path) -> subprocess.Popen[str]:
    whole = folder / "whole.zip"
    whole.write_bytes(b"".join(made.pieces))
    return subprocess.Popen(
        [sys.executable, "-I", "-c", BARE, whole], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
    )


def result_of(process: subprocess.Popen[str]) -> tuple[dict[str, Any], list[str]]:
    """The result and all lines of output."""
    output, errors = process.communicate(timeout=60)
    lines = output.splitlines()
    assert lines, errors
    assert lines[-1].startswith(RESULT), output + errors
    return json.loads(lines[-1].removeprefix(RESULT)), lines


def test_the_program_migrates_and_tells_its_result(project: Project, tmp_path: Path) -> None:
    project.write("notes.txt", "left alone")
    done, lines = result_of(start(make(project, run_id="r-1"), tmp_path))
    assert (done["changed"], done["head"]) == (True, "0002")
    assert [row["version"] for row in done["applied"]] == ["0001", "0002"]
    assert any("applying 0001_create_notes.sql" in line for line in lines)
    assert project.info()["applied"][0]["run_id"] == "r-1"

    project.path.joinpath("0002_add_tag.sql").unlink()
    project.path.joinpath("0002_add_tag.down.sql").unlink()
    again, lines = result_of(start(make(project), tmp_path))
    assert again["changed"] is False
    assert WARNING + json.dumps("missing_file: 0002_add_tag.sql was applied and is gone.") in lines


def test_a_failure_is_the_one_of_the_verb(project: Project, tmp_path: Path) -> None:
    project.write("0003_wrong.sql", f"SELECT 1;\nSELECT '{project.database.password}'::int;\n")
    process = start(make(project), tmp_path)
    failed, lines = result_of(process)
    assert process.returncode == 1
    assert (failed["code"], failed["file"], failed["line"]) == ("sql_failed", "0003_wrong.sql", 2)
    assert project.database.password not in "".join(lines)
    at_home = project.refused()
    assert failed["msg"] == str(at_home)


def test_a_program_that_is_ended_leaves_nothing(project: Project, tmp_path: Path) -> None:
    project.write("0003_slow.sql", SLOW)
    process = start(make(project), tmp_path)
    eventually("the slow statement", lambda: sleeping(project))
    process.send_signal(signal.SIGTERM)
    stopped, _lines = result_of(process)
    assert stopped["code"] == "interrupted"
    eventually("the end of the statement", lambda: not sleeping(project))
    assert project.info()["head"] == "0002"


def test_the_same_is_the_same_and_the_digest_tells_no_password(project: Project) -> None:
    first = make(project)
    assert make(project) == first
    other = make(project, postgresql={**project.database.options, "password": "another"})
    assert other.pieces != first.pieces
    assert other.digest == first.digest
    project.write("0002_add_tag.sql", "SELECT 1;")
    assert make(project).digest != first.digest


def test_what_does_not_fit_is_told(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make(project)
    monkeypatch.setattr(job_bundle, "PIECE", 1 << 16)
    pieces = make(project).pieces
    assert len(pieces) > 1
    assert b"".join(pieces) == b"".join(whole.pieces)
    monkeypatch.setattr(job_bundle, "PIECE", 1 << 10)
    with pytest.raises(GoliveError) as caught:
        make(project)
    assert caught.value.code == "bundle_too_large"
    assert "fit" in caught.value.message
