# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the columns of a table really hold: SQLite keeps a type with each value, and none with a column."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._sqlite.forms import (
    DATE,
    TIMESTAMP,
    TIMESTAMPTZ,
    TRUTHS,
    Parse,
    date_of,
    decimal_of,
    has_equal_keys,
    json_of,
    timestamp_of,
    timestamptz_of,
    uuid_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.schema import Column, Table, quoted

BATCH_BYTES = 8 << 20
MOST_BATCH = 5000
# All rows of such a file may be in memory.
_SMALL_BYTES = 64 << 20
EXACT_REAL = 1 << 53
OTHER = "other"
BOOLEAN, UUID, JSON, NUMERIC = "boolean", "uuid", "json", "numeric"
_HINTS = (
    (BOOLEAN, re.compile(r"BOOL")),
    (TIMESTAMP, re.compile(r"DATE|TIME")),
    (UUID, re.compile(r"UUID|GUID")),
    (JSON, re.compile(r"JSON")),
)
_PARSES: dict[str, Sequence[tuple[str, Parse]]] = {
    TIMESTAMP: ((DATE, date_of), (TIMESTAMP, timestamp_of), (TIMESTAMPTZ, timestamptz_of)),
    BOOLEAN: ((BOOLEAN, TRUTHS.__getitem__),),
    UUID: ((UUID, uuid_of),),
    JSON: ((JSON, json_of),),
    NUMERIC: ((NUMERIC, decimal_of),),
}
_KINDS = ("integer", "real", "text", "blob")


def hint_of(declared: str) -> str:
    """What a declared type wants its values to mean beyond SQLite's own types; empty when nothing."""
    return next((hint for hint, pattern in _HINTS if pattern.search(declared.upper())), "")


def affinity_of(declared: str) -> str:
    """As https://www.sqlite.org/datatype3.html, section 3.1: ``integer``, ``text``, ``blob``, ``real``, ``numeric``."""
    name = declared.upper()
    if "INT" in name:
        return "integer"
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return "text"
    if not name or "BLOB" in name:
        return "blob"
    return "real" if any(part in name for part in ("REAL", "FLOA", "DOUB")) else "numeric"


@dataclass
class Seen:
    """How often something was seen, and the key of the first row of it."""

    count: int = 0
    example: str = ""

    def add(self, count: int, example: str) -> None:
        """Count more of it."""
        if count and not self.count:
            self.example = example
        self.count += count


@dataclass
class Facts:
    """A column. ``kinds``: values by storage class. ``forms``: texts by what they mean, ``other`` for none of it.

    ``low`` and ``high`` bound the integers, ``total`` is their sum; ``longest`` is in bytes, ``bytes`` the sum of
    texts and blobs.
    """

    kinds: dict[str, Seen] = field(default_factory=lambda: {kind: Seen() for kind in _KINDS})
    forms: dict[str, Seen] = field(default_factory=dict)
    low: int | None = None
    high: int | None = None
    total: int = 0
    longest: int = 0
    bytes: int = 0
    no_truths: Seen = field(default_factory=Seen)
    nuls: Seen = field(default_factory=Seen)
    not_utf8: Seen = field(default_factory=Seen)
    equal_keys: Seen = field(default_factory=Seen)

    def merge(self, other: Facts) -> None:
        """Take in what was found in later rows."""
        for mine, theirs in ((self.kinds, other.kinds), (self.forms, other.forms)):
            for name, seen in theirs.items():
                mine.setdefault(name, Seen()).add(seen.count, seen.example)
        for name in ("no_truths", "nuls", "not_utf8", "equal_keys"):
            seen = getattr(other, name)
            getattr(self, name).add(seen.count, seen.example)
        self.low = min((one for one in (self.low, other.low) if one is not None), default=None)
        self.high = max((one for one in (self.high, other.high) if one is not None), default=None)
        self.total += other.total
        self.longest = max(self.longest, other.longest)
        self.bytes += other.bytes

    @property
    def present(self) -> int:
        """Values that are not NULL."""
        return sum(seen.count for seen in self.kinds.values())

    @property
    def only(self) -> str:
        """The storage class of all values; ``number`` for integers beside reals; empty for a mixture or no values."""
        there = {kind for kind, seen in self.kinds.items() if seen.count}
        if there == {"integer", "real"}:
            return "number"
        return there.pop() if len(there) == 1 else ""


