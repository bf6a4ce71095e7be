# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue as a whole: its numbers, its labels, its two forms, its profiles and its settings."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.filter.exporter_program import GIVEN
from ansible_collections.golive.cutover.plugins.filter.prometheus_rules import prometheus_rules
from ansible_collections.golive.cutover.plugins.module_utils._monitor.bounds import BOUNDS, ORDER, PROFILES
from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue import ALERTS, RECORDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.exporter import UP
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import COMPONENTS
from tests.unit.monitor.promql import selectors

ROLE = Path(__file__).parents[3] / "roles/monitoring"
TEMPLATE = ROLE / "templates/rules.yml.j2"
ALL = {"app": "shop", "standbys": 1, "requests_rate": 9, "jobs": ["a", "b"]}
ALL["also"] = ["certificates", "headers", "cache", "logs", "external_secrets"]


def rules(**wish: Any) -> list[dict[str, Any]]:
    return [rule for group in prometheus_rules({**ALL, **wish}) for rule in group["rules"]]


def alert(name: str, **wish: Any) -> dict[str, Any]:
    return next(rule for rule in rules(**wish) if rule.get("alert") == name)


def test_the_numbers_of_the_catalogue() -> None:
    assert len([record for record in RECORDS if record.id.startswith("R")]) == 42
    severities = {one.name: one.severity for one in ALERTS}
    assert sorted(severities.values()).count("critical") == 21
    assert sorted(severities.values()).count("warning") == 34
    assert len(severities) == 56
    ids = {one.id for one in ALERTS}
    assert ids == {*(f"C{n:02d}" for n in range(22)), *(f"W{n:02d}" for n in range(1, 35))}
    assert len({(one.id, one.name) for one in ALERTS}) == 56


def test_the_rule_file_and_the_object_of_the_role_hold_the_same() -> None:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["to_json"] = json.dumps
    environment.filters["combine"] = lambda one, other: {**one, **other}
    text = environment.from_string(TEMPLATE.read_text()).render(
        monitoring_app="shop",
        monitoring_rule_labels={"release": "stack"},
        __monitoring_rule_object="shop-golive",
        __monitoring_groups=prometheus_rules(ALL),
    )
    made = yaml.safe_load(text)
    assert made["spec"] == yaml.safe_load(yaml.safe_dump({"groups": prometheus_rules(ALL)}))
    assert made["kind"] == "PrometheusRule"
    assert made["metadata"]["labels"]["release"] == "stack"


def test_two_apps_never_share_a_group_or_a_series() -> None:
    one, other = prometheus_rules(ALL), prometheus_rules({**ALL, "app": "search", "namespace": "shop"})
    assert not {group["name"] for group in one} & {group["name"] for group in other}
    assert 'app="shop"' not in json.dumps(other)


def test_every_alert_carries_what_routes_and_people_need() -> None:
    for rule in rules():
        if "alert" not in rule:
            continue
        assert {"severity", "namespace", "app"} <= set(rule["labels"])
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        assert rule["annotations"]["runbook_url"].endswith(f"/{rule['alert']}.md")
        for text in rule["annotations"].values():
            # Receivers read «word: text» as YAML.
            assert ": " not in text
            assert not re.search(r"\$(?!labels\.|value)", text), text
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert "$" not in rule["expr"].replace('"$1"', "")


def test_alerts_of_a_database_name_it() -> None:
    for rule in rules():
        if rule.get("alert", "").startswith(("Postgres", "Backup", "RestoreTest")):
            assert rule["labels"]["pgcluster"] == "shop-postgres", rule["alert"]


def test_a_cluster_label_is_on_both_sides_or_on_none() -> None:
    without, named = json.dumps(rules()), rules(cluster="eu")
    assert not re.search(r"\bcluster=", without)
    assert '"cluster":' not in without
    expected = [rule for rule in named if rule.get("record", "").startswith("golive_expected")]
    assert len(expected) == 5
    assert all(rule["labels"]["cluster"] == "eu" for rule in expected)
    for rule in named:
        assert rule["expr"].count('namespace="shop"') == rule["expr"].count('cluster="eu",namespace="shop"')


def test_what_is_not_there_has_no_rule() -> None:
    text = json.dumps(prometheus_rules({"app": "shop", "database": "none", "metrics": "none"}))
    assert not re.search(r"pg_|pg:|http_|certmanager|redis|vector_|externalsecret|golive_expected", text)
    assert "AppUnreachable" in text
    without = json.dumps(prometheus_rules({"app": "shop", "without": ["backup", "self"]}))
    assert "BackupMissing" not in without
    assert "AlertDeliveryFailing" not in without
    assert "PostgresPrimaryMissing" in without


def test_profiles_and_hypercare_change_bounds_and_waiting() -> None:
    standard, mvp, enterprise = (
        alert("AppErrorBudgetBurnFast", profile=profile) for profile in ("standard", "mvp", "enterprise")
    )
    assert "14.4 * 0.005" in standard["expr"]
    assert "14.4 * 0.01 and" in mvp["expr"]
    assert "14.4 * 0.001" in enterprise["expr"]
    assert "14.4 * 0.001" in alert("AppErrorBudgetBurnFast", hypercare=True)["expr"]
    assert [alert("AppMemoryHigh", profile=profile)["for"] for profile in PROFILES] == ["1800s", "900s", "900s"]
    assert alert("AppMemoryHigh", hypercare=True)["for"] == "450s"
    assert alert("AppUnreachable", profile="mvp")["for"] == "60s"
    assert alert("AppUnreachable", hypercare=True)["for"] == "30s"
    for name in ("AppTrafficDropped", "PostgresLongTransaction", "PostgresLockWaits"):
        assert alert(name)["labels"]["severity"] == "warning"
        assert alert(name, hypercare=True)["labels"]["severity"] == "critical"


