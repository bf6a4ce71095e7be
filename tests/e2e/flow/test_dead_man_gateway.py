# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller dies while users come through a Gateway: the Job in the cluster sets the weights of the route back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.flow.behind_gateway import behind_gateway, service_colour, weights
from tests.e2e.flow.stage import Stage
from tests.e2e.flow.watched import LONG, nothing_is_left, returned, version, wanted, watched
from tests.e2e.traffic.stand import until

# The first test may have to wait for the build of the data plane; the address of the Gateway is one for all stages.
pytestmark = [pytest.mark.faults, pytest.mark.series, pytest.mark.alone, pytest.mark.timeout(1800)]

_CANARY = {"release_strategy": "canary", "release_steps": [{"weight": 30, "hold": 120}]}


@pytest.fixture(scope="module")
def own(make_stage: Callable[..., Stage]) -> Stage:
    stage = behind_gateway(make_stage, **watched())
    play = stage.play("site.yml")
    assert play.code == 0, play.output
    return stage


def _returns(own: Stage, run: str, until_task: str, moved: Callable[[], bool], **settings: Any) -> dict[str, Any]:
    """A run that is killed once traffic has ``moved``, and what its dead man makes of it; what was to be released."""
    release, old, before = wanted(own, run), version(own), weights(own)
    colour = service_colour(own)
    with own.load() as ledger:
        own.play_until("release.yml", until_task, 1, **release, **settings)
        assert moved(), weights(own)
        until(lambda: weights(own) == before, 60, "the weights of before")
        returned(own, old, 30)
        assert weights(own) == before
        assert service_colour(own) == colour
        status = own.play("status.yml")
        assert "traffic returned by the dead man at" in status.output, status.output
        assert "changed from outside" not in status.output, status.output
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    return release


def test_all_weights_come_back_by_themselves(own: Stage) -> None:
    release = _returns(own, "killed", "Observe | gate", lambda: sorted(weights(own).values()) == [0, 100], **LONG)
    with own.load() as ledger:
        again = own.play("release.yml", **release)
        assert again.code == 0, again.output
    assert version(own) == release["app_version"]
    assert ledger["failed"] == 0, (ledger["failed_by"], ledger["failures"])
    nothing_is_left(own)


def test_the_share_of_a_canary_comes_back_by_itself(own: Stage) -> None:
    shared = {30, 70}
    _returns(own, "canary", "Step | gate", lambda: set(weights(own).values()) == shared, **_CANARY)
    back = own.play("rollback.yml")
    assert back.code == 0, back.output
    nothing_is_left(own)
