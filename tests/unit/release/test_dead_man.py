# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a dead man takes a run's place, and when it leaves all as it is; time is its own clock."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._kube import fencing, lease
from ansible_collections.golive.cutover.plugins.module_utils._release import dead_man, dead_man_rules
from ansible_collections.golive.cutover.plugins.module_utils._release.dead_man import DeadMan
from ansible_collections.golive.cutover.plugins.module_utils._release.dead_man_api import ApiError
from ansible_collections.golive.cutover.plugins.module_utils._release.dead_man_rules import TOKEN
from ansible_collections.golive.cutover.plugins.module_utils._release.journal import BEGIN, Journal, journal_from
from ansible_collections.golive.cutover.plugins.module_utils._release.runs import runs_of, unfinished
from tests.unit.house.layout import PLUGINS

LEASE, JOURNAL, SERVICE, SLICES = "/lease", "/journal", "/service", "/slices"
COLOUR = "golive.cutover/colour"
LEAVING, DATED = "golive.cutover/leaving", "golive.cutover/switched-at"
BLUE, GREEN, BOTH = {"app": "shop", COLOUR: "blue"}, {"app": "shop", COLOUR: "green"}, {"app": "shop"}
WATCH: dict[str, Any] = {
    "app": "shop",
    "run": "run-1",
    "holder": "ops@here/run-1",
    "token": "7",
    "lease": LEASE,
    "journal": JOURNAL,
    "slices": SLICES,
    "serves": "shop-blue",
    "colour": "blue",
    "grace": 5,
    "rows": [
        {
            "path": SERVICE,
            "name": "Service shop",
            "service": "shop",
            "here": {"/spec/selector": BLUE},
            "there": [{"/spec/selector": GREEN}, {"/spec/selector": BOTH}],
            "patch": [{"op": "add", "path": "/spec/selector", "value": BLUE}],
            "notes": {LEAVING: None},
            "dated": DATED,
            "tokens": ["7"],
        }
    ],
}


