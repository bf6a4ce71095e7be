# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One app in a namespace of its own, driven by the real playbooks, and what its users and the API server saw of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.golive.cutover.plugins.module_utils._release.runs import Run, runs_of
from tests.e2e.conftest import kubectl
from tests.e2e.kube_apply.conftest import Audit

ROOT = Path(__file__).resolve().parents[3]
JOURNAL = "notes-golive-journal"
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclass
class Play:
    """What one run of ansible-playbook left: exit code, whole output, changed tasks of the app."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        (recap,) = _RECAP.findall(self.output)
        return int(recap[2])


@dataclass
class Stage:
    """An inventory with one app; ``settings`` are its host variables."""

    folder: Path
    namespace: str
    port: int
    load_program: str
    settings: dict[str, Any] = field(default_factory=dict)

    def play(
        self, playbook: str, *arguments: str, env: Mapping[str, str] | None = None, core: str = "", **variables: Any
    ) -> Play:
        """Run a playbook; ``variables`` become extra variables, ``core`` names another environment."""
        other = [str(ROOT / "tests" / "setup" / "run"), core] if core else []
        command = [*other, *self.command(playbook, arguments, variables)]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )
        return Play(done.returncode, done.stdout + done.stderr)

    def play_until(self, playbook: str, text: str, after: float = 0, alone: bool = False, **variables: Any) -> str:
        """Run a playbook and SIGKILL it ``after`` seconds after ``text`` appeared; its output.

        The whole process group is killed; with ``alone`` only the controller, whose workers are left to themselves.
        Fails when the run ended before it could be killed.
        """
        process, log = self._begin(playbook, variables, text)
        time.sleep(after)
        if process.poll() is None:
            (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
        process.wait(timeout=60)
        seen = log.read_text(errors="replace")
        assert process.returncode == -signal.SIGKILL, f"the run ended before it was killed:\n{seen}"
        return seen

    def play_and(self, playbook: str, text: str, act: Callable[[], None], **variables: Any) -> Play:
        """Run a playbook, and ``act`` once ``text`` appears."""
        process, log = self._begin(playbook, variables, text)
        act()
        process.wait(timeout=400)
        return Play(process.returncode, log.read_text(errors="replace"))

    def play_frozen(self, playbook: str, text: str, act: Callable[[], None], **variables: Any) -> Play:
        """Run a playbook, stop all its processes once ``text`` appears, as a machine that is suspended does, ``act``,
        and let them go on."""
        process, log = self._begin(playbook, variables, text)
        frozen = family(process.pid)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            act()
        finally:
            for pid in frozen:
                # Once its parent goes on, a child that had ended before is gone for good.
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        process.wait(timeout=400)
        return Play(process.returncode, log.read_text(errors="replace"))

    def _begin(self, playbook: str, variables: dict[str, Any], text: str) -> tuple[subprocess.Popen[bytes], Path]:
        """A playbook in a process group of its own, run until ``text`` appears or it ends, and its log."""
        log = self.folder / "followed.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                self.command(playbook, (), variables),
                cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        while process.poll() is None and text not in log.read_text(errors="replace"):
            time.sleep(0.02)
        return process, log

    def runs(self) -> list[Run]:
        """The app's runs as the journal in the cluster has them, the newest first."""
        entries = kubectl("-n", self.namespace, "get", "configmap", JOURNAL, "-o", "jsonpath={.data.entries}")
        return runs_of(json.loads(line) for line in entries.splitlines())[::-1]

    def still_working(self) -> list[int]:
        """Processes of runs of this stage: workers have the command line of their controller, zombies have none."""
        mark = str(self._hosts).encode()
        return [int(one.parent.name) for one in Path("/proc").glob("[0-9]*/cmdline") if mark in _command_line(one)]

    def get(self, path: str = "/") -> tuple[int, dict[str, str], str]:
        """One request to the live Service over a new connection: status, headers, body."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()

    @contextmanager
    def load(self, rate: int = 60, seconds: int = 240) -> Iterator[dict[str, Any]]:
        """Open-loop load on the live Service while the block runs; the dict is filled with the ledger at its end."""
        ledger, ready = self.folder / "ledger.json", self.folder / "load-ready"
        ready.unlink(missing_ok=True)
        found: dict[str, Any] = {}
        process = subprocess.Popen(
            [
                *(self.load_program, "-target", f"http://127.0.0.1:{self.port}", "-seconds", str(seconds), "-quiet"),
                *("-fresh-rate", str(rate / 2), "-keepalive-rate", str(rate / 2), "-request", "GET /notes?q=a"),
                *("-ledger", str(ledger), "-ready-file", str(ready)),
            ]
        )
        try:
            while not ready.exists():
                assert process.poll() is None, "the load ended before it began"
                time.sleep(0.05)
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
        found.update(json.loads(ledger.read_text()))

    def inventory(self) -> Path:
        """The inventory's file, as the settings are now."""
        self._hosts.write_text(yaml.safe_dump({"golive_apps": {"hosts": {"notes": self.settings}}}))
        return self._hosts

    @property
    def _hosts(self) -> Path:
        return self.folder / "hosts.yml"

    def command(self, playbook: str, arguments: tuple[str, ...], variables: dict[str, Any]) -> list[str]:
        """What plays a playbook with the settings of now."""
        extra = ["-e", json.dumps(variables)] if variables else []
        path = playbook if playbook.startswith("/") else f"playbooks/{playbook}"
        return ["ansible-playbook", "-i", str(self.inventory()), path, *arguments, *extra]


def family(pid: int) -> list[int]:
    """A process and all that descend from it, the oldest first; workers have sessions of their own."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def _command_line(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def audit_mark(cluster: Mapping[str, str]) -> Audit:
    """The audit log from now on."""
    audit = Audit(Path(cluster["GOLIVE_AUDIT_LOG"]))
    audit.mark()
    return audit


def mutating_calls(audit: Audit, namespace: str) -> list[tuple[str, str]]:
    """Our own calls about ``namespace`` that changed something; a port-forward changes nothing, though it is a POST."""
    return [(verb, uri) for verb, uri in audit.writes(namespace) if not uri.split("?")[0].endswith("/portforward")]


def changes(audit: Audit, namespace: str) -> list[tuple[str, str]]:
    """The same without what a run writes about itself: its Lease and its journal."""
    own = re.compile(r"/leases(/|\?|$)|/configmaps/[^/?]+-golive-journal")
    return [(verb, uri) for verb, uri in mutating_calls(audit, namespace) if not own.search(uri)]
