# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a listing of a pgBackRest repository says of its WAL: holes, odd files, foreign timelines, how far it goes.

Pure functions. The engine's own ``info`` and ``verify`` do not miss a deleted segment, and a restore to the latest
takes the hole for the end (executed); so this is what a restorable range rests on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ansible_collections.golive.cutover.plugins.module_utils._backup.store import Entry
from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import (
    SEGMENT_BYTES,
    Lineage,
    Position,
    name_of,
    position_of,
)

_ARCHIVE = re.compile(r"(\d+(?:\.\d+)?-\d+)/(.+)")
_SEGMENT = re.compile(r"(?:[0-9A-F]{16}/)?([0-9A-F]{24})(\.partial)?-([0-9a-f]{40})(\.(?:gz|lz4|zst|bz2))?")
_HISTORY = re.compile(r"([0-9A-F]{8})\.history(?:-[0-9a-f]{40})?(?:\.\w+)?")
_BACKUP_LABEL = re.compile(r"(?:[0-9A-F]{16}/)?[0-9A-F]{24}\.[0-9A-F]{8}\.backup(?:-[0-9a-f]{40})?(?:\.\w+)?")
# OpenSSL's format: a header with salt before it, and padding to whole blocks.
_SALT_BYTES, _BLOCK_BYTES = 16, 16
# Compressed, no segment is smaller: its pages have headers. No compressor adds more.
_LEAST_BYTES, _MOST_MORE = 64, 1.01
# Segments are archived one after the other; one that is younger than its successor by more was written again.
_REWRITTEN = timedelta(minutes=10)


@dataclass(frozen=True)
class Segment:
    """A segment in the archive; ``stored`` is when, ``size`` what it takes there in bytes, ``sha1`` of its content."""

    at: Position
    size: int
    stored: datetime
    sha1: str = ""


@dataclass(frozen=True)
class Odd:
    """A file that a restore would stumble over, or that does not belong there."""

    name: str
    reason: str


@dataclass(frozen=True)
class Hole:
    """Segments that are missing before one that is there; what was committed between the two times goes with them."""

    first: str
    last: str
    count: int
    after: datetime | None
    before: datetime


@dataclass(frozen=True)
class Reach:
    """How far WAL goes without a hole: name of the last segment, the LSN behind it, and when it was stored.

    ``last`` is None when the first segment is not there. ``missing`` is the next one, which is not there; ``broken``
    says that later ones are.
    """

    last: str | None
    lsn: int | None
    stored: datetime | None
    missing: str
    broken: bool


@dataclass(frozen=True)
class Archive:
    """The WAL of one database in a repository, such as ``17-1``."""

    id: str
    segment_bytes: int
    segments: Mapping[Position, Segment] = field(default_factory=dict)
    partials: frozenset[Position] = frozenset()
    histories: frozenset[int] = frozenset()
    odd: tuple[Odd, ...] = ()

    @property
    def timelines(self) -> list[int]:
        """Of segments and history files."""
        return sorted({at.timeline for at in self.segments} | self.histories)

    @property
    def bytes(self) -> int:
        """What all segments take in the repository."""
        return sum(segment.size for segment in self.segments.values())

    def name(self, position: Position) -> str:
        """The name of a segment."""
        return name_of(position, self.segment_bytes)

    def position(self, name: str) -> Position:
        """The segment of that name; raises ValueError."""
        return position_of(name, self.segment_bytes)

    def foreign(self, lineage: Lineage) -> list[int]:
        """Timelines that the line does not know; a restore that names no timeline would follow the highest."""
        return [one for one in self.timelines if one not in lineage.begins]

    def guessed(self, timeline: int) -> Lineage:
        """The line to a timeline as the segments have it: each begins where its first one is."""
        begins: dict[int, int] = {}
        for at in sorted(self.segments):
            if at.timeline <= timeline:
                begins.setdefault(at.timeline, at.number)
        # A timeline without a segment yet goes on behind all others.
        begins.setdefault(timeline, max((at.number + 1 for at in self.segments if at.timeline < timeline), default=0))
        begins[min(begins)] = 0
        return Lineage(timeline, begins, guessed=True)

    def continuous_to(self, start: str, lineage: Lineage) -> Reach:
        """How far it goes from the segment ``start`` along a line. Raises ValueError when ``start`` is no segment."""
        number = first = self.position(start).number
        while lineage.at(number) in self.segments:
            number += 1
        missing = self.name(lineage.at(number))
        broken = self._newest(lineage) > number
        if number == first:
            return Reach(None, None, None, missing, broken)
        last = lineage.at(number - 1)
        return Reach(self.name(last), number * self.segment_bytes, self.segments[last].stored, missing, broken)

    def holes(self, start: str, lineage: Lineage) -> list[Hole]:
        """What is missing between the segment ``start`` and the newest one of a line."""
        found: list[Hole] = []
        number, newest = self.position(start).number, self._newest(lineage)
        before: Segment | None = None
        while number <= newest:
            here = self.segments.get(lineage.at(number))
            if here is not None:
                before, number = here, number + 1
                continue
            first = number
            while lineage.at(number) not in self.segments:
                number += 1
            found.append(
                Hole(
                    self.name(lineage.at(first)),
                    self.name(lineage.at(number - 1)),
                    number - first,
                    before.stored if before else None,
                    self.segments[lineage.at(number)].stored,
                )
            )
        return found

    def rewritten(self) -> list[str]:
        """Segments that were stored long after the one behind them: restored from elsewhere, or tampered with."""
        found = []
        for at, segment in sorted(self.segments.items()):
            behind = self.segments.get(Position(at.timeline, at.number + 1))
            if behind is not None and segment.stored - behind.stored > _REWRITTEN:
                found.append(self.name(at))
        return found

    def _newest(self, lineage: Lineage) -> int:
        return max((at.number for at in self.segments if lineage.at(at.number) == at), default=-1)


