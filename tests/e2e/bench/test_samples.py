# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every bench still runs: its short form ends well and prints a comparison. What it measures is not judged here."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.e2e.conftest import ROOT

BENCHES = sorted(path.parent for path in (ROOT / "tests" / "bench").glob("*/run"))
_RATIO = re.compile(r"\d×")


@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: str(path.name))
def test_a_sample_runs_and_compares(bench: str) -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    done = subprocess.run([f"{bench}/run", "--sample"], capture_output=True, text=True, check=False, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n| " in done.stdout
    assert _RATIO.search(done.stdout), done.stdout
    assert (ROOT / "docs" / "benchmarks.md").read_text() == page
