# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits that end in one of three ways: done, failed with a cause, or timed out with the last state seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

T = TypeVar("T")


@dataclass(frozen=True)
class Done(Generic[T]):
    """The awaited state is there."""

    value: T


@dataclass(frozen=True)
class Failed:
    """The awaited state cannot come any more."""

    cause: GoliveError


@dataclass(frozen=True)
class Pending:
    """Not yet; ``detail`` is what was seen, for progress lines and for the timeout's message."""

    detail: str


def wait_for(
    call: Call,
    look: Callable[[], Done[T] | Failed | Pending],
    *,
    what: str,
    timeout: float,
    interval: float = 0.5,
    hint: str | None = None,
) -> T:
    """Look every ``interval`` seconds until done; returns the value.

    Raises the cause of a Failed look, or GoliveError ``timeout`` with the last state seen after ``timeout`` seconds.
    Looks at least once, and once more at the end, so that a long look cannot turn success into a timeout.
    """
    start = call.now()
    while True:
        call.alive()
        expired = call.now() - start >= timeout
        seen = look()
        if isinstance(seen, Done):
            return seen.value
        if isinstance(seen, Failed):
            raise seen.cause
        if expired:
            raise GoliveError(
                "timeout",
                f"Waiting for {what} took longer than {timeout:g} s; last seen: {seen.detail}.",
                hint,
                {"last_seen": seen.detail, "seconds": round(call.now() - start, 3)},
            )
        call.progress(f"{what}: {seen.detail}")
        call.pause(min(interval, max(0.0, start + timeout - call.now())))
