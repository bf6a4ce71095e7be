# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of ansible-playbook that hold the lock of an app until they are let go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.modules import release_journal
from tests.e2e.conftest import kubectl

_DEFAULTS = {name: row.get("default") for name, row in release_journal.SPEC["argument_spec"].items()}
SERVICE = {"api_version": "v1", "kind": "Service", "name": "shop"}


def journal(action: str, namespace: str, *, check: bool = False, warn: Any = None, **params: Any) -> dict[str, Any]:
    """One run of the verb on the app shop; raises GoliveError."""
    given = {**_DEFAULTS, "action": action, "app": "shop", "namespace": namespace, **params}
    return release_journal.run(
        call_for_tests(given, check_mode=check, diff_mode=True, **({"warn": warn} if warn else {}))
    )


def service(colour: str) -> dict[str, Any]:
    """The live Service, with traffic on a colour."""
    selector = {"app.kubernetes.io/name": "shop", "golive.cutover/colour": colour}
    spec = {"selector": selector, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}, "spec": spec}


def live(namespace: str) -> dict[str, Any]:
    """The live Service as kubectl shows it."""
    found: dict[str, Any] = json.loads(kubectl("-n", namespace, "get", "service", "shop", "-o", "json"))
    return found


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)


class Playing:
    """A run that took the lock, then waits for a file, then moves traffic to green."""

    def __init__(self, folder: Path, namespace: str, name: str, **options: Any) -> None:
        self.go = folder / f"{name}.go"
        self.log = folder / f"{name}.log"
        begin = {"action": "begin", "app": "shop", "namespace": namespace, "objects": [SERVICE], **options}
        apply = {"namespace": namespace, "lease": "{{ run.lease }}", "objects": [service("green")]}
        tasks = [
            {"name": "Take", "golive.cutover.release_journal": begin, "register": "run"},
            {"name": "Hold", "ansible.builtin.wait_for": {"path": str(self.go), "timeout": 900, "sleep": 1}},
            {"name": "Move", "golive.cutover.kube_apply": apply},
        ]
        play = folder / f"{name}.yml"
        play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        # The log is a file: a pipe would stay open in a worker that outlives its controller.
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["ansible-playbook", str(play)],
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    def wait_for(self, text: str) -> None:
        """Until the run has printed ``text``."""
        until(lambda: text in self.log.read_text() or self.process.poll() is not None, 60, text)
        assert text in self.log.read_text(), self.log.read_text()

    def finish(self) -> str:
        """Let it go on, and return all that it printed."""
        self.go.touch()
        self.process.wait(timeout=180)
        return self.log.read_text()

    def family(self) -> list[int]:
        """The controller and every process below it."""
        parents = {int(stat.parent.name): _parent(stat) for stat in Path("/proc").glob("[0-9]*/stat")}
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def send(self, number: signal.Signals) -> None:
        """A signal to all of them that still live: workers have sessions of their own."""
        for pid in self.family():
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _parent(stat: Path) -> int:
    try:
        return int(stat.read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


@contextmanager
def playing(folder: Path, namespace: str, name: str, **options: Any) -> Iterator[Playing]:
    """The run, ended when the block is left."""
    run = Playing(folder, namespace, name, **options)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.send(signal.SIGKILL)
            run.process.wait(timeout=10)