@dataclass
class Census:
    """The rows of a table, or of a part of it."""

    rows: int = 0
    columns: dict[str, Facts] = field(default_factory=dict)

    def merge(self, other: Census) -> None:
        """Take in what was found in later rows."""
        self.rows += other.rows
        for name, facts in other.columns.items():
            self.columns.setdefault(name, Facts()).merge(facts)


class _KindsNeededError(Exception):
    """A column of numbers holds something else: a text and a blob arrive as the same bytes."""


def take_census(
    connection: sqlite3.Connection, table: Table, where: str, values: Sequence[Any], hints: Mapping[str, str]
) -> Census:
    """Look at all rows for which ``where`` holds; ``hints`` says by column which meaning of texts to look for.

    Raises sqlite3.Error.
    """
    numbers = {column.name for column in table.stored if affinity_of(column.declared) in ("integer", "real")}
    try:
        return _take(connection, table, where, values, hints, numbers)
    except _KindsNeededError:
        return _take(connection, table, where, values, hints, set())


def _take(
    connection: sqlite3.Connection,
    table: Table,
    where: str,
    values: Sequence[Any],
    hints: Mapping[str, str],
    numbers: set[str],
) -> Census:
    census = Census(columns={column.name: Facts() for column in table.stored})
    looks = [_Look(one, census.columns[one.name], hints.get(one.name, "")) for one in table.stored]
    asked = [column.name for column in table.stored if column.name not in numbers]
    # Of a blob only its size is looked at, which SQLite knows without reading it.
    shown = [f"CASE typeof({name}) WHEN 'blob' THEN length({name}) ELSE {name} END" for name in map(quoted, asked)]
    by_name = dict(zip(asked, shown, strict=True))
    names = [by_name.get(column.name, quoted(column.name)) for column in table.stored]
    kinds = [f"typeof({quoted(name)})" for name in asked]
    place = f"{quoted(table.name)} WHERE {where}"
    size = _batch(connection, shown, place, values)
    cursor = connection.execute(f"SELECT {', '.join([*names, *kinds])} FROM {place}", values)
    keyed = [number for number, column in enumerate(table.stored) if column.key]
    while rows := cursor.fetchmany(size):
        columns = list(zip(*rows, strict=True))
        key = _Keys(rows, keyed, census.rows)
        told = dict(zip(asked, columns[len(looks) :], strict=True))
        for look, column in zip(looks, columns[: len(looks)], strict=True):
            look.take(column, told.get(look.column.name), key)
        census.rows += len(rows)
    return census


def _batch(connection: sqlite3.Connection, shown: Sequence[str], place: str, values: Sequence[Any]) -> int:
    """So many rows are read at once that the widest ones still take little memory."""
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if not shown or pages * size <= _SMALL_BYTES:
        return MOST_BATCH
    sizes = " + ".join(f"coalesce(length({text}), 0)" for text in shown)
    widest = connection.execute(f"SELECT max({sizes}) FROM {place}", values).fetchone()[0]
    return batch_rows(widest or 0)


