# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning from files and ledger alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied, check_plan, make_plan
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script

NUMBERS = st.sets(st.integers(1, 12))


def file_of(number: int, checksum: str = "same", name: str = "x", down: str | None = None) -> Migration:
    version = f"{number:04}"
    up = Script(f"{version}_{name}.sql", "", checksum, checksum, checksum, ())
    back = Script(f"{version}_{name}.down.sql", "", down, down, down, ()) if down else None
    return Migration(version, name, (number,), up, back)


def row_of(number: int, checksum: str = "same", name: str = "x", **others: object) -> Applied:
    file = f"{number:04}_{name}.sql"
    return Applied(f"{number:04}", name, (number,), checksum, checksum, file=file, **others)  # type: ignore[arg-type]  # fields by name


@given(files=NUMBERS, rows=NUMBERS, target=st.integers(1, 12))
def test_files_are_applied_pending_or_later_and_in_order(files: set[int], rows: set[int], target: int) -> None:
    asked = str(target) if target in files | rows else None
    plan = make_plan([file_of(one) for one in sorted(files)], [row_of(one) for one in rows], asked)
    pending = [one.order[0] for one in plan.pending]
    later = [one.order[0] for one in plan.later]
    assert pending == sorted(pending)
    assert sorted(pending + later) == sorted(files - rows)
    if asked:
        assert all(one <= target for one in pending)
        assert all(one > target for one in later)
    assert plan.head == (f"{max(rows):04}" if rows else None)
    kinds = {(one.kind, int(one.version)) for one in plan.drift}
    newest = max(rows, default=0)
    late = {("out_of_order", one) for one in files - rows if one < newest}
    assert kinds == late | {("missing_file", one) for one in rows - files}


@given(files=NUMBERS, rows=NUMBERS)
def test_applying_what_is_pending_leaves_nothing_pending(files: set[int], rows: set[int]) -> None:
    given_files = [file_of(one) for one in sorted(files)]
    plan = make_plan(given_files, [row_of(one) for one in rows])
    after = rows | {one.order[0] for one in plan.pending}
    assert make_plan(given_files, [row_of(one) for one in after]).pending == ()


@pytest.mark.parametrize(
    ("files", "rows", "kind"),
    [
        ([file_of(1, "new")], [row_of(1, "old")], "checksum_changed"),
        ([file_of(1)], [row_of(1, state="reverting")], "unfinished"),
        ([file_of(1)], [row_of(1, state="running", done_fingerprint="another")], "unfinished"),
        ([file_of(1), file_of(2)], [row_of(2)], "out_of_order"),
    ],
)
def test_drift_that_stops_a_run(files: list[Migration], rows: list[Applied], kind: str) -> None:
    plan = make_plan(files, rows)
    with pytest.raises(GoliveError, match=r"0001_x\.sql") as caught:
        check_plan(plan, out_of_order=False)
    assert (caught.value.code, caught.value.details) == (kind, {"files": ["0001_x.sql"]})


def test_late_files_may_be_allowed_or_lie_beyond_the_target() -> None:
    files = [file_of(1), file_of(2), file_of(3)]
    assert check_plan(make_plan(files, [row_of(3)]), out_of_order=True) == []
    assert check_plan(make_plan(files, [row_of(1), row_of(3)], "1"), out_of_order=False) == []


@pytest.mark.parametrize(
    ("files", "rows", "warning"),
    [
        ([], [row_of(1)], "missing_file: 0001_x.sql was applied and is gone."),
        ([file_of(1, name="y")], [row_of(1)], "renamed: 0001_y.sql was applied as 0001_x."),
        ([file_of(1, down="d")], [row_of(1)], "down_changed: the down script stored when it was applied counts."),
    ],
)
def test_drift_that_only_warns(files: list[Migration], rows: list[Applied], warning: str) -> None:
    assert check_plan(make_plan(files, rows), out_of_order=False) == [warning]


@pytest.mark.parametrize("target", ["9", "x", "-1", "1_x"])
def test_a_target_that_is_nowhere(target: str) -> None:
    with pytest.raises(GoliveError) as caught:
        make_plan([file_of(1)], [row_of(2)], target)
    assert caught.value.code == "target_unknown"


def test_a_target_may_be_applied_and_gone() -> None:
    assert make_plan([file_of(1)], [row_of(2)], "2").pending == (file_of(1),)


def test_what_is_applied_and_not_verified() -> None:
    rows = [row_of(1, verified=True), row_of(2, verified=False), row_of(3), row_of(4, verified=False)]
    plan = make_plan([file_of(one) for one in (1, 2, 3, 5)], rows)
    assert [one.version for one in plan.unverified] == ["0002"]
    assert [one.version for one in plan.pending] == ["0005"]
