# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a verb gets from whoever runs it, in process or as a module."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

TICK_S = 0.2
_UNDO_S = 5.0


def _ignore(*_args: object) -> None:
    return None


def _never() -> float:
    return math.inf


def _utc() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Call:
    """One call of a verb.

    ``params`` are validated plain types. ``secrets`` are the values of ``no_log`` options. ``alive`` raises
    Interrupted when the run was cancelled or its parent is gone; every wait and every guarded write calls it.
    ``show`` takes ``(text, done, total)`` of a progress line. ``now`` is a monotonic clock in seconds, and ``deadline``
    tells the time on it beyond which nobody waits for what the call still asks. ``date`` is the wall clock in UTC.
    """

    params: dict[str, Any]
    check_mode: bool = False
    diff_mode: bool = False
    secrets: frozenset[str] = frozenset()
    show: Callable[[str, int | None, int | None], None] = _ignore
    warn: Callable[[str], None] = _ignore
    alive: Callable[[], None] = _ignore
    now: Callable[[], float] = field(default=time.monotonic)
    deadline: Callable[[], float] = _never
    date: Callable[[], datetime] = _utc

    def progress(self, text: str, done: int | None = None, total: int | None = None) -> None:
        """Show a line while the verb works; raises Interrupted like every wait."""
        self.alive()
        self.show(text, done, total)

    def left(self, seconds: float) -> float:
        """``seconds``, or what is left until the deadline where that is less; negative behind it."""
        return min(seconds, self.deadline() - self.now())

    def pause(self, seconds: float) -> None:
        """Wait between two looks at the world; raises Interrupted within one tick."""
        self.wait(threading.Event(), seconds)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait for ``event`` at most ``seconds``; True when it was set. Raises Interrupted within one tick."""
        end = self.now() + seconds
        while True:
            self.alive()
            left = end - self.now()
            if left <= 0:
                return event.is_set()
            if event.wait(min(left, TICK_S)):
                return True

    def for_undo(self) -> Call:
        """The same call for putting things back after Interrupted: it waits and writes without raising it again.

        It has a few seconds for that, also behind the deadline.
        """
        least = self.now() + _UNDO_S
        return replace(self, alive=_ignore, deadline=lambda: max(self.deadline(), least))


def call_for_tests(params: Mapping[str, Any], check_mode: bool = False, **others: Any) -> Call:
    """A call as the runner builds it, without Ansible: for tests and scripts."""
    return Call(params=dict(params), check_mode=check_mode, **others)
