# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each test of this folder runs on every core that the Makefile names."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.both_ways.harness import PLAYBOOKS, Ran, run_both
from tests.integration.runner.cases import CASES


def _version(executable: str) -> str:
    text = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"core (\d+\.\d+)", text)
    return found.group(1) if found else executable


@pytest.fixture(scope="session", params=PLAYBOOKS, ids=_version)
def executable(request: pytest.FixtureRequest) -> str:
    """One ansible-playbook."""
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="session")
def all_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[tuple[Ran, Ran]]]]:
    """All cases on all cores, at once; started from a directory that is not the playbook's."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with ThreadPoolExecutor(max_workers=len(PLAYBOOKS)) as pool:
        yield {
            path: pool.submit(run_both, path, CASES, tmp_path_factory.mktemp("both_ways"), cwd=elsewhere)
            for path in PLAYBOOKS
        }


@pytest.fixture(scope="session")
def both(executable: str, all_runs: dict[str, Future[tuple[Ran, Ran]]]) -> tuple[Ran, Ran]:
    """All cases, run once in process and once as modules."""
    return all_runs[executable].result()