@pytest.mark.parametrize("profile", PROFILES)
def test_hypercare_is_never_laxer(profile: str) -> None:
    for name, bound in BOUNDS.items():
        usual, strict = bound.of(profile, hypercare=False), bound.of(profile, hypercare=True)
        assert strict >= usual if bound.more else strict <= usual, name
    for hypercare in (False, True):
        for low, high in ORDER:
            assert BOUNDS[low].of(profile, hypercare) < BOUNDS[high].of(profile, hypercare), (low, high)


def test_every_bound_is_used() -> None:
    from ansible_collections.golive.cutover.plugins.module_utils._monitor import objective

    text = " ".join([one.expr + one.cnpg for one in (*RECORDS, *ALERTS)]) + repr(objective.OBJECTIVES)
    assert not [name for name in BOUNDS if not re.search(rf"\${name}\b", text)]


def test_critical_alerts_that_detect_in_time_wait_less_than_five_minutes() -> None:
    # What is measured by its threshold in hours, or by a symptom that lasts, may wait longer.
    slow = {
        "AppCpuCritical",
        "AppMemoryCritical",
        "PostgresWraparoundImminent",
        "CertificateExpiryCritical",
        "CriticalUnresolved",
    }
    waiting = {
        rule["alert"]: int(rule.get("for", "0s")[:-1])
        for rule in rules()
        if "alert" in rule and rule["labels"]["severity"] == "critical"
    }
    assert {name for name, seconds in waiting.items() if seconds > 120} == slow


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"app": "Shop!"}, "app must be"),
        ({}, "app must be"),
        ({"app": "shop", "profil": "mvp"}, "profil is not known"),
        ({"app": "shop", "profile": "gold"}, "profile must be one of mvp, standard, enterprise"),
        ({"app": "shop", "database": "mysql"}, "database must be one of"),
        ({"app": "shop", "metrics": "statsd"}, "metrics must be one of"),
        ({"app": "shop", "also": ["backups"]}, "component backups is not known"),
        ({"app": "shop", "jobs": "shop"}, "jobs must be a list"),
        ({"app": "shop", "bounds": {"cpu": 1}}, "bounds.cpu is not known"),
        ({"app": "shop", "bounds": {"cpu_warning": "much"}}, "bounds.cpu_warning must be a number"),
        ({"app": "shop", "bounds": {"cpu_warning": 0.95}}, "bounds.cpu_warning must be lower than bounds.cpu_critical"),
        ({"app": "shop", "standbys": -1}, "standbys must be a number"),
        ({"app": "shop", "namespace": 'x"}'}, "namespace must be a name"),
        ({"app": "shop", "cluster": 'a"b'}, "cluster must be"),
        ({"app": "shop", "claims": 'a"b'}, "claims must be"),
    ],
)
def test_a_wrong_setting_is_told(wish: dict[str, Any], told: str) -> None:
    with pytest.raises(AnsibleFilterError, match=told):
        prometheus_rules(wish)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(AnsibleFilterError, match=r"profile must.*database must.*standbys must"):
        prometheus_rules({"app": "shop", "profile": "x", "database": "x", "standbys": -1})


def test_each_of_our_own_series_is_served() -> None:
    read = {one.name for rule in rules() for one in selectors(rule["expr"])}
    ours = {name for name in read if name.startswith("golive_") and not name.startswith("golive_expected_")}
    assert ours == {UP}.union(*(source.series for one in GIVEN for source in one.SOURCES))


@pytest.mark.parametrize(
    ("settings", "unseen"),
    [
        ({"postgres_mode": "embedded", "backup_repositories": [{}]}, set()),
        ({"postgres_mode": "embedded"}, {"backup", "restore_test", "archive"}),
        ({"postgres_mode": "external"}, {"backup", "restore_test", "archive", "secrets"}),
        (
            {"postgres_mode": "embedded", "backup_repositories": [{}], "monitoring_exporter_image": ""},
            {"schema", "bloat", "migrations", "cutover", "backup", "restore_test", "secrets"},
        ),
    ],
)
def test_what_nobody_tells_has_no_rule(settings: dict[str, Any], unseen: set[str]) -> None:
    known = {"monitoring_mode": "embedded", "monitoring_exporter_image": "x", "monitoring_app": "shop", **settings}
    given = ["-e", f"@{ROLE}/vars/main.yml", "-e", json.dumps(known)]
    command = ["ansible", "localhost", "-i", "localhost,", "-c", "local", *given, "-m", "ansible.builtin.debug"]
    told = subprocess.run([*command, "-a", "var=__monitoring_unseen"], capture_output=True, text=True, check=True)
    assert set(json.loads(told.stdout[told.stdout.index("{") :])["__monitoring_unseen"]) == unseen


def test_components_are_those_that_rules_need() -> None:
    needed = {one.needs for one in (*RECORDS, *ALERTS)}
    assert needed - {"always", "standby", "jobs", "requests_rate"} == set(COMPONENTS)
