# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fact of a server's health: how it is asked, from where on it is bad, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass

SHARE = "share"
SECONDS = "seconds"
BYTES = "bytes"
COUNT = "count"
PER_HOUR = "per_hour"
PRIMARY = "primary"
STANDBY = "standby"
WARNING = "warning"
CRITICAL = "critical"
LEVELS = (WARNING, CRITICAL)

_SEES = "pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')"
_NAMES = 5


@dataclass(frozen=True)
class Fact:
    """``sql`` gives one row ``value`` (float8; NULL when it cannot be seen) and ``seen`` (text); None where no SQL
    tells it. A value beyond a bound is bad: above it, or below it where ``low``; a bound that is None is not asked for.

    ``monitor`` facts need the rights of pg_monitor, others of ``server_version_num`` ``since``. ``role`` is the role of
    the server that it belongs to, None for both. A ``required`` one must be known; ``unseen`` says why it may not be.
    """

    name: str
    title: str
    sql: str | None
    unit: str
    warning: float | None
    critical: float | None
    hint: str
    low: bool = False
    monitor: bool = False
    since: int = 0
    role: str | None = None
    required: bool = True
    unseen: str = "the server does not tell it"
    unseen_hint: str = ""

    @property
    def query(self) -> str:
        """What is sent: no row where the value cannot be seen, so that a gate finds no data instead of a good value."""
        sees = f" AND {_SEES}" if self.monitor else ""
        return f"SELECT value, seen FROM ({self.sql}) AS fact (value, seen) WHERE value IS NOT NULL{sees}"

    def bound(self, level: str) -> float | None:
        """The bound of ``warning`` or ``critical``."""
        return self.critical if level == CRITICAL else self.warning

    def beyond(self, value: float, level: str) -> bool:
        """Whether a value is bad at a level."""
        bound = self.bound(level)
        if bound is None:
            return False
        return value < bound if self.low else value > bound

    def text(self, value: float) -> str:
        """A value with its unit, as people read it."""
        if self.unit == SHARE:
            return f"{value * 100:.4g} %"
        if self.unit == SECONDS:
            return f"{value:.0f} s"
        if self.unit == BYTES:
            return size(value)
        return f"{value:.3g} an hour" if self.unit == PER_HOUR else f"{value:g}"


def size(number: float) -> str:
    """Bytes as people read them."""
    return f"{number / (1 << 30):.1f} GiB" if number >= 1 << 30 else f"{number / (1 << 20):.1f} MiB"


def worst(rows: str, none: str) -> str:
    """SQL for the greatest of ``rows`` (number, text); 0 and ``none`` without a row."""
    return f"""
SELECT coalesce(max(amount), 0)::float8, coalesce((array_agg(what ORDER BY amount DESC NULLS LAST))[1], '{none}')
FROM ({rows}) AS found (amount, what)"""


def counted(rows: str, none: str) -> str:
    """SQL for how many ``rows`` (text) there are, and which; ``none`` without a row."""
    return f"""
SELECT count(*)::float8, coalesce(array_to_string((array_agg(what ORDER BY what))[1:{_NAMES}], ', ')
    || CASE WHEN count(*) > {_NAMES} THEN format(' and %s more', count(*) - {_NAMES}) ELSE '' END, '{none}')
FROM ({rows}) AS found (what)"""
