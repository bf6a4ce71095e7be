# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals and the parent test, with real processes."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._core.liveness import SIGNALS, interruptible


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_raises_once_and_cleanup_is_left_alone(number: signal.Signals) -> None:
    # Under nohup SIGHUP is ignored, and a verb leaves it so; here every signal must arrive.
    started_with = {one: signal.signal(one, signal.default_int_handler) for one in SIGNALS}
    before = [signal.getsignal(one) for one in SIGNALS]
    steps: list[str] = []

    def work() -> None:
        with interruptible():
            try:
                os.kill(os.getpid(), number)
                steps.append("not stopped")
            finally:
                os.kill(os.getpid(), number)
                steps.append("cleaned")

    try:
        with pytest.raises(Interrupted, match=number.name):
            work()
        assert steps == ["cleaned"]
        assert [signal.getsignal(one) for one in SIGNALS] == before
    finally:
        for one, handler in started_with.items():
            signal.signal(one, handler)


def test_threads_of_the_verb_notice_it_too() -> None:
    seen: list[BaseException] = []
    go = threading.Event()

    def work() -> None:
        go.wait(5)
        try:
            alive()
        except Interrupted as stop:
            seen.append(stop)

    with interruptible() as alive:
        thread = threading.Thread(target=work)
        thread.start()
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        go.set()
        thread.join()
    assert len(seen) == 1


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible() as alive:
            os.kill(os.getpid(), signal.SIGHUP)
            alive()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_undo_may_wait_after_an_interruption() -> None:
    with interruptible() as alive:
        call = call_for_tests({}, alive=alive)
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            call.pause(0)
        call.for_undo().pause(0)


def test_works_in_a_thread_without_handlers() -> None:
    seen: list[str] = []

    def work() -> None:
        with interruptible() as alive:
            alive()
            seen.append("alive")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["alive"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux only")
def test_the_death_signal_is_restored() -> None:
    def current() -> int:
        value = ctypes.c_int()
        assert ctypes.CDLL(None).prctl(2, ctypes.byref(value), 0, 0, 0) == 0
        return value.value

    before = current()
    with interruptible():
        assert current() == signal.SIGTERM
    assert current() == before


SCRIPT = """
import sys
from ansible_collections.golive.cutover.plugins.module_utils._core import liveness
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import Interrupted
if sys.argv[1] == "without prctl":
    liveness._death_signal = lambda: None
try:
    with liveness.interruptible() as alive:
        print("started", flush=True)
        call_for_tests({}, alive=alive).pause(20)
except Interrupted as stop:
    print(stop, flush=True)
"""


# The shells are what a module runs under: the nearest one outlives whoever started it.
@pytest.mark.parametrize("shells", [0, 1, 2])
@pytest.mark.parametrize("kernel", ["with prctl", "without prctl"])
def test_a_dead_starter_is_noticed(shells: int, kernel: str) -> None:
    inner = [sys.executable, "-c", SCRIPT, kernel]
    for _shell in range(shells):
        inner = ["/bin/sh", "-c", '"$@"; :', "sh", *inner]
    starter = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    process = subprocess.Popen([sys.executable, "-c", starter, *inner], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.kill()
    process.wait()
    said = process.stdout.read()
    process.stdout.close()
    expected = {"its parent process is gone\n"} | ({"got SIGTERM\n"} if shells == 0 else set())
    assert said in expected
