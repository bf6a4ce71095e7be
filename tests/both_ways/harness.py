# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run tasks in real ``ansible-playbook`` processes, in process and as modules, and compare what came out.

    cases = {"no name": {"golive.cutover.kube_track": {"kind": "Deployment"}}}
    assert_same(executable, cases, tmp_path)

A case is one task (keywords beside the verb are allowed) or a list of tasks. All cases share one playbook per way; a
failure ends its case only.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
# Of one length: core 2.18 wraps what it prints, and the way is part of every path.
WAYS = ("inside", "module")
# The executables of the oldest and the newest supported core; the Makefile sets it.
_NAMED = os.environ.get("GOLIVE_ANSIBLE_PLAYBOOKS", "").split(":")
PLAYBOOKS = list(filter(None, _NAMED)) or [shutil.which("ansible-playbook") or "ansible-playbook"]

Task = Mapping[str, Any]
Cases = Mapping[str, Task | Sequence[Task]]


@dataclass(frozen=True)
class Ran:
    """One finished ``ansible-playbook``: what the operator saw and what the callbacks got."""

    code: int
    out: str
    events: list[dict[str, Any]]

    def of(self, case: str) -> list[dict[str, Any]]:
        """The events of one case, in order."""
        return [one for one in self.events if one["task"] == case]

    def result(self, case: str) -> dict[str, Any]:
        """The result of a case that has one task without loop."""
        (event,) = self.of(case)
        found: dict[str, Any] = event["result"]
        return found


def environment(way: str, folder: Path, **others: str) -> dict[str, str]:
    """The environment of a run: the collections, no user configuration, and the switch for the way."""
    paths = [str(ROOT / "tests/both_ways/collections"), os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")]
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": ":".join([*filter(None, paths), str(ROOT / "build/collections")]),
        "ANSIBLE_CALLBACKS_ENABLED": "golive.probe.record",
        "ANSIBLE_LOCAL_TEMP": str(folder / "local_tmp"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote_tmp"),
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "ANSIBLE_NOCOLOR": "true",
        "ANSIBLE_CONFIG": str(folder / "empty.cfg"),
        # Core prints sets in the order of their hashes.
        "PYTHONHASHSEED": "0",
        "PROBE_RECORD": str(folder / "record.jsonl"),
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "GOLIVE_RUN_"))}
    switch = {"GOLIVE_RUN_AS_MODULE": "1"} if way == "module" else {}
    return {**kept, **settings, **switch, **others}


def write_playbook(folder: Path, plays: Sequence[Task], hosts: Sequence[str] = ("shop",)) -> list[str]:
    """Write playbook and inventory; returns the arguments that run them."""
    inventory = {
        "all": {
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            },
            "hosts": {host: {} for host in hosts},
        }
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "empty.cfg").touch()
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory))
    (folder / "play.yml").write_text(yaml.safe_dump(list(plays), sort_keys=False, allow_unicode=True))
    return ["-i", str(folder / "hosts.yml"), str(folder / "play.yml")]


def play_of(cases: Cases, **keywords: Any) -> dict[str, Any]:
    """One play in which each case is a block that a failure does not leave."""
    blocks = []
    for name, case in cases.items():
        tasks = [case] if isinstance(case, Mapping) else case
        blocks.append(
            {
                "block": [{"name": name, **task} for task in tasks],
                "rescue": [{"name": "Go on with the next case", "ansible.builtin.meta": "noop"}],
            }
        )
    return {"hosts": "all", "gather_facts": False, "tasks": blocks, **keywords}


def run_plays(
    executable: str,
    way: str,
    plays: Sequence[Task],
    folder: Path,
    *arguments: str,
    hosts: Sequence[str] = ("shop",),
    cwd: Path | None = None,
    **variables: str,
) -> Ran:
    """Run ``plays`` one way; files go to ``folder``, ``variables`` into the environment of ansible-playbook."""
    command = [executable, *write_playbook(folder, plays, hosts), *arguments]
    done = subprocess.run(
        command,
        env=environment(way, folder, **variables),
        cwd=cwd or folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=600,
        check=False,
    )
    record = folder / "record.jsonl"
    lines = record.read_text().splitlines() if record.exists() else []
    return Ran(done.returncode, done.stdout, [json.loads(line) for line in lines])


def run_both(executable: str, cases: Cases, folder: Path, *arguments: str, **others: Any) -> tuple[Ran, Ran]:
    """Run the cases in process and as modules, with the same playbook and each way in a folder of its own."""
    keywords = others.pop("keywords", {})
    first, second = (
        run_plays(executable, way, [play_of(cases, **keywords)], folder / way, *arguments, **others) for way in WAYS
    )
    return first, second


def comparable(value: Any) -> Any:
    """A result without what may differ: paths of the two folders, tracebacks, job ids, times and moments of a run."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items() if key not in _UNEQUAL}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, str):
        text = re.sub(r"/(inside|module)\b", "/<way>", value)
        return re.sub(r"\b\d+\.\d+ s\b", "<n> s", text)
    return "<moment>" if isinstance(value, float) and value > _MOMENT else value


def assert_same(executable: str, cases: Cases, folder: Path, *arguments: str, **others: Any) -> tuple[Ran, Ran]:
    """Run both ways and compare all events and the exit code; returns both runs for further looks."""
    inside, module = run_both(executable, cases, folder, *arguments, **others)
    compare(inside, module, list(cases))
    return inside, module


def compare(inside: Ran, module: Ran, cases: Sequence[str]) -> None:
    """Fail unless both ways gave the same events, output and exit code."""
    left = {name: comparable(inside.of(name)) for name in cases}
    right = {name: comparable(module.of(name)) for name in cases}
    assert all(left.values()), f"no result of {[name for name in cases if not left[name]]}:\n{inside.out}"
    assert left == right
    assert printed(inside) == printed(module)
    assert inside.code == module.code


def printed(ran: Ran) -> list[str]:
    """What the operator saw, without what may differ: paths, ids, seconds, progress lines, one word of core >= 2.19."""
    text = re.sub(r"\b(Action|Module) failed", "Task failed", comparable(ran.out))
    text = re.sub(r'"frame": ".*?>"', '"frame": "<frame>"', text)
    text = re.sub(r'"seconds": [\d.]+', '"seconds": <n>', text)
    text = re.sub(r'"since": \d{10}\.\d+', '"since": <moment>', text)
    text = re.sub(r"\bj\d{6,}(\.\d+)?", "<job>", text)
    return [line for line in text.splitlines() if not re.match(r"\[\S+\] [a-z_]+: ", line)]


# A number with a fraction that is larger than this is a reading of the clock, in seconds since the epoch.
_MOMENT = 1e9
# `timedout` names a stack frame (2.18).
_UNEQUAL = frozenset({"exception", "ansible_job_id", "results_file", "seconds", "timedout", "_ansible_no_log"})
