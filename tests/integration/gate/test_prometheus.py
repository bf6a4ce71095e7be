# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of kind ``prometheus`` against a real server: right, wrong, empty, stale, slow, down; counters that reset."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import health_gate
from tests.integration.gate.loopback import serving
from tests.integration.prometheus import Prometheus

OK = 'requests_total{code="200"}'
BAD = 'requests_total{code="500"}'
COUNTERS = {"bad": 'requests_total{code=~"5.."}', "total": "requests_total"}


def perform(**options: Any) -> dict[str, Any]:
    """A gate with the validation of Ansible."""
    spec = {key: value for key, value in health_gate.SPEC.items() if key != "supports_check_mode"}
    result = ArgumentSpecValidator(**spec).validate({"interval": 0.3, "timeout": 20, **options})
    assert not result.error_messages, result.error_messages
    return health_gate.run(call_for_tests(dict(result.validated_parameters)))


def check(server: Prometheus, **options: Any) -> dict[str, Any]:
    """One check of this server, quick enough for its scrapes of one second."""
    return {
        "name": "one", "kind": "prometheus", "url": server.url, "timeout": 5, "scrape_interval": 1, "stale_after": 6,
        **options,
    }  # fmt: skip


def stopped(*checks: dict[str, Any], code: str = "gate_inconclusive", **options: Any) -> dict[str, Any]:
    """A gate that must end with this code; its details and message."""
    with pytest.raises(GoliveError) as caught:
        perform(checks=list(checks), **{"timeout": 1, "consecutive": 2, "on_inconclusive": "hold", **options})
    assert caught.value.code == code, caught.value
    return {**caught.value.details, "msg": str(caught.value)}


