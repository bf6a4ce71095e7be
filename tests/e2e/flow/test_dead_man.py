# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller dies under live traffic, and a Job in the cluster returns it; one that only froze is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.flow.stage import Stage
from tests.e2e.flow.watched import GRACE_S, LEASE_S, LONG, holder, nothing_is_left, version, wanted, watched
from tests.e2e.traffic.stand import until

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def own(make_stage: Callable[..., Stage]) -> Stage:
    stage = make_stage(**watched())
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    return stage


def test_traffic_comes_back_by_itself(own: Stage) -> None:
    release = wanted(own, "killed")
    with own.load() as ledger:
        own.play_until("release.yml", "Observe | gate", 1, **release, **LONG)
        assert version(own) == release["app_version"]
        until(lambda: version(own) != release["app_version"], LEASE_S + GRACE_S + 20, "the old release to be back")
        until(lambda: not holder(own), 40, "the dead man to end")
        status = own.play("status.yml")
        assert "traffic returned by the dead man at" in status.output, status.output
        assert "changed from outside" not in status.output, status.output
        again = own.play("release.yml", **release)
        assert again.code == 0, again.output
    assert version(own) == release["app_version"]
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    nothing_is_left(own)


@pytest.mark.series
def test_a_frozen_run_is_refused_when_it_goes_on(own: Stage) -> None:
    release = wanted(own, "frozen")
    old = version(own)

    def returned() -> None:
        until(lambda: version(own) == old and not holder(own), LEASE_S + GRACE_S + 40, "the old release to be back")

    with own.load() as ledger:
        play = own.play_frozen("release.yml", "Observe | gate", returned, **release, **LONG)
        assert play.code != 0, play.output
    assert "this run no longer holds the lock" in play.output, play.output
    assert "dead man on notes-dead-man-" in play.output, play.output
    assert version(own) == old
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    nothing_is_left(own)


@pytest.mark.series
def test_an_unfinished_release_can_be_withdrawn_after_it(own: Stage) -> None:
    release = wanted(own, "withdrawn")
    old = version(own)
    own.play_until("release.yml", "Observe | gate", 1, alone=True, **release, **LONG)
    until(lambda: version(own) == old and not holder(own), LEASE_S + GRACE_S + 60, "the old release to be back")
    back = own.play("rollback.yml")
    assert back.code == 0, back.output
    assert version(own) == old
    nothing_is_left(own)


@pytest.mark.series
def test_a_successor_comes_before_it(own: Stage) -> None:
    """The next run takes the lock from a run that was killed on this machine; the dead man leaves traffic to it."""
    release = wanted(own, "successor")
    with own.load() as ledger:
        own.play_until("release.yml", "Observe | gate", 1, **release, **LONG)
        again = own.play("release.yml", **release)
        assert again.code == 0, again.output
    assert version(own) == release["app_version"]
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    nothing_is_left(own)


def test_what_cannot_be_returned_is_refused(own: Stage) -> None:
    play = own.play("release.yml", release_strategy="rolling", **wanted(own, "refused"))
    assert play.code != 0
    assert "release_dead_man needs" in play.output, play.output
