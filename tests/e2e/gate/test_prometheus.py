# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Prometheus that runs in the cluster: reached by a tunnel, closed to strangers, and never blamed on the release."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import tunnel
from ansible_collections.golive.cutover.plugins.modules import health_gate
from tests.both_ways.harness import PLAYBOOKS, run_both
from tests.e2e.conftest import kubectl
from tests.e2e.gate.test_gate import gate, stopped
from tests.e2e.gate.token_gateway import token_gateway
from tests.e2e.traffic.stand import apply, perform
from tests.images.cli import manifest_path

PASSWORD = "only-for-this-test"
WRONG = "not-the-right-one"
TOKEN = "token-only-for-this-test"
# bcrypt of PASSWORD at cost 4
_HASH = "$2b$04$UZYkJTP7M4lAhUGs5xsZVOmfmJXpzyU24K6GuDrSUm7yI3y6iR3xG"
_LOGIN = "Basic " + base64.b64encode(f"gate:{PASSWORD}".encode()).decode()
_PORT = 9090
# The server counts its own requests, and a scrape a second is one of them.
_COUNTERS = {
    "total": 'prometheus_http_requests_total{handler="/metrics"}',
    "bad": 'prometheus_http_requests_total{handler="/metrics",code=~"5.."}',
    "p0": 0.1,
    "p1": 0.6,
    "effect": 1,
}


def _server(namespace: str) -> list[dict[str, Any]]:
    meta, labels = {"namespace": namespace, "name": "prometheus"}, {"app": "prometheus"}
    scrape = {
        "job_name": "itself",
        "scrape_interval": "1s",
        "basic_auth": {"username": "gate", "password": PASSWORD},
        "static_configs": [{"targets": [f"127.0.0.1:{_PORT}"]}],
    }
    files = {
        "prometheus.yml": json.dumps({"scrape_configs": [scrape]}),
        "web.yml": json.dumps({"basic_auth_users": {"gate": _HASH}}),
    }
    ready = {
        "path": "/-/ready",
        "port": _PORT,
        "httpHeaders": [{"name": "Authorization", "value": _LOGIN}],
    }
    container = {
        "name": "prometheus",
        "image": json.loads(manifest_path().read_text())["prometheus"],
        "args": [
            "--config.file=/etc/prometheus/prometheus.yml",
            "--web.config.file=/etc/prometheus/web.yml",
            "--storage.tsdb.path=/data",
        ],
        "ports": [{"name": "web", "containerPort": _PORT}],
        "readinessProbe": {"httpGet": ready, "periodSeconds": 1},
        "volumeMounts": [{"name": "settings", "mountPath": "/etc/prometheus"}],
    }
    pod = {
        "containers": [container],
        "volumes": [{"name": "settings", "configMap": {"name": "prometheus"}}],
        "terminationGracePeriodSeconds": 1,
    }
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": files},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": [{"name": "web", "port": 80, "targetPort": "web"}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**meta, "name": "nobody"},
            "spec": {"selector": {"app": "nobody"}, "ports": [{"port": 80}]},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": meta,
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        },
    ]


@pytest.fixture(scope="module")
def monitoring(cluster: dict[str, str]) -> Iterator[str]:
    """A namespace with a Prometheus that asks for a password, and the Secrets of those who come to it."""
    name = f"golive-monitoring-{secrets.token_hex(3)}"
    kubectl("create", "namespace", name)
    apply(*_server(name))
    for secret, value in {"right": PASSWORD, "wrong": WRONG, "token": TOKEN}.items():
        kubectl("-n", name, "create", "secret", "generic", secret, f"--from-literal=key={value}")
    kubectl("-n", name, "rollout", "status", "deployment/prometheus", "--timeout=100s")
    # One that has just begun has looked at nothing yet.
    gate(check(name), timeout=60)
    yield name
    kubectl("delete", "namespace", name, "--wait=false", check=False)


def password(secret: str, **more: str) -> dict[str, Any]:
    return {"username": "gate", "password_secret": {"name": secret, "key": "key", **more}}


def check(namespace: str, **options: Any) -> dict[str, Any]:
    """One value of the server in the cluster, asked through the tunnel."""
    base: dict[str, Any] = {"name": "up", "kind": "prometheus", "query": "up", "min": 1, "login": password("right")}
    return {**base, "tunnel": {"namespace": namespace, "service": "prometheus"}, **options}


def counters(namespace: str) -> dict[str, Any]:
    """The share of bad requests of the server itself."""
    return check(namespace, name="errors", query=None, min=None, counters={**_COUNTERS}, scrape_interval=1)


