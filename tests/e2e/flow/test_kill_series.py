# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release is killed at every phase boundary and anywhere inside of shift and observe, under load.

Then it is run again, or rolled back, in turn. Either way the app ends as after an undisturbed run, and no user notices.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.e2e.flow.ends import end_of, settled
from tests.e2e.flow.stage import Stage
from tests.e2e.traffic.stand import until

pytestmark = pytest.mark.faults

_BOUNDARIES = ("Stage |", "Verify |", "Shift |", "Observe |", "Settle |", "Report |")
# Inside of: text of the task, seconds over which the kills are spread, number of kills.
_INSIDE = (("Shift | move", 6.0, 21), ("Observe | gate", 4.0, 19))
RERUN, ROLLBACK = "rerun", "rollback"
# Rolled back before anything is staged, the app would rightly go to the release before the live one.
_SENSELESS = ("Stage |", ROLLBACK)


@dataclass(frozen=True)
class Kill:
    """Where a run is killed, and what comes next; ``alone``: the worker survives its controller."""

    text: str
    after: float
    alone: bool
    way: str

    @property
    def name(self) -> str:
        """For the test's id."""
        where = self.text.replace(" |", "").replace(" ", "-").lower()
        return f"{where}{f'-{self.after:.2f}s' if self.after else ''}-{'alone' if self.alone else 'group'}-{self.way}"


def _kills() -> list[Kill]:
    chance = random.Random(20261124)
    found = [
        Kill(text, 0, alone, way)
        for text in _BOUNDARIES
        for alone in (False, True)
        for way in (RERUN, ROLLBACK)
        if (text, way) != _SENSELESS
    ]
    for text, span, number in _INSIDE:
        found += [
            Kill(text, span * (turn + chance.random()) / number, turn % 4 > 1, (RERUN, ROLLBACK)[turn % 2])
            for turn in range(number)
        ]
    return found


def _cases() -> list[Any]:
    """All kills; every fourteenth is the sample that CI runs."""
    kills = _kills()
    sample = kills[7::14]
    return [pytest.param(kill, id=kill.name, marks=[] if kill in sample else [pytest.mark.series]) for kill in kills]


@dataclass
class Ends:
    """How the app is after an undisturbed release and after an undisturbed rollback."""

    release: dict[str, Any]
    rollback: dict[str, Any]


@pytest.fixture(scope="module")
def own(make_stage: Callable[..., Stage]) -> Stage:
    stage = make_stage()
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    return stage


@pytest.fixture(scope="module")
def ends(own: Stage) -> Ends:
    """What an undisturbed run leaves."""
    release = own.play("release.yml", **_wanted("2.0.0", "undisturbed"))
    assert release.code == 0, release.output
    after_release = settled(own)
    back = own.play("rollback.yml")
    assert back.code == 0, back.output
    return Ends(after_release, settled(own))


def test_there_are_enough() -> None:
    assert len(_kills()) >= 60
    assert len({kill.name for kill in _kills()}) == len(_kills())


@pytest.mark.parametrize("kill", _cases())
def test_a_killed_release(own: Stage, ends: Ends, kill: Kill) -> None:
    old = end_of(own)["live"]["version"]
    new = "1.0.0" if old == "2.0.0" else "2.0.0"
    wanted = _wanted(new, kill.name)
    with own.load() as ledger:
        assert kill.text in own.play_until("release.yml", kill.text, kill.after, kill.alone, **wanted)
        again = own.play("release.yml", **wanted) if kill.way == RERUN else own.play("rollback.yml")
        assert again.code == 0, again.output
        end = settled(own)
    undisturbed = ends.release if kill.way == RERUN else ends.rollback
    assert end["live"] == {**undisturbed["live"], "version": new if kill.way == RERUN else old}
    assert end["marks"] == undisturbed["marks"]
    if kill.way == RERUN:
        assert end["other"] == {**undisturbed["other"], "version": old}
        assert own.get("/readyz")[1]["X-App-Version"] == new
    elif end["other"]:
        # Nothing that could be taken for a release under way; before the shift the earlier standby may be back.
        assert end["other"]["state"] in ("returned", "standby")
    until(lambda: not own.still_working(), 30, "the end of what the killed run left")
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])


def _wanted(version: str, run: str) -> dict[str, Any]:
    """Settings of a release that never was before."""
    return {"app_version": version, "migrate_target": "0002", "app_env": {"NOTES_RUN": run}}
