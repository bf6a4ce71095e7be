# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the test tiers one after another and print the seconds of each.

    tiers.py [lint] [sanity] [unit] [integration] [e2e]      all when none is named
    tiers.py faults                                          what kills, exhausts or takes away, and the long series

A tier that fails does not keep the next from running; the exit code is 1 when any failed. While the first tiers run,
the first-time builds of the cluster, the images and the gateway run in the background at low priority; the last goes
on beside the first tests, and its own wait for it. A cluster that was not there before is removed at the end.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from cluster_up import CLUSTER, IMAGES, cluster_up
from python_env import ENVIRONMENTS, REPOSITORY, ensure, find, say

SETUP = REPOSITORY / "tests" / "setup"
GATEWAY = REPOSITORY / "tests" / "gateway" / "gateway"
LOGS = REPOSITORY / "build" / "log"
RUN = [str(SETUP / "run"), "main"]
# What the benches compare with; the samples of them need it.
PEERS = REPOSITORY / "tests" / "bench" / "apply" / "contenders.py"
NO_TESTS = 5
IN_TIERS = "not bench and not series"
FAULTS = "(faults or series)"
# Half of their time these tests wait: for pods, for soak times, for the start of a Python. Those on the cluster wait
# longer.
SIDE_BY_SIDE = ("--numprocesses=2", "--dist=loadfile")
ON_THE_CLUSTER = ("--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder")
SERIES = ("--numprocesses=3", "--dist=loadgroup", "--no-loadscope-reorder")
# Whoever chooses tests wants them of one tier; a part of it without any is no failure.
CHOSEN = shlex.split(os.environ.get("PYTEST_ARGS", ""))


