# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cancelled run stops its verb at once, and the verb cleans up; whoever cancels, however, both ways."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.both_ways.harness import WAYS, environment, play_of, write_playbook

WORK_S = 20.0
# One tick of a wait, one of the probe, and a busy machine.
STOP_S = 2.5


@dataclass(frozen=True)
class Stopped:
    """What was left of the verb after the event."""

    log: str
    ticks_for_s: float


EVENTS: dict[str, Callable[[int], None]] = {
    "Ctrl-C on a terminal": lambda pid: os.killpg(pid, signal.SIGINT),
    "the terminal goes away": lambda pid: os.killpg(pid, signal.SIGHUP),
    "SIGINT to ansible-playbook": lambda pid: os.kill(pid, signal.SIGINT),
    "SIGTERM to ansible-playbook": lambda pid: os.kill(pid, signal.SIGTERM),
    "SIGKILL to ansible-playbook": lambda pid: os.kill(pid, signal.SIGKILL),
    "SIGKILL to the process group": lambda pid: os.killpg(pid, signal.SIGKILL),
}


@pytest.fixture(scope="module")
def heeded() -> Iterator[None]:
    """Signals that this process ignores (nohup, a job in the background) would stay ignored in ansible-playbook."""
    numbers = (signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        if before[number] is signal.SIG_IGN:
            # A handler becomes the default action in a new program.
            signal.signal(number, lambda *_signal: None)
    yield
    for number in numbers:
        signal.signal(number, before[number])


@pytest.fixture(scope="module")
def stopped(
    executable: str, heeded: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Future[Stopped]]]:
    """Every event both ways, at once: they mostly wait."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield {
            (event, way): pool.submit(_cancel, executable, way, act, tmp_path_factory.mktemp("interrupted"))
            for event, act in EVENTS.items()
            for way in WAYS
        }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("event", EVENTS)
def test_the_verb_stops(stopped: dict[tuple[str, str], Future[Stopped]], event: str, way: str) -> None:
    result = stopped[event, way].result()
    assert result.ticks_for_s < STOP_S, result.log


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("event", [event for event in EVENTS if "group" not in event])
def test_the_verb_cleans_up(stopped: dict[tuple[str, str], Future[Stopped]], event: str, way: str) -> None:
    assert stopped[event, way].result().log.count("cleaned up") == 1


def _cancel(executable: str, way: str, event: Callable[[int], None], folder: Path) -> Stopped:
    log = folder / "work.log"
    task = {"golive.probe.probe": {"act": "work", "place": str(log), "seconds": WORK_S}}
    arguments = write_playbook(folder, [play_of({"work": task})])
    with (folder / "out").open("w") as out:
        process = subprocess.Popen(
            [executable, *arguments],
            env=environment(way, folder),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        assert _until(lambda: _text(log).count("tick") >= 3, 60), "the verb never started"
        at = time.time()
        event(process.pid)
        _until(lambda: "cleaned up" in _text(log), STOP_S)
        _until(lambda: False, 0.5)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    ticks = [float(line.split()[1]) for line in _text(log).splitlines() if line.startswith("tick")]
    return Stopped(_text(log), ticks[-1] - at)


def _text(log: Path) -> str:
    return log.read_text() if log.exists() else ""


def _until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        threading.Event().wait(0.05)
    return True