@contextmanager
def traffic(server: Prometheus, step: Callable[[dict[str, float]], None]) -> Iterator[None]:
    """Call ``step`` on the exporter's numbers every 50 ms."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.05):
            step(server.exporter.lines)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def add(name: str, events: float) -> Callable[[dict[str, float]], None]:
    def step(lines: dict[str, float]) -> None:
        lines[name] = lines.get(name, 0) + events

    return step


def test_values_within_and_beyond_limits(prometheus: Prometheus) -> None:
    for options in (
        {"max": 2},
        {"min": 1, "max": 1},
        {"kpi": "latency_p95"},
        {"kpi": "latency_p95", "fails_at": "warning"},
    ):
        row = perform(checks=[check(prometheus, query="load_average", **options)])["checks"][0]
        assert (row["verdict"], row["last"]["values"]["value"]) == ("pass", 1)
    assert row["last"]["values"]["band"] == "acceptable"
    said = stopped(check(prometheus, query="load_average", max=0.5), code="gate_failed")
    assert 'load_average{instance="' in said["msg"]
    assert "is 1, above 0.5" in said["msg"]
    said = stopped(
        check(prometheus, query="sum(load_average)", kpi="latency_p95", fails_at="target"), code="gate_failed"
    )
    assert "1 is above 0.5 s, the target bound" in said["msg"]
    prometheus.exporter.lines['load_average{pod="new"}'] = 9
    prometheus.await_value("count(load_average)", 2)
    assert "is 9, above 5" in stopped(check(prometheus, query="load_average", max=5), code="gate_failed")["msg"]


def test_no_data_is_never_a_pass(prometheus: Prometheus) -> None:
    for query in (
        "nothing",
        "nothing or vector(0)",
        "rate(nothing[1m])",
        'load_average{pod="none"}',
        "load_average > 5",
    ):
        said = stopped(check(prometheus, query=query, max=1))
        assert (said["verdict"], said["reasons"], said["action"]) == ("inconclusive", ["no_data"], "hold"), query
    said = stopped(check(prometheus, counters={"bad": "nothing_bad", "total": "load_average"}))
    assert said["reasons"] == ["no_data"]
    assert "no metric nothing_bad" in said["msg"]
    assert stopped(check(prometheus, counters={**COUNTERS, "total": "none"}))["reasons"] == ["no_data"]
    assert stopped(check(prometheus, gauges={"old": "load_average", "new": "none"}))["reasons"] == ["no_data"]


def test_stale_samples_tell_nothing_while_rates_still_give_numbers(own: Prometheus) -> None:
    fresh = check(own, query="rate(load_average[5m])", max=1, stale_after=4)
    own.await_value("count_over_time(load_average[1m]) > bool 2", 1.0)
    assert perform(checks=[fresh])["verdict"] == "pass"
    own.exporter.down = True
    own.await_value("time() - max(max_over_time(timestamp(load_average)[1m:1s])) > bool 6", 1.0)
    assert own.value("rate(load_average[5m])") == 0
    said = stopped(fresh)
    assert said["reasons"] == ["provider_down"]
    assert "s old, the limit is 4 s" in said["msg"]
    assert "provider_down" in stopped(check(own, counters={"bad": "load_average", "total": "load_average"}))["reasons"]


def test_a_wrong_query_is_named_at_once(prometheus: Prometheus) -> None:
    begin = time.monotonic()
    said = stopped(check(prometheus, query="sum(load_average", max=1), code="query_wrong", timeout=60)
    assert "sum(load_average: invalid parameter" in said["msg"]
    assert "unclosed left parenthesis" in said["msg"]
    said = stopped(check(prometheus, query="load_average[1m]", max=1), code="query_wrong", timeout=60)
    assert "gives a matrix" in said["msg"]
    assert time.monotonic() - begin < 20


def test_a_server_that_is_down_or_no_prometheus(own: Prometheus) -> None:
    other = check(own, query="load_average", max=2, url=f"http://127.0.0.1:{own.exporter.port}/x")
    said = stopped(other)
    assert said["reasons"] == ["provider_down"]
    assert "no answer of its API" in said["msg"]
    own.stop()
    for options in (
        {"query": "load_average", "max": 2},
        {"counters": COUNTERS},
        {"gauges": {"old": "load_average", "new": "load_average"}},
    ):
        said = stopped(check(own, **options))
        assert (said["reasons"], said["checks"][0]["passed"]) == (["provider_down"], 0)
        assert "refused" in said["msg"]
    said = stopped(check(own, query="load_average", max=2), after_shift=True, on_inconclusive=None)
    assert (said["action"], said["extended"]) == ("hold", False)
    said = stopped(
        check(own, query="load_average", max=2),
        after_shift=True,
        on_inconclusive={"provider_down": "return"},
    )
    assert said["action"] == "return"


def test_a_server_that_comes_back_within_the_gate(own: Prometheus) -> None:
    own.stop()
    back = threading.Timer(2, own.start)
    back.start()
    result = perform(checks=[check(own, query="load_average", max=2)], timeout=60)
    back.join()
    assert result["verdict"] == "pass"
    assert result["checks"][0]["attempts"] > result["checks"][0]["passed"]


def test_a_slow_server_is_bounded(prometheus: Prometheus) -> None:
    slow = "count(max_over_time(sum by (pod) (load_average)[10d:1s]))"
    begin = time.monotonic()
    said = stopped(check(prometheus, query=slow, max=2, timeout=0.05))
    assert said["reasons"] == ["provider_down"]
    assert time.monotonic() - begin < 15


def test_errors_are_seen_by_counters(prometheus: Prometheus) -> None:
    rolls = random.Random(4)

    def step(lines: dict[str, float]) -> None:
        for _request in range(20):
            add(BAD if rolls.random() < 0.1 else OK, 1)(lines)

    prometheus.exporter.lines[OK] = 5_000
    prometheus.await_value("sum(requests_total)", 5_000)
    begin = time.monotonic()
    with traffic(prometheus, step):
        said = stopped(check(prometheus, counters={**COUNTERS, "effect": 1}), code="gate_failed", timeout=60)
    values = said["checks"][0]["last"]["values"]
    assert values["bad"] >= 3
    assert values["z"] >= values["fails_at"]
    assert "more than 0.20% is acceptable" in said["msg"]
    assert time.monotonic() - begin < 30


def test_a_healthy_release_passes_with_a_reset_in_between(prometheus: Prometheus) -> None:
    prometheus.exporter.lines |= {OK: 90_000, BAD: 800}
    prometheus.await_value("sum(requests_total)", 90_800)
    sent = 0

    def step(lines: dict[str, float]) -> None:
        nonlocal sent
        sent += 1
        # The pod restarts: its counters begin again at 0, and the errors of the past must not count.
        if sent == 30:
            lines |= {OK: 0, BAD: 0}
        add(OK, 10)(lines)

    with traffic(prometheus, step):
        result = perform(checks=[check(prometheus, counters={**COUNTERS, "preset": "errors_strict"})], timeout=60)
    values = result["checks"][0]["last"]["values"]
    assert result["verdict"] == "pass"
    assert (values["bad"], values["resets"]) == (0, 2)
    assert values["samples"] < sent * 10


def test_without_traffic_there_is_no_pass(prometheus: Prometheus) -> None:
    prometheus.exporter.lines[OK] = 5
    prometheus.await_value("sum(requests_total)", 5)
    said = stopped(check(prometheus, counters=COUNTERS), timeout=3)
    assert said["reasons"] == ["low_sample"]
    assert "0 of 0 events" in said["msg"]


def test_gauges_of_new_against_old(prometheus: Prometheus) -> None:
    noise = random.Random(7)

    def step(lines: dict[str, float]) -> None:
        lines |= {
            'memory{pod="old"}': noise.uniform(100, 110),
            'memory{pod="same"}': noise.uniform(100, 110),
            'memory{pod="worse"}': noise.uniform(190, 210),
        }

    step(prometheus.exporter.lines)
    prometheus.await_value("count(memory)", 3)
    gauges = {"old": 'memory{pod="old"}', "samples": 16}
    with traffic(prometheus, step):
        said = stopped(
            check(prometheus, name="same", gauges={**gauges, "new": 'memory{pod="same"}'}),
            check(prometheus, name="worse", gauges={**gauges, "new": 'memory{pod="worse"}'}),
            code="gate_failed",
            timeout=60,
        )
    same, worse = said["checks"]
    assert worse["verdict"] == "fail"
    assert worse["last"]["values"]["cles"] == 1
    assert same["verdict"] in ("pass", "inconclusive")


def test_basic_authentication_out_of_options(prometheus: Prometheus) -> None:
    """The password of a Secret needs a cluster; here the server only refuses whoever has none."""
    # bcrypt of "only-for-this-test", cost 4
    web = 'basic_auth_users: {gate: "$2b$04$UZYkJTP7M4lAhUGs5xsZVOmfmJXpzyU24K6GuDrSUm7yI3y6iR3xG"}\n'
    closed = Prometheus.create(web=web)
    try:
        time_left = time.monotonic() + 30
        while True:
            said = stopped(check(closed, query="up", max=2), timeout=1, consecutive=1)
            if "refused" not in said["msg"] or time.monotonic() > time_left:
                break
        assert said["reasons"] == ["provider_down"]
        assert "status 401" in said["msg"]
    finally:
        closed.remove()


NEW = {"bad": 'requests_total{pod="new",code="500"}', "total": 'requests_total{pod="new"}'}


def old_counters(pod: str) -> dict[str, Any]:
    """The option ``old``, for a pod of a test's own: the server remembers those of other tests."""
    bad, total = f'requests_total{{pod="{pod}",code="500"}}', f'requests_total{{pod="{pod}"}}'
    return {"bad": bad, "total": total, "seconds": 60}


