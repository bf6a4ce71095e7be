# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a switch must refuse before it changes anything: foreign owners, false readiness (reference 6), hazards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import traffic_info, traffic_switch
from tests.e2e.conftest import kubectl
from tests.e2e.traffic.stand import COLOUR_KEY, Shop, apply, perform


def refused(shop: Shop, code: str, said: str = "", **options: Any) -> GoliveError:
    """The switch to green must be refused with this code, and the live Service stay as it is."""
    version = shop.service()["metadata"]["resourceVersion"]
    with pytest.raises(GoliveError) as caught:
        perform(traffic_switch, shop.switch_options("green", **{"ready_timeout": 3, **options}))
    assert caught.value.code == code, caught.value
    assert said in str(caught.value)
    assert caught.value.details["returned"] is False
    assert caught.value.details["live"] == shop.live()
    assert shop.service()["metadata"]["resourceVersion"] == version
    return caught.value


@contextmanager
def service_with(shop: Shop, patch: list[dict[str, Any]], undo: list[dict[str, Any]]) -> Iterator[None]:
    """The live Service with a change, and without it again."""
    shop.service_patch(patch)
    try:
        yield
    finally:
        shop.service_patch(undo)


def spec(field: str, value: Any) -> list[dict[str, Any]]:
    """A patch that sets one field of the spec."""
    return [{"op": "add", "path": f"/spec/{field}", "value": value}]


def test_a_colour_that_never_gets_ready(shop: Shop) -> None:
    shop.deploy("blue", replicas=1)
    shop.deploy("green", "3.0.0-neverready", replicas=1, wait=False)
    shop.services()
    assert refused(shop, "not_ready", "0 of 1 ready").details["reasons"]


def test_a_colour_that_was_never_deployed(shop: Shop) -> None:
    shop.deploy("blue", replicas=1)
    shop.services()
    refused(shop, "not_ready", "does not exist")


def test_false_readiness(two: Shop) -> None:
    green = ["-n", two.namespace, "rollout"]
    kubectl(*green, "pause", f"deployment/{two.name}-green")
    refused(two, "not_ready", "paused")
    kubectl(*green, "resume", f"deployment/{two.name}-green")

    two.scale("green", 1)
    refused(two, "not_ready", "1 replicas where the live colour runs 2")
    two.scale("green", 0)
    refused(two, "not_ready", "0 replicas")
    two.scale("green", 2)
    two.rolled_out("green")

    # One of two updated, the old one available: ready by the counters that others read.
    two.deploy("green", "3.0.0-neverready", wait=False)
    refused(two, "not_ready", "1 of 2 updated")
    two.deploy("green", "2.0.0")

    # Ready for three seconds, then it exits: only a soak beyond that sees it.
    two.deploy("green", "3.0.0-crash", wait=False)
    refused(two, "not_ready", soak=6, ready_timeout=10)


def test_a_readiness_gate_that_nobody_opens(shop: Shop) -> None:
    shop.deploy("blue", replicas=1)
    shop.deploy("green", replicas=1, wait=False, readinessGates=[{"conditionType": "example.org/registered"}])
    shop.services()
    refused(shop, "not_ready")


def test_selectors_that_are_not_ours(two: Shop) -> None:
    plain = {**two.shared, COLOUR_KEY: "blue"}
    for selector in ({**plain, "tier": "web"}, {**plain, COLOUR_KEY: "red"}, {COLOUR_KEY: "blue"}):
        with service_with(two, spec("selector", selector), spec("selector", plain)):
            version = two.service()["metadata"]["resourceVersion"]
            with pytest.raises(GoliveError) as caught:
                perform(traffic_switch, two.switch_options("green"))
            assert caught.value.code == "selector_foreign"
            assert "kubectl" in str(caught.value)
            assert two.service()["metadata"]["resourceVersion"] == version
            info = perform(traffic_info, two.options())
            assert (info["state"], info["live"]) == ("FOREIGN", None)
            assert info["reason"]


