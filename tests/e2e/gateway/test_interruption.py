# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shift that is killed, or overtaken by somebody else, in the middle."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import traffic_switch
from tests.e2e.conftest import kubectl
from tests.e2e.gateway.routed import KIND, RoutedShop
from tests.e2e.traffic.stand import apply, child, perform, until

LEAVING = "golive.cutover/leaving"
# The first test may have to wait for the build of the data plane.
pytestmark = pytest.mark.timeout(1800)
WEIGHTS = "golive.cutover/weights"
TOKEN = "golive.cutover/token"


@pytest.mark.faults
@pytest.mark.parametrize("to", ["green", "blue"])
def test_killed_between_the_first_percent_and_the_rest(shop: RoutedShop, to: str) -> None:
    # It waits for an answer that never comes, at one percent.
    options = shop.by_route("green", probe={"expect": "never"}, outside_timeout=60)
    with child("traffic_switch", options) as process:
        until(lambda: shop.weights()["green"] == 1 or process.poll() is not None, 40, "the first percent")
        assert process.poll() is None, process.communicate()
        process.kill()
        process.wait()
    assert shop.route_notes()[LEAVING] == "blue"
    done = perform(traffic_switch, shop.by_route(to))
    assert (done["changed"], done["live"], done["downtime_ms"]) == (True, to, 0)
    assert shop.weights()[to] == 100
    assert LEAVING not in shop.route_notes()
    assert perform(traffic_switch, shop.by_route(to))["changed"] is False


def test_weights_that_somebody_else_set(shop: RoutedShop) -> None:
    perform(traffic_switch, shop.by_route("green", weight=10))
    shop.set_weight(1, 40)
    with pytest.raises(GoliveError, match="blue=90,green=40") as caught:
        perform(traffic_switch, shop.by_route("green", weight=50))
    assert caught.value.code == "weights_edited"
    with pytest.raises(GoliveError) as caught:
        perform(traffic_switch, shop.by_route("blue"))
    assert caught.value.code == "lease_lost"
    assert shop.weights() == {"blue": 90, "green": 40}
    # Accepted in the way that the hint says, or set back to what the last run left.
    perform(traffic_switch, shop.by_route("green", weight=10))
    shop.set_weight(1, 40)
    kubectl("-n", shop.namespace, "annotate", KIND, shop.name, f"{WEIGHTS}-")
    perform(traffic_switch, shop.by_route("green", weight=50))
    assert shop.weights() == {"blue": 50, "green": 50}


def test_an_edit_during_the_shift_stops_it(shop: RoutedShop) -> None:
    options = shop.by_route("green", probe={"expect": "never"}, outside_timeout=4)
    with child("traffic_switch", options) as process:
        until(lambda: shop.weights()["green"] == 1, 40, "the first percent")
        shop.set_weight(1, 5)
        output, _errors = process.communicate(timeout=60)
    assert json.loads(output)["code"] == "lease_lost"
    assert shop.weights() == {"blue": 99, "green": 5}


def test_a_later_run_has_stamped_its_token(shop: RoutedShop) -> None:
    lease = {"namespace": shop.namespace, "name": f"{shop.name}-golive", "token": "6", "holder": "early"}
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "early", "leaseTransitions": 6, "leaseDurationSeconds": 60, "renewTime": now}
    meta = {"namespace": shop.namespace, "name": lease["name"]}
    apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec})
    kubectl("-n", shop.namespace, "annotate", KIND, shop.name, f"{TOKEN}=7")
    with pytest.raises(GoliveError, match="its token is 7") as caught:
        perform(traffic_switch, shop.by_route("green", lease=lease))
    assert caught.value.code == "lease_lost"
    assert shop.weights() == {"blue": 100, "green": 0}
    kubectl("-n", shop.namespace, "annotate", KIND, shop.name, f"{TOKEN}=5", "--overwrite")
    perform(traffic_switch, shop.by_route("green", lease=lease))
    assert shop.route_notes()[TOKEN] == "6"
