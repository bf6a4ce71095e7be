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

from ansible_collections.golive.cutover.plugins.filter.prometheus_rules import prometheus_rules
from tests.e2e.conftest import kubectl

HERE = Path(__file__).parent
CRD = "prometheusrules.monitoring.coreos.com"
_CHANGED = re.compile(r": ok=\d+\s+changed=(\d+)\s+unreachable=0\s+failed=0")


@pytest.fixture
def kind(cluster: dict[str, str]) -> Iterator[None]:
    """The operator's kind; one that is there already stays."""
    there = kubectl("get", "crd", CRD, "--ignore-not-found", "-o", "name")
    if not there:
        kubectl("apply", "-f", str(HERE / "prometheusrule.yml"))
        kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")
    yield
    if not there:
        kubectl("delete", "crd", CRD, "--wait=false", check=False)


def play(namespace: str, *arguments: str, file: str = "role.yml", **settings: Any) -> subprocess.CompletedProcess[str]:
    """A run of the role for an app named shop."""
    given = {
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "app_namespace": namespace,
        "monitoring_mode": "integrate",
        "monitoring_database": "exporter",
        "monitoring_rule_labels": {"release": "stack"},
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


def test_the_rules_arrive_as_the_filter_makes_them_and_go_again(namespace: str, kind: None) -> None:
    planned = play(namespace, "--check", "--diff")
    assert changes(planned) == 1
    assert "AppErrorBudgetBurnFast" in planned.stdout
    assert found(namespace) is None

    assert changes(play(namespace)) == 1
    wish = {"app": "shop", "namespace": namespace, "without": ["backup"]}
    made = found(namespace)
    assert made["spec"] == {"groups": prometheus_rules(wish)}
    assert made["metadata"]["labels"]["release"] == "stack"

    assert changes(play(namespace, "--check")) == 0
    assert changes(play(namespace)) == 0
    assert changes(play(namespace, monitoring_hypercare=True)) == 1
    assert found(namespace)["spec"] == {"groups": prometheus_rules({**wish, "hypercare": True})}

    assert changes(play(namespace, file="remove.yml")) == 1
    assert found(namespace) is None
    assert changes(play(namespace, file="remove.yml")) == 0


def test_wrong_settings_are_refused_before_anything_changes(namespace: str) -> None:
    done = play(namespace, monitoring_bounds={"cpu_warning": 2, "cpu": 1})
    assert done.returncode == 2
    assert "bounds.cpu is not known" in done.stdout
    assert changes(play(namespace, monitoring_mode="none")) == 0
