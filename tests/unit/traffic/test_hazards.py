# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hazards by name, out of objects as other tools and data planes write them."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import Colour, members_of
from ansible_collections.golive.cutover.plugins.module_utils._traffic.data_plane import read_data_plane
from ansible_collections.golive.cutover.plugins.module_utils._traffic.endpoints import union
from ansible_collections.golive.cutover.plugins.module_utils._traffic.hazards import pod_hazards, service_hazards
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import COLOUR_KEY

PLURALS = {"ConfigMap": "configmaps", "Namespace": "namespaces", "Service": "services"}
FIXED = {f"/api/v1/namespaces/ns/services/shop-{colour}": {"metadata": {}} for colour in ("blue", "green")}


class RecordedClient:
    """Answers GETs with recorded objects; what is not recorded does not exist."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known

    def path_of(self, _version: str, kind: str, namespace: str | None = None, name: str | None = None) -> str:
        place = f"/namespaces/{namespace}" if namespace else ""
        return f"/api/v1{place}/{PLURALS[kind]}/{name}"

    def get_or_none(self, path: str) -> Any:
        return self._known.get(path)

    def text(self, path: str, **_options: Any) -> str:
        raise GoliveError("unreachable", path)


def service(meta: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A live Service."""
    return {"metadata": {"name": "shop", **(meta or {})}, "spec": {"clusterIP": "10.0.0.1", **spec}}


def found(hazards: Any) -> dict[str, str]:
    """Severity by code."""
    return {hazard.code: hazard.severity for hazard in hazards}


@pytest.mark.parametrize(
    ("given", "code", "severity"),
    [
        (service(clusterIP="None"), "headless", "refuse"),
        (service(type="ExternalName", externalName="db.example.org"), "external_name", "refuse"),
        (service(publishNotReadyAddresses=True), "publishes_not_ready", "refuse"),
        (service(sessionAffinity="ClientIP"), "client_affinity", "warn"),
        (service(externalTrafficPolicy="Local"), "traffic_policy_local", "warn"),
        (service(internalTrafficPolicy="Local"), "traffic_policy_local", "warn"),
        (service(type="LoadBalancer"), "pod_load_balancer", "warn"),
        (service({"annotations": {"cloud.google.com/neg": '{"ingress":true}'}}), "pod_load_balancer", "warn"),
        (
            service({"annotations": {"service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip"}}),
            "pod_load_balancer",
            "warn",
        ),
        (
            service({"annotations": {"argocd.argoproj.io/tracking-id": "shop:/Service:ns/shop"}}),
            "managed_by_argocd",
            "refuse",
        ),
        (service({"labels": {"argocd.argoproj.io/instance": "shop"}}), "managed_by_argocd", "refuse"),
        (service({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}), "managed_by_flux", "refuse"),
        (service({"labels": {"helm.toolkit.fluxcd.io/name": "shop"}}), "managed_by_flux", "refuse"),
        (service({"annotations": {"meta.helm.sh/release-name": "shop"}}), "managed_by_helm", "refuse"),
    ],
)
def test_the_service_itself(given: dict[str, Any], code: str, severity: str) -> None:
    assert found(service_hazards(given, ())) == {code: severity}
    assert all(hazard.hint for hazard in service_hazards(given, ()))


def test_an_owner_that_is_known_to_leave_the_selector_alone() -> None:
    given = service({"annotations": {"argocd.argoproj.io/tracking-id": "shop:/Service:ns/shop"}})
    assert service_hazards(given, ("argocd",)) == []


