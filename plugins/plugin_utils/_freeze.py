# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When releases are frozen, and whether an approval holds; pure rules over a given moment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKLY = re.compile(rf"^({'|'.join(_DAYS)})\s+([01]?\d|2[0-3]):([0-5]\d)$", re.IGNORECASE)
_DATED = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d$")
_WEEK = timedelta(days=7)
# Clocks of two machines may differ by this much.
_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Frozen:
    """A window that is open at the moment."""

    reason: str
    until: datetime


def frozen(windows: Sequence[Mapping[str, Any]], now: datetime) -> tuple[list[Frozen], list[str]]:
    """The windows that ``now`` (with a time zone) lies in, and what is wrong with the settings.

    A window that cannot be read is a fault, never no window.
    """
    found, faults = [], []
    for number, window in enumerate(windows):
        try:
            until = _until(window, now)
        except ValueError as error:
            faults.append(f"preflight_freeze[{number}]: {error}")
            continue
        if until is not None:
            found.append(Frozen(str(window.get("reason") or "no reason given"), until))
    return found, faults


def approval_faults(approval: Mapping[str, Any], version: str, required: bool, now: datetime) -> list[str]:
    """Why the approval does not hold for ``version`` at ``now``; all reasons at once.

    None that is not required is no fault. One that is given must hold, whether it is required or not.
    """
    if not approval:
        return ["no approval is given (preflight_approval)"] if required else []
    faults = [f"{key} is missing" for key in ("by", "at", "expires", "for") if not approval.get(key)]
    times = {}
    for key in ("at", "expires"):
        if approval.get(key):
            try:
                times[key] = moment(str(approval[key]))
            except ValueError as error:
                faults.append(f"{key} {error}")
    if approval.get("for") and str(approval["for"]) != version:
        faults.append(f"it is for {approval['for']}, not for {version}")
    if "at" in times and times["at"] > now + _SKEW:
        faults.append(f"at lies in the future: {approval['at']}")
    if "expires" in times and times["expires"] <= now:
        faults.append(f"it expired at {approval['expires']}")
    return faults


def _until(window: Mapping[str, Any], now: datetime) -> datetime | None:
    """When the window that ``now`` lies in ends; None outside. Raises ValueError."""
    zone = _zone(str(window.get("timezone") or ""))
    begin, end = str(window.get("from") or "").strip(), str(window.get("to") or "").strip()
    weekly = _WEEKLY.match(begin), _WEEKLY.match(end)
    if all(weekly):
        return _until_weekly(_offset(begin), _offset(end), zone, now)
    if any(weekly):
        raise ValueError("from and to must both be weekly (fri 18:00) or both dated (2026-12-20 18:00)")
    first, last = _dated(begin), _dated(end)
    if first >= last:
        raise ValueError(f"to ({end}) must be later than from ({begin})")
    return _inside(first, last, zone, now)


def _until_weekly(begin: timedelta, end: timedelta, zone: ZoneInfo, now: datetime) -> datetime | None:
    if begin == end:
        raise ValueError("from and to are the same moment of the week")
    today = now.astimezone(zone).replace(tzinfo=None)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=today.weekday())
    length = end - begin if end > begin else end - begin + _WEEK
    starts = (monday + begin + weeks * _WEEK for weeks in (-1, 0, 1))
    return next((until for one in starts if (until := _inside(one, one + length, zone, now)) is not None), None)


def _inside(first: datetime, last: datetime, zone: ZoneInfo, now: datetime) -> datetime | None:
    """The end, when ``now`` lies between two local times; an hour that a clock shows twice or skips makes it longer."""
    begin = min(first.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1))
    end = max(last.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1))
    return end.astimezone(zone) if begin <= now < end else None


def _zone(name: str) -> ZoneInfo:
    if not name:
        raise ValueError("timezone is missing, such as Europe/Berlin")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"the time zone {name} is not known here; without time zones on this machine install the package tzdata"
        ) from None


def _offset(text: str) -> timedelta:
    day, clock = text.lower().split()
    hour, minute = clock.split(":")
    return timedelta(days=_DAYS.index(day), hours=int(hour), minutes=int(minute))


def _dated(text: str) -> datetime:
    if not _DATED.match(text):
        raise ValueError(f"{text or 'an empty time'} is neither like fri 18:00 nor like 2026-12-20 18:00")
    return datetime.fromisoformat(text)


def moment(text: str) -> datetime:
    """A time with its zone, as in RFC 3339. Raises ValueError."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"is {text}, which is no time like 2026-12-20T18:00:00+01:00") from None
    if found.tzinfo is None:
        raise ValueError(f"is {text}, which names no time zone; write it like 2026-12-20T18:00:00+01:00")
    return found
