# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a setting's text means: its value in the unit of the server, so that `1GB` and `131072` pages are the same.

Rules: https://www.postgresql.org/docs/current/config-setting.html, section 19.1.1.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

_BYTES = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_NUMBER = re.compile(r"([-+]?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?))\s*([A-Za-z]*)")
_TRUE = ("on", "true", "yes", "1")
_FALSE = ("off", "false", "no", "0")
# Other words for a value of an enumeration, which the server shows by its first word (guc_tables.c).
_ALIASES = {
    ("wal_compression", "on"): "pglz",
    ("wal_level", "archive"): "replica",
    ("wal_level", "hot_standby"): "replica",
}
# Settings that are lists, each element of which is quoted where it must be (GUC_LIST_QUOTE in PostgreSQL's source).
LISTS = (
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
)
_DEBUG = ("client_min_messages", "log_min_messages", "log_min_error_statement")


@dataclass(frozen=True)
class Known:
    """A setting as ``pg_settings`` describes it; numbers are in ``unit`` (such as ``8kB``), None without one."""

    name: str
    vartype: str
    context: str
    unit: str | None
    least: str | None
    most: str | None
    choices: tuple[str, ...]
    value: str
    default: str | None
    source: str
    file: str | None
    pending_restart: bool


def written(value: Any) -> str:
    """The text of a value that may have come from YAML: true is `on`, a list is joined by commas."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return ", ".join(written(part) for part in value)
    return str(value)


def file_line(name: str, value: Any) -> str:
    """The line of a configuration file that sets ``name``; backslashes and quotes are doubled in it."""
    return f"{name} = '" + written(value).replace("\\", "\\\\").replace("'", "''") + "'"


def comparable(known: Known, text: str) -> str | float | bool:
    """The value that a text stands for, equal for equal values. Raises ValueError with what is wrong with it."""
    text = text.strip()
    if known.vartype == "bool":
        return _truth(text)
    if known.vartype in ("integer", "real"):
        return _number(known, text)
    if known.vartype == "enum":
        return _choice(known, text)
    return text


def _truth(text: str) -> bool:
    low = text.lower()
    for words, meant in ((_TRUE, True), (_FALSE, False)):
        # Any start of a word that leaves no doubt will do; `o` could be both.
        if low and low != "o" and any(word.startswith(low) for word in words):
            return meant
    raise ValueError(f"{text!r} is neither on nor off")


def _number(known: Known, text: str) -> float:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no number")
    digits, unit = found.groups()
    value = float(int(digits, 16)) if "x" in digits.lower() else float(digits)
    if unit:
        value *= _factor(known, unit)
    if known.vartype == "integer":
        value = float(_rounded(value))
    for bound, beyond in ((known.least, "less than"), (known.most, "more than")):
        if bound is not None and (value < float(bound) if bound is known.least else value > float(bound)):
            raise ValueError(
                f"{text} is {beyond} {bound}{f' × {known.unit}' if known.unit else ''}, the server's limit"
            )
    return value


def _factor(known: Known, unit: str) -> float:
    """How many of the setting's own unit one of this unit is."""
    own = re.fullmatch(r"(\d*)([A-Za-z]+)", known.unit or "")
    if own is None:
        raise ValueError(f"it has no unit, but {unit} is given")
    times, base = int(own[1] or 1), own[2]
    for units in (_BYTES, _MICROSECONDS):
        if base in units:
            if unit not in units:
                raise ValueError(f"{unit} is no unit of it: use one of {', '.join(units)}")
            return units[unit] / (times * units[base])
    raise ValueError(f"its unit {known.unit} is not known here")


def _rounded(value: float) -> int:
    # As C's rint: halves go to the even neighbour, which is what round() does too.
    if not math.isfinite(value):
        raise ValueError("it is not finite")
    return round(value)


def _choice(known: Known, text: str) -> str:
    low = text.lower()
    low = _ALIASES.get((known.name, low), "debug2" if low == "debug" and known.name in _DEBUG else low)
    # Those of TLS have capital letters.
    for choice in known.choices:
        if low == choice.lower():
            return choice
    # Enumerations that were once on or off still take the other words for it.
    for words in (_TRUE, _FALSE):
        if low in words and words[0] in known.choices:
            return _ALIASES.get((known.name, words[0]), words[0])
    raise ValueError(f"{text!r} is none of {', '.join(known.choices)}")