def beside_old(pod: str, burst: int, each: int) -> Callable[[dict[str, float]], None]:
    """Both releases at work: the old one fails ``burst`` requests together at every so many steps of 50 ms."""
    steps = 0

    def step(lines: dict[str, float]) -> None:
        nonlocal steps
        steps += 1
        add(f'requests_total{{pod="{pod}",code="200"}}', 5)(lines)
        add('requests_total{pod="new",code="200"}', 20)(lines)
        add(f'requests_total{{pod="{pod}",code="500"}}', burst if steps % each == 0 else 0)(lines)

    return step


def test_bursts_of_the_old_release_are_allowed_for(prometheus: Prometheus) -> None:
    with traffic(prometheus, beside_old("bursts", burst=5, each=140)):
        prometheus.await_value('count_over_time(requests_total{pod="bursts",code="500"}[5m]) > bool 29', 1.0, 90)
        row = perform(checks=[check(prometheus, counters={**NEW, "old": old_counters("bursts")})], timeout=60)
        row = row["checks"][0]["last"]
        plain = perform(checks=[check(prometheus, counters=NEW)], timeout=60)["checks"][0]["last"]
    values, found = row["values"], row["values"]["effect_from"]
    # Bursts of five in a seventh of the scrapes; two of them may meet in a scrape.
    assert 3.5 <= values["effect"] <= 6.5
    assert (found["source"], found["bad"] % 5) == ("old", 0)
    assert found["bad"] >= 10
    assert 20 <= found["spans"] <= 61
    assert found["samples"] > 20 * found["bad"]
    assert f"effect {values['effect']:g}: the old release had {found['bad']} bad of" in row["seen"]
    # As many more events are needed for a pass.
    assert values["samples"] >= 165 * values["effect"] - 1
    assert (plain["values"]["effect"], plain["values"]["effect_from"]["source"]) == (3, "default")
    assert "effect" not in plain["seen"]


def test_an_old_release_that_tells_too_little_leaves_the_default(prometheus: Prometheus) -> None:
    with traffic(prometheus, beside_old("calm", burst=0, each=1)):
        prometheus.await_value('count_over_time(requests_total{pod="new",code="200"}[5m]) > bool 3', 1.0, 60)
        for old, told in (
            (old_counters("calm"), "the old release had 0 bad of "),
            (old_counters("none"), "the old release had 0 bad of 0 events in 0 spans"),
        ):
            row = perform(checks=[check(prometheus, counters={**NEW, "old": old})], timeout=60)["checks"][0]["last"]
            assert (row["values"]["effect"], row["values"]["effect_from"]["source"]) == (3, "default")
            assert "effect 3 by default: " + told in row["seen"], row["seen"]
            assert "too few to tell" in row["seen"]


