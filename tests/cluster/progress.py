# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors for people, and one line per part with its seconds."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


class ClusterError(Exception):
    """Told to the user as one line; exit code 1."""


class Part:
    """A running part of `up`; `detail` is shown with the final line and while it takes long."""

    def __init__(self, name: str) -> None:
        self.name, self.detail, self.started = name, "", time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


@contextlib.contextmanager
def part(name: str, every: float = 15.0) -> Iterator[Part]:
    """Prints `name … seconds` at the end, and a sign of life every `every` seconds before."""
    current, finished = Part(name), threading.Event()

    def alive() -> None:
        while not finished.wait(every):
            say(f"  {name:<28} {current.seconds:6.1f} s so far  {current.detail}")

    beat = threading.Thread(target=alive, daemon=True)
    beat.start()
    outcome = "failed"
    try:
        yield current
        outcome = current.detail
    finally:
        finished.set()
        beat.join()
        say(f"  {name:<28} {current.seconds:6.1f} s  {outcome}")


def say(text: str) -> None:
    print(text.rstrip(), file=sys.stderr, flush=True)


def wait_until(look: Callable[[], bool], timeout: float, what: str, interval: float = 0.1) -> None:
    """Raises ClusterError when `look` does not become true within `timeout` seconds."""
    end, tick = time.monotonic() + timeout, threading.Event()
    while not look():
        if time.monotonic() > end:
            raise ClusterError(f"{what} not reached within {timeout:.0f} seconds")
        tick.wait(interval)


def run(command: Sequence[str | Path], stdin: str | None = None, check: bool = True, timeout: float = 120) -> str:
    """Output of a command; a failure carries the last lines of its messages."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, check=False, input=stdin, capture_output=True, text=True, timeout=timeout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClusterError(f"{Path(words[0]).name}: {error}") from error
    if check and done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise ClusterError(f"{' '.join(words[:6])}: exit code {done.returncode}: {' / '.join(lines)}")
    return done.stdout
