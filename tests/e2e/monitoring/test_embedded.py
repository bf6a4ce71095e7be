# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Prometheus of the app's own on the real cluster: loaded, up, and its alerts arrive and are resolved."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ansible_collections.golive.cutover.plugins.filter.exporter_program import GIVEN
from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboards import DASHBOARDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import settings_from
from ansible_collections.golive.cutover.plugins.module_utils._monitor.shown import shown
from ansible_collections.golive.cutover.plugins.modules import monitor_info
from tests.e2e.conftest import kubectl
from tests.e2e.flow.stage import Stage, audit_mark, changes
from tests.e2e.monitoring.receiver import Message, messages
from tests.e2e.traffic.stand import perform, until

JOBS = {"prometheus", "alertmanager", "app", "probe", "postgres", "postgres-port"}
JOBS |= {"kube-state", "kubelet", "kubelet-volumes", "golive"}
# Nobody has drilled, and its tables are too small for an estimate.
NOTHING_YET = {"golive_restore_test_last_success_timestamp_seconds", "golive_pg_bloat_ratio", "golive_pg_bloat_bytes"}
HERE = Path(__file__).parent
PODS = "golive.cutover/monitoring-of=notes"


def ask(watched: Stage, path: str) -> Any:
    """What Prometheus answers, by the cluster's own client."""
    name = f"/api/v1/namespaces/{watched.namespace}/services/notes-prometheus:9090/proxy/api/v1/{path}"
    return json.loads(kubectl("get", "--raw", name))["data"]


def value(watched: Stage, query: str) -> float | None:
    found = ask(watched, f"query?query={query}")["result"]
    return float(found[0]["value"][1]) if found else None


