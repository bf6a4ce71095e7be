# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role brings the rules as an object of the Prometheus Operator, keeps them as they are, and takes them away."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.filter.grafana_dashboards import grafana_dashboards
from ansible_collections.golive.cutover.plugins.filter.prometheus_rules import prometheus_rules
from ansible_collections.golive.cutover.plugins.modules import monitor_info
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.stand import apply, perform
from tests.images.cli import manifest_path

# Of what nothing tells in these tests.
UNSEEN = ["backup", "restore_test", "migrations", "cutover", "bloat", "secrets", "schema", "archive"]
HERE = Path(__file__).parent
CRDS = ("prometheusrules.monitoring.coreos.com", "prometheuses.monitoring.coreos.com")
_CHANGED = re.compile(r": ok=\d+\s+changed=(\d+)\s+unreachable=0\s+failed=0")


@pytest.fixture
def kind(cluster: dict[str, str]) -> Iterator[None]:
    """The operator's kinds; those that are there already stay."""
    there = kubectl("get", "crd", *CRDS, "--ignore-not-found", "-o", "name")
    if not there:
        kubectl("apply", "-f", str(HERE / "kinds"))
        kubectl("wait", "--for=condition=Established", *(f"crd/{one}" for one in CRDS), "--timeout=30s")
    yield
    if not there:
        kubectl("delete", "crd", *CRDS, "--wait=false", check=False)


def play(namespace: str, *arguments: str, file: str = "role.yml", **settings: Any) -> subprocess.CompletedProcess[str]:
    """A run of the role for an app named shop."""
    given = {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "app_namespace": namespace,
        "monitoring_mode": "integrate",
        "monitoring_database": "exporter",
        "monitoring_rule_labels": {"release": "stack"},
        "monitoring_prove": False,
        **settings,
    }
    command = ["ansible-playbook", "-i", "shop,", "-c", "local", str(HERE / file), "-e", json.dumps(given), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def changes(done: subprocess.CompletedProcess[str]) -> int:
    found = _CHANGED.search(done.stdout)
    assert found is not None, done.stdout + done.stderr
    return int(found[1])


def found(namespace: str) -> Any:
    text = kubectl("-n", namespace, "get", "prometheusrule", "shop-golive", "--ignore-not-found", "-o", "json")
    return json.loads(text) if text else None


def dashboards(namespace: str, label: str = "grafana_dashboard=1") -> dict[str, Any]:
    """Each dashboard that a sidecar finds by the label, by its name."""
    maps = json.loads(kubectl("-n", namespace, "get", "configmaps", "-l", label, "-o", "json"))["items"]
    files = {name: text for one in maps for name, text in one["data"].items()}
    start = f"{namespace}-shop-"
    return {name.removeprefix(start).removesuffix(".json"): json.loads(text) for name, text in files.items()}


def test_the_rules_arrive_as_the_filter_makes_them_and_go_again(namespace: str, kind: None) -> None:
    planned = play(namespace, "--check", "--diff")
    # The rules, and the dashboards.
    assert changes(planned) == 2
    assert "AppErrorBudgetBurnFast" in planned.stdout
    assert found(namespace) is None

    assert changes(play(namespace)) == 2
    wish = {"app": "shop", "namespace": namespace, "without": UNSEEN}
    made = found(namespace)
    assert made["spec"] == {"groups": prometheus_rules(wish)}
    assert made["metadata"]["labels"]["release"] == "stack"
    boards = dashboards(namespace)
    assert boards == grafana_dashboards({**wish})

    assert changes(play(namespace, "--check")) == 0
    assert changes(play(namespace)) == 0
    assert changes(play(namespace, monitoring_hypercare=True)) == 2
    assert found(namespace)["spec"] == {"groups": prometheus_rules({**wish, "hypercare": True})}

    assert changes(play(namespace, monitoring_hypercare=True, monitoring_dashboards=False)) == 1
    assert dashboards(namespace) == {}
    labels = {"monitoring_dashboard_labels": {"dashboards": "theirs"}}
    assert changes(play(namespace, monitoring_hypercare=True, **labels)) == 1
    assert set(dashboards(namespace, "dashboards=theirs")) == set(boards)

    assert changes(play(namespace, file="remove.yml")) == 2
    assert found(namespace) is None
    assert dashboards(namespace, "dashboards=theirs") == {}
    assert changes(play(namespace, file="remove.yml")) == 0


def server(namespace: str, **spec: Any) -> None:
    """A Prometheus of the operator, by its object."""
    meta = {"namespace": namespace, "name": "main"}
    apply({"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": meta, "spec": spec})


def run_server(namespace: str, rules: list[dict[str, Any]]) -> None:
    """Its pod, which no operator makes here, with these rules."""
    meta = {"namespace": namespace, "name": "prometheus-main-0"}
    itself = {"job_name": "itself", "scrape_interval": "1s", "static_configs": [{"targets": ["127.0.0.1:9090"]}]}
    own = {"rule_files": ["/etc/prometheus/rules.yml"], "scrape_configs": [itself]}
    settings = {"global": {"evaluation_interval": "1s"}, **own}
    container = {
        "name": "prometheus",
        "image": json.loads(manifest_path().read_text())["prometheus"],
        "ports": [{"name": "web", "containerPort": 9090}],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": "web"}, "periodSeconds": 1},
        "volumeMounts": [{"name": "files", "mountPath": "/etc/prometheus"}],
    }
    volume = {"name": "files", "configMap": {"name": "prometheus-main-0"}}
    files = {"prometheus.yml": json.dumps(settings), "rules.yml": json.dumps({"groups": rules})}
    apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": files},
        {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], "volumes": [volume]}},
    )
    kubectl("-n", namespace, "wait", "--for=condition=Ready", "pod/prometheus-main-0", "--timeout=60s")


