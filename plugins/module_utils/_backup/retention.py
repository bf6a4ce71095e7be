# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backups stay and which go: grandfather, father, son, as a pure function without clock or store.

All times are UTC, weeks are ISO weeks. Only completed backups are given to it. The rules, in words:

- The anchor is the newest full backup that ended before the window for a restore to any time. It stays, and everything
  newer, and the WAL from its start.
- Of each week and each month that is still in its tier one full backup stays: verified before unverified, one without
  bad pages before one with, then the newest. A week or month is in its tier until its last moment is too old.
- The newest full backup, the newest verified one, and held ones stay whatever their age.
- What a backup that stays needs, stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

FULL = "full"
# Clocks of two machines differ by less; what is later was not taken by a right clock.
_SKEW = timedelta(minutes=5)
_REASONS_SHOWN = 3


@dataclass(frozen=True)
class Entry:
    """A completed backup as the planner sees it; ``needs`` are the ids without which it cannot be restored.

    ``family`` is the engine: a dump never counts for a physical backup. ``holds_wal`` says that its hold keeps the WAL
    after it, too.
    """

    id: str
    kind: str
    stopped: datetime
    needs: tuple[str, ...] = ()
    family: str = "pgbackrest"
    verified: bool = False
    faulty: bool = False
    held: bool = False
    holds_wal: bool = False


@dataclass(frozen=True)
class Policy:
    """How long what stays, in days.

    ``most_share`` is the part of all backups that may go in one run, ``alarm`` the age of the newest backup from which
    nothing goes any more.
    """

    pitr_days: float = 30
    weekly_days: float = 90
    monthly_days: float = 365
    most_share: float = 0.3
    alarm: timedelta = timedelta(hours=26)


@dataclass(frozen=True)
class Plan:
    """``keep`` names the reasons of each backup that stays; ``delete`` is in the order in which they may go.

    ``wal_from`` is by family the id of the backup from whose start all WAL stays, and ``fulls`` how many full backups
    that stay are not older than it.
    """

    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    wal_from: Mapping[str, str] = field(default_factory=dict)
    fulls: Mapping[str, int] = field(default_factory=dict)


def plan(entries: Iterable[Entry], policy: Policy, now: datetime) -> Plan:
    """What stays and what goes. Raises GoliveError ``retention_refused`` with ``reasons`` when nothing may go."""
    rows = sorted(entries, key=_age)
    families = [[row for row in rows if row.family == name] for name in sorted({row.family for row in rows})]
    keep: dict[str, tuple[str, ...]] = {}
    delete: list[str] = []
    wal_from: dict[str, str] = {}
    fulls: dict[str, int] = {}
    for family in families:
        _refuse_unsound(family, policy, now)
        reasons = _kept(family, policy, now)
        keep |= {name: tuple(said) for name, said in reasons.items()}
        # Whatever needs another one was taken after it.
        gone = [row.id for row in reversed(family) if row.id not in reasons]
        _refuse_many(gone, family, policy)
        delete += gone
        floor = _floor(family, policy, now)
        if floor:
            wal_from[floor.family] = floor.id
            fulls[floor.family] = sum(
                row.kind == FULL and row.id in reasons and _age(row) >= _age(floor) for row in family
            )
    return Plan(keep, tuple(delete), wal_from, fulls)


def _kept(family: Sequence[Entry], policy: Policy, now: datetime) -> dict[str, list[str]]:
    by_id = {row.id: row for row in family}
    reasons: dict[str, list[str]] = {}

    def keep(row: Entry, reason: str) -> None:
        reasons.setdefault(row.id, []).append(reason)

    whole = [row for row in family if row.kind == FULL]
    anchor = _anchor(whole, policy, now)
    for row in family:
        if anchor is None or _age(row) >= _age(anchor):
            keep(row, "anchor" if row == anchor else "pitr")
        if row.held:
            keep(row, "held")
    for tier, days, bucket in (("weekly", policy.weekly_days, _week), ("monthly", policy.monthly_days, _month)):
        for row in _best_of_each(whole, bucket, now - timedelta(days=days)):
            keep(row, tier)
    if whole:
        keep(whole[-1], "newest_full")
    verified = [row for row in family if row.verified]
    if verified:
        keep(verified[-1], "newest_verified")
    pending = list(reasons)
    while pending:
        for name in by_id[pending.pop()].needs:
            if name not in reasons:
                pending.append(name)
                keep(by_id[name], "needed")
    return reasons


