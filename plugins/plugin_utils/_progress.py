# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live lines of a verb that works, through Ansible's Display."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from ansible.module_utils.common.parameters import remove_values

# Asked while the parent imports the plugin: in a worker of core >= 2.19 stdout is /dev/null.
_ON_TERMINAL = sys.stdout is not None and sys.stdout.isatty()

LINE_INTERVAL_S = 1.0
UPDATE_INTERVAL_S = 0.25


class ProgressLines:
    """Shows what a verb reports, at most once per second and host, and only what changed.

    One line that updates itself on a terminal with one host, plain lines otherwise, nothing under ``no_log``. A verb
    that is done within the first second shows nothing. Threads may report.
    """

    def __init__(self, display: Any, task: Any, task_vars: Mapping[str, Any], secrets: frozenset[str]) -> None:
        self._display = display
        self._silent = bool(task.no_log)
        self._prefix = f"[{task_vars.get('inventory_hostname', 'localhost')}] {task.action.rpartition('.')[2]}: "
        self._secrets = secrets
        self._updating = _ON_TERMINAL and not _recorded() and len(task_vars.get("ansible_play_batch") or ()) == 1
        self._interval = UPDATE_INTERVAL_S if self._updating else LINE_INTERVAL_S
        self._last_time = time.monotonic()
        self._last_shown: str | None = None
        self._waiting: str | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> ProgressLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Clear the updating line, or show the last text that was held back; must be the last thing shown."""
        with self._lock:
            if self._last_shown is None:
                return
            if self._updating:
                self._display.display("\r\x1b[K", newline=False, screen_only=True)
            elif self._waiting is not None:
                self._write(self._waiting)

    def show(self, text: str, done: int | None, total: int | None) -> None:
        """Report ``text`` and, if known, how much of how much is done."""
        if self._silent:
            return
        counted = f"{text} ({done}/{total})" if done is not None and total is not None else text
        line = self._prefix + remove_values(counted, self._secrets)
        with self._lock:
            if line == self._last_shown:
                self._waiting = None
            elif time.monotonic() - self._last_time < self._interval:
                self._waiting = line
            else:
                self._write(line)

    def _write(self, line: str) -> None:
        self._last_time = time.monotonic()
        self._last_shown = line
        self._waiting = None
        if self._updating:
            self._display.display(f"\r\x1b[K{line[: self._display.columns]}", newline=False, screen_only=True)
        else:
            self._display.display(line)


def _recorded() -> bool:
    # ansible-runner and AWX give a pty: escape codes would land in the job's log.
    return "AWX_ISOLATED_DATA_DIR" in os.environ or os.environ.get("TERM", "dumb") == "dumb"