def read_archives(
    entries: Iterable[Entry], *, segment_bytes: int = SEGMENT_BYTES, encrypted: bool = False
) -> dict[str, Archive]:
    """The archives in a listing, by id; names of the entries are relative to the folder of the stanza.

    ``encrypted`` tells which size a segment has that is not compressed.
    """
    found: dict[str, list[tuple[str, Entry]]] = {}
    for entry in entries:
        placed = _ARCHIVE.fullmatch(entry.name)
        if placed:
            found.setdefault(placed.group(1), []).append((placed.group(2), entry))
    return {name: _read(name, rows, segment_bytes, encrypted) for name, rows in sorted(found.items())}


def _read(name: str, rows: list[tuple[str, Entry]], segment_bytes: int, encrypted: bool) -> Archive:
    segments: dict[Position, Segment] = {}
    partials: set[Position] = set()
    histories: set[int] = set()
    odd: list[Odd] = []
    for path, entry in rows:
        if history := _HISTORY.fullmatch(path):
            histories.add(int(history.group(1), 16))
            odd += [Odd(path, "empty")] if not entry.size else []
            continue
        if _BACKUP_LABEL.fullmatch(path):
            continue
        read = _SEGMENT.fullmatch(path)
        try:
            at = position_of(read.group(1), segment_bytes) if read else None
        except ValueError as error:
            odd.append(Odd(path, str(error)))
            continue
        if read is None or at is None:
            odd.append(Odd(path, "not a file of an archive"))
            continue
        if read.group(2):
            partials.add(at)
            continue
        if at in segments:
            # pgBackRest refuses to choose between two (ERROR 45).
            odd.append(Odd(path, "there twice with different content"))
        reason = _odd_size(entry.size, segment_bytes, bool(read.group(4)), encrypted)
        odd += [Odd(path, reason)] if reason else []
        segments[at] = Segment(at, entry.size, entry.modified, read.group(3))
    return Archive(name, segment_bytes, segments, frozenset(partials), frozenset(histories), tuple(odd))


def _odd_size(size: int, segment_bytes: int, compressed: bool, encrypted: bool) -> str:
    if compressed:
        if size < _LEAST_BYTES:
            return f"has only {size} bytes"
        if size > segment_bytes * _MOST_MORE:
            return f"has {size} bytes, more than a segment"
        return ""
    whole = segment_bytes
    if encrypted:
        whole = _SALT_BYTES + (segment_bytes // _BLOCK_BYTES + 1) * _BLOCK_BYTES
    return "" if size == whole else f"has {size} bytes, and a whole segment has {whole}"