def _anchor(whole: Sequence[Entry], policy: Policy, now: datetime) -> Entry | None:
    cutoff = now - timedelta(days=policy.pitr_days)
    return next((row for row in reversed(whole) if row.stopped <= cutoff), None)


def _floor(family: Sequence[Entry], policy: Policy, now: datetime) -> Entry | None:
    """The full backup from whose start all WAL stays: the anchor, or an older one that is held with its WAL."""
    whole = [row for row in family if row.kind == FULL]
    anchor = _anchor(whole, policy, now) or (whole[0] if whole else None)
    roots = [
        row
        for row in whole
        for held in family
        if held.holds_wal and held.held and (held.id == row.id or row.id in held.needs)
    ]
    return min([*roots, *([anchor] if anchor else [])], key=_age, default=None)


def _best_of_each(
    whole: Iterable[Entry], bucket: Callable[[datetime], tuple[datetime, datetime]], since: datetime
) -> list[Entry]:
    best: dict[datetime, Entry] = {}
    for row in whole:
        first, end = bucket(row.stopped)
        if end > since and (first not in best or _rank(row) > _rank(best[first])):
            best[first] = row
    return list(best.values())


def _rank(row: Entry) -> tuple[bool, bool, datetime, str]:
    return row.verified, not row.faulty, row.stopped, row.id


def _age(row: Entry) -> tuple[datetime, str]:
    return row.stopped, row.id


def _week(moment: datetime) -> tuple[datetime, datetime]:
    """Begin and end of the ISO week."""
    day = _midnight(moment)
    first = day - timedelta(days=day.weekday())
    return first, first + timedelta(days=7)


def _month(moment: datetime) -> tuple[datetime, datetime]:
    """Begin and end of the month."""
    first = _midnight(moment).replace(day=1)
    later = first + timedelta(days=31)
    return first, later.replace(day=1)


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)


def _refuse_unsound(family: Sequence[Entry], policy: Policy, now: datetime) -> None:
    ids = {row.id for row in family}
    reasons = [f"{row.id} needs {name}, which is not listed" for row in family for name in row.needs if name not in ids]
    if len(ids) < len(family):
        reasons.append("an id is listed twice")
    newest = family[-1]
    if newest.stopped > now + _SKEW:
        reasons.append(f"{newest.id} lies in the future: a clock is wrong")
    elif now - newest.stopped > policy.alarm:
        hours = (now - newest.stopped).total_seconds() / 3600
        reasons.append(f"the newest backup {newest.id} is {hours:.0f} h old: backups have stopped")
    if reasons:
        raise _refused(reasons, "Look into it first; what is old stays until then.")


def _refuse_many(gone: Sequence[str], family: Sequence[Entry], policy: Policy) -> None:
    if len(gone) > policy.most_share * len(family):
        share = f"{len(gone)} of {len(family)} backups would go, more than {policy.most_share:.0%}"
        raise _refused([share], "Look at the plan in check mode; a larger most_share allows it.")


def _refused(reasons: Sequence[str], hint: str) -> GoliveError:
    shown = "; ".join(reasons[:_REASONS_SHOWN])
    more = len(reasons) - _REASONS_SHOWN
    text = f"{shown}; and {more} more" if more > 0 else shown
    return GoliveError("retention_refused", f"Expiring backups was refused: {text}.", hint, {"reasons": list(reasons)})
