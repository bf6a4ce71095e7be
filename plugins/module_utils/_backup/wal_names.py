# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and positions of WAL: segments, timelines, LSNs (PostgreSQL, src/include/access/xlog_internal.h)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

SEGMENT_BYTES = 16 << 20
_NAME = re.compile(r"[0-9A-F]{24}")
_LSN = re.compile(r"([0-9A-Fa-f]{1,8})/([0-9A-Fa-f]{1,8})")
_SIZES = frozenset(1 << bits for bits in range(20, 31))
_LOG_BYTES = 1 << 32


@dataclass(frozen=True, order=True)
class Position:
    """A segment: its timeline, and its number counted from the beginning of all WAL."""

    timeline: int
    number: int


@dataclass(frozen=True)
class Lineage:
    """The timelines that a server on ``timeline`` has come through, each with the number of its first segment.

    ``guessed`` says that nobody has told them: they were taken from what the archive holds.
    """

    timeline: int
    begins: Mapping[int, int] = field(default_factory=dict)
    guessed: bool = False

    def at(self, number: int) -> Position:
        """The segment of that number on this line: where one timeline begins it is already that one's."""
        fitting = [one for one, first in self.begins.items() if first <= number]
        return Position(max(fitting, default=min(self.begins, default=self.timeline)), number)


def lsn_number(text: str) -> int:
    """``16/B374D848`` as a number of bytes; raises ValueError."""
    found = _LSN.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no LSN")
    return (int(found.group(1), 16) << 32) + int(found.group(2), 16)


def lsn_text(number: int) -> str:
    """The number of bytes as PostgreSQL writes it."""
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"


def position_of(name: str, segment_bytes: int = SEGMENT_BYTES) -> Position:
    """The segment with that name of 24 digits; raises ValueError, also when it cannot be of that size."""
    if segment_bytes not in _SIZES:
        raise ValueError(f"{segment_bytes} is no size of a WAL segment")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no WAL segment")
    timeline, log, part = (int(name[start : start + 8], 16) for start in (0, 8, 16))
    if part >= _LOG_BYTES // segment_bytes:
        raise ValueError(f"{name} cannot be a segment of {segment_bytes >> 20} MiB")
    return Position(timeline, log * (_LOG_BYTES // segment_bytes) + part)


def name_of(position: Position, segment_bytes: int = SEGMENT_BYTES) -> str:
    """Its name of 24 digits."""
    each = _LOG_BYTES // segment_bytes
    return f"{position.timeline:08X}{position.number // each:08X}{position.number % each:08X}"


def segment_bytes_from(pairs: Iterable[tuple[str, str]]) -> int | None:
    """The one size that fits each pair of an LSN and the name of the segment it is in; None when not one does.

    Raises ValueError for what is no LSN.
    """
    fitting = set(_SIZES)
    for lsn, name in pairs:
        place = lsn_number(lsn)
        fitting = {size for size in fitting if name_of(Position(0, place // size), size)[8:] == name[8:]}
    return fitting.pop() if len(fitting) == 1 else None


def lineage_from(timeline: int, history: str, segment_bytes: int = SEGMENT_BYTES) -> Lineage:
    """The line that the history file of a timeline tells; of timeline 1, which has none, the text is empty.

    Raises ValueError when it is no history file of that timeline.
    """
    begins: dict[int, int] = {}
    first = 0
    for line in history.splitlines():
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        parent = int(words[0])
        if parent >= timeline or (begins and parent <= max(begins)):
            raise ValueError(f"timeline {parent} cannot be an ancestor of {timeline} there")
        begins[parent] = first
        first = lsn_number(words[1]) // segment_bytes
    if timeline > 1 and not begins:
        raise ValueError(f"the history of timeline {timeline} is empty")
    begins[timeline] = first
    return Lineage(timeline, begins)
