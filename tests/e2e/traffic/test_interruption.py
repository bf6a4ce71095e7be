# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A switch that is killed, overtaken or fails in the middle: the next one ends it, and traffic always has endpoints."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import MERGE_PATCH, connected
from ansible_collections.golive.cutover.plugins.modules import traffic_info, traffic_switch
from tests.e2e.conftest import kubectl
from tests.e2e.leases import take
from tests.e2e.traffic.stale_balancer import stale_balancer
from tests.e2e.traffic.stand import Shop, child, perform, until

LEAVING = "golive.cutover/leaving"
TOKEN = "golive.cutover/token"


def soaking(shop: Shop) -> bool:
    """Nothing is written yet."""
    return shop.live() == "blue"


def overlapping(shop: Shop) -> bool:
    """Both colours are selected."""
    return shop.live() is None


def unproven(shop: Shop) -> bool:
    """Only green is selected, and the proof is not recorded."""
    return shop.live() == "green" and LEAVING in shop.notes()


@pytest.mark.parametrize("to", ["green", "blue"])
@pytest.mark.parametrize("state", [soaking, overlapping, unproven])
def test_killed_in_each_state_and_run_again(two: Shop, state: Callable[[Shop], bool], to: str) -> None:
    options = two.switch_options("green", soak=1.5 if state is soaking else 0.2)
    with child("traffic_switch", options) as process:
        until(lambda: state(two) or process.poll() is not None, 40, state.__name__)
        assert process.poll() is None, process.communicate()
        process.kill()
        process.wait()
    found = perform(traffic_info, two.options())
    assert found["endpoints"]["ready"] >= 2
    assert found["state"] == ("OVERLAP" if state is overlapping else "LIVE")
    done = perform(traffic_switch, two.switch_options(to))
    assert two.live() == to
    assert LEAVING not in two.notes()
    assert done["downtime_ms"] in (0, None)
    assert perform(traffic_switch, two.switch_options(to))["changed"] is False


@contextmanager
def writer(shop: Shop, pause: float) -> Iterator[list[int]]:
    """Somebody who keeps annotating the live Service, which raises its resourceVersion; yields the writes."""
    stop = threading.Event()
    writes: list[int] = []

    def write() -> None:
        with connected(call_for_tests({})) as client:
            path = client.path_of("v1", "Service", shop.namespace, shop.name)
            while not stop.wait(pause):
                body = {"metadata": {"annotations": {"tests/n": str(len(writes))}}}
                client.request("PATCH", path, body=body, content_type=MERGE_PATCH)
                writes.append(len(writes))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield writes
    finally:
        stop.set()
        thread.join()


def test_somebody_else_writes_to_the_service(two: Shop) -> None:
    with writer(two, 0.05) as writes:
        done = perform(traffic_switch, two.switch_options("green"))
    assert done["live"] == two.live() == "green"
    assert len(writes) > 5


def test_the_selector_is_moved_by_somebody_else_during_the_overlap(two: Shop) -> None:
    with child("traffic_switch", two.switch_options("green")) as process:
        until(lambda: overlapping(two), 40, "the overlap")
        two.service_patch([{"op": "add", "path": "/spec/selector/tier", "value": "web"}])
        output, _errors = process.communicate(timeout=60)
    assert json.loads(output)["code"] == "selector_foreign"
    assert two.service()["spec"]["selector"]["tier"] == "web"


def test_a_token_of_a_later_run_stops_the_switch(two: Shop) -> None:
    kubectl("-n", two.namespace, "annotate", "service", two.name, f"{TOKEN}=7")
    lease = take(two.namespace, two.name, token=6)
    with pytest.raises(GoliveError) as caught:
        perform(traffic_switch, two.switch_options("green", lease=lease))
    assert caught.value.code == "lease_lost"
    assert two.live() == "blue"
    # The next holder is ahead of the Service, and leaves its own token there.
    lease = take(two.namespace, two.name, token=9)
    perform(traffic_switch, two.switch_options("green", lease=lease))
    assert (two.live(), two.notes()[TOKEN]) == ("green", "9")


def test_the_token_changes_in_the_middle(two: Shop) -> None:
    lease = take(two.namespace, two.name, token=7)
    with child("traffic_switch", two.switch_options("green", lease=lease)) as process:
        until(lambda: overlapping(two), 40, "the overlap")
        kubectl("-n", two.namespace, "annotate", "service", two.name, f"{TOKEN}=8", "--overwrite")
        output, _errors = process.communicate(timeout=60)
    assert json.loads(output)["code"] == "lease_lost"
    # On a busy machine the token comes after the next write; then the one behind it is refused.
    assert two.live() in (None, "green")
    assert LEAVING in two.notes()


