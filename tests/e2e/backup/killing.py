# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill a playbook without notice once something is seen in the cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from tests.e2e.conftest import ROOT
from tests.e2e.flow.stage import family

_SECONDS = 180


def until(seen: Callable[[], bool], goes_on: Callable[[], bool]) -> None:
    """Wait until something is seen, while something goes on."""
    end = time.monotonic() + _SECONDS
    while not seen():
        assert goes_on(), "it ended before"
        assert time.monotonic() < end, "the moment did not come"
        time.sleep(0.05)


def killed_when(command: Sequence[str], seen: Callable[[], bool]) -> None:
    """Begin a command, and kill all of it once something is seen."""
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as run:
        try:
            until(seen, lambda: run.poll() is None)
        except AssertionError as error:
            run.kill()
            raise AssertionError(f"{error}: {run.communicate()[0]}") from error
        # Its workers, too: one that is left to itself would undo what it had begun.
        for pid in family(run.pid):
            os.kill(pid, signal.SIGKILL)
        run.communicate()
