# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bands, profiles, policies, and every wrong setting at once with the name that was meant."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.bands import BANDS, band_of, meant
from ansible_collections.golive.cutover.plugins.module_utils._gate.checks import read_checks
from ansible_collections.golive.cutover.plugins.module_utils._gate.policy import REASONS, read_policy
from ansible_collections.golive.cutover.plugins.module_utils._gate.profiles import profile_rows, rules_of
from ansible_collections.golive.cutover.plugins.modules import health_gate

APP = {
    "namespace": "shop",
    "service": "shop-green",
    "workload": "shop-green",
    "url": "https://shop.example.org:8443/",
    "paths": ["/", "/items"],
    "prometheus": {"url": "http://prometheus.example.org", "matchers": 'pod=~"shop-green-.*"'},
    "approval": {"by": "A. Person", "until": "2999-01-01T00:00:00Z"},
}


def params(**given: Any) -> dict[str, Any]:
    """Options as a task gives them, validated as Ansible does."""
    spec = {key: value for key, value in health_gate.SPEC.items() if key != "supports_check_mode"}
    result = ArgumentSpecValidator(**spec).validate(given)
    assert not result.error_messages, result.error_messages
    return dict(result.validated_parameters)


def faults(**given: Any) -> list[str]:
    """The faults that the verb tells at once."""
    with pytest.raises(GoliveError) as caught:
        health_gate.run(call_for_tests(params(**given)))
    assert caught.value.code == "invalid"
    told: list[str] = caught.value.details["faults"]
    assert all(fault in caught.value.message for fault in told)
    return told


@pytest.mark.parametrize(
    ("kpi", "bounds"),
    [
        ("latency_p95", (0.5, 1, 2)),
        ("errors", (0.001, 0.005, 0.01)),
        ("uptime", (0.999, 0.995, 0.99)),
        ("cpu", (0.7, 0.8, 0.9)),
        ("memory", (0.8, 0.85, 0.95)),
    ],
)
def test_bands_of_the_key_figures(kpi: str, bounds: tuple[float, float, float]) -> None:
    band = BANDS[kpi]
    assert (band.target, band.warning, band.critical) == bounds
    assert not band.faults
    beyond = [bound * (1.0005 if band.lower else 0.9995) for bound in bounds]
    assert [band.level(bound) for bound in bounds] == ["target", "acceptable", "warning"]
    assert [band.level(value) for value in beyond] == ["acceptable", "warning", "critical"]
    assert [band.fails(value, "warning") for value in beyond] == [False, True, True]
    assert [band.fails(value, "critical") for value in beyond] == [False, False, True]
    assert band.worst(bounds) == bounds[2]


def test_bounds_may_be_given_in_part_or_in_whole() -> None:
    band = band_of({"kpi": "cpu", "band": {"target": None, "warning": 0.75, "critical": None}})
    assert (band.target, band.warning, band.critical) == (0.7, 0.75, 0.9)
    own = band_of({"kpi": None, "band": {"target": 10, "warning": 5, "critical": 1}})
    assert (own.lower, own.level(12), own.level(3), own.level(0)) == (False, "target", "warning", "critical")


def kinds(profile: str, **app: Any) -> dict[str, str]:
    rows, wrong = profile_rows(params(profile=profile, app={**APP, **app}))
    assert not wrong
    checks, more = read_checks([], rows, 60)
    assert not more
    return {check.name: check.kind for check in checks}


def test_profiles_widen_from_one_to_the_next() -> None:
    core = {"ready": "http", "workload": "kube"}
    standard = {
        "path /": "http",
        "path /items": "http",
        "load": "load",
        "errors": "prometheus",
        "latency p95": "prometheus",
        "cpu": "prometheus",
        "memory": "prometheus",
    }
    safety = {
        "headers": "headers",
        "certificate": "tls",
        "pod security": "pod_security",
        "rights": "rights",
        "capacity": "capacity",
        "approval": "approval",
    }
    assert kinds("mvp") == core
    assert kinds("standard") == core | standard
    assert kinds("enterprise") == core | standard | safety


def test_profiles_choose_strictness_and_every_value_can_be_overridden() -> None:
    mvp, standard = ({**params(profile=name, app=APP)} for name in ("mvp", "standard"))
    assert profile_rows(mvp)[0][0]["max_latency"] == 2
    rows = {row["name"]: row for row in profile_rows(standard)[0]}
    assert (rows["ready"]["max_latency"], rows["cpu"]["fails_at"]) == (1, "warning")
    assert rows["load"]["load"]["slow"][0]["slower_than"] == 1
    assert rules_of(mvp)["consecutive"] < rules_of(standard)["consecutive"]
    assert rules_of(params(profile="standard", app=APP, consecutive=2))["consecutive"] == 2
    own = params(
        profile="standard",
        app=APP,
        overrides={"cpu": False, "load": {"load": {"rate": 5}}, "latency p95": {"band": {"warning": 1.5}}},
    )
    rows = {row["name"]: row for row in profile_rows(own)[0]}
    assert "cpu" not in rows
    assert (rows["load"]["load"]["rate"], rows["load"]["load"]["slow"][0]["slower_than"]) == (5, 1)
    assert rows["latency p95"]["band"]["warning"] == 1.5


def test_a_profile_reads_only_what_the_app_has() -> None:
    only = {"namespace": None, "service": None, "workload": None, "prometheus": None, "url": "http://127.0.0.1:8080"}
    assert kinds("enterprise", **only).keys() == {"ready", "path /", "path /items", "load", "headers", "approval"}


