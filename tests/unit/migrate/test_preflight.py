# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight makes of things that no test server can be brought to, or only in hours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts import NATIVE, read_layout
from ansible_collections.golive.cutover.plugins.module_utils._migrate.preflight import (
    Obstacle,
    Thresholds,
    judged,
    preflight,
)
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

AGE = {"name": "shop", "transactions": 1, "multixacts": 1, "transactions_late": 1600, "multixacts_late": 1600}
LATE = 2**31 - 40_000_000


class FakeSession:
    """Answers the query that names a view with rows; all others have none."""

    def __init__(self, **answers: list[Mapping[str, Any]]) -> None:
        self._answers = {"pg_database ": [AGE], **answers}

    def rows(self, sql: str, values: object = None) -> list[Mapping[str, Any]]:
        return next((rows for name, rows in self._answers.items() if f"pg_catalog.{name}" in sql), [])

    def value(self, sql: str, values: object = None) -> int:
        return 1


def found(tmp_path: Path, **answers: list[Mapping[str, Any]]) -> list[Obstacle]:
    tmp_path.joinpath("0001_a.sql").write_text("SELECT 1;")
    pending = read_layout(str(tmp_path), NATIVE, lambda: None)
    return preflight(cast(Session, FakeSession(**answers)), pending, Thresholds())


@pytest.mark.parametrize(
    ("age", "severity"), [(1599, None), (1600, "warning"), (LATE - 1, "warning"), (LATE, "error"), (2**31 - 1, "error")]
)
@pytest.mark.parametrize("what", ["transactions", "multixacts"])
def test_the_age_of_ids(tmp_path: Path, what: str, age: int, severity: str | None) -> None:
    rows = found(tmp_path, **{"pg_database ": [{**AGE, what: age}]})
    assert [(row.id, row.severity) for row in rows] == ([("xid_age", severity)] if severity else [])
    assert all(f"oldest {what} of database shop are {age} ids old" in row.message for row in rows)


@pytest.mark.parametrize(
    ("state", "lag", "expected"),
    [
        ("streaming", 10.0, []),
        ("streaming", 10.1, [("replica_lag", "warning")]),
        ("catchup", 0.0, [("replica_lag", "warning")]),
        (None, 0.0, [("not_visible", "info")]),
    ],
)
def test_replicas(tmp_path: Path, state: str | None, lag: float, expected: list[tuple[str, str]]) -> None:
    row = {"pid": 7, "name": "second", "state": state, "lag_s": lag, "behind": 3 << 30}
    rows = found(tmp_path, pg_stat_replication=[row])
    assert [(one.id, one.severity) for one in rows] == expected
    assert all("replica second" in one.where for one in rows)


def test_a_lost_slot_is_a_warning_whatever_it_keeps(tmp_path: Path) -> None:
    (row,) = found(tmp_path, pg_replication_slots=[{"name": "s", "state": "lost", "kept": 0}])
    assert (row.severity, "in state lost" in row.message) == ("warning", True)


def test_errors_stop_warnings_warn_and_what_is_only_told_does_neither() -> None:
    rows = [
        Obstacle(name, severity, "w", f"{name} said.", "Do it.")
        for name, severity in (
            ("disk", "error"),
            ("xid_age", "error"),
            ("replica_lag", "warning"),
            ("not_visible", "info"),
        )
    ]
    warnings: list[str] = []
    call = call_for_tests({}, warn=warnings.append)
    with pytest.raises(GoliveError) as caught:
        judged(call, rows, ("xid_age",))
    assert caught.value.code == "preflight"
    assert "disk said." in caught.value.message
    assert "xid_age" not in caught.value.message
    assert [row["id"] for row in caught.value.details["preflight"]] == [row.id for row in rows]
    assert warnings == []

    assert len(judged(call, rows, ("disk", "xid_age"))) == 4
    assert [text.split(":")[0] for text in warnings] == ["disk", "xid_age", "replica_lag"]