def test_every_target_is_up_and_every_rule_works(watched: Stage) -> None:
    targets = ask(watched, "targets?state=active")["activeTargets"]
    assert {one["labels"]["job"] for one in targets} == JOBS
    assert {one["health"] for one in targets} == {"up"}
    groups = ask(watched, "rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len([rule for rule in rules if rule["type"] == "alerting"]) > 40
    # What looks back for a month comes round every few minutes.
    often = [rule for group in groups if group["interval"] <= 60 for rule in group["rules"]]
    assert {rule["health"] for rule in often} == {"ok"}
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
    records = {"app:memory:limit_ratio", "pg:volume_free:ratio", "pg:connections:ratio"}
    records |= {
        name for given in GIVEN for source in given.SOURCES for name in source.series if name not in NOTHING_YET
    }

    def missing() -> set[str]:
        found = ask(watched, "label/__name__/values")
        return records - set(found)

    # The kubelet renews what it knows of a volume once a minute.
    until(lambda: not missing(), 90, "the records")
    assert value(watched, "pg:primaries:count") == 1
    assert value(watched, "min(pg_scrape_collector_success)") == 1
    until(lambda: value(watched, "min(golive_exporter_query_up)") == 1, 60, "an answer to each query")
    assert value(watched, "count(golive_exporter_query_up)") == 9
    # What the repository itself says of the backup before the first migration.
    pod = ("exec", "notes-postgres-0", "-c", "backup-server", "--")
    told = json.loads(kubectl("-n", watched.namespace, *pod, "pgbackrest", "--output=json", "info"))
    newest = max(one["timestamp"]["stop"] for one in told[0]["backup"])
    assert value(watched, "golive_backup_last_success_timestamp_seconds") == newest


def test_every_query_of_every_dashboard_has_data(watched: Stage) -> None:
    found = kubectl("-n", watched.namespace, "get", "configmaps", "-l", "grafana_dashboard=1", "-o", "json")
    boards = [json.loads(text) for one in json.loads(found)["items"] for text in one["data"].values()]
    assert len(boards) == len(DASHBOARDS)
    drawn = {target["expr"] for board in boards for panel in board["panels"] for target in panel["targets"]}
    wish = {"app": "notes", "namespace": watched.namespace}
    shown_here = [shown(board, settings_from(wish)) for board in DASHBOARDS]
    silent = {query.expr: query.silent for board in shown_here for panel in board.panels for query in panel.queries}
    assert len(drawn) > 40
    assert len([expr for expr in drawn if silent.get(expr)]) <= 9

    def empty() -> set[str]:
        # Probes of the kubelet do not count as requests.
        kubectl("get", "--raw", f"/api/v1/namespaces/{watched.namespace}/services/notes:http/proxy/notes")
        asked = {expr: quote(expr.replace("$__rate_interval", "30s")) for expr in drawn if not silent.get(expr)}
        return {expr for expr, text in asked.items() if not ask(watched, f"query?query={text}")["result"]}

    with suppress(AssertionError):
        until(lambda: not empty(), 120, "data for every query")
    assert empty() == set()
    # A mark is there only when something happens, but Prometheus must understand it.
    for mark in (one for board in boards for one in board["annotations"]["list"]):
        ask(watched, f"query?query={quote(mark['expr'])}")


def test_the_role_draws_the_same_on_a_page(watched: Stage) -> None:
    place = watched.folder / "page.html"
    drawn = watched.play(str(HERE / "page.yml"), monitoring_page_output=str(place), monitoring_page_hours=0.5)
    assert (drawn.code, drawn.changed) == (0, 1), drawn.output
    text = place.read_text()
    # Lines of the app, its database and the monitoring itself.
    for name in ("pods that serve", "notes committed", "postgres-port", "notes-blue"):
        assert f">{name} <b>" in text, name


def test_nothing_of_it_is_privileged(watched: Stage) -> None:
    pods = json.loads(kubectl("-n", watched.namespace, "get", "pods", "-l", PODS, "-o", "json"))["items"]
    assert len(pods) == 6
    for pod in pods:
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
    account = f"system:serviceaccount:{watched.namespace}:notes-prometheus"

    def may(*what: str) -> str:
        return kubectl("auth", "can-i", *what, "--as", account, check=False).split()[-1]

    assert may("get", "nodes", "--subresource=metrics") == "yes"
    assert may("get", "nodes", "--subresource=proxy") == "no"
    assert may("get", "secrets", "-n", watched.namespace) == "no"
    assert may("create", "pods", "-n", watched.namespace) == "no"


def test_a_second_run_changes_nothing(cluster: dict[str, str], watched: Stage) -> None:
    mark = audit_mark(cluster)
    again = watched.play("site.yml", "--tags", "monitoring")
    assert (again.code, again.changed) == (0, 0), again.output
    planned = watched.play("site.yml", "--tags", "monitoring", "--check", "--diff")
    assert (planned.code, planned.changed) == (0, 0), planned.output
    assert changes(mark, watched.namespace) == []


def test_the_alert_of_a_stopped_database_arrives_and_is_resolved(watched: Stage) -> None:
    kubectl("-n", watched.namespace, "scale", "statefulset/notes-postgres", "--replicas=0")

    def came(status: str) -> Message | None:
        wanted = ("PostgresInstanceDown", status)
        return next((one for one in messages(watched.namespace) if (one.name, one.status) == wanted), None)

    try:
        down = until(lambda: came("firing"), 150, "the alert")
    finally:
        kubectl("-n", watched.namespace, "scale", "statefulset/notes-postgres", "--replicas=1")
    assert down.path == "/team"
    assert down.labels["instance"] == f"notes-postgres.{watched.namespace}.svc:5432"
    assert down.labels["severity"] == "critical"
    until(lambda: came("resolved"), 180, "the end of the alert")
    assert {one.path for one in messages(watched.namespace) if one.name == "Watchdog"} == {"/heartbeat"}


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        (("alertname=Watchdog", "severity=none"), "heartbeat"),
        (("alertname=AppUnreachable", "severity=critical"), "team"),
        (("alertname=CriticalUnresolved", "severity=critical"), "second,team"),
        (("alertname=PostgresBloat", "severity=warning"), "team"),
        (("alertname=SomebodyElses",), "team"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0].partition("=")[2],
)
def test_who_gets_what(watched: Stage, labels: tuple[str, ...], receivers: str) -> None:
    pod = ("exec", "notes-alertmanager-0", "--", "/usr/bin/amtool", "config", "routes", "test")
    file = "--config.file=/etc/alertmanager/alertmanager.yml"
    assert kubectl("-n", watched.namespace, *pod, file, *labels).strip() == receivers


