# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From looks at a transaction to rows of a forecast."""

from __future__ import annotations

from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._migrate.forecast import Forecast, Look
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import BYTES_PER_S
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import Name
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_world import Table
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import split

SHARE, EXCLUSIVE = 4, 7
SECOND = int(BYTES_PER_S["scan"])


def forecast() -> Forecast:
    """The table 1 with the index 11, and the partitioned table 2 with its partitions 21 and 22."""
    return Forecast(
        names={1: Name("orders"), 2: Name("events"), 21: Name("events_1"), 22: Name("events_2")},
        owners={1: 1, 11: 1, 2: 2, 21: 21, 22: 22},
        parents={21: 2, 22: 2},
    )


def look(at: str = "t", **values: dict[int, int]) -> Look:
    found: dict[str, Any] = {"locks": {}, "scans": {}, "files": {1: 100, 11: 110, 21: 210, 22: 220}, "indexes": {11: 1}}
    return Look(at, **{**found, **values})


def rows(made: Forecast) -> list[tuple[Any, ...]]:
    found = made.rows(lambda name: Table(name, size=SECOND, index_size=0, rows=5))
    return [(one["line"], one["table"], one["lock"], one["seconds"]) for one in found]


def test_a_lock_that_was_held_before_is_told_again_only_with_work() -> None:
    made = forecast()
    first, second, third = split("A;\nB;\nC;")
    held = look(locks={1: EXCLUSIVE})
    made.note("x.sql", first, look(), held)
    made.note("x.sql", second, held, held)
    made.note("x.sql", third, held, look(locks={1: EXCLUSIVE}, scans={1: 1}))
    made.note("x.sql", first, look("later"), look("later", locks={1: SHARE}))
    assert rows(made) == [
        (1, "orders", "ACCESS EXCLUSIVE", 1.0),
        (3, "orders", "ACCESS EXCLUSIVE", 1.0),
        (1, "orders", "SHARE", 0.0),
    ]


def test_builds_are_not_scans_and_a_rewrite_costs_more_than_either() -> None:
    made = forecast()
    (statement,) = split("A")
    after = look(locks={1: EXCLUSIVE}, scans={1: 3}, indexes={11: 1, 12: 1}, files={1: 100, 11: 111})
    made.note("x.sql", statement, look(scans={1: 1}), after)
    made.note("y.sql", statement, look("u"), look("u", locks={1: EXCLUSIVE}, files={1: 101, 11: 111}, scans={1: 9}))
    found = made.rows(lambda name: Table(name, size=SECOND, index_size=SECOND))
    assert [(one["scanned"], one["indexes_built"], one["rewritten"], one["seconds"]) for one in found] == [
        (False, 2, False, 8.0),
        (True, 1, True, 8.0),
    ]


def test_partitions_are_told_as_their_table_unless_they_are_locked_harder() -> None:
    made = forecast()
    (statement,) = split("A")
    all_of_them = look(locks={2: EXCLUSIVE, 21: EXCLUSIVE, 22: EXCLUSIVE}, files={21: 211, 22: 221})
    made.note("x.sql", statement, look(), all_of_them)
    made.note("y.sql", statement, look("u"), look("u", locks={2: 3, 22: EXCLUSIVE}))
    assert rows(made) == [
        (1, "events", "ACCESS EXCLUSIVE", 4.0),
        (1, "events", "SHARE UPDATE EXCLUSIVE", 0.0),
        (1, "events_2", "ACCESS EXCLUSIVE", 0.0),
    ]


def test_weak_locks_and_new_tables_are_left_out_and_an_unknown_size_gives_no_time() -> None:
    made = forecast()
    (statement,) = split("A")
    made.note("x.sql", statement, look(), look(locks={1: 1}))
    made.note("x.sql", statement, look(), look(indexes={11: 1, 90: 9}, locks={1: EXCLUSIVE}))
    assert [(one["table"], one["seconds"]) for one in made.rows(lambda _name: None)] == [("orders", None)]


def test_truncate_writes_nothing_anew() -> None:
    made = forecast()
    (statement,) = split("TRUNCATE orders")
    made.note("x.sql", statement, look(), look(locks={1: EXCLUSIVE}, files={1: 101, 11: 111}))
    assert rows(made) == [(1, "orders", "ACCESS EXCLUSIVE", 0.0)]
