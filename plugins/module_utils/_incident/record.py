# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one incident: JSON types that grow by entries. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

OPENED, NOTED, RATED, SEEN, CLOSED = "opened", "noted", "rated", "seen", "closed"
IS_OPEN, IS_CLOSED = "open", "closed"

Record = dict[str, Any]


def opened(name: str, app: str, environment: str, severity: str, summary: str, who: str, at: str) -> Record:
    """A new one."""
    return {
        "id": name,
        "app": app,
        "environment": environment,
        "status": IS_OPEN,
        "severity": severity,
        "summary": summary,
        "opened": at,
        "opened_by": who,
        "closed": None,
        "entries": [entry(OPENED, at, who, f"{severity}: {summary}")],
    }


def entry(kind: str, at: str, who: str, text: str, scene: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One line of the timeline; ``scene`` is what was collected then."""
    return {"at": at, "who": who, "kind": kind, "text": text, **({"scene": dict(scene)} if scene is not None else {})}


def noted(record: Record, at: str, who: str, text: str) -> Record:
    """With a note; a text that was the last one adds nothing."""
    last = [row for row in record["entries"] if row["kind"] == NOTED][-1:]
    if not text or [row["text"] for row in last] == [text]:
        return record
    return _with(record, entry(NOTED, at, who, text))


def rated(record: Record, at: str, who: str, severity: str) -> Record:
    """With another severity."""
    if severity == record["severity"]:
        return record
    told = entry(RATED, at, who, f"{record['severity']} became {severity}")
    return {**_with(record, told), "severity": severity}


def seen(record: Record, at: str, who: str, scene: Mapping[str, Any]) -> Record:
    """With what was found in the cluster."""
    missing = sorted(name for name, part in scene.items() if isinstance(part, Mapping) and "unknown" in part)
    text = "the state of the app was collected" + (f", without {', '.join(missing)}" if missing else "")
    return _with(record, entry(SEEN, at, who, text, scene))


def closed(record: Record, at: str, who: str, text: str) -> Record:
    """Ended; what follows is the review."""
    if record["status"] == IS_CLOSED:
        return record
    return {**_with(record, entry(CLOSED, at, who, text or "it is over")), "status": IS_CLOSED, "closed": at}


def seconds_of(record: Mapping[str, Any]) -> float | None:
    """How long it lasted; None while it does."""
    if not record["closed"]:
        return None
    began, ended = (datetime.fromisoformat(record[key].replace("Z", "+00:00")) for key in ("opened", "closed"))
    return round((ended - began).total_seconds(), 3)


def is_record(value: Any) -> bool:
    """Whether a file holds what this module wrote."""
    needed = {"id", "app", "status", "severity", "summary", "opened", "closed", "entries"}
    return isinstance(value, dict) and needed <= value.keys() and isinstance(value["entries"], list)


def _with(record: Record, row: Mapping[str, Any]) -> Record:
    return {**record, "entries": [*record["entries"], dict(row)]}