@dataclass
class Counts:
    """Passed, failed and skipped checks; the linters and sanity each count as one."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Counts) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped


class Background:
    """First-time builds in a process group of their own; their output goes to a log."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        self.log = LOGS / f"{name}.log"
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                ["nice", "-n", "10", *command],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        # Where each session is scheduled as a group, `nice` counts only inside of it (sched(7), autogroup).
        with contextlib.suppress(OSError):
            Path(f"/proc/{self._process.pid}/autogroup").write_text("19")

    def wait(self) -> bool:
        """Wait for the end, with the log's newest line every half minute; on failure show the log's end."""
        told = time.monotonic()
        while self._process.poll() is None:
            try:
                self._process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                if time.monotonic() - told >= 30:
                    told = time.monotonic()
                    say(f"waiting for {self.name}: {self.last_line()}")
        if self._process.returncode != 0:
            say(f"{self.name} FAILED; the end of {self.log.relative_to(REPOSITORY)}:")
            say("\n".join(self.log.read_text(errors="replace").splitlines()[-40:]))
            return False
        return True

    def last_line(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "no output yet"

    def stop(self) -> None:
        """End what still runs of the group, also what its first process has left behind."""
        for end in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                self._process.poll()
                try:
                    os.killpg(self._process.pid, end)
                except ProcessLookupError:
                    return
                time.sleep(0.1)


def one_check(command: list[str]) -> Counts:
    """A command whose exit code is its only result."""
    passed = subprocess.run(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, check=False).returncode == 0
    return Counts(passed=int(passed), failed=int(not passed))


def lint() -> Counts:
    return one_check([*RUN, "python3", str(SETUP / "lint.py")])


def sanity() -> Counts:
    return one_check([sys.executable, str(SETUP / "sanity.py")])


def both_cores() -> dict[str, str]:
    """The variable that makes the both-ways tests run on the oldest and the newest ansible-core."""
    names = [name for name in ("oldest", "newest") if find(ENVIRONMENTS[name])]
    if "newest" not in names:
        say("no Python for the newest ansible-core: verbs are compared on the oldest one only")
    return {"GOLIVE_ANSIBLE_PLAYBOOKS": ":".join(str(ensure(name) / "bin" / "ansible-playbook") for name in names)}


def pytest(tier: str, *arguments: str, marked: str = IN_TIERS, part: str = "") -> Counts:
    """Run pytest on a tier's directory; its counts come from its own report, a run without one counts as failed.

    ``marked`` chooses the tests by their marks, ``part`` is the report's name beside the tier's.
    """
    report = LOGS / f"{tier}{part}.xml"
    report.unlink(missing_ok=True)
    command = [*RUN, "pytest", f"tests/{tier}", f"--junitxml={report}", "-m", marked, *arguments, *CHOSEN]
    env = {**os.environ, **(both_cores() if tier == "integration" else {})}
    code = subprocess.run(command, cwd=REPOSITORY, env=env, stdin=subprocess.DEVNULL, check=False).returncode
    if code == NO_TESTS:
        say(f"{tier}{part}: no test was found")
        if CHOSEN:
            return Counts()
    if not report.exists():
        return Counts(failed=1)
    suite = ElementTree.parse(report).getroot().find("testsuite")
    if suite is None:
        return Counts(failed=1)
    total, failures, errors, skipped = (int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
    failed = failures + errors
    return Counts(total - failed - skipped, failed or int(code != 0), skipped)


def cluster_is_up() -> bool:
    return subprocess.run([str(CLUSTER), "status"], capture_output=True, check=False).returncode == 0


def e2e(builds: list[Background]) -> Counts:
    """Needs the builds; the cluster is started at normal priority and loaded before the first test."""
    if not all(build.wait() for build in builds) or cluster_up() != 0:
        return Counts(failed=1)
    counts = pytest("e2e", *ON_THE_CLUSTER, marked=f"{IN_TIERS} and not alone")
    counts.add(pytest("e2e", marked=f"{IN_TIERS} and alone", part="-alone"))
    return counts


def faults() -> Counts:
    """Of both tiers that break real things; the cluster is there."""
    counts = pytest("e2e", *SERIES, marked=f"{FAULTS} and not alone", part="-faults")
    counts.add(pytest("e2e", marked=f"{FAULTS} and alone", part="-faults-alone"))
    counts.add(pytest("integration", *SIDE_BY_SIDE, marked=FAULTS, part="-faults"))
    return counts


def main(arguments: list[str]) -> int:
    order = ["lint", "sanity", "unit", "integration", "e2e"]
    known = [*order, "faults"]
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        say(f"Unknown tier: {', '.join(unknown)}. Known: {', '.join(known)}")
        return 2
    chosen = [name for name in known if name in (arguments or order)]
    LOGS.mkdir(parents=True, exist_ok=True)
    kept = "e2e" not in chosen or cluster_is_up()
    builds: list[Background] = []
    others: list[Background] = []
    if "e2e" in chosen and len(chosen) > 1 and not kept:
        # `up` builds what is missing; what it starts would keep the low priority, so it goes down again
        first_time = f"'{CLUSTER}' up && '{CLUSTER}' down && '{IMAGES}' && '{SETUP}/run' main python '{PEERS}'"
        first_time += f" && {{ '{GATEWAY}' build >'{LOGS / 'gateway-build.log'}' 2>&1 & }}"
        builds = [Background("first-time-build", ["sh", "-c", first_time])]
    if "integration" in chosen and len(chosen) > 1:
        # The tests that need them fetch and build them themselves when this fails.
        others = [
            Background(name, [*RUN, "python3", "-m", f"tests.integration.{name}"]) for name in ("prometheus", "s3")
        ]
    tiers: dict[str, Callable[[], Counts]] = {
        "lint": lint,
        "sanity": sanity,
        "unit": lambda: pytest("unit", *SIDE_BY_SIDE),
        "integration": lambda: pytest("integration", *SIDE_BY_SIDE),
        "e2e": lambda: e2e(builds),
        "faults": faults,
    }
    total, lines = Counts(), []
    # A shell's background job starts with SIGINT ignored; tests of interruption need it as a terminal gives it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for name in chosen:
            say(f"\n=== {name}")
            started = time.monotonic()
            counts = tiers[name]()
            total.add(counts)
            outcome = "FAILED" if counts.failed else "passed"
            lines.append(f"{name:<12} {time.monotonic() - started:7.0f} s  {outcome}")
            say(lines[-1])
    finally:
        for build in [*builds, *others]:
            build.stop()
        if not kept:
            subprocess.run([str(CLUSTER), "down"], stdin=subprocess.DEVNULL, check=False)
    print("\n" + "\n".join(lines), flush=True)
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
