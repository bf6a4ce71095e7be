# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Behind a balancer that detaches old pods before new ones are in, the overlap loses nothing; a plain switch does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.modules import traffic_switch
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.detaching_balancer import detaching_balancer
from tests.e2e.traffic.load import load
from tests.e2e.traffic.stand import COLOUR_KEY, Shop, perform, served

# Longer than the switch itself watches the endpoints: only an answer from outside tells that the new pods are in.
ATTACH_S = 3.0


def test_the_overlap_loses_nothing_where_a_plain_switch_does(two: Shop, tmp_path: Path) -> None:
    addresses = {f"{two.name}-{colour}": two.fixed_url(colour) for colour in ("blue", "green")}
    # Says that pods may be addressed directly; a return then goes the long way too.
    kubectl("-n", two.namespace, "annotate", "service", two.name, "loadbalancer.openstack.org/class=fake")
    with detaching_balancer(two.namespace, two.name, addresses, ATTACH_S) as url:
        served(f"{url}/healthz")

        def moved(to: str) -> dict[str, Any]:
            return perform(traffic_switch, two.switch_options(to, probe={"url": f"{url}/healthz"}))

        with load(url, tmp_path, fresh=20, kept=20, path="/healthz") as running:
            for colour in ("green", "blue"):
                done = moved(colour)
                assert (done["live"], done["proof"]["level"], done["downtime_ms"]) == (colour, "probe", 0), done
                overlap = next(step for step in done["steps"] if step["step"] == "overlap")
                assert overlap["seconds"] >= ATTACH_S, overlap
            ledger = running.ledger()
        assert ledger["failed"] == 0, ledger
        assert ledger["ok"] > 100, ledger

        with load(url, tmp_path, fresh=20, kept=20, path="/healthz") as running:
            selector = json.dumps({"spec": {"selector": {COLOUR_KEY: "green"}}})
            kubectl("-n", two.namespace, "patch", "service", two.name, "-p", selector)
            served(f"{url}/healthz")
            ledger = running.ledger()
        assert ledger["failed"] > 20, ledger
    assert two.live() == "green"
