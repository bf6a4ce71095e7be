# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch on a real cluster: the quartet, the overlap under load, and every refusal."""

from __future__ import annotations

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import kube_track, traffic_info, traffic_switch
from tests.e2e.traffic.audit import writes_during
from tests.e2e.traffic.stand import Shop, perform


def test_quartet(two: Shop) -> None:
    options = two.switch_options("green")
    before = two.service()["metadata"]["resourceVersion"]

    with writes_during(two.namespace) as writes:
        planned = perform(traffic_switch, options, check_mode=True, diff_mode=True)
    assert writes == []
    assert planned["changed"]
    assert (planned["live"], planned["previous"], planned["proof"]) == ("green", "blue", None)
    assert '"blue"' in planned["diff"][0]["before"]
    assert '"green"' in planned["diff"][0]["after"]
    assert two.service()["metadata"]["resourceVersion"] == before

    with writes_during(two.namespace) as writes:
        done = perform(traffic_switch, options, diff_mode=True)
    # To both colours, to the new one, and the mark of an unfinished switch off.
    assert [write.partition(" ")[0] for write in writes] == ["patch"] * 3
    assert done["changed"]
    assert done["diff"] == planned["diff"]
    assert done["proof"]["level"] == "probe"
    assert done["proof"]["probe"]["in_a_row"] == 10
    assert done["proof"]["node"]["nodes"] >= 1
    assert [step["step"] for step in done["steps"]] == ["preflight", "stand_up", "overlap", "narrow", "proof", "close"]
    assert done["downtime_ms"] == 0, done["ledger"]
    assert done["ledger"]["fresh"]["failed"] == done["ledger"]["kept"]["failed"] == {}
    assert set(done["ledger"]["fresh"]["by_identity"]) == {"blue", "green"}
    assert two.live() == "green"
    assert two.notes()["golive.cutover/previous"] == "blue"
    assert "golive.cutover/leaving" not in two.notes()

    after = two.service()["metadata"]["resourceVersion"]
    again = perform(traffic_switch, options, check_mode=True, diff_mode=True)
    assert (again["changed"], again["live"], again["previous"]) == (False, "green", "blue")
    rerun = perform(traffic_switch, options, diff_mode=True)
    assert (rerun["changed"], rerun["proof"]["level"]) == (False, "probe")
    assert "diff" not in rerun
    assert two.service()["metadata"]["resourceVersion"] == after


def test_pods_that_stood_long_enough_already_are_not_waited_for_again(two: Shop) -> None:
    objects = [{"kind": "Deployment", "name": f"{two.name}-green", "namespace": two.namespace}]
    seen = perform(kube_track, {"objects": objects, "soak": 1})
    assert seen["soak"] == 1
    moved = {**seen["pods"][0], "restarts": seen["pods"][0]["restarts"] + 1}
    unlike = perform(traffic_switch, two.switch_options("green", soak=5, soaked=[*seen["pods"][1:], moved]))
    assert unlike["timings"]["stand_up"] >= 4.5
    perform(traffic_switch, two.switch_options("blue", soak=0))
    again = perform(traffic_switch, two.switch_options("green", soak=3600, soaked=seen["pods"]))
    assert again["live"] == "green"
    with pytest.raises(GoliveError, match=r"soaked\[0\] lacks ready_since, restarts"):
        perform(traffic_switch, two.switch_options("blue", soaked=[{"uid": "x"}]))


def test_info_follows_the_switch(two: Shop) -> None:
    blue = perform(traffic_info, two.options())
    assert (blue["state"], blue["live"], blue["standby"], blue["previous"]) == ("LIVE", "blue", "green", None)
    assert {row["colour"]: (row["replicas"], row["ready"], row["endpoints"]) for row in blue["colours"]} == {
        "blue": (2, 2, 2),
        "green": (2, 2, 0),
    }
    assert blue["endpoints"]["ready"] == 2
    assert [row for row in blue["hazards"] if row["severity"] == "refuse"] == []
    perform(traffic_switch, two.switch_options("green", probe=None, require_proof="slice"))
    green = perform(traffic_info, two.options())
    assert (green["live"], green["previous"]) == ("green", "blue")


def test_check_mode_plans_a_colour_that_is_not_there_yet(shop: Shop) -> None:
    shop.deploy("blue", replicas=1)
    shop.services()
    said: list[str] = []
    planned = perform(traffic_switch, shop.switch_options("green"), check_mode=True, warn=said.append)
    assert (planned["changed"], planned["live"]) == (True, "green")
    assert any("green is not up now" in text for text in said)
    assert shop.live() == "blue"


def test_no_app_is_told(shop: Shop) -> None:
    assert perform(traffic_info, shop.options())["state"] == "ABSENT"
    with pytest.raises(GoliveError) as caught:
        perform(traffic_switch, shop.options(to="green"))
    assert caught.value.code == "not_found"
