# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of one cluster: who owns them, whether they live, and how all of them end.

Two marks, neither of them a name: a pid file with the start time of the process (against reuse of a pid), and a
control group that every process of the cluster is born in, the pods included.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from .progress import ClusterError, wait_until
from .record import Record

CGROUPS = Path("/sys/fs/cgroup")


def start_time(pid: int) -> int:
    """In clock ticks since boot, field 22 of /proc/PID/stat; 0 when there is no such process or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def write_pid_file(record: Record) -> None:
    pid = os.getpid()
    partial = record.state / ".owner.pid"
    partial.write_text(f"{pid} {start_time(pid)}\n")
    os.replace(partial, record.state / "owner.pid")


def owner(record: Record) -> int | None:
    """Pid of the living owner of the cluster."""
    try:
        pid, started = (int(word) for word in (record.state / "owner.pid").read_text().split())
    except (OSError, ValueError):
        return None
    return pid if started and start_time(pid) == started else None


def hierarchies() -> list[Path]:
    """Mounted control group trees: the one of version 2, or every controller of version 1."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return sorted({path.resolve() for path in CGROUPS.iterdir() if (path / "cgroup.procs").exists()})


def join_cgroup(record: Record) -> None:
    """Makes the cluster's control groups and moves this process into one."""
    trees = hierarchies()
    for tree in trees:
        (tree / record.cgroup / "owner").mkdir(parents=True, exist_ok=True)
    if trees == [CGROUPS]:
        for folder in (CGROUPS, CGROUPS / record.cgroup):
            wanted = (folder / "cgroup.controllers").read_text().split()
            (folder / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in wanted))
    # All pods together would count as much as a single process outside of a group, and starve on a busy machine.
    for name, weight in (("cpu.shares", 16 * 1024), ("cpu.weight", 16 * 100)):
        for tree in trees:
            if (tree / record.cgroup / name).exists():
                (tree / record.cgroup / name).write_text(str(weight))
    _procs(record).write_text(str(os.getpid()))


def enter(record: Record) -> list[str]:
    """The words before a command that make it run inside of the cluster, and end with it.

    Raises ClusterError when the cluster is not up.
    """
    pid = owner(record)
    if pid is None:
        raise ClusterError(f"cluster {record.name} is not up: run `cluster up` first")
    join = ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(_procs(record))]
    return [*join, "nsenter", "-t", str(pid), "-m", "-n", "--"]


def members(record: Record) -> list[int]:
    """Pids of every living process of the cluster."""
    found: list[int] = []
    for listing in (_tracking_tree() / record.cgroup).glob("**/cgroup.procs"):
        try:
            found += [int(line) for line in listing.read_text().split()]
        except OSError:
            continue
    return [pid for pid in found if start_time(pid)]


def kill_all(record: Record) -> None:
    """Ends the owner, with it the process namespace, then whatever is left in the control group."""
    pid = owner(record)
    if pid:
        os.kill(pid, signal.SIGKILL)

    def gone() -> bool:
        left = members(record)
        for one in left:
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not left

    wait_until(gone, 30, "end of all processes of the cluster")


def remove_cgroups(record: Record) -> None:
    def removed() -> bool:
        for tree in hierarchies():
            top = tree / record.cgroup
            for folder in sorted((path for path in top.glob("**/") if path.is_dir()), reverse=True):
                try:
                    folder.rmdir()
                except OSError:
                    continue
        return not any((tree / record.cgroup).exists() for tree in hierarchies())

    wait_until(removed, 15, "removal of the cluster's control groups")


def _procs(record: Record) -> Path:
    return _tracking_tree() / record.cgroup / "owner" / "cgroup.procs"


def _tracking_tree() -> Path:
    for tree in (CGROUPS / "pids", CGROUPS / "freezer", CGROUPS):
        if (tree / "cgroup.procs").exists():
            return tree
    raise ClusterError("no control groups are mounted below /sys/fs/cgroup")