def test_hazards_of_the_service(two: Shop) -> None:
    for field, value, normal, code in (
        ("publishNotReadyAddresses", True, False, "publishes_not_ready"),
        ("sessionAffinity", "ClientIP", "None", "proof_unavailable"),
    ):
        with service_with(two, spec(field, value), spec(field, normal)):
            refused(two, code, require_proof="probe")
            assert [row["code"] for row in perform(traffic_info, two.options())["hazards"]]


def test_a_headless_service(two: Shop) -> None:
    kubectl("-n", two.namespace, "delete", "service", two.name)
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": two.namespace, "name": two.name},
        "spec": {"clusterIP": "None", "selector": {**two.shared, COLOUR_KEY: "blue"}, "ports": [{"port": 80}]},
    }
    kubectl("create", "-f", "-", stdin=json.dumps(body))
    refused(two, "headless", "clients keep the pods' addresses", require_proof="slice")


@pytest.mark.parametrize(
    ("how", "mark", "code"),
    [
        ("annotate", "argocd.argoproj.io/tracking-id=shop", "managed_by_argocd"),
        ("label", "kustomize.toolkit.fluxcd.io/name=apps", "managed_by_flux"),
        ("annotate", "meta.helm.sh/release-name=shop", "managed_by_helm"),
    ],
)
def test_an_owner_that_may_set_the_selector_back(shop: Shop, how: str, mark: str, code: str) -> None:
    shop.deploy("blue", replicas=1)
    shop.services()
    kubectl("-n", shop.namespace, how, "service", shop.name, mark)
    refused(shop, code, "accept_managers")


def test_a_foreign_slice_is_traffic_too(two: Shop) -> None:
    name = f"{two.name}-foreign"
    apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "namespace": two.namespace,
                "name": name,
                "labels": {"kubernetes.io/service-name": two.name},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["192.0.2.1"]}],
            "ports": [{"name": "http", "port": 8080}],
        }
    )
    refused(two, "foreign_slices", name)
    kubectl("-n", two.namespace, "delete", "endpointslice", name)


def test_a_pod_outside_of_both_colours(two: Shop) -> None:
    name = f"{two.name}-stray"
    container = {"name": "pause", "image": "golive.test/pause:1"}
    meta = {"namespace": two.namespace, "name": name, "labels": two.shared}
    apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}})
    refused(two, "foreign_pods", name)
    kubectl("-n", two.namespace, "delete", "pod", name, "--grace-period=0", "--force")


def test_named_ports_that_differ(shop: Shop) -> None:
    shop.deploy("blue", replicas=1)
    shop.deploy("green", replicas=1, env={"APP_PORT": "8081"})
    shop.services()
    refused(shop, "ports_differ", "blue: 8080, green: 8081")


@pytest.mark.parametrize("manager", ["argocd-controller", "helm"])
def test_another_manager_of_the_selector(two: Shop, manager: str) -> None:
    selector = {**two.shared, COLOUR_KEY: "blue"}
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": two.namespace, "name": two.name},
        "spec": {"selector": selector, "ports": two.service()["spec"]["ports"]},
    }
    kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=json.dumps(body))
    refused(two, "selector_owner", manager)
    perform(traffic_switch, two.switch_options("green", accept_managers=[manager]))
    assert two.live() == "green"


def test_a_user_without_rights(two: Shop) -> None:
    account = f"{two.name}-reader"
    kubectl("-n", two.namespace, "create", "serviceaccount", account)
    kubectl("-n", two.namespace, "create", "rolebinding", account, "--clusterrole=view",
            f"--serviceaccount={two.namespace}:{account}")  # fmt: skip
    token = kubectl("-n", two.namespace, "create", "token", account).strip()
    server = kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    way = {"host": server, "api_key": token, "validate_certs": False}
    error = refused(two, "forbidden", "patch services", require_proof="slice", **way)
    assert error.details["missing_rights"] == ["patch services"]
    assert perform(traffic_info, two.options(**way))["live"] == "blue"


def test_wrong_options_at_once(shop: Shop) -> None:
    with pytest.raises(GoliveError) as caught:
        perform(traffic_switch, shop.options(**{"to": "green", "from": "green", "soak": -1, "proof_timeout": 0}))
    assert caught.value.code == "invalid"
    for said in ("soak must not be negative", "proof_timeout must be greater than 0", "the same colour"):
        assert said in caught.value.message
