# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that mean something else than text: dates, truth values, UUIDs, JSON. Each is read and written back, and what
does not come back as it was is none."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from typing import Any

Parse = Callable[[bytes], Any]

DATE, TIMESTAMP, TIMESTAMPTZ = "date", "timestamp", "timestamptz"
_DAY = date(2000, 1, 1).toordinal()
_US = 1_000_000
_DAY_US = 86_400 * _US
# As PostgreSQL takes them.
_MOST_ZONE_HOURS = 15
_MOST_KNOWN = 200_000
# Before the decimal point; behind it 16,383 (https://www.postgresql.org/docs/current/datatype-numeric.html).
_MOST_DIGITS = 131_072
# Seconds from the epoch of Unix to that of PostgreSQL's binary dates and times.
_UNIX_S = 946_684_800
# The Julian day of the epoch of Unix (https://sqlite.org/lang_datefunc.html).
_UNIX_JULIAN = 2_440_587.5
_DAY_MS = 86_400_000
# PostgreSQL's timestamps end with the year 294276; those of Python with 9999, and no more is read.
_LEAST_UNIX_S, _MOST_UNIX_S = -62_135_596_800, 253_402_300_799
_DATE = re.compile(rb"\d{4}-\d\d-\d\d\Z")
_TIME = re.compile(rb"[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?\d\d)?)?\Z")
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

TRUTHS: Mapping[Any, bool] = {
    1: True,
    0: False,
    **dict.fromkeys((b"t", b"true", b"y", b"yes", b"on", b"1", b"T", b"TRUE", b"True", b"Y", b"YES", b"Yes"), True),
    **dict.fromkeys((b"f", b"false", b"n", b"no", b"off", b"0", b"F", b"FALSE", b"False", b"N", b"NO", b"No"), False),
}


def date_of(text: bytes) -> int:
    """Days since 2000-01-01. Raises ValueError, also for a day that no calendar has."""
    return _DAYS[text]


def timestamp_of(text: bytes) -> int:
    """Microseconds since 2000-01-01 00:00 of a time without a zone. Raises ValueError."""
    return _DAYS[text[:10]] * _DAY_US + _NAIVE[text[10:]]


def timestamptz_of(text: bytes) -> int:
    """Microseconds since 2000-01-01 00:00 UTC of a time with a zone. Raises ValueError."""
    return _DAYS[text[:10]] * _DAY_US + _ZONED[text[10:]]


class _Known(dict[bytes, int]):
    """What a text means, worked out once for each: a column has many times and few days."""

    def __init__(self, read: Parse) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: bytes) -> int:
        found = int(self._read(text))
        if len(self) >= _MOST_KNOWN:
            self.clear()
        self[text] = found
        return found


def _day_of(text: bytes) -> int:
    if not _DATE.match(text):
        raise ValueError("no date")
    return date.fromisoformat(text.decode()).toordinal() - _DAY


def _naive_of(text: bytes) -> int:
    clock, zone = _clock(text)
    if zone:
        raise ValueError("a time with a zone")
    return clock


def _zoned_of(text: bytes) -> int:
    clock, zone = _clock(text)
    if not zone:
        raise ValueError("a time without a zone")
    if zone == b"Z":
        return clock
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(b":") or 0)
    if hours > _MOST_ZONE_HOURS or minutes >= 60:
        raise ValueError("no offset")
    ahead = (hours * 60 + minutes) * 60 * _US
    return clock + ahead if zone[:1] == b"-" else clock - ahead


def _clock(text: bytes) -> tuple[int, bytes]:
    """Microseconds since midnight, and the zone."""
    found = _TIME.match(text)
    if not found:
        raise ValueError("no time")
    hour, minute, second, fraction, zone = found.groups()
    clock = time(int(hour), int(minute), int(second or 0), int((fraction or b"").ljust(6, b"0")))
    return ((clock.hour * 60 + clock.minute) * 60 + clock.second) * _US + clock.microsecond, zone or b""


_DAYS, _NAIVE, _ZONED = _Known(_day_of), _Known(_naive_of), _Known(_zoned_of)


def uuid_of(text: bytes) -> bytes:
    """The 16 bytes of a UUID in its usual form, small letters. Raises ValueError."""
    if not _UUID.match(text):
        raise ValueError("no UUID")
    return uuid.UUID(text.decode()).bytes


def unix_seconds_of(value: float) -> int:
    """Microseconds since 2000-01-01 UTC of seconds since 1970. Raises ValueError."""
    if not _LEAST_UNIX_S <= value <= _MOST_UNIX_S:
        raise ValueError("no time between the years 1 and 9999")
    if isinstance(value, int):
        return (value - _UNIX_S) * _US
    return round(Decimal(value) * _US) - _UNIX_S * _US


def unix_milliseconds_of(value: float) -> int:
    """Microseconds since 2000-01-01 UTC of milliseconds since 1970. Raises ValueError."""
    if not _LEAST_UNIX_S * 1000 <= value <= _MOST_UNIX_S * 1000:
        raise ValueError("no time between the years 1 and 9999")
    return (value * 1000 if isinstance(value, int) else round(Decimal(value) * 1000)) - _UNIX_S * _US


def julian_of(value: float) -> int:
    """Microseconds since 2000-01-01 UTC of a Julian day, to the millisecond that SQLite knows. Raises ValueError."""
    return unix_milliseconds_of(round((value - _UNIX_JULIAN) * _DAY_MS))


def decimal_of(value: Any) -> Decimal:
    """The number that was meant: a real by its shortest text. Raises ValueError."""
    try:
        number = Decimal(value.decode().strip() if isinstance(value, bytes) else repr(value))
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError("no number that numeric holds")
    return number


def json_of(text: bytes) -> bytes:
    """The text that PostgreSQL's jsonb gives back for this one. Raises ValueError, also for a NUL in a string.

    jsonb orders keys by length and then by bytes, keeps the last one of equal keys, and numbers as numeric does
    (https://www.postgresql.org/docs/current/datatype-json.html).
    """
    if _NUL_IN_JSON.search(text):
        raise ValueError("a NUL in a string")
    found = json.loads(text.decode(), parse_int=_number, parse_float=_number, parse_constant=_refused)
    return _written(found).encode()


def has_equal_keys(text: bytes) -> bool:
    """Whether an object in a valid JSON text has a key twice, of which jsonb keeps the last one only."""
    twice = False

    def pairs(found: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({name for name, _value in found}) < len(found)

    json.loads(text.decode(), object_pairs_hook=pairs)
    return twice


class _Number(str):
    __slots__ = ()


def _refused(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _number(text: str) -> _Number:
    """As numeric writes it: no exponent, no negative zero, as many decimals as were given."""
    written = format(decimal_of(text.encode()), "f")
    if written.startswith("-") and not written.strip("-0."):
        written = written[1:]
    return _Number(written)


def _written(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: (len(pair[0].encode()), pair[0].encode()))
        return "{" + ", ".join(f"{_string(name)}: {_written(one)}" for name, one in pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return {None: "null", True: "true", False: "false"}[value]


def _string(text: str) -> str:
    # Like PostgreSQL's escape_json, which leaves DEL and everything beyond ASCII as it is.
    return json.dumps(text, ensure_ascii=False)
