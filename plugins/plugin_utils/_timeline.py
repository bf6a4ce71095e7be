# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened when in a run: collected from task results, without any of Ansible's objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

PHASE_TAG = "release_"
MESSAGE_LENGTH = 500
MOST_TASKS = 8_000
MOST_FAILED_TASKS = 1_000
MOST_SPANS = 200


def phase_of(tags: Sequence[str], role: str | None) -> str:
    """``verify`` for the tag ``release_verify``; without such a tag the role's short name, or "" outside of roles."""
    for tag in tags:
        if tag.startswith(PHASE_TAG):
            return tag[len(PHASE_TAG) :]
    return (role or "").rpartition(".")[2]


@dataclass
class Entry:
    """One task on one host; ``status`` is ok, changed, failed, ignored (a failure) or unreachable."""

    host: str
    play: str
    phase: str
    role: str | None
    task: str
    action: str
    started_s: float
    seconds: float = 0.0
    status: str = "ok"
    code: str | None = None
    message: str | None = None
    timings: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Without what is not known."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass
class Phase:
    """One phase on one host; the time between its tasks counts, the time of other phases in between does not.

    ``spans`` are its pieces as ``[began_s, ended_s]``.
    """

    host: str
    phase: str
    seconds: float = 0.0
    tasks: int = 0
    skipped: int = 0
    changed: int = 0
    failed: int = 0
    code: str | None = None
    spans: list[list[float]] = field(default_factory=list)


@dataclass
class Timeline:
    """Collects entries and phases; all times are seconds since the start of the run. Its size is bounded."""

    entries: list[Entry] = field(default_factory=list)
    phases: dict[tuple[str, str], Phase] = field(default_factory=dict)
    left_out: int = 0
    _kept_failed: int = 0
    _last: dict[str, tuple[str, float]] = field(default_factory=dict)

    def add(self, entry: Entry, ended_s: float) -> None:
        """A task that ran on a host."""
        entry.seconds = round(ended_s - entry.started_s, 3)
        entry.started_s = round(entry.started_s, 3)
        self._keep(entry)
        phase = self._phase(entry.host, entry.phase, entry.started_s, ended_s)
        phase.tasks += 1
        phase.changed += entry.status == "changed"
        if entry.status in ("failed", "unreachable"):
            phase.failed += 1
            phase.code = phase.code or entry.code or entry.status

    def skip(self, entry: Entry, ended_s: float) -> None:
        """A task that was skipped on a host: only counted."""
        self._phase(entry.host, entry.phase, entry.started_s, ended_s).skipped += 1

    def report(self) -> dict[str, Any]:
        """The lists ``phases`` and ``tasks``, in the order in which they began, and the number of tasks left out."""
        phases = [asdict(phase) for phase in self.phases.values()]
        for phase in phases:
            phase["seconds"] = round(phase["seconds"], 3)
            phase["spans"] = [[round(edge, 3) for edge in span] for span in phase["spans"]]
        tasks = sorted(self.entries, key=lambda entry: entry.started_s)
        return {"phases": phases, "tasks": [one.as_dict() for one in tasks], "tasks_left_out": self.left_out}

    def summary(self, most_hosts: int = 10) -> list[str]:
        """One line per host, ``shop: stage 8.1 s, verify 2.0 s; failed in verify: gate_failed``."""
        hosts = list(dict.fromkeys(host for host, _phase in self.phases))
        lines = [self._line(host) for host in hosts[:most_hosts]]
        return [*lines, f"and {len(hosts) - most_hosts} more hosts"] if len(hosts) > most_hosts else lines

    def _line(self, host: str) -> str:
        own = [phase for phase in self.phases.values() if phase.host == host and phase.tasks]
        text = ", ".join(f"{phase.phase or 'other tasks'} {phase.seconds:.1f} s" for phase in own)
        failed = next((phase for phase in own if phase.failed), None)
        return f"{host}: {text or 'nothing to do'}" + (
            f"; failed in {failed.phase or 'other tasks'}: {failed.code}" if failed else ""
        )

    def _keep(self, entry: Entry) -> None:
        bad = entry.status in ("failed", "unreachable", "ignored")
        if len(self.entries) < MOST_TASKS or (bad and self._kept_failed < MOST_FAILED_TASKS):
            self.entries.append(entry)
            self._kept_failed += bad
        else:
            self.left_out += 1

    def _phase(self, host: str, name: str, started_s: float, ended_s: float) -> Phase:
        phase = self.phases.setdefault((host, name), Phase(host, name))
        last_name, last_end = self._last.get(host, ("", started_s))
        goes_on = last_name == name and bool(phase.spans)
        began = min(last_end, started_s) if last_name == name else started_s
        phase.seconds += ended_s - began
        if goes_on or len(phase.spans) >= MOST_SPANS:
            phase.spans[-1][1] = ended_s
        else:
            phase.spans.append([began, ended_s])
        self._last[host] = (name, ended_s)
        return phase