def test_a_history_that_cannot_be_asked_for_is_refused() -> None:
    old = {"bad": "rate(requests_total[1m])", "total": "requests_total", "seconds": 90_000}
    row = {"name": "a", "kind": "prometheus", "url": "http://h", "counters": {**COUNTERS, "effect": 2, "old": old}}
    assert stopped(row, code="invalid", timeout=20)["faults"] == [
        "checks[0].counters.old.bad must be one selector of a raw counter, without a function or a range",
        "checks[0].counters.old.seconds must be greater than 0 and at most 21600",
        "checks[0].counters.effect and counters.old exclude each other: old is there to estimate the effect",
    ]


@contextmanager
def counted(server: Prometheus, fails: Callable[[int], bool]) -> Iterator[str]:
    """A release whose requests are counted as it answers them; its address."""

    def answers(number: int) -> tuple[int, float]:
        bad = fails(number)
        add(BAD if bad else OK, 1)(server.exporter.lines)
        return (500 if bad else 200), 0.0

    server.exporter.lines[OK] = 5
    server.await_value("sum(requests_total)", 5)
    with serving(answers) as url:
        yield url


# One user in five seconds.
FEW = add(OK, 0.01)
THIN = {**COUNTERS, "p0": 0.01, "p1": 0.1, "effect": 1}


def test_a_release_that_few_ask_gets_a_load_of_the_gates_own(prometheus: Prometheus) -> None:
    with counted(prometheus, lambda _number: False) as url, traffic(prometheus, FEW):
        thin = check(prometheus, counters={**THIN})
        said = stopped(thin, timeout=6)
        assert (said["reasons"], said["checks"][0]["last"]["values"]["own_load"]) == (["low_sample"], None)
        result = perform(checks=[{**thin, "low_sample": {"url": url, "rate": 50}}], timeout=20)
        row = result["checks"][0]["last"]
        assert result["verdict"] == "pass"
        assert 0 < row["values"]["own_load"]["sent"] <= 20 * 50
        assert f"{row['values']['own_load']['sent']} requests are the gate's own" in row["seen"]
        assert row["values"]["own_load"]["failed"] == 0
        slow = {"url": url, "rate": 0.5}
        said = stopped({**thin, "low_sample": slow}, timeout=6)
        assert (said["reasons"], said["checks"][0]["last"]["values"]["own_load"]["rate"]) == (["low_sample"], 0.5)
        closed = {"url": "http://127.0.0.1:9/"}
        said = stopped({**thin, "low_sample": closed}, timeout=6)
        assert "failed) are the gate's own" in said["msg"]


def test_its_own_load_fails_a_bad_release_that_few_ask(prometheus: Prometheus) -> None:
    bad = counted(prometheus, lambda number: number % 3 == 0)
    with bad as url, traffic(prometheus, FEW):
        thin = check(prometheus, counters={**THIN}, low_sample={"url": url})
        said = stopped(thin, code="gate_failed", timeout=30)
    assert "requests (" in said["msg"]
    assert "are the gate's own" in said["msg"]


def test_where_users_are_enough_nothing_is_sent(prometheus: Prometheus) -> None:
    with counted(prometheus, lambda _number: False) as url, traffic(prometheus, add(OK, 10)):
        busy = check(prometheus, counters={**THIN}, low_sample={"url": url})
        row = perform(checks=[busy], timeout=20)["checks"][0]["last"]
    assert (row["values"]["own_load"], "own" in row["seen"]) == (None, False)


def test_a_load_that_cannot_be_sent_is_refused() -> None:
    row = {"name": "a", "kind": "prometheus", "url": "http://h", "low_sample": {"path": "x", "rate": 0}}
    other = {**row, "name": "b", "counters": COUNTERS, "low_sample": {"url": "ftp://h", "rate": 500}}
    assert stopped({**row, "query": "up", "min": 1}, other, code="invalid", timeout=20)["faults"] == [
        "checks[0].low_sample belongs to counters: nothing else is tested by their number",
        "checks[0].low_sample.url is missing (a path alone needs a tunnel)",
        "checks[0].low_sample.path must begin with /",
        "checks[0].low_sample.rate must be greater than 0 and at most 400",
        "checks[1].low_sample.url: it must begin with http:// or https://",
        "checks[1].low_sample.rate must be greater than 0 and at most 400",
    ]
