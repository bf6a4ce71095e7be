# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner of retention: its rules by example, its promises by generated histories."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._backup.retention import Entry, Plan, Policy, plan
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
ALL = Policy(most_share=1.0)
DAY = timedelta(days=1)


def full(age_days: float, **others: bool) -> Entry:
    stopped = NOW - age_days * DAY
    return Entry(f"{stopped:%Y%m%d-%H%M%S}F", "full", stopped, **others)


def child(parent: Entry, later_days: float, kind: str = "diff", **others: bool) -> Entry:
    stopped = parent.stopped + later_days * DAY
    return Entry(f"{parent.id}_{stopped:%Y%m%d-%H%M%S}{kind[0].upper()}", kind, stopped, (parent.id,), **others)


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    """Chains of any ages, some of them verified, held or faulty; the newest is an hour old."""
    flag = st.booleans()
    rows = [full(1 / 24, verified=draw(flag))]
    ages = draw(st.lists(st.integers(1, 500), max_size=40, unique=True))
    for age in ages:
        root = full(age, verified=draw(flag), held=draw(st.integers(0, 9)) == 0, faulty=draw(flag))
        rows.append(root)
        last = root
        for number in range(draw(st.integers(0, 3))):
            last = child(last, 0.1 * (number + 1), draw(st.sampled_from(["diff", "incr"])), verified=draw(flag))
            rows.append(last)
    return draw(st.permutations(rows))


@given(histories())
def test_each_stays_with_a_reason_or_goes(rows: list[Entry]) -> None:
    made = plan(rows, ALL, NOW)
    assert sorted([*made.keep, *made.delete]) == sorted(row.id for row in rows)
    assert all(made.keep.values())


@given(histories())
def test_a_second_run_removes_nothing(rows: list[Entry]) -> None:
    made = plan(rows, ALL, NOW)
    again = plan([row for row in rows if row.id in made.keep], ALL, NOW)
    assert again.delete == ()
    assert (dict(again.keep), again.wal_from, again.fulls) == (dict(made.keep), made.wal_from, made.fulls)


@given(histories())
def test_what_a_kept_one_needs_is_kept_and_dependents_go_first(rows: list[Entry]) -> None:
    made = plan(rows, ALL, NOW)
    by_id = {row.id: row for row in rows}
    assert all(name in made.keep for kept in made.keep for name in by_id[kept].needs)
    place = {name: number for number, name in enumerate(made.delete)}
    assert all(place[name] < place[parent] for name in place for parent in by_id[name].needs if parent in place)


@given(histories(), st.data())
def test_a_hold_never_shrinks_what_stays(rows: list[Entry], data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(rows))
    held = replace(chosen, held=True, holds_wal=data.draw(st.booleans()))
    before = plan(rows, ALL, NOW)
    after = plan([held if row is chosen else row for row in rows], ALL, NOW)
    assert set(before.keep) | {chosen.id} <= set(after.keep)
    assert after.fulls["pgbackrest"] >= before.fulls["pgbackrest"]


@given(histories())
def test_the_newest_and_the_newest_verified_stay(rows: list[Entry]) -> None:
    made = plan(rows, ALL, NOW)
    newest = max((row for row in rows if row.kind == "full"), key=lambda row: row.stopped)
    verified = [row for row in rows if row.verified]
    assert newest.id in made.keep
    assert not verified or max(verified, key=lambda row: row.stopped).id in made.keep


@given(histories())
def test_every_time_of_the_window_has_a_full_backup_and_wal_from_its_start(rows: list[Entry]) -> None:
    made = plan(rows, ALL, NOW)
    floor = next(row for row in rows if row.id == made.wal_from["pgbackrest"])
    cutoff = NOW - ALL.pitr_days * DAY
    assert floor.kind == "full"
    older = [row for row in rows if row.kind == "full" and row.stopped <= cutoff]
    assert floor.stopped <= cutoff or not older
    kept = [row for row in rows if row.id in made.keep and row.kind == "full"]
    assert made.fulls["pgbackrest"] == sum(row.stopped >= floor.stopped for row in kept)