@pytest.mark.parametrize("after_shift", [False, True])
def test_policy_of_every_reason(after_shift: bool) -> None:
    policy, wrong = read_policy(None, after_shift)
    assert not wrong
    end = "hold" if after_shift else "abort"
    assert {reason: policy.action([reason]) for reason in REASONS} == dict.fromkeys(REASONS, end)
    assert policy.extends == {"low_sample", "undecided"} | (set() if after_shift else {"infra_noise"})


def test_policy_in_its_short_form_and_by_reason() -> None:
    assert read_policy("hold", False)[0].action(["no_data"]) == "hold"
    assert read_policy("extend", True)[0].action(["no_data"]) == "hold"
    policy, wrong = read_policy({"no_data": "return", "provider_down": "extend"}, True)
    assert not wrong
    assert policy.action(["provider_down"]) == "hold"
    assert policy.action(["no_data", "low_sample"]) == "return"
    assert policy.extends == {"provider_down", "low_sample", "undecided"}


def test_the_name_that_was_meant() -> None:
    assert meant("warnign", ["target", "warning"]) == "'warnign' is not known; is 'warning' meant?"
    assert meant("xyz", ["hold", "abort"]) == "'xyz' is not known; known are hold, abort"


def test_every_fault_at_once_with_its_path() -> None:
    way = {"kind": "prometheus", "url": "http://127.0.0.1:9090"}
    told = faults(
        checks=[
            {"name": "a", "kind": "prometheus", "query": "up"},
            {"name": "b", **way, "query": "up", "counters": {"bad": "rate(x[1m])", "total": "x"}},
            {"name": "c", **way, "query": "up", "band": {"target": 1}},
            {"name": "d", **way, "query": "up", "kpi": "cpu", "band": {"critical": 0.1}},
            {"name": "e", **way, "gauges": {"old": "a", "new": "b", "samples": 3, "least_cles": 0.4}},
            {"name": "f", "kind": "job", "definition": {"kind": "Pod"}},
            {"name": "g", "kind": "exec", "command": ["true"], "pod": "x", "labels": {"a": "b"}},
            {"name": "h", "kind": "tls", "min_lifetime": 2},
            {"name": "i", "kind": "pod_security", "object": {"name": "x"}},
            {"name": "j", "kind": "rights"},
            {"name": "k", "kind": "approval", "approval": {"by": " ", "until": "2026-01-01"}},
        ],
        consecutive=0,
        on_inconclusive={"no_dta": "hold", "low_sample": "hodl"},
    )
    assert told == [
        "checks[0].url is missing (or reach it by a tunnel)",
        "checks[0].query: nothing is asked of its values; give min, max, kpi or band",
        "checks[1].query, counters and gauges: exactly one is wanted, not query and counters",
        "checks[1].query: nothing is asked of its values; give min, max, kpi or band",
        "checks[1].counters.bad must be one selector of a raw counter, without a function or a range",
        "checks[2].band lacks warning, critical (or name a kpi: latency_p95, errors, uptime, cpu, memory)",
        "checks[3].band: target 0.7, warning 0.8, critical 0.1 are not from best to worst",
        "checks[4].gauges.samples must be at least 7: fewer can never be significant",
        "checks[4].gauges.least_cles must be greater than 0.5 and at most 1",
        "checks[5].definition must be a manifest of kind Job and apiVersion batch/v1",
        "checks[6].namespace is missing",
        "checks[6].pod and labels: exactly one is wanted",
        "checks[7].host is missing: it is the name that the certificate must show",
        "checks[7].min_lifetime is a share: from 0 to less than 1",
        "checks[8].object.namespace is missing",
        "checks[9].namespace is missing",
        "checks[10].approval.by is empty",
        "checks[10].approval.until must be a time with its offset, such as 2026-03-01T18:00:00+01:00",
        "consecutive must be at least 1",
        "on_inconclusive: 'no_dta' is not known; is 'no_data' meant?",
        "on_inconclusive.low_sample: 'hodl' is not known; is 'hold' meant?",
    ]


def test_misspelt_overrides_name_what_was_meant() -> None:
    told = faults(
        profile="standard",
        app=APP,
        overrides={
            "latency p59": {"fails_at": "critical"},
            "cpu": {"fails_att": "critical"},
            "load": {"load": {"raet": 5}},
            "memory": "off",
            "errors": {"kind": "promtheus"},
        },
    )
    assert [fault for fault in told if "choices" in fault or "one of" in fault], told
    assert {
        "overrides: 'latency p59' is not known; is 'latency p95' meant?",
        "overrides.cpu: 'fails_att' is not known; is 'fails_at' meant?",
        "overrides.load.load: 'raet' is not known; is 'rate' meant?",
        "overrides.memory must be a dictionary of options, or false to leave the check out",
    } < set(told)


def test_a_profile_needs_an_app_and_an_app_a_place() -> None:
    assert faults(profile="mvp") == ["profile needs app: without it there is nothing to check"]
    assert faults(profile="mvp", app={"ready_path": "/"}) == [
        "app needs url or service: one of them says where it answers"
    ]
    row = {"name": "up", "kind": "tcp", "host": "127.0.0.1", "port": 1}
    assert faults(checks=[row], overrides={"cpu": False}) == ["overrides needs a profile"]


@pytest.mark.parametrize("after", [False, True])
def test_a_load_after_the_shift_is_judged_as_such_and_beside_the_old_release(after: bool) -> None:
    rows, wrong = profile_rows(params(profile="standard", app={**APP, "old_service": "shop-blue"}, after_shift=after))
    assert not wrong
    load = next(row for row in rows if row["kind"] == "load")["load"]
    assert load["after_shift"] is after
    assert (load["compare"]["tunnel"]["namespace"], load["compare"]["tunnel"]["service"]) == ("shop", "shop-blue")
