# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollback, or the first release ever, is killed; the next run ends where an unharmed one would have ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.flow.stage import Stage

V2 = {"app_version": "2.0.0", "migrate_target": "0002"}
pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def own(make_stage: Callable[..., Stage]) -> Stage:
    """A live app that these tests may leave in any state."""
    stage = make_stage()
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    return stage


@pytest.mark.series
@pytest.mark.parametrize("phase", ["Observe |", "Warm | wait", "Shift | move", "Settle | record"])
def test_a_killed_rollback_goes_on_and_not_back(own: Stage, phase: str) -> None:
    assert own.play("release.yml", **V2).code == 0
    assert phase in own.play_until("rollback.yml", phase)
    again = own.play("rollback.yml")
    assert again.code == 0, again.output
    assert own.get("/readyz")[1]["X-App-Version"] == "1.0.0"


def test_a_killed_first_release_converges(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage()
    stage.play_until("site.yml", "Verify |")
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    assert stage.get("/readyz")[0] == 200
