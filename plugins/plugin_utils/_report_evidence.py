# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report keeps of a task's result: named fields of our own verbs and of the roles' facts, bounded in size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.plain import plain

OURS = "golive.cutover."
STATS = "golive_"
MOST_ROWS = 1_800
MOST_ROWS_OF_ALL = 9_000
FEW_ROWS = 200

_TEXT = 2_000
_ITEMS = 200
_DEPTH = 8
_FIELDS: dict[str, tuple[str, ...]] = {
    "traffic_switch": (
        *("live", "previous", "driver", "proof", "returned", "manual_patch", "hazards", "steps", "timings", "ledger"),
        *("downtime_ms", "series", "weights", "drain", "code", "msg"),
    ),
    "health_gate": (
        *("verdict", "reasons", "action", "extended", "seconds", "checks", "ledger", "series", "faults", "profile"),
        *("downtime_ms", "score", "code"),
    ),
    "db_migrate": ("applied", "head", "previous_head", "file", "line", "sqlstate", "code"),
    "traffic_info": ("state", "live", "colours", "hazards", "weights", "driver"),
    "release_journal": ("run_id", "token", "phase", "resume", "holder", "code"),
    "notify": ("title", "delivered", "undelivered", "code"),
    "kube_rollback": ("from_revision", "to_revision", "code"),
}
# The phase of a row is that of its task.
_RENAMED = {"phase": "begins"}
_RECOVERY = ("rto_s", "rpo_s", "level", "verified_level")
_RELEASE = ("id", "version", "image", "digest", "config", "migration_head")


def evidence_of(action: str, result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What is kept, each with its ``kind``: the verb's name, ``recovery``, ``release`` or ``stats``.

    A loop gives one of each item. The result must not be one of a task with no_log.
    """
    items = result.get("results")
    for item in items if isinstance(items, Sequence) and not isinstance(items, str) else [result]:
        if isinstance(item, Mapping) and "censored" not in item and not item.get("_ansible_no_log"):
            yield from _of_one(action, item)


def _of_one(action: str, result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    verb = action.removeprefix(OURS)
    if action.startswith(OURS):
        if verb in _FIELDS and not result.get("skipped"):
            kept = {_RENAMED.get(key, key): result[key] for key in _FIELDS[verb] if key in result}
            yield {"kind": verb, **bounded(kept)}
        if any(key in result for key in _RECOVERY[:2]):
            yield {
                "kind": "recovery",
                "verb": verb,
                **bounded({key: result[key] for key in _RECOVERY if key in result}),
            }
    facts = result.get("ansible_facts")
    wanted = facts.get("app_release") if isinstance(facts, Mapping) else None
    if isinstance(wanted, Mapping):
        yield {"kind": "release", **bounded({key: wanted[key] for key in _RELEASE if key in wanted})}
    stats = result.get("ansible_stats")
    data = stats.get("data") if isinstance(stats, Mapping) else None
    if isinstance(data, Mapping):
        own = {str(key): value for key, value in data.items() if str(key).startswith(STATS)}
        if own:
            yield {"kind": "stats", **bounded(own)}


def bounded(value: Any, depth: int = 0) -> Any:
    """Plain JSON types: long texts are cut, long lists end with how much is left out, deep ones with ``…``.

    A list of per-second rows under the key ``series`` keeps its form; see ``thinned``.
    """
    if isinstance(value, Mapping):
        if depth >= _DEPTH:
            return "…"
        kept = list(value.items())[:_ITEMS]
        return {
            str(key): thinned(item, MOST_ROWS) if key == "series" else bounded(item, depth + 1) for key, item in kept
        }
    if isinstance(value, (list, tuple)):
        if depth >= _DEPTH:
            return "…"
        rest = [f"… and {len(value) - _ITEMS} more"] if len(value) > _ITEMS else []
        return [bounded(item, depth + 1) for item in value[:_ITEMS]] + rest
    if value is None or isinstance(value, (bool, int, float)):
        return plain(value)
    text = str(value)
    return text if len(text) <= _TEXT else f"{text[:_TEXT]} … ({len(text) - _TEXT} characters more)"


def thinned(series: Any, most: int) -> list[dict[str, Any]]:
    """At most ``most`` rows ``{t, seconds, ok, failed, p50_ms, p95_ms, p99_ms}``; anything that is no row is dropped.

    Neighbours are put together: counts are added, of percentiles the worst is kept, ``seconds`` is how long a row is.
    """
    rows = [row for row in series if _is_row(row)] if isinstance(series, (list, tuple)) else []
    size = -(-len(rows) // most) if rows else 1
    return [_together(rows[place : place + size]) for place in range(0, len(rows), size)]


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("t"), (int, float)) and isinstance(row.get("ok", {}), dict)


def _together(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    first, last = rows[0], rows[-1]
    merged: dict[str, Any] = {
        "t": first["t"],
        "seconds": max(round(last["t"] - first["t"] + last.get("seconds", 1), 3), 0.001),
    }
    for key in ("ok", "failed"):
        counts: dict[str, int] = {}
        for row in rows:
            for name, number in (row.get(key) or {}).items():
                counts[str(name)] = counts.get(str(name), 0) + int(number)
        merged[key] = counts
    for key in ("p50_ms", "p95_ms", "p99_ms"):
        known = [float(row[key]) for row in rows if isinstance(row.get(key), (int, float))]
        merged[key] = max(known) if known else None
    return merged
