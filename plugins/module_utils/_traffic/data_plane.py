# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries the traffic: kube-proxy, Cilium, meshes, Gateway routes. Reads that are not allowed say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._traffic.hazards import REFUSE, WARN, Hazard
from ansible_collections.golive.cutover.plugins.module_utils._traffic.route import COLOURS

_ROUTES = "gateway.networking.k8s.io/v1"
_GROUPS = "elbv2.k8s.aws/v1beta1"
_PROXY_S = 3.0
_CLOUD_CLASSES = ("alb", "gce", "gce-internal")
# What puts the pods of a namespace into a mesh, with the values that do not.
_MESHES: Mapping[str, tuple[str, ...]] = {
    "istio-injection": ("", "disabled"),
    "istio.io/rev": ("",),
    "istio.io/dataplane-mode": ("", "none"),
    "linkerd.io/inject": ("", "disabled"),
    "kuma.io/sidecar-injection": ("", "disabled"),
}


@dataclass(frozen=True)
class DataPlane:
    """``proxy_mode`` is kube-proxy's (iptables, ipvs, nftables), cilium, or None when it cannot be read."""

    proxy_mode: str | None
    hazards: tuple[Hazard, ...]


def read_data_plane(client: Client, namespace: str, service: str) -> DataPlane:
    """Look for what else may stand between a client and the pods of a Service."""
    cilium = _quiet(client, client.path_of("v1", "ConfigMap", "kube-system", "cilium-config"))
    replaced = str((cilium.get("data") or {}).get("kube-proxy-replacement", "")) in ("true", "strict")
    space = _quiet(client, client.path_of("v1", "Namespace", None, namespace))
    found = []
    if replaced:
        found.append(_cilium(client, namespace, service))
    mesh = _mesh(space.get("metadata") or {})
    if mesh:
        text = f"Namespace {namespace} is part of a mesh ({mesh}): its proxies learn of a switch on their own."
        found.append(Hazard("mesh", WARN, text, "Give a probe that goes through the mesh."))
    found += _ingresses(_quiet(client, f"/apis/networking.k8s.io/v1/namespaces/{namespace}/ingresses"), service)
    routes = _names(_quiet(client, f"/apis/{_ROUTES}/namespaces/{namespace}/httproutes"), service)
    if routes:
        text = f"Gateway routes send to Service {service} ({', '.join(routes)}); gateways learn of a switch themselves."
        found.append(Hazard("gateway_route", WARN, text, "Give a probe that goes through the gateway."))
    if _names(_quiet(client, f"/apis/{_GROUPS}/namespaces/{namespace}/targetgroupbindings"), service):
        text = f"A TargetGroupBinding puts the pods of Service {service} into a load balancer."
        found.append(Hazard("pod_load_balancer", WARN, text, "Give a probe with its public address."))
    return DataPlane("cilium" if replaced else proxy_mode(client), tuple(found))


def _cilium(client: Client, namespace: str, service: str) -> Hazard:
    """Without kube-proxy, live connections break when the last Service drops a backend (cilium/cilium#23761)."""
    text = "Cilium carries the traffic instead of kube-proxy."
    names = [f"{service}-{colour}" for colour in COLOURS]
    missing = [name for name in names if not _quiet(client, client.path_of("v1", "Service", namespace, name))]
    if missing:
        hint = "Create them: they keep the old colour's connections alive when it leaves the live Service."
        return Hazard("cilium", REFUSE, f"{text} The fixed Services {', '.join(missing)} are missing.", hint)
    return Hazard("cilium", WARN, text, "Keep the colour Services; give a probe, kube-proxy proves nothing.")


def _mesh(space: Mapping[str, Any]) -> str:
    """The label or annotation that puts the pods of a namespace into a mesh."""
    marks = {**(space.get("annotations") or {}), **(space.get("labels") or {})}
    return next((f"{key}={marks[key]}" for key, off in _MESHES.items() if marks.get(key, "") not in off), "")


def _ingresses(found: Mapping[str, Any], service: str) -> list[Hazard]:
    """Ingresses that send to the Service; those of clouds address pods, and detach before they attach."""
    hazards = []
    for row in found.get("items") or []:
        if not _refers(row.get("spec") or {}, service):
            continue
        name = row["metadata"]["name"]
        marks = row["metadata"].get("annotations") or {}
        kind = str((row.get("spec") or {}).get("ingressClassName") or marks.get("kubernetes.io/ingress.class") or "")
        if kind in _CLOUD_CLASSES or any(key.startswith("alb.ingress.kubernetes.io/") for key in marks):
            text = f"Ingress {name} puts the pods of Service {service} into a load balancer."
            hazards.append(Hazard("pod_load_balancer", WARN, text, "Give a probe with its public address."))
        else:
            text = f"Ingress {name} sends to Service {service}; its controller learns of a switch itself."
            hazards.append(Hazard("ingress", WARN, text, "Give a probe that goes through it."))
    return hazards


def proxy_mode(client: Client) -> str | None:
    """The mode that kube-proxy of the first node reports, else the one in its ConfigMap."""
    nodes = _quiet(client, "/api/v1/nodes").get("items") or []
    for node in nodes[:1]:
        try:
            path = f"/api/v1/nodes/{node['metadata']['name']}:10249/proxy/proxyMode"
            return client.text(path, retry=False, timeout=_PROXY_S).strip() or None
        except GoliveError:
            break
    settings = _quiet(client, client.path_of("v1", "ConfigMap", "kube-system", "kube-proxy")).get("data") or {}
    for line in str(settings.get("config.conf", "")).splitlines():
        if line.startswith("mode:"):
            return line.removeprefix("mode:").strip().strip('"') or "iptables"
    return None


def _quiet(client: Client, path: str) -> dict[str, Any]:
    try:
        return client.get_or_none(path) or {}
    except GoliveError as error:
        if error.code == "forbidden":
            return {}
        raise


def _names(found: Mapping[str, Any], service: str) -> list[str]:
    return [row["metadata"]["name"] for row in found.get("items") or [] if _refers(row.get("spec") or {}, service)]


def _refers(value: Any, service: str) -> bool:
    if isinstance(value, Mapping):
        return value.get("name") == service or any(_refers(item, service) for item in value.values())
    return isinstance(value, list) and any(_refers(item, service) for item in value)
