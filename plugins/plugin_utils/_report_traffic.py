# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Per-second rows of all verbs of one app, put together into what is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.figures import clock, figure
from ansible_collections.golive.cutover.plugins.module_utils._core.html import Html
from ansible_collections.golive.cutover.plugins.plugin_utils._report_charts import Moment, Traffic, names_of
from ansible_collections.golive.cutover.plugins.plugin_utils._report_evidence import thinned
from ansible_collections.golive.cutover.plugins.plugin_utils._report_html import table

_PREVIEW = ("stage", "verify")
_MOVES = ("overlap", "move", "weight", "weights", "widen", "shift", "narrow", "return")
_MOST_TABLE_ROWS = 120


def moments_of(evidence: list[Mapping[str, Any]]) -> list[Moment]:
    """When each switch began to move traffic."""
    return [
        Moment(_moved_at(one), _label(one))
        for one in evidence
        if one.get("kind") == "traffic_switch" and _has_moved(one)
    ]


def _label(one: Mapping[str, Any]) -> str:
    """``blue → green``, ``back to blue``, or the weights while both colours take traffic."""
    live, previous, weights = one.get("live"), one.get("previous"), one.get("weights")
    if live:
        return f"back to {live}" if previous == live else f"{previous or 'nothing'} → {live}"
    return (
        ", ".join(f"{colour} {share} %" for colour, share in weights.items()) if isinstance(weights, dict) else "switch"
    )


def traffic_of(evidence: list[Mapping[str, Any]], start: float) -> list[Traffic]:
    """Live traffic, and what gates asked of the preview; ``start`` is when the run began, in Unix seconds."""
    live, preview = (
        Traffic("Live traffic", []),
        Traffic("Preview of the new colour, before the switch", [], preview=True),
    )
    for one in evidence:
        series = one.get("series")
        if not series:
            continue
        into = preview if one.get("phase") in _PREVIEW else live
        rows = [{**row, "t": round(row["t"] - start, 3)} for row in series]
        into.rows.extend(rows)
        into.bands.append((str(one.get("phase") or one["kind"]), rows[0]["t"], rows[-1]["t"] + rows[-1]["seconds"]))
    live.moments = moments_of(evidence)
    for traffic in (live, preview):
        traffic.rows.sort(key=lambda row: row["t"])
    return [traffic for traffic in (live, preview) if traffic.rows]


def traffic_rows(traffic: Traffic) -> Html:
    """The numbers of a drawing, at most 120 rows."""
    rows = thinned(list(traffic.rows), _MOST_TABLE_ROWS)
    identities, kinds = names_of(rows, "ok"), names_of(rows, "failed")
    cells = [
        [
            clock(row["t"]),
            *(figure(row["ok"].get(name, 0) / row["seconds"]) for name in identities),
            *(row["failed"].get(kind, 0) for kind in kinds),
            *("–" if row[key] is None else figure(row[key]) for key in ("p50_ms", "p95_ms", "p99_ms")),
        ]
        for row in rows
    ]
    head = ["from", *(f"{name}/s" for name in identities), *(f"failed: {kind}" for kind in kinds)]
    return table([*head, "p50 ms", "p95 ms", "p99 ms"], cells)


def _has_moved(one: Mapping[str, Any]) -> bool:
    return one.get("status") == "changed" or any(_is_move(step) for step in one.get("steps") or [])


def _is_move(step: Any) -> bool:
    return isinstance(step, Mapping) and str(step.get("step", "")).partition(" ")[0] in _MOVES


def _moved_at(one: Mapping[str, Any]) -> float:
    """The steps before the first one that moves traffic, since the task's begin; about a tenth of a second exact."""
    at = float(one["began_s"])
    for step in one.get("steps") or []:
        if _is_move(step):
            return at
        at += float(step.get("seconds", 0)) if isinstance(step, Mapping) else 0.0
    return float(one["ended_s"])