class SlowServer:
    """Stands in for the API server, whose clock only the dead man's waiting moves; ``events`` happen at a second."""

    def __init__(self, selector: dict[str, str], token: str = "7") -> None:
        journal = Journal().with_entry({"run": "run-1", "event": BEGIN, "at": "", "phase": "observe"})
        meta = {"resourceVersion": "1", "annotations": {TOKEN: "7"}}
        spec = {"holderIdentity": "ops@here/run-1", "leaseTransitions": 7, "leaseDurationSeconds": 10, "renewTime": "a"}
        notes = {TOKEN: token, LEAVING: "blue"}
        self.objects: dict[str, dict[str, Any]] = {
            LEASE: {"metadata": {"resourceVersion": "1"}, "spec": spec},
            JOURNAL: {"metadata": meta, "data": journal.as_data()},
            SERVICE: {"metadata": {"resourceVersion": "1", "annotations": notes}, "spec": {"selector": selector}},
        }
        self.pods = {"blue": ["b1", "b2"], "green": ["g1"]}
        self.clock = 0.0
        self.events: dict[int, Callable[[], None]] = {}
        self.before_write: dict[str, Callable[[], None]] = {}
        self.writes: list[str] = []
        self.watched: list[float] = []
        self.log: list[str] = []

    def pause(self, seconds: float) -> bool:
        self.clock += seconds
        for second in sorted(second for second in self.events if second <= self.clock):
            self.events.pop(second)()
        return self.clock > 100

    def request(self, method: str, path: str, body: Any = None, content_type: str = "") -> Any:
        place = path.partition("?")[0]
        if place == SLICES:
            return {"items": [self._slice(path)]}
        obj = self.objects[place]
        if method == "GET":
            return copy.deepcopy(obj)
        self.before_write.pop(place, lambda: None)()
        version = body[0]["value"] if isinstance(body, list) else body["metadata"]["resourceVersion"]
        if version != self.objects[place]["metadata"]["resourceVersion"]:
            raise ApiError(409, "conflict")
        self.writes.append(place)
        self.set(place, self._patched(place, body) if isinstance(body, list) else body)
        return self.objects[place]

    def set(self, path: str, obj: dict[str, Any]) -> None:
        version = str(int(self.objects[path]["metadata"]["resourceVersion"]) + 1)
        self.objects[path] = {**obj, "metadata": {**obj["metadata"], "resourceVersion": version}}

    def spec(self, path: str, **values: Any) -> Callable[[], None]:
        """Somebody else writes an object."""
        return lambda: self.set(path, {**self.objects[path], "spec": {**self.objects[path]["spec"], **values}})

    def renewed_every(self, seconds: int, until: int) -> None:
        for second in range(0, until, seconds):
            self.events[second] = self.spec(LEASE, renewTime=f"at {second}")

    def away(self, first: int, last: int) -> None:
        """No answer between two seconds."""
        answer = self.request

        def request(*arguments: Any, **named: Any) -> Any:
            if first <= self.clock < last:
                raise ApiError(0, "no answer")
            return answer(*arguments, **named)

        self.request = request  # type: ignore[method-assign] # the fault is injected here

    def _patched(self, path: str, patch: list[dict[str, Any]]) -> dict[str, Any]:
        made = copy.deepcopy(self.objects[path])
        for op in patch[1:]:
            *way, last = [part.replace("~1", "/") for part in op["path"][1:].split("/")]
            parent = made
            for part in way:
                parent = parent[part]
            if op["op"] == "test" and parent.get(last) != op["value"]:
                raise ApiError(422, "the test failed")
            if op["op"] == "remove":
                del parent[last]
            if op["op"] == "add":
                parent[last] = op["value"]
        return made

    def _slice(self, path: str) -> dict[str, Any]:
        colour = path.rpartition("-")[2]
        colours = [colour] if colour in self.pods else [self.selector.get(COLOUR)] if COLOUR in self.selector else []
        names = [pod for name in colours or self.pods for pod in self.pods[str(name)]]
        return {"endpoints": [{"targetRef": {"uid": name}, "conditions": {"ready": True}} for name in names]}

    @property
    def selector(self) -> dict[str, str]:
        found: dict[str, str] = self.objects[SERVICE]["spec"]["selector"]
        return found

    def run(self, watch: dict[str, Any] | None = None) -> int:
        man = DeadMan(
            self,
            watch or WATCH,
            pause=self.pause,
            say=self.log.append,
            ready=lambda: self.watched.append(self.clock),
            clock=lambda: self.clock,
        )
        return man.run()

    def runs(self) -> list[dict[str, Any]]:
        journal = journal_from(self.objects[JOURNAL]["data"])
        assert journal.broken_at() is None
        return runs_of(journal.entries())


@pytest.mark.parametrize("selector", [GREEN, BOTH])
def test_a_silent_run(selector: dict[str, str]) -> None:
    server = SlowServer(selector)
    assert server.run() == 0
    assert 15 <= server.clock < 20
    assert server.watched == [1.0]
    assert server.selector == BLUE
    notes = server.objects[SERVICE]["metadata"]["annotations"]
    assert (notes[TOKEN], LEAVING in notes, DATED in notes) == ("8", False, True)
    spec = server.objects[LEASE]["spec"]
    assert (spec.get("holderIdentity"), spec["leaseTransitions"]) == (None, 8)
    first, second = server.runs()
    assert (first["outcome"], second["outcome"]) == (None, "returned")
    assert (second["purpose"], second["resumes"], second["token"]) == (dead_man.PURPOSE, "run-1", "8")
    assert "run-1 no longer renewed" in second["phases"][-1]["verdict"]["cause"]
    assert unfinished([first, second]) is None


def test_a_living_run_is_left_alone() -> None:
    server = SlowServer(GREEN)
    server.renewed_every(9, 110)
    server.run()
    assert not server.writes


def test_a_slow_run_that_renews_just_in_time() -> None:
    server = SlowServer(GREEN)
    server.events = {14: server.spec(LEASE, renewTime="b"), 28: server.spec(LEASE, holderIdentity=None)}
    assert server.run() == 0
    assert not server.writes


@pytest.mark.parametrize("change", [{"holderIdentity": None}, {"holderIdentity": "other@there/run-2"}])
def test_a_run_that_ended_or_was_replaced(change: dict[str, Any]) -> None:
    server = SlowServer(GREEN)
    server.events = {5: server.spec(LEASE, **change)}
    assert server.run() == 0
    assert (server.clock, server.writes) == (5, [])


