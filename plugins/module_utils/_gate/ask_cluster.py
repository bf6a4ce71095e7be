# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a cluster's safety: ``pod_security``, ``rights`` and ``capacity``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import NO_DATA, Look, judged, of_way
from ansible_collections.golive.cutover.plugins.module_utils._gate.pod_standard import pod_faults
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.quantities import amount

# What lets an app that was broken into take over more than itself.
DENIED: tuple[Mapping[str, Any], ...] = (
    {"verb": "*", "resource": "*", "group": "*"},
    {"verb": "list", "resource": "secrets"},
    {"verb": "create", "resource": "pods"},
    {"verb": "create", "resource": "pods/exec"},
    {"verb": "patch", "resource": "deployments", "group": "apps"},
    {"verb": "create", "resource": "rolebindings", "group": "rbac.authorization.k8s.io"},
    {"verb": "impersonate", "resource": "users"},
)


def _once(asked: Callable[[Mapping[str, Any], Client], Look]) -> Callable[[Mapping[str, Any], Reach], Look]:
    def ask(check: Mapping[str, Any], reach: Reach) -> Look:
        try:
            return asked(check, reach.client())
        except GoliveError as error:
            return of_way(error)

    return ask


@_once
def ask_pod_security(check: Mapping[str, Any], client: Client) -> Look:
    """Hold the pods' spec of an object against a Pod Security Standard."""
    start = time.monotonic()
    place = check["object"]
    path = client.path_of(place["api_version"], place["kind"], place["namespace"], place["name"])
    found = client.request("GET", path, retry=False, timeout=check["timeout"])
    spec = found["spec"] if place["kind"] == "Pod" else found["spec"]["template"]["spec"]
    faults = pod_faults(spec, check["level"])
    return judged(faults, f"{check['level']}", time.monotonic() - start, check["max_latency"], {"faults": len(faults)})


@_once
def ask_rights(check: Mapping[str, Any], client: Client) -> Look:
    """Ask the server whether a service account may do what it should not; the review is answered, not stored."""
    start = time.monotonic()
    namespace = check["namespace"]
    user = f"system:serviceaccount:{namespace}:{check['service_account']}"
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    faults = []
    for row in check["denied"] or DENIED:
        resource, _slash, sub = row["resource"].partition("/")
        attributes = {
            "namespace": row.get("namespace") or namespace,
            "verb": row["verb"],
            "group": row.get("group") or "",
            "resource": resource,
            "subresource": sub,
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
        }
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        answer = client.request("POST", path, body=review, retry=False, timeout=check["timeout"])
        if answer["status"].get("allowed"):
            faults.append(f"{check['service_account']} may {row['verb']} {row['resource']}")
    asked = len(check["denied"] or DENIED)
    return judged(faults, f"none of {asked} rights", time.monotonic() - start, check["max_latency"], {"asked": asked})


@_once
def ask_capacity(check: Mapping[str, Any], client: Client) -> Look:
    """Room for more pods: what quotas leave, and autoscalers that are not at their end."""
    start = time.monotonic()
    namespace = check["namespace"]
    quotas = client.list(client.path_of("v1", "ResourceQuota", namespace))
    scalers = client.list(client.path_of("autoscaling/v2", "HorizontalPodAutoscaler", namespace))
    seconds = time.monotonic() - start
    if not quotas and not scalers:
        return Look(
            False, f"namespace {namespace} has neither a ResourceQuota nor an autoscaler", seconds, reason=NO_DATA
        )
    faults, worst = [], 0.0
    for quota in quotas:
        status = quota.get("status") or {}
        for resource, hard in (status.get("hard") or {}).items():
            limit, used = (float(amount(text) or 0) for text in (hard, (status.get("used") or {}).get(resource)))
            share = used / limit if limit else float(used > 0)
            worst = max(worst, share)
            if share > check["max"]:
                faults.append(f"quota {quota['metadata']['name']}: {share:.0%} of {resource} is used")
    for scaler in scalers:
        now, most = (scaler.get("status") or {}).get("currentReplicas") or 0, scaler["spec"]["maxReplicas"]
        if now >= most:
            faults.append(f"autoscaler {scaler['metadata']['name']} is at its end of {most} replicas")
    values = {"quotas": len(quotas), "autoscalers": len(scalers), "most_used": round(worst, 3)}
    return judged(faults, f"at most {worst:.0%} of a quota is used", seconds, check["max_latency"], values)
