# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the Go tests of the test application and of the load generator."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cluster.build import go_environment, toolchain
from tests.cluster.progress import Part
from tests.cluster.record import locked
from tests.images import programs

TESTS = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("program", [programs.NOTES, programs.NOTES_SQLITE, programs.LOAD], ids=lambda one: one.name)
def test_go(program: programs.Program, tmp_path: Path) -> None:
    work = programs.work_folder()
    tested = tmp_path / "sources"
    tested.mkdir()
    for path in program.sources():
        shutil.copy(path, tested)
    for path in (program.over or program.source or tested).glob("*_test.go"):
        shutil.copy(path, tested)
    with locked(work / "lock"):
        go = toolchain(Part("go toolchain"))
        environment = {**go_environment(work, tmp_path / "bin"), "DATABASE_HOST": ""}
        done = subprocess.run(
            [go, "test", "-trimpath", "-buildvcs=false", "-vet=all", "./..."],
            cwd=tested,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("folder", ["app", "load"])
def test_go_sources_are_formatted(folder: str) -> None:
    gofmt = shutil.which("gofmt") or str(Path(toolchain(Part("go toolchain"))).with_name("gofmt"))
    if not os.path.exists(gofmt):
        pytest.skip("this Go toolchain has no gofmt")
    done = subprocess.run([gofmt, "-l", "."], cwd=TESTS / folder, check=True, capture_output=True, text=True)
    assert done.stdout == ""
