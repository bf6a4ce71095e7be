# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs: the ``ansible-playbook`` behind this process, and whether the one behind a record still lives.

Not the worker: a killed controller may leave its worker at work (core puts workers into sessions of their own), and a
module's own process ends with its task.
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

_PROGRAMS = ("ansible", "ansible-playbook", "ansible-pull", "ansible-console", "ansible-navigator")
_UNKNOWN, _ENDED = "", "X"
_GONE = ("Z", _ENDED, "x")
_STOPPED = ("T", "t")
_STATE, _PARENT, _STARTED = 0, 1, 19


@dataclass(frozen=True)
class Holder:
    """``pid`` is 0 where the process is not known; ``started`` is in clock ticks since boot (proc(5), field 22).

    ``machine`` names one boot of one machine and one space of process ids, so that pids can be compared.
    """

    user: str
    host: str
    pid: int
    started: int
    machine: str
    job: str

    def as_dict(self) -> dict[str, str | int]:
        """JSON types, for the annotation of a Lease."""
        return asdict(self)

    def said(self) -> str:
        """For a message: who, from where."""
        process = f", process {self.pid}" if self.pid else ""
        return f"{self.user} on {self.host}{process}" + (f", AWX job {self.job}" if self.job else "")

    def is_gone(self) -> bool:
        """Whether its process was on this machine and has ended. Never true when that cannot be known."""
        return self._state() in _GONE

    def is_running(self) -> bool:
        """Whether its process is on this machine and neither ended nor stopped."""
        return self._state() not in (_UNKNOWN, *_STOPPED, *_GONE)

    def _state(self) -> str:
        if not self.pid or not self.machine or self.machine != _machine():
            return _UNKNOWN
        stat = _stat(self.pid)
        # The kernel gives a pid again; the start time tells the processes apart.
        return stat[_STATE] if stat and int(stat[_STARTED]) == self.started else _ENDED


def this_holder(user: str | None = None, job: str | None = None) -> Holder:
    """The holder that this process works for; ``user`` and ``job`` replace what the surroundings say.

    AWX gives its jobs the number in ``JOB_ID`` and its own address in ``AWX_HOST``.
    """
    pid = _controller(os.getpid())
    stat = _stat(pid) if pid else []
    number = job or (os.environ.get("JOB_ID", "") if "AWX_HOST" in os.environ else "")
    machine = _machine() if stat else ""
    started = int(stat[_STARTED]) if stat else 0
    return Holder(user or _user(), socket.gethostname(), pid if stat else 0, started, machine, number)


def holder_from(row: Mapping[str, object]) -> Holder:
    """What ``as_dict`` gave; unknown where somebody else wrote the record."""
    text = {key: str(row.get(key) or "") for key in ("user", "host", "pid", "started", "machine", "job")}
    pid, started = (int(text[key]) if text[key].isdigit() else 0 for key in ("pid", "started"))
    return Holder(text["user"] or "unknown", text["host"] or "unknown", pid, started, text["machine"], text["job"])


def _controller(pid: int) -> int:
    """The first process at or above ``pid`` that is Ansible, at the top of its unbroken row of forks; 0 if none is."""
    found = 0
    while pid > 1:
        if _is_ansible(pid):
            found = pid
        elif found:
            break
        stat = _stat(pid)
        pid = int(stat[_PARENT]) if stat else 0
    return found


def _is_ansible(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # A script's command line is: interpreter, its options, script.
    return any(os.path.basename(part.decode("utf-8", "replace")) in _PROGRAMS for part in command[:4])


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the state on; empty when there is no such process, or no /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return str(os.getuid())