def test_new_dies_during_the_overlap(two: Shop) -> None:
    def end_green() -> None:
        until(lambda: overlapping(two), 40, "the overlap")
        two.scale("green", 0)

    thread = threading.Thread(target=end_green)
    thread.start()
    with pytest.raises(GoliveError) as caught:
        perform(
            traffic_switch, two.switch_options("green", probe={"url": two.url, "expect": "never"}, outside_timeout=8)
        )
    thread.join()
    assert caught.value.code == "overlap_failed"
    assert (caught.value.details["returned"], caught.value.details["live"]) == (True, "blue")
    assert two.live() == "blue"
    assert LEAVING not in two.notes()


def test_a_proof_that_fails_brings_traffic_back(two: Shop) -> None:
    with stale_balancer(two.url, two.fixed_url("blue")) as url:
        options = two.switch_options("green", probe={"url": f"{url}/healthz"}, proof_timeout=3)
        with pytest.raises(GoliveError) as caught:
            perform(traffic_switch, options)
    details = caught.value.details
    assert caught.value.code == "proof_failed"
    assert (details["returned"], details["live"], details["needed"]) == (True, "blue", 10)
    assert "switched back to blue" in caught.value.message
    assert details["steps"][-1]["step"] == "return"
    assert details["downtime_ms"] == 0, (details["ledger"], details["steps"])
    assert two.live() == "blue"
    assert "golive.cutover/previous" not in two.notes()


def test_a_move_to_an_earlier_release_comes_back_too_unless_it_is_to_stay(two: Shop) -> None:
    perform(traffic_switch, two.switch_options("green"))
    perform(traffic_switch, two.switch_options("blue"))
    before = two.notes()
    with stale_balancer(two.url, two.fixed_url("blue")) as url:
        options = two.switch_options("green", probe={"url": f"{url}/healthz"}, proof_timeout=3)
        with pytest.raises(GoliveError) as caught:
            perform(traffic_switch, options)
        assert caught.value.code == "proof_failed"
        assert (caught.value.details["returned"], two.live()) == (True, "blue")
        assert "switched back to blue" in caught.value.message
        assert {**two.notes(), "golive.cutover/switched-at": ""} == {**before, "golive.cutover/switched-at": ""}
        with pytest.raises(GoliveError) as caught:
            perform(traffic_switch, {**options, "on_failure": "stay"})
        assert (caught.value.details["returned"], two.live()) == (False, "green")
        assert "stays on green; it is not given back to blue" in caught.value.message
        assert two.notes()[LEAVING] == "blue"


def test_answers_that_refuse_are_no_proof(two: Shop) -> None:
    # The app names its colour in every answer, also for a path that it does not know.
    with pytest.raises(GoliveError) as caught:
        perform(traffic_switch, two.switch_options("green", probe={"url": f"{two.url}/no-such"}, outside_timeout=2))
    assert caught.value.code == "overlap_failed"
    assert "status 404, X-App-Colour: " in caught.value.message
    assert "only a status below 400 counts" in caught.value.message
    assert (caught.value.details["returned"], two.live()) == (True, "blue")


def test_a_return_brings_old_pods_back_that_are_gone(two: Shop) -> None:
    def shrink_blue() -> None:
        until(lambda: unproven(two), 40, "only green")
        two.scale("blue", 0)
        until(lambda: not two.pods("blue"), 60, "the end of blue's pods")
        until(lambda: overlapping(two), 40, "the overlap of the return")

    thread = threading.Thread(target=shrink_blue)
    thread.start()
    with stale_balancer(two.url, two.url, identity="stale") as url:
        options = two.switch_options("green", probe={"url": f"{url}/healthz"}, proof_timeout=12)
        with pytest.raises(GoliveError) as caught:
            perform(traffic_switch, options)
    thread.join()
    assert caught.value.details["returned"] is True, caught.value
    assert two.live() == "blue"


def test_a_return_that_cannot_happen_prints_the_patch(two: Shop) -> None:
    def end_blue() -> None:
        until(lambda: unproven(two), 40, "only green")
        kubectl("-n", two.namespace, "delete", "deployment", f"{two.name}-blue")
        until(lambda: not two.pods("blue"), 60, "the end of blue's pods")

    thread = threading.Thread(target=end_blue)
    thread.start()
    with stale_balancer(two.url, two.url, identity="stale") as url:
        options = two.switch_options("green", probe={"url": f"{url}/healthz"}, proof_timeout=12)
        with pytest.raises(GoliveError) as caught:
            perform(traffic_switch, options)
    thread.join()
    assert caught.value.code == "return_failed"
    assert (caught.value.details["returned"], caught.value.details["cause"]) == (False, "proof_failed")
    assert caught.value.details["manual_patch"] in str(caught.value)
    # Green still serves: with both selected and blue gone, it is all there is.
    assert perform(traffic_info, two.options())["endpoints"]["ready"] == 2