def batch_rows(widest: int) -> int:
    """Rows of at most ``widest`` bytes that are read at once."""
    return max(1, min(MOST_BATCH, BATCH_BYTES // max(1, widest)))


@dataclass
class _Keys:
    """Names a row of a batch by its key."""

    rows: Sequence[Sequence[Any]]
    keyed: Sequence[int]
    before: int

    def __call__(self, at: int) -> str:
        if not self.keyed:
            return f"row {self.before + at + 1}"
        parts = (self.rows[at][number] for number in self.keyed)
        return ", ".join(part.decode(errors="replace")[:60] if isinstance(part, bytes) else str(part) for part in parts)


class _Look:
    def __init__(self, column: Column, facts: Facts, hint: str) -> None:
        self.column = column
        self._facts = facts
        self._hint = hint

    def take(self, values: Sequence[Any], kinds: Sequence[bytes] | None, key: Callable[[int], str]) -> None:
        facts = self._facts
        if kinds is not None and b"blob" in kinds:
            values = self._without_blobs(values, kinds, key)
        types = set(map(type, values))
        if int in types:
            numbers = values if types == {int} else [value for value in values if isinstance(value, int)]
            facts.kinds["integer"].add(len(numbers), key(_first(values, int)))
            low, high = min(numbers), max(numbers)
            facts.low = low if facts.low is None else min(low, facts.low)
            facts.high = high if facts.high is None else max(high, facts.high)
            facts.total += sum(numbers)
            if self._hint == BOOLEAN and (low < 0 or high > 1):
                odd = [at for at, value in enumerate(values) if isinstance(value, int) and value not in (0, 1)]
                facts.no_truths.add(len(odd), f"{key(odd[0])} ({values[odd[0]]})")
        if float in types:
            reals = len(values) if types == {float} else sum(isinstance(value, float) for value in values)
            facts.kinds["real"].add(reals, key(_first(values, float)))
        if bytes in types:
            self._take_bytes(values, kinds, key)

    def _without_blobs(self, values: Sequence[Any], kinds: Sequence[bytes], key: Callable[[int], str]) -> Sequence[Any]:
        facts, blobs = self._facts, [kind == b"blob" for kind in kinds]
        sizes = list(compress(values, blobs))
        facts.kinds["blob"].add(len(sizes), key(blobs.index(True)))
        self._measure(sizes)
        return [None if blob else value for value, blob in zip(values, blobs, strict=True)]

    def _take_bytes(self, values: Sequence[Any], kinds: Sequence[bytes] | None, key: Callable[[int], str]) -> None:
        if kinds is None:
            raise _KindsNeededError
        texts, places = values, list(range(len(values)))
        if set(kinds) != {b"text"}:
            places = [at for at, kind in enumerate(kinds) if kind == b"text"]
            texts = [values[at] for at in places]
        self._facts.kinds["text"].add(len(texts), f"{key(places[0])} ({_shown(texts[0])})")
        self._take_texts(places, texts, key)

    def _measure(self, sizes: Sequence[int]) -> None:
        self._facts.longest = max(self._facts.longest, *sizes)
        self._facts.bytes += sum(sizes)

    def _take_texts(self, places: Sequence[int], texts: Sequence[bytes], key: Callable[[int], str]) -> None:
        facts = self._facts
        self._measure(list(map(len, texts)))
        # A line feed between them, so that no half of a character is made whole by its neighbour.
        together = b"\n".join(texts)
        if b"\0" in together:
            odd = [at for at, text in zip(places, texts, strict=True) if b"\0" in text]
            facts.nuls.add(len(odd), key(odd[0]))
        try:
            together.decode()
        except UnicodeDecodeError:
            odd = [at for at, text in zip(places, texts, strict=True) if not is_utf8(text)]
            facts.not_utf8.add(len(odd), key(odd[0]))
        if self._hint:
            self._take_forms(places, texts, key)

    def _take_forms(self, places: Sequence[int], texts: Sequence[bytes], key: Callable[[int], str]) -> None:
        forms = self._facts.forms
        likely = sorted(_PARSES[self._hint], key=lambda one: -forms.get(one[0], Seen()).count)
        form, parse = likely[0]
        if form != JSON and _parses(lambda all_of_them: list(map(parse, all_of_them)), texts):
            # Mostly all of them have one form.
            forms.setdefault(form, Seen()).add(len(texts), f"{key(places[0])} ({_shown(texts[0])})")
            return
        for at, text in zip(places, texts, strict=True):
            number = next((at for at, (_form, parse) in enumerate(likely) if _parses(parse, text)), None)
            if number:
                # What was seen last is asked for first.
                likely.insert(0, likely.pop(number))
            form = OTHER if number is None else likely[0][0]
            seen = forms.setdefault(form, Seen())
            seen.add(1, "" if seen.count else f"{key(at)} ({_shown(text)})")
            if form == JSON and has_equal_keys(text):
                self._facts.equal_keys.add(1, key(at))


def _parses(parse: Callable[[Any], Any], text: Any) -> bool:
    try:
        parse(text)
    except (ValueError, KeyError, RecursionError, OverflowError):
        return False
    return True


def _first(values: Sequence[Any], kind: type) -> int:
    return next(at for at, value in enumerate(values) if isinstance(value, kind))


def _shown(text: bytes) -> str:
    return repr(text[:40].decode(errors="replace"))


def is_utf8(text: bytes) -> bool:
    """Whether the bytes are a text in UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
