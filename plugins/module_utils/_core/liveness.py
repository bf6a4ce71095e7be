# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notice that a run was cancelled or that its controller is gone.

Without this a cancelled ``ansible-playbook`` leaves its worker writing to the cluster to the end: SIGTERM and SIGKILL
of the parent do not reach it, and core's own handler ends it without any ``finally``.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A module's parent is a shell that outlives the worker; the shell's own parent is the one that matters.
WRAPPERS = frozenset({"sh", "dash", "bash", "ash", "busybox", "ksh", "zsh", "sudo", "su", "doas"})

# prctl(2): the signal a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1
_PR_GET_PDEATHSIG = 2


@contextmanager
def interruptible() -> Iterator[Callable[[], None]]:
    """Run a verb so that it can be cancelled; yields ``alive``, which raises Interrupted once it was.

    The first SIGINT, SIGTERM or SIGHUP (a terminal that went away) raises Interrupted in the main thread, further ones
    are ignored while the verb cleans up; one that was ignored before (nohup) stays so. A parent that dies sends SIGTERM
    (Linux) and makes ``alive`` raise (everywhere). Handlers and the death signal are as before when the block ends; a
    signal that came in its last moment is delivered again then.
    """
    watch = _Watch()
    restore = _install(watch) if threading.current_thread() is threading.main_thread() else []
    try:
        with dies_with_parent():
            yield watch.alive
    finally:
        watch.closing = True
        for number, handler in restore:
            signal.signal(number, handler)
        if watch.late is not None:
            os.kill(os.getpid(), watch.late)


@contextmanager
def dies_with_parent() -> Iterator[None]:
    """Ask the kernel for SIGTERM when the parent dies; does nothing where there is no prctl."""
    before = _death_signal()
    if before is None:
        yield
        return
    _set_death_signal(signal.SIGTERM)
    try:
        yield
    finally:
        _set_death_signal(before)


class _Watch:
    def __init__(self) -> None:
        self.reason: str | None = None
        self.closing = False
        self.late: int | None = None
        self._parent = _expected_parent()
        self._links = _wrapper_links(self._parent)

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.closing:
            self.late = number
        elif self.reason is None:
            self.reason = f"got {signal.Signals(number).name}"
            raise Interrupted(self.reason)

    def alive(self) -> None:
        if self.reason is None and self._orphaned():
            self.reason = "its parent process is gone"
        if self.reason is not None:
            raise Interrupted(self.reason)

    def _orphaned(self) -> bool:
        if os.getppid() != self._parent:
            return True
        return any(_name_and_parent(pid)[1] != parent for pid, parent in self._links)


def _install(watch: _Watch) -> list[tuple[int, Any]]:
    before: list[tuple[int, Any]] = [(number, signal.getsignal(number) or signal.SIG_DFL) for number in SIGNALS]
    before = [(number, handler) for number, handler in before if handler is not signal.SIG_IGN]
    for number, _handler in before:
        signal.signal(number, watch.on_signal)
    return before


def _expected_parent() -> int:
    # A forked worker knows who started it, even when that one died before this line.
    starter = multiprocessing.parent_process()
    return os.getppid() if starter is None or starter.pid is None else starter.pid


def _wrapper_links(parent: int) -> list[tuple[int, int]]:
    """``(pid, parent pid)`` of the shells between this process and the one that really started it."""
    links: list[tuple[int, int]] = []
    name, above = _name_and_parent(parent)
    while name in WRAPPERS and above:
        links.append((parent, above))
        parent = above
        name, above = _name_and_parent(parent)
    return links


def _name_and_parent(pid: int) -> tuple[str, int]:
    """Name and parent pid from /proc (proc(5): the name stands in the outermost parentheses); ("", 0) if unknown."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            head, _bracket, tail = file.read().rpartition(")")
    except OSError:
        return "", 0
    return head.partition("(")[2], int(tail.split()[1])


def _prctl(option: int, argument: Any) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None).prctl(option, argument, 0, 0, 0) == 0)
    except (AttributeError, OSError):
        return False


def _death_signal() -> int | None:
    value = ctypes.c_int()
    return value.value if _prctl(_PR_GET_PDEATHSIG, ctypes.byref(value)) else None


def _set_death_signal(number: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(number))
