# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign of life: written seldom enough to cost nothing, soon enough to tell what is at work."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate import heartbeat as module
from ansible_collections.golive.cutover.plugins.module_utils._migrate.heartbeat import Heartbeat
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.mutex import Mutex
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session


class Guard:
    """Keeps what the guarding session is told; ``held`` is whether it has the mutex."""

    def __init__(self) -> None:
        self.held = 1
        self.files: list[str | None] = []

    def execute(self, sql: str, values: tuple[Any, ...] | None = None) -> None:
        """A write of the row."""
        if sql.startswith("UPDATE"):
            self.files.append(values[0] if values else None)

    def value(self, sql: str, values: object = None) -> int:
        """The question whether the mutex is held."""
        return self.held


class Clock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def beating() -> tuple[Heartbeat, Guard, Any]:
    guard, ledger = Guard(), Ledger("golive", "migrations")
    heartbeat = Heartbeat(ledger, Mutex(ledger), cast(Session, guard), "r-1")
    watched = heartbeat.watched(call_for_tests({}), lambda: None)
    return heartbeat, guard, watched.alive


def test_quick_files_are_not_written_one_by_one(clock: Clock) -> None:
    heartbeat, guard, alive = beating()
    with heartbeat.beating():
        for number in range(1000):
            heartbeat.doing(f"{number}.sql")
            alive()
            clock.now += 0.002
    assert 2 <= len(guard.files) <= 5


def test_a_file_that_lasts_is_written_soon(clock: Clock) -> None:
    heartbeat, guard, alive = beating()
    with heartbeat.beating():
        heartbeat.doing("0001_slow.sql")
        alive()
        assert guard.files == []
        clock.now += 0.6
        alive()
        assert guard.files == ["0001_slow.sql"]
        clock.now += 1
        alive()
        assert len(guard.files) == 1
        clock.now += 5
        alive()
        assert guard.files == ["0001_slow.sql"] * 2


def test_a_wait_ends_when_the_mutex_is_gone(clock: Clock) -> None:
    heartbeat, guard, alive = beating()
    with heartbeat.beating():
        heartbeat.doing("0001_slow.sql")
        guard.held = 0
        clock.now += 0.6
        with pytest.raises(GoliveError) as caught:
            alive()
    assert caught.value.code == "mutex_lost"
    assert guard.files == []