def test_rules_that_nobody_reads_are_an_error(namespace: str, kind: None) -> None:
    proven = {"monitoring_mode": "auto", "monitoring_prove": True, "monitoring_prove_timeout": 60}
    server(namespace, ruleSelector={"matchLabels": {"release": "theirs"}})
    ignored = play(namespace, **proven)
    assert ignored.returncode == 2
    assert "does not match the labels" in ignored.stdout
    assert "monitoring_rule_labels" in ignored.stdout

    rules = prometheus_rules({"app": "shop", "namespace": namespace, "without": UNSEEN})
    run_server(namespace, rules)
    labels = {"monitoring_rule_labels": {"release": "theirs"}}
    read = play(namespace, **proven, **labels)
    assert changes(read) == 1, read.stdout

    def told(**options: Any) -> tuple[list[str], dict[str, Any]]:
        asked = {"rule": {"namespace": namespace, "name": "shop-golive"}, "groups": rules, **options}
        found = perform(monitor_info, asked)
        return [row["code"] for row in found["findings"]], found

    # A server that is ready knows its targets only some seconds later.
    faults, found = told(targets=[{"job": "itself"}], wait=30)
    assert faults == []
    assert found["servers"] == [{"namespace": namespace, "name": "main", "reads": True, "reason": None}]
    assert {row["rules"] for row in found["groups"]} == {row["loaded"] for row in found["groups"]}
    stricter = prometheus_rules({"app": "shop", "namespace": namespace, "without": UNSEEN, "hypercare": True})
    assert set(told(groups=stricter)[0]) == {"group_differs"}
    assert told(targets=[{"job": "shop"}])[0] == ["target_missing"]
    server(namespace, ruleSelector={}, ruleNamespaceSelector={"matchLabels": {"watched": "yes"}})
    assert told()[0] == ["rule_ignored"]
    kubectl("-n", namespace, "delete", "prometheus.monitoring.coreos.com/main")
    assert told()[0] == ["no_server"]
    # Whoever names a Prometheus needs none of the operator.
    assert told(tunnel={"namespace": namespace, "pod": "prometheus-main-0"})[0] == []
    kubectl("-n", namespace, "delete", "pod", "prometheus-main-0", "--grace-period=1")
    assert told(tunnel={"namespace": namespace, "pod": "prometheus-main-0"})[0] == ["prometheus_down"]


def test_wrong_settings_are_refused_before_anything_changes(namespace: str) -> None:
    done = play(namespace, monitoring_bounds={"cpu_warning": 2, "cpu": 1})
    assert done.returncode == 2
    assert "bounds.cpu is not known" in done.stdout
    receivers = [{"name": "team", "slack_configs": [{"api_url": "https://hooks.example.org/x"}]}]
    done = play(namespace, monitoring_mode="embedded", monitoring_receivers=receivers)
    assert done.returncode == 2
    assert "api_url must be in a Secret" in done.stdout
    assert changes(play(namespace, monitoring_mode="none")) == 0