@given(histories())
def test_the_order_of_the_listing_does_not_matter(rows: list[Entry]) -> None:
    assert plan(rows, ALL, NOW) == plan(sorted(rows, key=lambda row: row.id), ALL, NOW)


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 9), st.integers(0, 6), st.lists(st.integers(0, 729), max_size=30))
def test_two_years_of_daily_plans_empty_no_week_or_month_of_a_tier(
    every: int, weekday: int, verified_on: list[int]
) -> None:
    begin = datetime(2025, 1, 1, 3, tzinfo=timezone.utc) + weekday * DAY
    there: list[Entry] = []
    weeks: dict[tuple[int, int], datetime] = {}
    months: dict[tuple[int, int], datetime] = {}
    for day in range(730):
        now = begin + day * DAY
        if day % every == 0:
            there.append(Entry(f"{now:%Y%m%d-%H%M%S}F", "full", now, verified=day in verified_on))
            weeks[tuple(now.isocalendar())[:2]] = now
            months[(now.year, now.month)] = now
        else:
            there.append(Entry(f"{there[-1].id[:16]}_{now:%Y%m%d-%H%M%S}D", "diff", now, (there[-1].id[:16],)))
        made = plan(there, Policy(alarm=DAY * 10), now + timedelta(hours=1))
        there = [row for row in there if row.id in made.keep]
        kept = [row.stopped for row in there if row.kind == "full"]
        kept_weeks = {tuple(moment.isocalendar())[:2] for moment in kept}
        kept_months = {(moment.year, moment.month) for moment in kept}
        # A week whose last backup is young enough is in its tier for certain.
        assert {week for week, last in weeks.items() if now - last < 90 * DAY} <= kept_weeks
        assert {month for month, last in months.items() if now - last < 365 * DAY} <= kept_months
    # And old ones do go.
    assert len(there) < 31 + 2 * every + 90 // 7 + 2 + 13 + 1


def test_the_tiers_by_example() -> None:
    rows = [full(age) for age in range(1, 400, 7)]
    made = plan(rows, ALL, NOW)
    fulls = {row.id: (NOW - row.stopped).days for row in rows}
    assert [fulls[name] for name, why in made.keep.items() if "anchor" in why] == [36]
    assert max(fulls[name] for name, why in made.keep.items() if "weekly" in why) == 85
    assert max(fulls[name] for name, why in made.keep.items() if "monthly" in why) == 365
    assert made.fulls == {"pgbackrest": 6}


def test_of_a_week_the_verified_one_stays_before_the_newer() -> None:
    # Monday and Thursday of one ISO week.
    monday, thursday = full(63, verified=True), full(60)
    assert monday.stopped.isocalendar().week == thursday.stopped.isocalendar().week
    made = plan([monday, thursday, full(40), full(0.1, verified=True)], replace(ALL, monthly_days=1), NOW)
    assert made.delete == (thursday.id,)


def test_a_dump_never_counts_for_a_physical_backup() -> None:
    physical, dump = full(400), replace(full(0.1), id="dump", family="dump", kind="full")
    with pytest.raises(GoliveError, match="backups have stopped"):
        plan([physical, dump], ALL, NOW)


def test_a_hold_with_wal_moves_the_floor_to_the_start_of_its_chain() -> None:
    root = full(200)
    held = child(root, 1, held=True, holds_wal=True)
    made = plan([root, held, full(40), full(0.5)], ALL, NOW)
    assert made.wal_from == {"pgbackrest": root.id}
    assert made.fulls == {"pgbackrest": 3}
    without = plan([root, replace(held, holds_wal=False), full(40), full(0.5)], ALL, NOW)
    assert without.fulls == {"pgbackrest": 2}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([full(0.1), replace(full(1), needs=("lost",))], "needs lost, which is not listed"),
        ([full(-1)], "lies in the future"),
        ([full(3)], "backups have stopped"),
        ([full(1), full(1)], "listed twice"),
        ([full(500), full(501), full(502), full(0.1)], "more than 30%"),
    ],
)
def test_refusals(rows: list[Entry], reason: str) -> None:
    with pytest.raises(GoliveError) as caught:
        plan(rows, Policy(), NOW)
    assert caught.value.code == "retention_refused"
    assert reason in caught.value.message


def test_nothing_there_is_nothing_to_do() -> None:
    assert plan([], Policy(), NOW) == Plan()


def test_a_clock_a_minute_ahead_is_no_fault() -> None:
    assert plan([full(-1 / 1440)], Policy(), NOW).delete == ()
