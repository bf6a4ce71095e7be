# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: complete, well-formed, escaped, and without anything from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.figures import clock, duration, figure
from ansible_collections.golive.cutover.plugins.module_utils._core.html import el
from ansible_collections.golive.cutover.plugins.module_utils._core.plot import Panel, line, ticks, time_ticks
from ansible_collections.golive.cutover.plugins.plugin_utils._report import FAILED, INTERRUPTED, OK
from ansible_collections.golive.cutover.plugins.plugin_utils._report_page import page
from tests.unit.report.sample import gate, release, report_of, series, switch, told

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Checks that elements close in order, and collects texts, attributes and elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data + " "


def read(report: dict[str, Any]) -> Reader:
    reader = Reader()
    reader.feed(page(report, "run.json"))
    reader.close()
    assert reader.open == []
    return reader


def test_a_release_on_one_page() -> None:
    text = read(report_of(release())).text
    for part in (
        *("Release of shop", "succeeded", "0 ms", "downtime, measured", "before: 2.4.1", "2 of 2 gates passed"),
        *("Answers per second", "Failed requests per second: none", "Latency in milliseconds", "blue → green"),
        *("ready through the live Service", "30 good of 30", "0 bad of 1204", "z -2.995", "session_affinity"),
        *("head 0006 → 0007", "add_index", "db_password", "(names only)", "job id 4711", "golive.cutover 0.1.0"),
    ):
        assert part in text, part


def test_every_step_of_a_canary_is_told_by_its_share() -> None:
    events = release()[:1]
    for at, share in ((10.0, 25), (20.0, 50)):
        began = {"run_id": "r", "phase": f"canary {share} %", "changed": True}
        moved = switch([], live=None, previous="blue", weights={"blue": 100 - share, "green": share})
        events += told("shop", "shift", "record what begins", at, at + 1, verb="release_journal", result=began)
        events += told("shop", "shift", "move the share", at + 1, at + 2, verb="traffic_switch", result=moved)
        events += told("shop", "shift", "ask every check", at + 2, at + 3, verb="health_gate", result=gate([]))
    text = re.sub(r"\s+", " ", read(report_of(events)).text)
    for share in (25, 50):
        assert f"canary {share} %: ask every check" in text
        assert f"canary {share} %: blue →" in text
    # Without a journal, or after its end, the phase is that of the task.
    assert "verify: gate the new colour" in read(report_of(release())).text


@pytest.mark.parametrize(
    ("downtime", "shown"), [(0.0, "0 ms downtime, measured"), (None, "not measured"), (1350.0, "1,350 ms downtime")]
)
def test_downtime_says_whether_it_was_measured(downtime: float | None, shown: str) -> None:
    text = re.sub(r"\s+", " ", read(report_of(release(downtime_ms=downtime))).text)
    assert shown in text


def test_nothing_comes_from_outside_and_nothing_runs() -> None:
    whole = page(report_of(release()), "run.json")
    reader = read(report_of(release()))
    assert not {"script", "link", "img", "iframe", "object", "form", "image", "use"} & reader.names
    wrong = [name for name, _value in reader.attributes if name in ("src", "href", "style") or name.startswith("on")]
    assert wrong == []
    policy = next(value for name, value in reader.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    style = re.search(r"<style>(.*?)</style>", whole, re.DOTALL)
    assert style
    assert base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() in policy
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_everything_is_escaped() -> None:
    evil = '<script>alert("1")</script>'
    rows = [{**row, "ok": {evil: 3}, "failed": {evil: 1}} for row in series(0, 3, None)]
    events = [
        *release(),
        *told(evil, evil, evil, 60, 61, status="failed", code=evil, message=evil),
        *told(
            evil, "shift", evil, 61, 62, verb="traffic_switch", result={"live": evil, "series": rows, "steps": [evil]}
        ),
        *told(evil, "observe", evil, 62, 63, verb="health_gate", result=gate(rows, verdict=evil, reasons=[evil])),
        *told(evil, "report", evil, 63, 64, verb="set_stats", result={"ansible_stats": {"data": {"golive_x": evil}}}),
    ]
    report = report_of(events, FAILED)
    report["limit"] = report["user"] = evil
    reader = read(report)
    assert "script" not in reader.names
    assert evil in reader.text


def test_drawings_are_told_in_words() -> None:
    reader = read(report_of(release()))
    labels = [value for name, value in reader.attributes if name == "aria-label"]
    assert "Phases of shop over time" in labels
    assert any(label.startswith("Live traffic: ") and label.endswith(" 0 failed requests") for label in labels)
    assert "as a table" in reader.text
    assert ("lang", "en") in reader.attributes


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"live": "blue", "previous": "blue"}, "back to blue"),
        ({"live": None, "weights": {"blue": 33, "green": 67}}, "blue 33 %, green 67 %"),
        ({"live": None}, "switch"),
    ],
)
def test_a_mark_says_what_moved(fields: dict[str, Any], label: str) -> None:
    assert label in read(report_of(release(**fields))).text


