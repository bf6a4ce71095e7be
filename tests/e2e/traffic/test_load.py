# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live load across a switch, a return and the end of the old colour: not one failed request."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.golive.cutover.plugins.modules import traffic_switch
from tests.e2e.traffic.load import load
from tests.e2e.traffic.stand import Shop, perform, until


def test_no_request_fails_across_switch_return_and_scale_down(two: Shop, tmp_path: Path) -> None:
    with load(two.url, tmp_path) as stream:
        there = perform(traffic_switch, two.switch_options("green"))
        back = perform(traffic_switch, two.switch_options("blue"))
        perform(traffic_switch, two.switch_options("green"))
        two.scale("blue", 0)
        until(lambda: not two.pods("blue"), 60, "the end of blue's pods")
        ledger = stream.ledger()
    assert ledger["failed"] == 0, ledger
    assert ledger["sent"] >= 1000
    assert set(ledger["colours"]) == {"blue", "green"}
    assert there["downtime_ms"] == back["downtime_ms"] == 0
