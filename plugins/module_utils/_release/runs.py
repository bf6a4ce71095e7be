# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the entries of a journal tell of each run, and which run is unfinished. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._release.journal import BEGIN, FINISH

# A run that ended so is gone on with by the next one.
HELD = "held"
OUTCOMES = ("success", "failed", "returned", HELD, "unchanged")

Run = dict[str, Any]


def runs_of(entries: Iterable[Mapping[str, Any]]) -> list[Run]:
    """Every run, oldest first: ``run_id, purpose, token, by, resumes, inputs, began, ended, seconds, outcome, phase,
    phases``; a phase has ``phase, began, ended, seconds, verdict``. Times are UTC texts."""
    runs: dict[str, Run] = {}
    for entry in entries:
        name = str(entry.get("run"))
        run = runs.setdefault(name, _fresh(name))
        at = str(entry.get("at", ""))
        if entry.get("event") == BEGIN:
            known = ("purpose", "token", "by", "resumes", "took_over", "inputs")
            run.update({key: entry[key] for key in known if key in entry}, began=at)
        else:
            _end_phase(run, at, entry.get("verdict") or {})
        if entry.get("event") == FINISH:
            run.update(ended=at, outcome=entry.get("outcome"), seconds=_between(run["began"], at))
        else:
            run["phase"] = str(entry.get("phase", ""))
            run["phases"].append({"phase": run["phase"], "began": at, "ended": None, "seconds": None, "verdict": {}})
    return list(runs.values())


def unfinished(runs: list[Run]) -> Run | None:
    """The run that the next one goes on with: the last one, when it was killed or held.

    A run that was itself killed before its second phase tells nothing: then the one it went on with counts.
    """
    known = {run["run_id"]: run for run in runs}
    run = runs[-1] if runs else None
    while run is not None and len(run["phases"]) < 2 and run["outcome"] is None and run["resumes"] in known:
        run = known[run["resumes"]]
    return run if run is not None and run["outcome"] in (None, HELD) else None


def _fresh(name: str) -> Run:
    return {
        "run_id": name,
        "purpose": "",
        "token": "",
        "by": {},
        "resumes": None,
        "took_over": None,
        "inputs": {},
        "began": "",
        "ended": None,
        "seconds": None,
        "outcome": None,
        "phase": "",
        "phases": [],
    }


def _end_phase(run: Run, at: str, verdict: Mapping[str, Any]) -> None:
    if run["phases"] and run["phases"][-1]["ended"] is None:
        last = run["phases"][-1]
        last.update(ended=at, seconds=_between(last["began"], at), verdict=dict(verdict))


def _between(began: str, ended: str) -> float | None:
    try:
        moments = [datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (began, ended)]
    except ValueError:
        return None
    return round((moments[1] - moments[0]).total_seconds(), 3)
