# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What probes saw of each component: counted by day, with its outages. Pure, and bounded by the days that are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

History = dict[str, Any]
_MOST_OUTAGES = 200


def fresh() -> History:
    """Nothing was seen yet."""
    return {"components": {}}


def is_history(value: Any) -> bool:
    """Whether a file holds what this module wrote."""
    components = value.get("components") if isinstance(value, dict) else None
    return isinstance(components, dict) and all(
        isinstance(one, dict) and {"days", "outages", "last"} <= one.keys() for one in components.values()
    )


def with_samples(history: History, samples: Iterable[Mapping[str, Any]], now: datetime, days: int) -> History:
    """With one more look at each component ``{name, ok}``; what is older than ``days`` goes."""
    components = {name: _pruned(one, now.date(), days) for name, one in history["components"].items()}
    at = _stamp(now)
    for sample in samples:
        name = str(sample["name"])
        one = components.get(name) or {"days": {}, "outages": [], "last": None}
        components[name] = _with(one, bool(sample["ok"]), at)
    return {"components": components}


def uptime(component: Mapping[str, Any]) -> float | None:
    """Share of good looks in percent, rounded down so that 100 means all; None without a look."""
    asked = sum(day["asked"] for day in component["days"].values())
    good = sum(day["good"] for day in component["days"].values())
    return good * 100_000 // asked / 1000 if asked else None


def is_up(component: Mapping[str, Any]) -> bool | None:
    """What the last look saw; None without one."""
    return None if component["last"] is None else bool(component["last"]["ok"])


def days_of(component: Mapping[str, Any], today: date, count: int) -> list[tuple[str, int, int]]:
    """The last ``count`` days, the oldest first, each with looks and good ones."""
    names = [f"{today - timedelta(days=back):%Y-%m-%d}" for back in range(count - 1, -1, -1)]
    none = {"asked": 0, "good": 0}
    return [(name, *(component["days"].get(name, none)[key] for key in ("asked", "good"))) for name in names]


def _with(one: Mapping[str, Any], ok: bool, at: str) -> dict[str, Any]:
    day = one["days"].get(at[:10], {"asked": 0, "good": 0})
    outages = [dict(row) for row in one["outages"]]
    if not ok and (not outages or outages[-1]["ended"]):
        outages.append({"began": at, "ended": None})
    if ok and outages and not outages[-1]["ended"]:
        outages[-1]["ended"] = at
    return {
        "days": {**one["days"], at[:10]: {"asked": day["asked"] + 1, "good": day["good"] + ok}},
        "outages": outages[-_MOST_OUTAGES:],
        "last": {"at": at, "ok": ok},
    }


def _pruned(one: Mapping[str, Any], today: date, days: int) -> dict[str, Any]:
    first = f"{today - timedelta(days=days - 1):%Y-%m-%d}"
    return {
        "days": {name: day for name, day in one["days"].items() if name >= first},
        "outages": [row for row in one["outages"] if not row["ended"] or row["ended"] >= first],
        "last": one["last"],
    }


def _stamp(now: datetime) -> str:
    return f"{now:%Y-%m-%dT%H:%M:%SZ}"
