# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What about a Service and its data plane makes a switch unsafe or hard to prove; reference sections 1 and 2.3, R0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._traffic.colours import Colour, Members
from ansible_collections.golive.cutover.plugins.module_utils._traffic.endpoints import Endpoints
from ansible_collections.golive.cutover.plugins.module_utils._traffic.service_driver import MANAGER

REFUSE = "refuse"
WARN = "warn"

# People and one-time creators: they do not write the selector again by themselves.
_ONCE = (
    "golive",
    "before-first-apply",
    "kubectl",
    "kubectl-create",
    "kubectl-edit",
    "kubectl-patch",
    "kubectl-replace",
    "kubectl-expose",
)
_OWNERS = (
    ("argocd", "annotations", "argocd.argoproj.io/tracking-id", "ignoreDifferences with RespectIgnoreDifferences=true"),
    ("argocd", "labels", "argocd.argoproj.io/instance", "ignoreDifferences with RespectIgnoreDifferences=true"),
    ("flux", "labels", "kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/ssa: IfNotPresent"),
    ("flux", "labels", "helm.toolkit.fluxcd.io/name", "driftDetection ignore rules"),
    ("helm", "annotations", "meta.helm.sh/release-name", "taking this object out of the chart"),
)
_POD_LBS = (
    "cloud.google.com/neg",
    "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type",
    "service.beta.kubernetes.io/aws-load-balancer-type",
    "loadbalancer.openstack.org/class",
)
_LB_GATES = ("target-health.elbv2.k8s.aws/", "target-health.alb.ingress.k8s.aws/", "cloud.google.com/")
_SIDECARS = {"istio-proxy": "Istio", "linkerd-proxy": "Linkerd", "kuma-sidecar": "Kuma", "consul-dataplane": "Consul"}


@dataclass(frozen=True)
class Hazard:
    """One finding; ``severity`` is refuse or warn."""

    code: str
    severity: str
    message: str
    hint: str

    def as_dict(self) -> dict[str, str]:
        """As a result carries it."""
        return {"code": self.code, "severity": self.severity, "message": self.message, "hint": self.hint}


