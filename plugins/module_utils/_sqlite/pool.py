# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that work side by side: each takes one task after the other and sends back what it found."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, cast

from ansible_collections.golive.cutover.plugins.module_utils._core.call import TICK_S, Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.liveness import SIGNALS, dies_with_parent

Handle = Callable[[Any], Any]
_END_S = 5.0


class Pool:
    """Use as a context manager. ``make`` opens in each process what its tasks need, and gives what handles a task."""

    def __init__(self, call: Call, size: int, make: Callable[[], AbstractContextManager[Handle]]) -> None:
        self._call = call
        self._make = make
        self._size = size
        self._ends: dict[Connection, BaseProcess] = {}

    def __enter__(self) -> Pool:
        # A forked process has all that was planned, and works inside of a module's archive too.
        context = multiprocessing.get_context("fork")
        for _number in range(self._size):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, [*self._ends, ours], self._make), daemon=True)
            process.start()
            theirs.close()
            self._ends[ours] = process
        return self

    def __exit__(self, *_error: object) -> None:
        for end, process in self._ends.items():
            end.close()
            process.terminate()
        for process in self._ends.values():
            process.join(_END_S)
            if process.is_alive():
                process.kill()
                process.join()
        self._ends.clear()

    def run(self, tasks: Iterable[Any], took: Callable[[Any, Any], None]) -> None:
        """Have all tasks done; ``took`` gets each with what was found, in the order in which they end.

        Raises the GoliveError that a task has raised, ``worker_died`` when a process ended by itself, or Interrupted.
        """
        waiting = deque(tasks)
        busy: dict[Connection, Any] = {}
        while waiting or busy:
            for end in self._ends:
                if waiting and end not in busy:
                    busy[end] = waiting.popleft()
                    end.send(busy[end])
            self._call.alive()
            for ready in wait(list(busy), TICK_S):
                end = cast(Connection, ready)
                task = busy.pop(end)
                took(task, self._received(end))

    def _received(self, end: Connection) -> Any:
        try:
            error, found = end.recv()
        except (EOFError, OSError):
            process = self._ends[end]
            process.join(_END_S)
            raise GoliveError(
                "worker_died",
                f"A process of the copy ended by itself (exit code {process.exitcode}).",
                "Run the same task again: it goes on where this run stopped. If it was killed for its memory, give"
                " fewer processes.",
            ) from None
        if error is not None:
            code, message, hint, details = error
            raise GoliveError(code, message, hint, details)
        return found


def _serve(end: Connection, others: Iterable[Connection], make: Callable[[], AbstractContextManager[Handle]]) -> None:
    """What a process does until its pipe is closed."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    for other in others:
        other.close()
    with dies_with_parent():
        try:
            with make() as handle:
                while True:
                    end.send(_handled(handle, end.recv()))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
        except GoliveError as error:
            # Nothing could be opened: whoever waits for the first task hears it.
            end.send((_told(error), None))


def _handled(handle: Handle, task: Any) -> tuple[Any, Any]:
    try:
        return None, handle(task)
    except GoliveError as error:
        return _told(error), None


def _told(error: GoliveError) -> tuple[str, str, str | None, dict[str, Any]]:
    return error.code, error.message, error.hint, error.details
