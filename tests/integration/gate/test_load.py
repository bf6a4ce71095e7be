# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load on real servers on loopback: what passes, what fails and how soon, and what cannot be told."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate import load_options
from ansible_collections.golive.cutover.plugins.modules import health_gate
from tests.both_ways.harness import PLAYBOOKS, run_both
from tests.integration.gate.loopback import errors, good, serving, slow


def load(url: str, **options: Any) -> dict[str, Any]:
    """A check with a quick load."""
    settings = {"rate": 100, "dwell": 2, **options}
    return {"name": "load", "kind": "load", "url": url, "load": settings}


def run(*checks: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What the module returns; raises GoliveError."""
    wanted = {"checks": list(checks), "interval": 0.5, "timeout": 30, **options}
    validated = ArgumentSpecValidator(health_gate.SPEC["argument_spec"]).validate(wanted)
    assert not validated.error_messages, validated.error_messages
    result: dict[str, Any] = health_gate.run(call_for_tests(validated.validated_parameters))
    return result


def stopped(*checks: dict[str, Any], code: str = "gate_failed", **options: Any) -> dict[str, Any]:
    """The details of the error that a gate must end with, and its message."""
    with pytest.raises(GoliveError) as caught:
        run(*checks, **options)
    assert caught.value.code == code, caught.value
    return {**caught.value.details, "msg": caught.value.message}


def test_a_good_release_passes_after_its_dwell_with_all_numbers() -> None:
    with serving(good) as url:
        result = run(load(url), timeout=60)
    values = result["checks"][0]["last"]["values"]
    assert (result["verdict"], result["score"], result["downtime_ms"]) == ("pass", 100, 0)
    assert values["seconds"] >= 2
    assert [test["verdict"] for test in values["tests"]] == ["pass", "pass"]
    assert all(test["z"] <= test["passes_at"] for test in values["tests"])
    ledger = result["ledger"]
    sent = sum(ledger[stream]["sent"] for stream in ("fresh", "kept"))
    assert sent >= values["requests"] >= 165
    assert sum(sum(row["ok"].values()) for row in result["series"]) == sent
    assert {name for row in ledger.values() for name in row["by_pod"]} == {"pod-0", "pod-1"}


def test_errors_fail_it_long_before_the_dwell() -> None:
    with serving(errors) as url:
        begin = time.monotonic()
        details = stopped(load(url, dwell=25))
    assert time.monotonic() - begin < 25
    test = details["checks"][0]["last"]["values"]["tests"][0]
    assert (test["name"], test["verdict"]) == ("errors", "fail")
    assert test["z"] >= test["fails_at"]
    assert {row["status"] for row in test["first_bad"]} == {500}
    assert "where 0.20% is acceptable and 2.00% is not" in details["msg"]
    assert "status 500" in details["msg"]
    assert sum(row["failed"].get("http_5xx", 0) for row in details["ledger"].values()) >= test["bad"]


def test_slow_answers_fail_it() -> None:
    with serving(slow) as url:
        details = stopped(load(url, dwell=25, slow=[{"preset": "slow_p95"}]))
    assert "slower than 0.5 s" in details["msg"]
    assert details["checks"][0]["last"]["values"]["tests"][0]["bad"] == 0


def test_more_is_needed_when_bad_requests_come_together() -> None:
    with serving(good) as url:
        details = stopped(load(url, effect=20, slow=[]), code="gate_inconclusive", timeout=5)
    assert details["reasons"] == ["low_sample"]
    assert "waits for errors" in details["msg"]


def test_nothing_but_404_tells_nothing() -> None:
    with serving(lambda _number: (404, 0.0)) as url:
        assert stopped(load(url), code="gate_inconclusive", timeout=6)["reasons"] == ["no_data"]
        assert "status 404" in stopped({**load(url), "status": [200]})["msg"]


def test_a_fault_that_both_share_is_no_fault_of_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # Only the look at the end needs the time.
    monkeypatch.setattr(load_options, "LEAST_COMPARED_S", 2.0)
    with serving(errors) as url, serving(errors, "blue") as old:
        details = stopped(load(url, compare={"url": old}), code="gate_inconclusive", timeout=7)
        assert details["reasons"] == ["infra_noise"]
        test = details["checks"][0]["last"]["values"]["tests"][0]
        assert test["old"]["verdict"] == "fail"
        assert test["relative"]["verdict"] != "worse"
        assert set(details["ledger"]) == {"fresh", "kept", "old fresh", "old kept"}
    with serving(errors) as url, serving(good, "blue") as old:
        assert "errors" in stopped(load(url, compare={"url": old}))["msg"]


def test_a_release_much_worse_than_a_bad_old_one_fails() -> None:
    with (
        serving(lambda number: (500 if number % 2 else 200, 0.0)) as url,
        serving(lambda number: (500 if number % 25 == 0 else 200, 0.0), "blue") as old,
    ):
        details = stopped(load(url, compare={"url": old}))
    assert details["checks"][0]["last"]["values"]["tests"][0]["relative"]["verdict"] == "worse"


def test_a_release_that_is_slower_than_the_old_one_fails_at_the_end_of_the_dwell() -> None:
    """No threshold is crossed. Few requests and a long wait, so that it shows on a busy machine as well."""
    settings = {"rate": 15, "alpha": 0.05, "slow": [{"preset": "slow_p99", "slower_than": 3}]}
    with serving(lambda _number: (200, 0.9)) as url, serving(good, "blue") as old:
        details = stopped(load(url, **settings, compare={"url": old}), timeout=90)
    latency = details["checks"][0]["last"]["values"]["beside_old"]["latency"]
    assert latency["verdict"] == "fail"
    assert 600 <= latency["shift"][0] <= 1500
    assert "slower than the old release" in details["msg"]


def test_a_check_that_is_not_critical_lowers_the_score() -> None:
    with serving(good) as url, serving(errors) as bad:
        checks = [load(url), {**load(bad), "name": "aside", "critical": False, "weight": 3}]
        result = run(*checks)
        assert (result["verdict"], result["score"]) == ("pass", 25)
        assert result["checks"][1]["verdict"] == "fail"
        assert {name.split(":")[0] for name in result["ledger"]} == {"load", "aside"}
        assert "the score is 25 where 50 is wanted" in stopped(*checks, min_score=50)["msg"]


def test_all_tests_share_the_chance_of_a_false_alarm() -> None:
    with serving(good) as url:
        result = run({**load(url), "name": "one"}, {**load(url, slow=[]), "name": "other"})
    tests = [test for row in result["checks"] for test in row["last"]["values"]["tests"]]
    assert [round(test["alpha"] * 3, 6) for test in tests] == [0.001] * 3


def test_a_release_that_went_bad_after_the_shift_is_seen_although_it_was_good_for_long() -> None:
    bad = threading.Event()

    def answers(number: int) -> tuple[int, float]:
        return (500 if bad.is_set() and number % 10 == 0 else 200), 0.0

    with serving(answers) as url:
        timer = threading.Timer(8, bad.set)
        timer.start()
        begin = time.monotonic()
        stopped(load(url, dwell=29, after_shift=True, slow=[]))
        timer.join()
    assert 8 <= time.monotonic() - begin < 29


def test_nothing_listens() -> None:
    details = stopped(load("http://127.0.0.1:9/x", dwell=25))
    assert "refused" in details["msg"]
    assert details["downtime_ms"] > 0


def test_all_wrong_settings_at_once() -> None:
    faults = stopped(
        {"name": "a", "kind": "load", "url": "http://h/"},
        {
            **load("http://h/", rate=0, dwell=-1, p0=0.5, alpha=0.7, slow=[{"slower_than": 9}, {}, {}]),
            "path": "/x",
            "weight": -1,
            "critical": False,
        },
        {**load("ftp://h/", compare={"tunnel": {"namespace": "n", "service": "s"}, "times": 1}), "name": "b"},
        code="invalid",
        min_score=101,
    )["faults"]
    assert faults == [
        "checks[0].load is missing",
        "checks[1].weight must not be negative",
        "checks[1].path and url exclude each other",
        "checks[1].load.rate must be greater than 0 and at most 400",
        "checks[1].load.dwell must not be negative",
        "checks[1].load: p0 and p1 must be shares with 0 < p0 < p1 < 1, not 0.5 and 0.02",
        "checks[1].load: alpha must be greater than 0 and less than 0.5, not 0.7",
        "checks[1].load.slow[0].slower_than must be greater than 0 and less than the timeout of a request",
        "checks[1].load.slow[2]: there are two tests for slower than 1 s",
        "checks[2].url: it must begin with http:// or https://",
        "checks[2].load.compare.times must be greater than 1",
        "min_score must be from 0 to 100",
    ]
    assert "no check is critical" in stopped({**load("http://h/"), "critical": False}, code="invalid")["msg"]
    assert "too short for the dwell" in stopped(load("http://h/", dwell=60), code="invalid")["msg"]


def test_both_ways_tell_the_same(tmp_path: Path) -> None:
    """Numbers differ from run to run; verdicts, words, keys and faults do not."""
    with serving(good) as url, serving(errors) as bad:
        cases = {
            name: {"golive.cutover.health_gate": {"checks": [check], "interval": 0.5, "timeout": 30}}
            for name, check in {
                "good": {**load(url), "headers": {"Authorization": "Bearer only-for-this-test"}},
                "bad": load(bad, dwell=25, compare={"url": url}),
                "wrong": load(url, rate=0, compare={"url": "ftp://h/"}),
            }.items()
        }
        inside, module = run_both(PLAYBOOKS[-1], cases, tmp_path)
    for case, verdict, code in (("good", "pass", None), ("bad", "fail", "gate_failed"), ("wrong", None, "invalid")):
        one, other = inside.result(case), module.result(case)
        assert _keys(one) == _keys(other)
        assert (one.get("verdict"), one.get("code")) == (other.get("verdict"), other.get("code")) == (verdict, code)
        assert one["changed"] is other["changed"] is False
    assert inside.result("wrong")["faults"] == module.result("wrong")["faults"]
    assert [row["t"] for row in inside.result("good")["series"]]
    assert "gate, " in inside.out


def _keys(value: Any) -> Any:
    """The shape of a result: keys of dicts, and the shape of the first element of lists."""
    if isinstance(value, dict):
        open_ended = {"by_identity", "by_pod", "failed", "failed_by_identity", "ok", "invocation"}
        return {key: None if key in open_ended else _keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_keys(value[0])] if value else []
    return None
