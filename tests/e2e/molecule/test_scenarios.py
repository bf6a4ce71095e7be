# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook has a molecule scenario, and every scenario passes on the real cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCENARIOS = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))
# The tests of the flow run these playbooks too, and look closer.
_LONG = ("backup", "dr", "drill", "migrate", "release", "rollback", "rotate", "site", "status", "teardown")


def test_every_playbook_has_a_scenario() -> None:
    assert sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml")) == SCENARIOS


@pytest.mark.parametrize(
    "scenario", [pytest.param(one, marks=pytest.mark.series) if one in _LONG else one for one in SCENARIOS]
)
def test_scenario(scenario: str) -> None:
    _test(["molecule", "test", "-s", scenario])


@pytest.mark.series
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_with_the_oldest_core(scenario: str) -> None:
    _test([str(ROOT / "tests" / "setup" / "run"), "oldest", "molecule", "test", "-s", scenario])


def _test(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]
