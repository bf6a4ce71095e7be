# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests of this folder on other major versions than the machine's own: a sample in CI, all as a series."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.postgres_versions import WHEELS

FOLDER = Path(__file__).parent
FILES = ["test_pg_health.py", "test_sessions.py", "test_storage.py", "test_replication.py"]
SAMPLE = [
    "test_pg_health.py::test_pg_monitor_alone_sees_every_fact_that_sql_tells",
    "test_pg_health.py::test_every_fact_passes_a_gate_on_a_healthy_server",
]


def run(major: int, *chosen: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(str(FOLDER / name) for name in chosen)],
        cwd=FOLDER.parents[2],
        env={**os.environ, "GOLIVE_POSTGRES": str(major), "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout


def test_a_sample_on_the_newest() -> None:
    run(max(WHEELS), *SAMPLE)


@pytest.mark.series
@pytest.mark.parametrize("major", sorted(WHEELS))
def test_everything(major: int) -> None:
    run(major, *FILES)
