# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a Lease may be taken, without a cluster: time is the observer's own, and a holder is a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.holder import Holder, holder_from, this_holder
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease import Acquired, Wish, acquire

AWAY = Holder("ops", "elsewhere", 4711, 1, "another boot", "")


class LeaseServer:
    """Stands in for the API server: one Lease, and events that happen at a second of the observer's clock."""

    def __init__(self, lease: dict[str, Any] | None, events: dict[int, dict[str, Any]]) -> None:
        self.lease = lease
        self.events = dict(events)
        self.clock = 0.0

    def get_or_none(self, _path: str) -> dict[str, Any] | None:
        for second in sorted(second for second in self.events if second <= self.clock):
            assert self.lease is not None
            self.lease = {**self.lease, "spec": {**self.lease["spec"], **self.events.pop(second)}}
        return self.lease

    def request(self, _method: str, _path: str, *, body: dict[str, Any], **_others: Any) -> dict[str, Any]:
        self.lease = body
        return body

    def call(self) -> Call:
        server = self

        class Clock(Call):
            def pause(self, seconds: float) -> None:
                server.clock += seconds

        return Clock(params={}, now=lambda: server.clock)


def lease(holder: str | None = "one") -> dict[str, Any]:
    return {
        "metadata": {"name": "shop-golive", "resourceVersion": "1"},
        # A clock that is years behind must not matter.
        "spec": {
            "leaseDurationSeconds": 30,
            "leaseTransitions": 4,
            "renewTime": "2001",
            "holderIdentity": holder,
        },
    }


def take(server: LeaseServer, least: int = 0, take_over: bool = False) -> Acquired:
    wish = Wish("apps", "shop-golive", "me", AWAY, {}, 60, take_over)
    return acquire(server.call(), server, wish, least)  # type: ignore[arg-type]  # stand-in


def test_a_free_lease_is_taken_with_a_greater_token() -> None:
    for free, token in ((None, "1"), (lease(None), "5")):
        server = LeaseServer(free, {})
        got = take(server)
        assert (got.clean, got.held.token, server.clock) == (True, token, 0)


def test_the_token_is_above_every_one_that_is_known() -> None:
    assert take(LeaseServer(None, {}), least=9).held.token == "10"


def test_a_silent_holder_is_replaced_after_its_own_duration() -> None:
    server = LeaseServer(lease(), {})
    got = take(server)
    assert (got.clean, got.held.token) == (False, "5")
    assert 30 < server.clock < 33


def test_one_renewal_is_a_sign_of_life_whatever_time_it_names() -> None:
    server = LeaseServer(lease(), {12: {"renewTime": "1999"}})
    with pytest.raises(GoliveError) as caught:
        take(server)
    assert caught.value.code == "locked"
    assert server.clock <= 13


def test_a_lease_that_comes_free_is_taken_at_once() -> None:
    server = LeaseServer(lease(), {5: {"holderIdentity": None}})
    assert take(server).clean
    assert server.clock <= 6


def test_taking_over_does_not_wait() -> None:
    server = LeaseServer(lease(), {})
    assert take(server, take_over=True).held.token == "5"
    assert server.clock == 0


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    """Something that runs, under the name of Ansible."""
    command = ["ansible-playbook", "-c", "import signal; signal.pause()"]
    running = subprocess.Popen(command, executable=sys.executable)
    yield running
    running.kill()
    running.wait()


def holder_of(process: subprocess.Popen[bytes]) -> Holder:
    stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return Holder("ops", "here", process.pid, int(stat[19]), f"{boot}/{os.readlink('/proc/self/ns/pid')}", "")


def test_a_holder_on_this_machine_is_looked_at(process: subprocess.Popen[bytes]) -> None:
    holder = holder_from(holder_of(process).as_dict())
    assert (holder.is_running(), holder.is_gone()) == (True, False)
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    assert (holder.is_running(), holder.is_gone()) == (False, False)
    assert replace(holder, started=holder.started - 1).is_gone()
    for unknown in (replace(holder, machine="another boot"), replace(holder, pid=0), replace(holder, machine="")):
        assert (unknown.is_running(), unknown.is_gone()) == (False, False)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert (holder.is_running(), holder.is_gone()) == (False, True)
    process.wait()
    assert (holder.is_running(), holder.is_gone()) == (False, True)


def test_the_holder_is_the_playbook_and_not_its_worker() -> None:
    code = (
        "from ansible_collections.golive.cutover.plugins.module_utils._kube.holder import this_holder\n"
        "import os, sys\n"
        "top = os.getpid()\n"
        "child = os.fork()\n"
        "if child: sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "os.setsid()\n"
        "found = this_holder('ann', '12')\n"
        "assert (found.pid, found.user, found.job) == (top, 'ann', '12'), (found, top)\n"
        "assert found.is_running()\n"
    )
    subprocess.run(["ansible-playbook", "-c", code], executable=sys.executable, check=True)


def test_without_ansible_no_process_is_named() -> None:
    holder = this_holder()
    assert (holder.pid, holder.is_gone(), holder.is_running()) == (0, False, False)