@pytest.mark.parametrize(
    ("manager", "operation", "severity"),
    [
        ("argocd-controller", "Apply", "refuse"),
        ("kustomize-controller", "Apply", "refuse"),
        ("helm", "Update", "refuse"),
        ("kubectl-edit", "Update", "warn"),
        ("golive", "Apply", "refuse"),
        ("golive-traffic", "Update", None),
    ],
)
def test_field_managers_of_the_selector(manager: str, operation: str, severity: str | None) -> None:
    entry = {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": {"f:selector": {}}}}
    wanted = {"selector_owner": severity} if severity else {}
    assert found(service_hazards(service({"managedFields": [entry]}), ())) == wanted


def pod(colour: str, *containers: str, gates: tuple[str, ...] = ()) -> dict[str, Any]:
    """A pod of a colour."""
    return {
        "metadata": {"uid": colour, "name": f"shop-{colour}-1", "labels": {COLOUR_KEY: colour}},
        "spec": {
            "nodeName": "node",
            "containers": [{"name": "app"}],
            "initContainers": [{"name": name, "restartPolicy": "Always"} for name in containers],
            "readinessGates": [{"conditionType": gate} for gate in gates],
        },
        "status": {},
    }


def of_pods(*found_pods: dict[str, Any]) -> dict[str, str]:
    """Hazards of these pods."""
    none = {colour: Colour(colour, f"shop-{colour}", None) for colour in ("blue", "green")}
    return found(pod_hazards(service(), members_of(found_pods, COLOUR_KEY), union([]), none))


@pytest.mark.parametrize("sidecar", ["istio-proxy", "linkerd-proxy", "kuma-sidecar", "consul-dataplane"])
def test_an_injected_sidecar(sidecar: str) -> None:
    assert of_pods(pod("blue", sidecar), pod("green", sidecar)) == {"mesh": "warn"}
    assert of_pods(pod("blue"), pod("green")) == {}


@pytest.mark.parametrize(
    "gate",
    ["target-health.elbv2.k8s.aws/k8s-ns-shop-0123456789", "cloud.google.com/load-balancer-neg-ready"],
)
def test_pods_made_behind_the_preview_lack_the_gate_of_the_balancer(gate: str) -> None:
    assert of_pods(pod("blue", gates=(gate,)), pod("green")) == {"lb_gate_missing": "warn"}
    assert of_pods(pod("blue", gates=(gate,)), pod("green", gates=(gate,))) == {}


CILIUM = {"/api/v1/namespaces/kube-system/configmaps/cilium-config": {"data": {"kube-proxy-replacement": "true"}}}
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/ns/ingresses"
TO_SHOP = {"rules": [{"http": {"paths": [{"backend": {"service": {"name": "shop", "port": {"number": 80}}}}]}}]}


@pytest.mark.parametrize(
    ("known", "hazards"),
    [
        ({}, {}),
        ({**CILIUM, **FIXED}, {"cilium": "warn"}),
        (CILIUM, {"cilium": "refuse"}),
        (
            {INGRESSES: {"items": [{"metadata": {"name": "web"}, "spec": {**TO_SHOP, "ingressClassName": "nginx"}}]}},
            {"ingress": "warn"},
        ),
        (
            {INGRESSES: {"items": [{"metadata": {"name": "web"}, "spec": {**TO_SHOP, "ingressClassName": "alb"}}]}},
            {"pod_load_balancer": "warn"},
        ),
        (
            {
                "/apis/elbv2.k8s.aws/v1beta1/namespaces/ns/targetgroupbindings": {
                    "items": [{"metadata": {"name": "tgb"}, "spec": {"serviceRef": {"name": "shop", "port": 80}}}]
                }
            },
            {"pod_load_balancer": "warn"},
        ),
        (
            {
                "/apis/gateway.networking.k8s.io/v1/namespaces/ns/httproutes": {
                    "items": [{"metadata": {"name": "web"}, "spec": {"rules": [{"backendRefs": [{"name": "shop"}]}]}}]
                }
            },
            {"gateway_route": "warn"},
        ),
    ],
)
def test_what_stands_before_the_pods(known: dict[str, Any], hazards: dict[str, str]) -> None:
    plane = read_data_plane(cast(Client, RecordedClient(known)), "ns", "shop")
    assert found(plane.hazards) == hazards
    assert plane.proxy_mode == ("cilium" if "cilium" in hazards else None)


@pytest.mark.parametrize(
    ("marks", "meshed"),
    [
        ({"labels": {"istio-injection": "enabled"}}, True),
        ({"labels": {"istio-injection": "disabled"}}, False),
        ({"labels": {"istio.io/rev": "canary"}}, True),
        ({"labels": {"istio.io/dataplane-mode": "ambient"}}, True),
        ({"labels": {"istio.io/dataplane-mode": "none"}}, False),
        ({"annotations": {"linkerd.io/inject": "enabled"}}, True),
        ({"labels": {"kuma.io/sidecar-injection": "enabled"}}, True),
        ({"labels": {"team": "shop"}}, False),
    ],
)
def test_a_namespace_in_a_mesh(marks: dict[str, dict[str, str]], meshed: bool) -> None:
    known = {"/api/v1/namespaces/ns": {"metadata": marks}}
    plane = read_data_plane(cast(Client, RecordedClient(known)), "ns", "shop")
    assert found(plane.hazards) == ({"mesh": "warn"} if meshed else {})
