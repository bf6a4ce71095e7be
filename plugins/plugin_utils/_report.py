# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run as events, and the report as data: the same events fill it while it runs and when its journal is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ansible_collections.golive.cutover.plugins.plugin_utils._report_evidence import (
    FEW_ROWS,
    MOST_ROWS_OF_ALL,
    thinned,
)
from ansible_collections.golive.cutover.plugins.plugin_utils._timeline import Entry, Timeline

FORMAT = 2
MOST_EVIDENCE = 1_000
OK = "ok"
FAILED = "failed"
INTERRUPTED = "interrupted"

_ENTRY = frozenset(one.name for one in fields(Entry))
_MOST_RUNNING = 50


@dataclass
class Report:
    """Fills by ``apply``; all times are seconds since the start of the run."""

    identity: dict[str, Any] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    last_s: float = 0.0
    _running: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    _rows: int = 0
    _left_out: int = 0

    def apply(self, event: str, fields_of: Mapping[str, Any]) -> None:
        """``run`` (identity), ``begin`` and ``end`` of a task with its key, ``skip``, or ``evidence``."""
        self.last_s = max(self.last_s, float(fields_of.get("at_s", 0.0)))
        if event == "run":
            self.identity = {key: value for key, value in fields_of.items() if key != "event"}
        elif event == "begin":
            self._running[fields_of["host"], fields_of["key"]] = dict(fields_of)
        elif event == "evidence":
            self._keep(fields_of)
        elif event in ("end", "skip"):
            self._running.pop((fields_of["host"], fields_of["key"]), None)
            entry = Entry(**{key: value for key, value in fields_of.items() if key in _ENTRY})
            (self.timeline.add if event == "end" else self.timeline.skip)(entry, fields_of["at_s"])

    def data(self, outcome: str, seconds: float, hosts: Mapping[str, Any]) -> dict[str, Any]:
        """What the JSON file holds; ``running`` are tasks without an end, of an interrupted run only."""
        running = list(self._running.values())[:_MOST_RUNNING] if outcome == INTERRUPTED else []
        return {
            "format": FORMAT,
            **self.identity,
            "outcome": outcome,
            "seconds": round(seconds, 3),
            "hosts": dict(hosts),
            "apps": {host: digest(of_host) for host, of_host in by_host(self.evidence).items()},
            "running": [
                {"host": one["host"], "task": one["task"], "phase": one["phase"], "began_s": round(one["at_s"], 3)}
                for one in running
            ],
            **self.timeline.report(),
            "evidence": self.evidence,
            "evidence_left_out": self._left_out,
        }

    def _keep(self, given: Mapping[str, Any]) -> None:
        if len(self.evidence) >= MOST_EVIDENCE:
            self._left_out += 1
            return
        found = {key: value for key, value in given.items() if key not in ("event", "at_s")}
        if found.get("series"):
            if self._rows + len(found["series"]) > MOST_ROWS_OF_ALL:
                found["series"] = thinned(found["series"], FEW_ROWS)
            self._rows += len(found["series"])
        self.evidence.append(found)


def replayed(lines: Iterable[Mapping[str, Any]]) -> Report:
    """The report of a run whose journal is read; lines that do not fit are left out."""
    report = Report()
    for line in lines:
        try:
            report.apply(str(line["event"]), line)
        except (KeyError, TypeError, ValueError):
            continue
    return report


def by_host(evidence: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Evidence of each host, in order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in evidence:
        found.setdefault(str(one["host"]), []).append(one)
    return found


def digest(evidence: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What one app's evidence comes to.

    ``downtime_ms`` is None when any switch had no probe stream, and ``downtime`` says ``measured``, ``not measured`` or
    ``no switch``. ``requests`` and ``failed_requests`` are those of the probe streams of switches and gates.
    """
    rows = list(evidence)
    switches = of_kind(rows, "traffic_switch")
    moved = [one for one in switches if one.get("status") in ("changed", "failed")] or switches
    measured = [one["downtime_ms"] for one in moved if one.get("downtime_ms") is not None]
    known = bool(moved) and len(measured) == len(moved)
    sent, failed = requests_of(rows)
    return {
        "downtime": "no switch" if not moved else "measured" if known else "not measured",
        "downtime_ms": round(sum(measured), 1) if known else None,
        "requests": sent,
        "failed_requests": failed,
        "live": next((one["live"] for one in reversed(switches) if one.get("live")), None),
        "proof": next((one["proof"].get("level") for one in reversed(switches) if one.get("proof")), None),
        "returned": _returned(moved),
        "held": any(one.get("action") == "hold" for one in of_kind(rows, "health_gate")[-1:]),
        "gates": [one["verdict"] for one in of_kind(rows, "health_gate") if one.get("verdict")],
        "before": _before(rows),
        "after": _after(rows),
        "migrations": [one for step in of_kind(rows, "db_migrate") for one in step.get("applied") or []],
        "undelivered": sum(len(one.get("undelivered") or []) for one in of_kind(rows, "notify")),
        "rto_s": _last(rows, "rto_s"),
        "rpo_s": _last(rows, "rpo_s"),
    }


def _returned(moved: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a switch returned itself, or a later one moved the traffic back to where the first one found it."""
    shifts = [one for one in moved if one.get("live") and one.get("previous")]
    back = len(shifts) > 1 and shifts[-1]["live"] == shifts[0]["previous"]
    return back or any(one.get("returned") for one in moved)


def of_kind(evidence: Iterable[Mapping[str, Any]], *kinds: str) -> list[Mapping[str, Any]]:
    """Evidence of these kinds, in order."""
    return [one for one in evidence if one.get("kind") in kinds]


def requests_of(evidence: Iterable[Mapping[str, Any]]) -> tuple[int, int]:
    """Requests that probe streams have sent, and how many of them failed."""
    sent = failed = 0
    for one in evidence:
        for stream in streams_of(one).values():
            sent += int(stream.get("sent", 0))
            failed += sum(int(number) for number in (stream.get("failed") or {}).values())
    return sent, failed


def streams_of(one: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Streams of a ledger by name."""
    ledger = one.get("ledger")
    if not isinstance(ledger, Mapping):
        return {}
    return {
        str(name): stream
        for name, stream in ledger.items()
        if isinstance(stream, Mapping) and isinstance(stream.get("failed", {}), Mapping) and "sent" in stream
    }


def _before(rows: list[Mapping[str, Any]]) -> str | None:
    """Version that took traffic when the run first looked."""
    for one in of_kind(rows, "traffic_info"):
        for colour in one.get("colours") or []:
            if isinstance(colour, Mapping) and colour.get("colour") == one.get("live"):
                return str(colour.get("version") or colour.get("release") or colour["colour"])
        return None
    return None


def _after(rows: list[Mapping[str, Any]]) -> str | None:
    """Version that the run says is live at its end."""
    return next((str(one["golive_version"]) for one in reversed(rows) if one.get("golive_version")), None)


def _last(rows: list[Mapping[str, Any]], key: str) -> Any:
    return next((one[key] for one in reversed(rows) if one.get(key) is not None), None)
