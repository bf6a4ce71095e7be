# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long each move took, from the watch of the Service and from the answers that the users got."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from watch import Seen

_NANOSECONDS = re.compile(r"(\.\d{6})\d*Z$")


@dataclass(frozen=True)
class Move:
    """``begun`` and ``ended`` are unix seconds of the command; ``kind`` is shift, return or late return."""

    kind: str
    to: str
    begun: float
    ended: float


def timed(moves: list[Move], seen: Seen, ledger: dict[str, Any]) -> list[dict[str, Any]]:
    """For each move the seconds from its begin to the write, the first answer of new, the last of old, and its end.

    ``ledger`` is that of the load on fresh connections.
    """
    stamp = _NANOSECONDS.sub(r"\1", ledger["started_at"])
    start = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=timezone.utc).timestamp()
    rows = []
    for number, move in enumerate(moves):
        until = moves[number + 1].begun if number + 1 < len(moves) else move.ended + 60
        old = "blue" if move.to == "green" else "green"
        begin, end = (move.begun - start) * 1000, (until - start) * 1000
        part = [row["colours"] for row in ledger["per_second"] if begin - 2000 < row["second"] * 1000 < end - 1000]
        written = seen.first_after(move.begun)
        rows.append(
            {
                "kind": move.kind,
                "write_s": None if written is None else round(written - move.begun, 3),
                "first_new_s": _beyond(begin, (row[move.to]["first_ms"] for row in part if move.to in row), min),
                "last_old_s": _beyond(begin, (row[old]["last_ms"] for row in part if old in row), max),
                "command_s": round(move.ended - move.begun, 3),
            }
        )
    return rows


def _beyond(begin: float, found: Iterable[float], choose: Any) -> float | None:
    times = [value for value in found if value >= begin]
    return round((choose(times) - begin) / 1000, 3) if times else None