def service_hazards(service: Mapping[str, Any], accepted: Iterable[str]) -> list[Hazard]:
    """What the live Service itself says. ``accepted`` are field managers and owners that leave the selector alone."""
    spec = service.get("spec") or {}
    name = service["metadata"]["name"]
    found = []
    if spec.get("type") == "ExternalName":
        found.append(_refuse("external_name", f"Service {name} is an alias for {spec.get('externalName')}.", _NORMAL))
    elif spec.get("clusterIP") == "None":
        found.append(_refuse("headless", f"Service {name} is headless: clients keep the pods' addresses.", _NORMAL))
    if spec.get("publishNotReadyAddresses"):
        text = f"Service {name} publishes pods that are not ready."
        found.append(_refuse("publishes_not_ready", text, "Remove publishNotReadyAddresses."))
    if spec.get("sessionAffinity") == "ClientIP":
        text = f"Service {name} keeps clients on their pod (sessionAffinity ClientIP)."
        found.append(_warn("client_affinity", text, "Proof by probes is not possible; some clients stay on the old."))
    if "Local" in (spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")):
        text = f"Service {name} sends traffic only to pods of the same node (traffic policy Local)."
        found.append(_warn("traffic_policy_local", text, "Run the new colour on every node that serves the old one."))
    annotations = service["metadata"].get("annotations") or {}
    direct = [key for key in _POD_LBS if key in annotations]
    if direct or spec.get("type") == "LoadBalancer":
        text = f"A load balancer may address the pods of Service {name} directly" + (
            f" ({', '.join(direct)})." if direct else " (type LoadBalancer)."
        )
        found.append(_warn("pod_load_balancer", text, "Give a probe with its public address, and keep overlap on."))
    return found + owner_hazards(service, "Service", "selector", accepted)


_NORMAL = "Use a Service with a cluster address."


def owner_hazards(obj: Mapping[str, Any], kind: str, field: str, accepted: Iterable[str]) -> list[Hazard]:
    """Who else writes ``spec.<field>``, which a switch writes, or may set it back; ``accepted`` are known not to."""
    meta = obj["metadata"]
    known = frozenset(accepted)
    found = []
    for entry in meta.get("managedFields") or []:
        manager = str(entry.get("manager") or "")
        owns = f"f:{field}" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        if not owns or manager == MANAGER or manager in known:
            continue
        text = f"The {field} of {kind} {meta['name']} belongs to field manager {manager} ({entry.get('operation')})."
        if manager in _ONCE and entry.get("operation") == "Update":
            found.append(_warn(f"{field}_owner", text, "The first switch takes the field over."))
        else:
            hint = f"Take spec.{field} out of what {manager} applies, then list it in accept_managers."
            found.append(_refuse(f"{field}_owner", text, hint))
    for owner, place, key, way in _OWNERS:
        if key in (meta.get(place) or {}) and owner not in known:
            text = f"{kind} {meta['name']} is managed by {owner} ({key}), which may set its {field} back."
            found.append(_refuse(f"managed_by_{owner}", text, f"Exclude spec.{field} by {way}; then accept_managers."))
    return found


def pod_hazards(
    service: Mapping[str, Any], members: Members, endpoints: Endpoints, colours: Mapping[str, Colour]
) -> list[Hazard]:
    """What the pods, slices and Deployments behind the live Service say."""
    name = service["metadata"]["name"]
    found = []
    if endpoints.foreign:
        text = f"EndpointSlices of Service {name} that Kubernetes did not write: {', '.join(endpoints.foreign)}."
        found.append(_refuse("foreign_slices", text, "Delete them: the data plane uses them beside the real ones."))
    if members.strangers:
        text = f"Without the colour, Service {name} would also select: {', '.join(members.strangers[:5])}."
        found.append(_refuse("foreign_pods", text, "Change the labels of these pods, or switch with overlap: false."))
    text = _port_difference(service, colours)
    if text:
        found.append(_refuse("ports_differ", text, "Use the same port number under the same name in both colours."))
    boxes = members.containers.union(*(_containers(colour) for colour in colours.values()))
    meshes = sorted({_SIDECARS[box] for box in boxes if box in _SIDECARS})
    if meshes:
        text = f"The pods have a sidecar of {', '.join(meshes)}: its proxies learn of a switch on their own."
        found.append(_warn("mesh", text, "Give a probe that goes through the mesh."))
    return found + _gate_hazards(name, members)


def _gate_hazards(name: str, members: Members) -> list[Hazard]:
    """Gates of load balancers are injected when a pod is made, for the Services that select it then."""
    found = []
    for colour, gates in members.gates.items():
        other_colour = next((known for known in members.gates if known != colour), colour)
        lacking = [gate for gate in members.gates[other_colour] - gates if gate.startswith(_LB_GATES)]
        if lacking and members.every[colour]:
            text = f"Pods of {colour} lack the readiness gate {lacking[0]} that the other colour's have."
            hint = (
                f"They get ready before the load balancer of Service {name} knows them: give a probe with its address."
            )
            found.append(_warn("lb_gate_missing", text, hint))
    return found


def _port_difference(service: Mapping[str, Any], colours: Mapping[str, Colour]) -> str:
    for port in (service.get("spec") or {}).get("ports") or []:
        target = port.get("targetPort")
        if not isinstance(target, str):
            continue
        numbers = {
            name: _named_ports(colour).get(target) for name, colour in colours.items() if colour.deployment is not None
        }
        if len(set(numbers.values())) > 1:
            shown = ", ".join(f"{name}: {number or 'none'}" for name, number in sorted(numbers.items()))
            return f"The port named {target} is not the same in both colours ({shown})."
    return ""


def _template(colour: Colour) -> Mapping[str, Any]:
    deployment = colour.deployment or {}
    return ((deployment.get("spec") or {}).get("template") or {}).get("spec") or {}


def _named_ports(colour: Colour) -> dict[str, int]:
    boxes = _template(colour).get("containers") or []
    return {port["name"]: port["containerPort"] for box in boxes for port in box.get("ports") or [] if port.get("name")}


def _containers(colour: Colour) -> list[str]:
    spec = _template(colour)
    return [box["name"] for key in ("containers", "initContainers") for box in spec.get(key) or []]


def _refuse(code: str, message: str, hint: str) -> Hazard:
    return Hazard(code, REFUSE, message, hint)


def _warn(code: str, message: str, hint: str) -> Hazard:
    return Hazard(code, WARN, message, hint)
