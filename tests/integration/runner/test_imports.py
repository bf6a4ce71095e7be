# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing the action files costs no run: nothing is raised and nothing is started, whatever is missing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.both_ways.harness import ROOT, environment

SCRIPT = """
import importlib, pathlib, sys, threading
for name in sys.argv[2:]:
    sys.modules[name] = None  # makes every import of it an ImportError
root = pathlib.Path(sys.argv[1])
files = sorted((root / "plugins/action").glob("[a-z]*.py"))
assert files
for file in files:
    action = importlib.import_module(f"ansible_collections.golive.cutover.plugins.action.{file.stem}")
    assert action.ActionModule.verb.__name__.endswith(f".modules.{file.stem}")
assert threading.active_count() == 1, threading.enumerate()
"""


@pytest.mark.parametrize(
    "missing",
    [(), ("kubernetes",), ("psycopg2",), ("urllib3",), ("kubernetes", "psycopg2", "urllib3", "boto3", "requests")],
)
def test_import_without(executable: str, missing: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [str(Path(executable).parent / "python"), "-c", SCRIPT, str(ROOT), *missing],
        env={**environment("inside", tmp_path), "PYTHONPATH": str(ROOT / "build/collections")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_verb_has_an_action() -> None:
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("[a-z]*.py")}
    actions = {path.stem for path in (ROOT / "plugins/action").glob("[a-z]*.py")}
    assert modules == actions
