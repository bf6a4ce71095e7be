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
ROOT = FOLDER.parents[2]
# Not all wheels carry the extensions that these create.
WITH_EXTENSIONS = [
    "test_catalogue.py::test_everything_shows_and_goes_again",
    "test_rehearse.py::test_no_password_of_another_server_is_cloned",
    "test_rehearse.py::test_owners_rights_and_odd_names_are_cloned_as_far_as_the_user_may",
]
# A mixed file, a batch, a verification, and what is looked at before.
SAMPLE = [
    "test_autocommit.py::test_a_mixed_file_runs_step_by_step",
    "test_back.py::test_what_was_not_verified_is_verified_by_the_next_run",
    "test_batches.py::test_all_rows_in_batches",
    "test_preflight.py::test_a_prepared_transaction_in_the_way_is_refused_before_anything_is_applied",
]


def run(major: int, *chosen: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *chosen],
        cwd=ROOT,
        env={**os.environ, "GOLIVE_POSTGRES": str(major), "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout


def test_a_sample_on_the_newest() -> None:
    run(max(WHEELS), *(str(FOLDER / name) for name in SAMPLE))


@pytest.mark.series
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("major", WHEELS)
def test_all_of_them(major: int) -> None:
    # By the names that pytest gives: an absolute path leaves nothing out.
    without = [f"--deselect={FOLDER.relative_to(ROOT) / name}" for name in WITH_EXTENSIONS]
    run(major, str(FOLDER), f"--ignore={Path(__file__)}", *without, "--timeout=300")