def test_several_apps_side_by_side() -> None:
    text = read(report_of([*release("shop"), *release("search")[1:]])).text
    assert "Live traffic of shop" in text
    assert "Live traffic of search" in text


def test_an_interrupted_run_says_so_and_where_it_was() -> None:
    hang = ("begin", {"host": "shop", "key": "k", "task": "wait until it serves", "phase": "stage", "at_s": 8.0})
    text = read(report_of([*release()[:8], hang], INTERRUPTED)).text
    assert "interrupted" in text
    assert "wait until it serves (stage), since 0:08" in text


def test_odd_results_do_not_break_the_page() -> None:
    results: list[dict[str, Any]] = [
        {"steps": None, "ledger": {"fresh": None}, "proof": None, "hazards": ["x"], "series": None},
        {"steps": [{"step": "overlap"}], "series": [{"t": 1}], "ledger": {}, "downtime_ms": None},
        {"series": [{"t": 1795539731.0, "ok": {}, "failed": {}, "p50_ms": None}]},
    ]
    events = release()[:1]
    for number, result in enumerate(results):
        events += told(
            "shop", "shift", "move", number, number + 1, verb="traffic_switch", result=result, status="failed"
        )
    events += told("shop", "observe", "gate", 4, 5, verb="health_gate", result={"code": "invalid", "faults": ["a: b"]})
    events += told("shop", "observe", "gate", 5, 6, verb="health_gate", result={"checks": [{}], "verdict": None})
    assert "a: b" in read(report_of(events, OK)).text
    assert "no host" in read({**report_of(release()[:1]), "hosts": {}}).text


def test_axes_have_round_values() -> None:
    assert ticks(38.2) == [0, 10, 20, 30, 40]
    assert ticks(0) == [0, 1]
    assert ticks(0.7) == [0, 0.2, 0.4, 0.6, 0.8]
    assert ticks(1234)[-1] >= 1234
    assert ticks(3e-13)[-1] >= 3e-13
    assert time_ticks(13.2, 58) == [15, 20, 25, 30, 35, 40, 45, 50, 55]
    assert time_ticks(0, 7200)[1] == 900
    assert time_ticks(5, 5) == [5]


def test_a_line_has_gaps_where_nothing_was_measured() -> None:
    panel = Panel(0, 100, 0, 100, 0, 10, 10)
    assert line(panel, [0, 1, 2, 3, 4], [1, 2, None, 4, 5], "p50").count("<polyline") == 2
    assert line(panel, [0, 1, 2, 8, 9], [1, 2, 3, 4, 5], "p50").count("<polyline") == 2
    assert line(panel, [0], [1], "p50").count("0,90") == 2


def test_numbers_as_people_read_them() -> None:
    assert [duration(one) for one in (0.25, 8.14, 192, 7500)] == ["0.25 s", "8.1 s", "3 min 12 s", "2 h 05 min"]
    assert [clock(one) for one in (42, 3727)] == ["0:42", "1:02:07"]
    assert [figure(one) for one in (0.0, 12040, 3.14159, 0.05234)] == ["0", "12,040", "3.142", "0.05234"]
    assert el("p", "a<b", class_="x&y") == '<p class="x&amp;y">a&lt;b</p>'


def test_a_run_that_is_held_is_no_failed_one() -> None:
    undecided = gate([], verdict="inconclusive", reasons=["provider_down"], action="hold", code="gate_inconclusive")
    events = [*release(), *told("shop", "observe", "gate again", 60, 66, verb="health_gate", result=undecided)]
    report = report_of(events, FAILED)
    assert report["apps"]["shop"]["held"]
    assert "held: a gate could not decide" in read(report).text


def test_messages_tell_who_was_not_reached() -> None:
    told_to = {
        "title": "shop 2.4.2: release failed",
        "delivered": [{"target": "Secret notify, key slack", "seconds": 0.2}],
        "undelivered": [{"target": "Secret notify, key <mail>", "reason": "no answer in time", "seconds": 10.0}],
    }
    report = report_of([*release(), *told("shop", "report", "tell it", 41.0, 51.0, verb="notify", result=told_to)])
    assert report["apps"]["shop"]["undelivered"] == 1
    text = read(report).text
    assert "Secret notify, key <mail>" in text
    assert "no answer in time" in text
    assert "delivered in 0.2 s" in text


def test_traffic_that_was_moved_back_by_a_later_switch_is_told() -> None:
    back = switch([], live="blue", previous="green")
    events = [*release(), *told("shop", "return", "move it back", 60, 62, verb="traffic_switch", result=back)]
    assert "failed, traffic returned" in read(report_of(events, FAILED)).text