def test_an_api_server_that_is_away_makes_nobody_look_dead() -> None:
    server = SlowServer(GREEN)
    server.away(5, 60)
    server.events = {63: server.spec(LEASE, renewTime="b"), 70: server.spec(LEASE, holderIdentity=None)}
    assert server.run() == 0
    assert not server.writes


def test_a_pod_that_stood_still_counts_what_it_watched() -> None:
    server = SlowServer(GREEN)

    def freeze() -> None:
        server.clock += 40

    server.events = {3: freeze, 46: server.spec(LEASE, holderIdentity=None)}
    assert server.run() == 0
    assert not server.writes


def test_traffic_that_never_moved_needs_no_return() -> None:
    server = SlowServer(BLUE)
    server.run()
    assert not server.writes
    assert server.log.count("traffic is on blue") == 2


@pytest.mark.parametrize(
    ("selector", "token"), [({"app": "shop", COLOUR: "red"}, "7"), (GREEN, "8"), (GREEN, "")], ids=str
)
def test_what_somebody_else_wrote_is_left(selector: dict[str, str], token: str) -> None:
    server = SlowServer(selector, token)
    server.run()
    assert not server.writes
    assert "somebody else changed Service shop" in server.log


def test_an_old_colour_that_is_gone_is_waited_for() -> None:
    server = SlowServer(GREEN)
    pods = server.pods.pop("blue")
    server.pods["blue"] = []
    server.events = {40: lambda: server.pods["blue"].extend(pods)}
    assert server.run() == 0
    assert 40 <= server.clock < 50
    assert "blue has no ready endpoint" in server.log
    assert server.selector == BLUE


def test_a_run_that_renews_while_its_lease_is_taken_keeps_it() -> None:
    server = SlowServer(GREEN)
    server.before_write[LEASE] = server.spec(LEASE, renewTime="b")
    server.events = {25: server.spec(LEASE, holderIdentity=None)}
    assert server.run() == 0
    assert not server.writes
    assert server.selector == GREEN


def test_an_edit_between_reading_and_writing_wins() -> None:
    server = SlowServer(GREEN)
    server.before_write[SERVICE] = server.spec(SERVICE, selector={"app": "other"})
    assert server.run() == 0
    assert server.selector == {"app": "other"}
    assert server.runs()[-1]["outcome"] == "failed"
    assert "holderIdentity" not in server.objects[LEASE]["spec"]


def test_another_write_between_reading_and_writing_costs_one_more_look() -> None:
    server = SlowServer(GREEN)
    server.before_write[SERVICE] = server.spec(SERVICE, clusterIP="10.0.0.1")
    assert server.run() == 0
    assert server.selector == BLUE


def test_a_second_pod_goes_on_where_the_first_one_stopped() -> None:
    server = SlowServer(GREEN)
    server.spec(LEASE, holderIdentity="dead man@shop/run-1-dead-man", leaseTransitions=8)()
    assert server.run() == 0
    assert (server.clock < 5, server.selector) == (True, BLUE)
    assert server.runs()[-1]["outcome"] == "returned"


def test_a_write_of_the_frozen_run_is_refused_where_traffic_is_back_already() -> None:
    watch = copy.deepcopy(WATCH)
    watch["rows"].insert(0, {**watch["rows"][0], "path": "/route", "name": "HTTPRoute shop", "service": None})
    server = SlowServer(BLUE)
    server.objects["/route"] = SlowServer(GREEN).objects[SERVICE]
    assert server.run(watch) == 0
    assert server.objects[SERVICE]["metadata"]["annotations"][TOKEN] == "8"
    assert server.objects["/route"]["spec"]["selector"] == BLUE


def test_its_words_are_those_of_the_run() -> None:
    assert dead_man_rules.TOKEN == fencing.TOKEN
    assert dead_man.WHO == lease.WHO


@pytest.mark.parametrize("name", ["dead_man", "dead_man_api", "dead_man_rules", "journal"])
def test_it_needs_only_the_standard_library_of_python_3_9(name: str) -> None:
    text = (Path(PLUGINS) / "module_utils/_release" / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 9))
    froms = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    own = {module.rpartition(".")[2] for module in froms if module.startswith("ansible")}
    assert own <= {"dead_man_api", "dead_man_rules", "journal"}
