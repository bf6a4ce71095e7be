# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for locks without making others wait: short tries, further and further apart, and who is in the way."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.watch import Watch

T = TypeVar("T")
# What another try may get past; the statement has left nothing behind.
RETRIED = ("lock_timeout", "deadlock", "serialization_failure")
# A try that waits for a strong lock makes everybody behind it wait; most locks are free within the shortest.
_SHORTEST_S = 0.1
_GROWTH = 2.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 10.0


@dataclass(frozen=True)
class Budget:
    """``lock`` bounds one try's wait for a lock, ``wait`` all tries together; seconds. 0 for ``lock`` is no limit.

    Sessions of the roles ``cancel`` are ended when they are in the way of a try.
    """

    lock: float = 3.0
    wait: float = 120.0
    cancel: tuple[str, ...] = ()


def rungs(lock: float) -> Iterator[float]:
    """The lock timeouts of one try after the other, in seconds, rising to ``lock``; without end."""
    at = min(_SHORTEST_S, lock)
    while True:
        yield at
        at = min(at * _GROWTH, lock)


def tried(call: Call, budget: Budget, lock: float, watch: Watch, attempt: Callable[[float], T]) -> T:
    """What ``attempt`` returns, which gets the lock timeout of a try in seconds and leaves nothing when it fails.

    Pauses between tries are random (full jitter), so that two runners do not meet again. Raises the last try's
    GoliveError once ``budget.wait`` is over, with the sessions that were in the way in its message and as ``blockers``.
    """
    start = call.now()
    pause = _FIRST_PAUSE_S
    for rung in rungs(lock):
        begun = call.now()
        try:
            return attempt(rung)
        except GoliveError as error:
            if error.code not in RETRIED:
                raise
            if error.code == "lock_timeout" and budget.cancel:
                watch.end_blockers(budget.cancel)
            watch.retries += 1
            watch.waited_s += call.now() - begun
            left = start + budget.wait - call.now()
            if left <= 0:
                raise _told(error, error.details.get("blockers") or watch.blockers, call.now() - start) from error
            call.progress(f"{error.message} {_said(watch.blockers)}".strip())
            call.pause(min(left, random.uniform(0, pause)))  # noqa: S311  # jitter is no secret
            pause = min(pause * _GROWTH, _LONGEST_PAUSE_S)
    raise AssertionError("rungs end never")


def _told(error: GoliveError, blockers: list[dict[str, Any]], seconds: float) -> GoliveError:
    """The error with who was in the way."""
    message = f"{error.message} Tried for {seconds:.0f} s. {_said(blockers)}".strip()
    return GoliveError(error.code, message, error.hint, {**error.details, "blockers": blockers})


def _said(blockers: list[dict[str, Any]]) -> str:
    """Who is in the way, for a person."""
    parts = [
        f"pid {one['pid']} ({one['user']}, application {one['application_name'] or '-'}, {one['state']},"
        f" {one['age_s']:.0f} s old: {one['query']})"
        for one in blockers
    ]
    return f"In the way: {'; '.join(parts)}." if parts else ""
