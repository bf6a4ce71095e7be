# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The old colour is drained by measurement and shrunk one pod at a time; nothing of that touches live traffic."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.golive.cutover.plugins.modules import traffic_switch
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.audit import writes_during
from tests.e2e.traffic.stand import COLOUR_KEY, Shop, apply, image, perform, served

METRIC = {"replicas": 1, "timeout": 20, "count": "metric", "metric": {"name": "http_requests_in_flight"}}


def settled(shop: Shop, settle: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The result of a switch to green that settles blue."""
    return perform(traffic_switch, shop.switch_options("green", settle=settle), **options)


def replicas(shop: Shop, colour: str) -> int:
    """``spec.replicas`` of a colour."""
    name = f"deployment/{shop.name}-{colour}"
    return int(kubectl("-n", shop.namespace, "get", name, "-o", "jsonpath={.spec.replicas}"))


def test_quartet(two: Shop) -> None:
    two.scale("blue", 3)
    two.scale("green", 3)
    for colour in ("blue", "green"):
        two.rolled_out(colour)

    planned = settled(two, METRIC, check_mode=True)
    assert planned["changed"]
    assert (planned["drain"]["from"], planned["drain"]["to"]) == (3, 1)
    assert replicas(two, "blue") == 3

    done = settled(two, METRIC)
    drain = done["drain"]
    assert drain["trouble"] is None, drain
    assert (drain["from"], drain["to"], drain["counted_by"]) == (3, 1, "metric")
    assert (drain["open_after"], drain["deadline_reached"]) == (0, False)
    assert len(drain["removed"]) == 2
    assert drain["cut"] == {"count": 0, "pods": []}
    assert len(two.pods("blue")) == replicas(two, "blue") == 1
    assert done["downtime_ms"] == 0, done["ledger"]
    # One connection after the other was kept across the switch and the end of the old pods.
    assert done["ledger"]["kept"]["failed"] == {}
    assert done["weights"] == {"blue": 0, "green": 100}
    assert sum(row["ok"].get("green", 0) for row in done["series"]) > 0

    again = settled(two, METRIC, check_mode=True)
    assert not again["changed"]
    with writes_during(two.namespace) as writes:
        again = settled(two, METRIC)
    assert writes == []
    assert not again["changed"]
    assert (again["drain"]["from"], again["drain"]["to"], again["drain"]["removed"]) == (1, 1, [])


def test_a_pod_that_cannot_be_counted_stays(two: Shop) -> None:
    said: list[str] = []
    done = settled(two, {**METRIC, "metric": {"name": "no_such_metric"}}, warn=said.append)
    assert done["live"] == "green"
    assert "no number for no_such_metric" in done["drain"]["trouble"]
    assert done["drain"]["to"] == 2
    assert any("stays at 2 pods" in text for text in said)
    assert len(two.pods("blue")) == 2


def streaming(shop: Shop, colour: str) -> None:
    """One pod that streams an answer as long as it is told to, beside a container that has ``cat``."""
    labels = {**shop.shared, COLOUR_KEY: colour}
    web = {
        "name": "app",
        "image": image("httpbin:2.26.0"),
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "MAX_DURATION", "value": "120s"}, {"name": "SHUTDOWN_TIMEOUT", "value": "1s"}],
        "readinessProbe": {"httpGet": {"path": "/status/200", "port": "http"}, "periodSeconds": 1},
    }
    tools = {"name": "tools", "image": image("postgres:15"), "command": ["sleep", "600"]}
    pod = {
        "containers": [web, tools],
        "terminationGracePeriodSeconds": 3,
        "enableServiceLinks": False,
    }
    apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"namespace": shop.namespace, "name": f"{shop.name}-{colour}"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }
    )


def test_a_stream_of_a_minute_is_told_and_the_idle_pod_goes_first(shop: Shop) -> None:
    streaming(shop, "blue")
    streaming(shop, "green")
    shop.services()
    shop.rolled_out("blue")
    shop.rolled_out("green")
    served(f"{shop.url}/status/200")
    parts = urlsplit(shop.url)
    stream = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=90)
    stream.request("GET", "/drip?duration=60&numbytes=60&delay=0")
    assert stream.getresponse().status == 200

    settle = {
        "replicas": 0,
        "timeout": 3,
        "count": "sockets",
        "sockets": {"container": "tools", "port": 8080},
        "nudge": {"path": "/status/200"},
    }
    options = shop.options(to="green", soak=0.5, require_proof="slice", settle=settle)
    drain = perform(traffic_switch, options)["drain"]
    assert drain["trouble"] is None, drain
    assert (drain["from"], drain["to"], drain["nudged"]) == (2, 0, 2)
    # The kubelet's own probe may be among them for a moment.
    assert drain["open_before"] >= 1
    assert (drain["open_after"], drain["deadline_reached"]) == (1, True)
    assert [row["open"] for row in drain["removed"]] == [0, 1]
    assert drain["cut"]["count"] == 1
    (cut,) = drain["cut"]["pods"]
    assert cut["age_s"] >= 3
    assert json.dumps(cut["peers"]).count("peer") == 1
    stream.close()
