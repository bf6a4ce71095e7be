# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases by the weights of a route: from nothing to live, a canary, the way back; nobody's request fails."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.flow.behind_gateway import behind_gateway, service_colour, weights
from tests.e2e.flow.stage import Stage

# It may have to wait for the build of the data plane.
pytestmark = pytest.mark.timeout(1800)


@pytest.mark.series
def test_a_canary_through_a_gateway_and_back(make_stage: Callable[..., Stage]) -> None:
    steps = [{"weight": 20, "hold": 2}, {"weight": 60, "hold": 2}]
    stage = behind_gateway(make_stage, release_strategy="canary", release_steps=steps)
    first = stage.play("site.yml")
    assert first.code == 0, first.output
    assert weights(stage) == {"notes-blue": 100, "notes-green": 0}
    with stage.load() as ledger:
        release = stage.play("release.yml", app_version="2.0.0", migrate_target="0002")
        assert release.code == 0, release.output
        assert weights(stage) == {"notes-blue": 0, "notes-green": 100}
        kept = {phase["phase"]: phase["verdict"] for phase in stage.runs()[0]["phases"]}
        for share in (20, 60):
            step = kept[f"canary {share} %"]
            assert step["switch"]["weights"] == {"blue": 100 - share, "green": share}
            assert step["gate"]["verdict"] == "pass"
        # Envoy writes names of headers in small letters.
        assert stage.get("/readyz")[1]["x-app-version"] == "2.0.0"
        again = stage.play("release.yml", app_version="2.0.0", migrate_target="0002")
        assert (again.code, again.changed) == (0, 0), again.output
        back = stage.play("rollback.yml")
        assert back.code == 0, back.output
    assert ledger["failed"] == 0, ledger["failed_by"]
    assert weights(stage) == {"notes-blue": 100, "notes-green": 0}
    assert service_colour(stage) == "blue"
