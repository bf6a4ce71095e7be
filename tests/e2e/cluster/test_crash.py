# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second cluster beside the first, broken in the middle of `up`: `down` leaves nothing of it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import network, processes
from tests.cluster.record import Record, load_record, state_dir
from tests.e2e.conftest import CLUSTER

NAME = "side"
KINDS = ("pid", "mnt", "net")


@pytest.fixture(autouse=True)
def _built_only(cluster: dict[str, str]) -> Iterator[None]:
    if cluster["GOLIVE_PROVIDER"] != "built":
        pytest.skip("only the built cluster has processes of its own on this machine")
    yield
    subprocess.run([CLUSTER, "down", "--provider", "built", "--name", NAME], check=True, timeout=120)


def _until(look: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 60
    while not look():
        assert time.monotonic() < end, f"{what}: not seen within 60 seconds"
        time.sleep(0.05)


def _pods_run(record: Record) -> bool:
    """A pod's own network namespace is there: the middle of `up`, with as much to clean up as possible."""
    return len({_namespace(pid, "net") for pid in processes.members(record)}) > 1


def _namespace(pid: int, kind: str) -> str:
    """Empty when the process ended meanwhile."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""


def _older_than(ticks: float, kind: str) -> set[str]:
    """Namespaces of the processes started before a moment: the kernel gives a freed namespace's number out again."""
    started = {int(path.name): processes.start_time(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    return {_namespace(pid, kind) for pid, moment in started.items() if 0 < moment <= ticks}


@pytest.mark.faults
@pytest.mark.parametrize("moment", ["link", "pods"])
@pytest.mark.parametrize("victim", ["supervisor", "up"])
def test_down_leaves_nothing_after_a_crash_in_the_middle_of_up(
    cluster: dict[str, str], victim: str, moment: str
) -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    up = subprocess.Popen([CLUSTER, "up", "--provider", "built", "--name", NAME], start_new_session=True)
    try:
        _until(lambda: load_record(NAME), "record")
        record = load_record(NAME)
        assert record is not None
        _until(lambda: Path("/sys/class/net", record.link).exists(), "link")
        if moment == "pods":
            _until(lambda: _pods_run(record), "pod")
        owner = processes.owner(record)
        assert owner is not None
        inside = processes.members(record)
        outside = {kind: {_namespace(os.getpid(), kind), ""} for kind in KINDS}
        own = {kind: {_namespace(pid, kind) for pid in inside} - outside[kind] for kind in KINDS}
        killed = time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK")
        os.kill(up.pid if victim == "up" else owner, signal.SIGKILL)
        assert up.wait(60) != 0
    finally:
        if up.poll() is None:
            os.kill(up.pid, signal.SIGKILL)
            up.wait(10)
    subprocess.run([CLUSTER, "down", "--provider", "built", "--name", NAME], check=True, timeout=120)

    assert processes.members(record) == []
    for kind in KINDS:
        assert not own[kind] & _older_than(killed, kind), f"a process still lives in a {kind} namespace of the cluster"
    assert not Path("/sys/class/net", record.link).exists()
    assert network.firewall_lines(record) == []
    assert not [tree for tree in processes.hierarchies() if (tree / record.cgroup).exists()]
    assert not state_dir(NAME).exists()
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert subprocess.run([CLUSTER, "status"], check=False, stdout=subprocess.DEVNULL).returncode == 0
