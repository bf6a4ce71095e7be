# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run another program to its end, so that a cancelled run ends it as well."""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.golive.cutover.plugins.module_utils._core.call import TICK_S

_PIECE = 1 << 18


def run_to_end(
    command: Sequence[str],
    alive: Callable[[], None],
    limit_s: float,
    *,
    cwd: str = "/",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """The exit code and the texts of a program that gets no input and, without ``environment``, this one's.

    ``alive`` is asked while it runs, and ends it with what it raises. Raises OSError when it cannot be started, and
    subprocess.TimeoutExpired when it runs longer than ``limit_s`` seconds; it is ended then.
    """
    end = time.monotonic() + limit_s
    # There is no module here whose run_command it could be.
    with subprocess.Popen(  # pylint: disable=ansible-bad-function
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            while True:
                alive()
                try:
                    said, told = process.communicate(timeout=TICK_S)
                except subprocess.TimeoutExpired:
                    if time.monotonic() < end:
                        continue
                    raise subprocess.TimeoutExpired(command, limit_s) from None
                return subprocess.CompletedProcess(command, process.returncode, said, told)
        finally:
            process.kill()


def stream(
    command: Sequence[str],
    alive: Callable[[], None],
    limit_s: float,
    take: Callable[[bytes], None],
    told: Callable[[bytes], None],
    *,
    environment: Mapping[str, str] | None = None,
) -> int:
    """The exit code of a program whose output ``take`` gets piece by piece, and what it tells beside it ``told``.

    What they raise ends the program, like what ``alive`` raises. Else as ``run_to_end``.
    """
    end = time.monotonic() + limit_s
    # There is no module here whose run_command it could be.
    with (
        subprocess.Popen(  # pylint: disable=ansible-bad-function
            command,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        ) as process,
        selectors.DefaultSelector() as ready,
    ):
        try:
            for pipe, use in ((process.stdout, take), (process.stderr, told)):
                ready.register(pipe, selectors.EVENT_READ, use)  # type: ignore[arg-type]  # both are pipes
            while ready.get_map():
                alive()
                if time.monotonic() >= end:
                    raise subprocess.TimeoutExpired(command, limit_s)
                for key, _events in ready.select(TICK_S):
                    piece = os.read(key.fd, _PIECE)
                    if piece:
                        key.data(piece)
                    else:
                        ready.unregister(key.fileobj)
            return process.wait(max(TICK_S, end - time.monotonic()))
        finally:
            process.kill()