@pytest.mark.series
def test_warnings_wait_for_the_end_of_a_muted_time_and_what_is_critical_does_not(watched: Stage) -> None:
    always = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
    muted = watched.play("site.yml", "--tags", "monitoring", monitoring_muted=always)
    assert muted.code == 0, muted.output
    amtool = ("exec", "notes-alertmanager-0", "--", "/usr/bin/amtool", "--alertmanager.url=http://localhost:9093")

    def begin(name: str, severity: str) -> None:
        raised = ("alert", "add", name, f"severity={severity}", "app=notes", f"namespace={watched.namespace}")
        kubectl("-n", watched.namespace, *amtool, *raised)

    def came(name: str) -> bool:
        return any((one.name, one.path, one.status) == (name, "/team", "firing") for one in messages(watched.namespace))

    begin("Disquiet", "warning")
    begin("Outage", "critical")
    until(lambda: came("Outage"), 60, "what is critical")
    # Two more groups wait as long as theirs did.
    begin("Uproar", "critical")
    until(lambda: came("Uproar"), 90, "what is critical and came later")
    assert not came("Disquiet")
    heard = watched.play("site.yml", "--tags", "monitoring")
    assert heard.code == 0, heard.output
    begin("Disquiet", "warning")
    until(lambda: came("Disquiet"), 120, "the warning that waited")


@pytest.mark.series
def test_a_release_goes_on_while_all_of_it_restarts_and_nothing_is_forgotten(watched: Stage) -> None:
    pods = kubectl("-n", watched.namespace, "get", "pods", "-l", PODS, "-o", "name").split()
    assert {"pod/notes-prometheus-0", "pod/notes-alertmanager-0"} < set(pods)

    def restart() -> None:
        kubectl("-n", watched.namespace, "delete", "--wait=false", *pods)

    known = float(
        until(lambda: ask(watched, "query?query=up{job=%22golive%22}")["result"], 60, "a sample")[0]["value"][0]
    )
    play = watched.play_and("release.yml", "Stage | ", restart, app_version="2.0.0", migrate_target="0002")
    assert play.code == 0, play.output
    until(
        lambda: {one["health"] for one in ask(watched, "targets?state=active")["activeTargets"]} == {"up"},
        150,
        "every target",
    )
    # What it knew before is on its volume.
    assert ask(watched, f"query?query=up{{job=%22golive%22}}&time={known:.0f}")["result"]
    until(lambda: value(watched, "count(ALERTS{alertname=%22Watchdog%22})") == 1, 60, "the Watchdog")
    since = time.time()

    def beats() -> bool:
        return any(one.at >= since and one.path == "/heartbeat" for one in messages(watched.namespace))

    until(beats, 150, "the next heartbeat")


def test_the_verb_tells_the_same_each_time(watched: Stage) -> None:
    way = {"tunnel": {"namespace": watched.namespace, "service": "notes-prometheus"}}
    asked = {**way, "targets": [{"job": "app"}, {"job": "other"}]}
    for check in (True, False, True, False):
        told = perform(monitor_info, asked, check_mode=check)
        assert (told["changed"], told["ok"]) == (False, False)
        assert [row["code"] for row in told["findings"]] == ["target_missing"]
        assert told["targets"] == [{"job": "app", "up": 1, "targets": 1}, {"job": "other", "up": 0, "targets": 0}]


def test_the_exporter_takes_a_new_password_over(watched: Stage) -> None:
    rotated = watched.play("rotate.yml")
    assert rotated.code == 0, rotated.output
    until(lambda: value(watched, "pg_up") == 1, 60, "the exporter with its new login")


def test_teardown_leaves_nothing_of_it(watched: Stage) -> None:
    gone = watched.play("teardown.yml", teardown_confirm="notes")
    assert gone.code == 0, gone.output
    kinds = "statefulsets,deployments,services,configmaps,serviceaccounts,roles,rolebindings,networkpolicies,pvc"
    name = f"golive-{watched.namespace}-notes-prometheus"
    left = ("-n", watched.namespace, "get", kinds, "-l", PODS, "-o", "name")
    until(lambda: not kubectl(*left), 60, "the end of the monitoring")
    assert name not in kubectl("get", "clusterrole,clusterrolebinding", "-o", "name")
