# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restored copy is worth: no step that was left out or went wrong counts as proven."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_choice import Choice
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_compare import Compared
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_judge import Judged, judge
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_story import Story
from tests.unit.backup.test_restore_choice import backup

EQUAL = Compared("public.ledger", "10|10|5", "10|10|5")
UNEQUAL = Compared("public.ledger", "9|10|4", "10|10|5")
ALL = ("fetch", "start", "replay", "readwrite", "blocks", "end")


def story(*phases: str, findings: tuple[str, ...] = (), **facts: str) -> Story:
    began = {name: float(number) for number, name in enumerate(phases or ALL)}
    return Story(began, {"reached_lsn": "0/6000000", **facts}, list(findings))


def judged(told: Story, compared: tuple[Compared, ...] = (), silent: tuple[str, ...] = (), **wish: Any) -> Judged:
    choice = {"least": 0x6000000, "not_after": None, "last_segment": "", "last_sha1": "", "gap": None, **wish}
    return judge(told, Choice(backup(5), "default", "", 1, **choice), compared, silent)


def test_what_is_proven_without_a_fault() -> None:
    assert judged(story("fetch", "end")) == Judged(3, [])
    assert judged(story("fetch", "start", "replay", "readwrite", "end")) == Judged(4, [])
    assert judged(story()) == Judged(5, [])
    assert judged(story(), (EQUAL,)) == Judged(6, [])


@pytest.mark.parametrize("step", ["version", "volume", "space", "engine"])
def test_what_was_never_fetched(step: str) -> None:
    found = judged(story("fetch", failed=step, why="no room"))
    assert found.level == 2
    assert "no room" in found.faults[0]


def test_a_log_that_breaks_off_proves_nothing() -> None:
    assert judged(story("fetch", "start", "replay", "readwrite", "blocks")).level == 2


def test_a_copy_that_stopped_early() -> None:
    found = judged(story(reached_lsn="0/5FFFFFF"), (EQUAL,))
    assert found.level == 3
    assert "stopped at 0/5FFFFFF and should have come to 0/6000000" in found.faults[0]
    assert judged(story(reached_lsn="")).level == 3


def test_a_commit_after_the_time_that_was_asked_for() -> None:
    moment = datetime(2026, 11, 30, 9, 0, tzinfo=timezone.utc)
    assert judged(story(last_commit="2026-11-30T09:00:00.000001+00"), not_after=moment).level == 3
    assert judged(story(last_commit="2026-11-30T08:59:59.9+00"), not_after=moment).level == 5


def test_findings_of_reading_every_block() -> None:
    found = judged(story(findings=("pg_checksums: block 7",)), (EQUAL,))
    assert found == Judged(4, ["pg_checksums: block 7"])


def test_content_that_differs_or_is_not_told() -> None:
    found = judged(story(), (EQUAL, UNEQUAL))
    assert (found.level, len(found.faults)) == (5, 1)
    assert judged(story(), (EQUAL,), ("no answer",)) == Judged(5, ["no answer"])
    # Without reading the blocks it is a fault all the same.
    assert judged(story("fetch", "start", "replay", "readwrite", "end"), (UNEQUAL,)).faults