def hidden(text: str) -> bool:
    """Whether no secret is in a text, neither plain nor as it is sent."""
    pairs = [base64.b64encode(f"gate:{word}".encode()).decode() for word in (PASSWORD, WRONG)]
    return not any(word in text for word in (PASSWORD, WRONG, TOKEN, *pairs))


def test_values_and_counters_through_the_tunnel_quartet(monitoring: str) -> None:
    for mode in (True, False, True, False):
        checks = [check(monitoring), counters(monitoring)]
        result = perform(health_gate, {"checks": checks, "interval": 0.2, "timeout": 60}, check_mode=mode)
        assert (result["verdict"], result["changed"]) == ("pass", False), result
        values = {row["name"]: row["last"]["values"] for row in result["checks"]}
        assert values["up"]["value"] == 1
        assert values["errors"]["samples"] >= 4
        assert hidden(json.dumps(result))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"login": password("wrong")}, "status 401"),
        ({"login": {}}, "status 401"),
        ({"login": password("missing")}, "not found"),
        ({"tunnel": {"service": "nobody"}}, "no pod is ready"),
        ({"tunnel": {"service": "prometheus", "port": "81"}}, "has no port 81"),
    ],
)
def test_a_server_that_does_not_answer_says_nothing_about_the_release(
    monitoring: str, options: dict[str, Any], said: str
) -> None:
    way = {"namespace": monitoring, "service": "prometheus", **options.get("tunnel", {})}
    details = stopped(check(monitoring, **{**options, "tunnel": way}), code="gate_inconclusive")
    assert (details["reasons"], details["checks"][0]["passed"]) == (["provider_down"], 0)
    assert said in details["msg"]
    assert hidden(json.dumps(details))


def test_a_release_that_nobody_asks_gets_requests_through_a_tunnel(monitoring: str) -> None:
    selector = 'prometheus_http_requests_total{handler="/-/healthy"%s}'
    unasked = {**_COUNTERS, "total": selector % "", "bad": selector % ',code=~"5.."'}
    way = {"namespace": monitoring, "service": "prometheus"}
    quiet = {**counters(monitoring), "counters": unasked, "tunnel": {**way}}
    # Newer servers count from nought, older ones from the first request.
    assert stopped({**quiet}, code="gate_inconclusive", timeout=4)["reasons"] in (["low_sample"], ["no_data"])
    load = {"tunnel": {**way}, "path": "/-/healthy", "headers": {"Authorization": _LOGIN}}
    result = gate({**quiet, "low_sample": load}, timeout=20)
    assert result["checks"][0]["last"]["values"]["own_load"]["sent"] > 0
    assert hidden(json.dumps(result))


def test_a_token_and_no_secret_in_what_an_operator_sees(monitoring: str, tmp_path: Path) -> None:
    def task(**options: Any) -> dict[str, Any]:
        rules = {"consecutive": 1, "interval": 0.2, "timeout": 1}
        return {"golive.cutover.health_gate": {"checks": [check(monitoring, **options)], **rules}}

    place = {"namespace": monitoring}
    token = {"token_secret": {"name": "token", "key": "key", **place}}
    wrong = {"token_secret": {"name": "wrong", "key": "key", **place}}
    with (
        connected(call_for_tests({})) as client,
        tunnel(client, monitoring, "service/prometheus") as address,
        token_gateway(f"http://127.0.0.1:{address[1]}", _LOGIN, TOKEN) as door,
        token_gateway("", "", "", quotes=True) as parrot,
    ):
        cases = {
            "password": task(),
            "token": task(tunnel=None, url=door, login=token),
            "wrong token": task(tunnel=None, url=door, login=wrong),
            "wrong password": task(login=password("wrong")),
            "quoted token": task(tunnel=None, url=parrot, login=token),
            "quoted password": task(tunnel=None, url=parrot, login=password("right", **place)),
        }
        both = run_both(PLAYBOOKS[-1], cases, tmp_path, "-vvv")
    for ran in both:
        assert hidden(ran.out), ran.out
        assert hidden(json.dumps(ran.events))
        told = {case: (ran.result(case).get("verdict"), ran.result(case).get("msg", "")) for case in cases}
        assert [told[case][0] for case in cases] == ["pass", "pass", *["inconclusive"] * 4], told
        assert "status 401" in told["wrong token"][1]
        assert "nobody is Bearer ****" in told["quoted token"][1]
        assert "nobody is Basic ****" in told["quoted password"][1]
