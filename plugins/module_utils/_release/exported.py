# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Series of the exporter that the journal tells: guards of the last move, and a migration that ended its run.

A migration in one transaction leaves nothing in the database when it fails; the run that it ended is in the journal.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.series import Sample, Source, Told
from ansible_collections.golive.cutover.plugins.module_utils._release.journal import journal_from
from ansible_collections.golive.cutover.plugins.module_utils._release.runs import HELD, Run, runs_of

# The ConfigMap of the journal; empty before the first run.
FOLDER = Path("/etc/golive/journal")
TRIPPED, STATE = "golive_cutover_guard_tripped", "golive_migration_state"
# A move that has ended returned the traffic by itself: it is told so long that nobody's scrape misses it.
_TOLD_S = 600.0
_MIGRATE = "migrate"


def read_journal(_login: Mapping[str, str]) -> Told:
    """The series of ``guards`` and ``failed_migrations``. Raises GoliveError for a journal that cannot be read."""
    files = [file for file in FOLDER.glob("*") if not file.name.startswith(".")]
    try:
        data = {file.name: file.read_text(encoding="utf-8") for file in files}
    except OSError as error:
        raise GoliveError("journal_unreadable", f"Reading the journal failed: {error}.") from error
    runs = runs_of(journal_from(data).entries())
    return Told({"journal": [*guards(runs, time.time()), *failed_migrations(runs)]})


def guards(runs: Sequence[Run], now: float) -> list[Sample]:
    """Each phase of the newest move up to the one that stopped it, which has the value 1; what follows is the way back.

    A move that went well has none that is tripped, and one that ended otherwise has it for ``_TOLD_S`` more.
    """
    moves = [run for run in runs if run["purpose"] in ("release", "rollback")]
    if not moves:
        return []
    run = moves[-1]
    over = run["outcome"] not in (None, HELD) and now - _seconds(run["ended"]) > _TOLD_S
    good = run["outcome"] in ("success", "unchanged")
    found: dict[str, float] = {}
    for phase in run["phases"]:
        judged = phase["verdict"].get("verdict")
        if not judged or phase["phase"] == _MIGRATE:
            continue
        found[phase["phase"]] = float(judged != "pass" and not over and not good)
        if judged != "pass":
            break
    return [Sample(TRIPPED, value, {"guard": guard}) for guard, value in found.items()]


def failed_migrations(runs: Sequence[Run]) -> list[Sample]:
    """The migration that ended the newest run which migrated, if one did."""
    migrated = [run for run in runs if any(phase["phase"] == _MIGRATE for phase in run["phases"])]
    if not migrated or migrated[-1]["outcome"] != "failed" or migrated[-1]["phase"] != _MIGRATE:
        return []
    run = migrated[-1]
    file = run["phases"][-1]["verdict"].get("migration") or f"run {run['run_id']}"
    return [Sample(STATE, 1.0, {"migration": str(file), "state": "failed"})]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


SOURCES = (Source(("journal",), frozenset({TRIPPED, STATE}), 15, 120, read_journal),)
