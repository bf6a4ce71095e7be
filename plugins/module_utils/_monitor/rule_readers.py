# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Prometheus Operator: whether it is there, and which of its servers read a given rule object.

A server reads a PrometheusRule when ``ruleSelector`` matches the object's labels and ``ruleNamespaceSelector`` those of
its namespace (API reference of monitoring.coreos.com/v1): without the first none, without the second those of its own
namespace alone. An object that no server reads is ignored without a word.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client

API = "monitoring.coreos.com/v1"
_PORT = 9090


@dataclass(frozen=True)
class Server:
    """A Prometheus of the operator; ``reason`` tells why it does not read the rule, empty when it does."""

    namespace: str
    name: str
    reason: str
    prefix: str

    @property
    def tunnel(self) -> dict[str, Any]:
        """The way to its first pod, as the option of that name."""
        return {"namespace": self.namespace, "pod": f"prometheus-{self.name}-0", "service": None, "port": str(_PORT)}

    def told(self) -> dict[str, Any]:
        """As the verb returns it."""
        return {"namespace": self.namespace, "name": self.name, "reads": not self.reason, "reason": self.reason or None}


def operator_there(client: Client) -> bool:
    """Whether the cluster serves the kind of rules."""
    return client.known(API, "PrometheusRule") is not None


def servers(client: Client, rule: Mapping[str, Any]) -> list[Server]:
    """Every Prometheus, with what it makes of the rule object. Raises GoliveError ``forbidden``.

    ``rule`` names it by ``namespace`` and ``name``; GoliveError ``not_found`` when it is not there.
    """
    labels = _labels(client.get(client.path_of(API, "PrometheusRule", rule["namespace"], rule["name"])))
    if client.known(API, "Prometheus") is None:
        return []
    found = client.list(client.path_of(API, "Prometheus"))
    around = _labels(client.get(client.path_of("v1", "Namespace", None, rule["namespace"]))) if found else {}
    return [_server(one, rule["namespace"], labels, around) for one in found]


def _server(one: Mapping[str, Any], namespace: str, labels: Mapping[str, str], around: Mapping[str, str]) -> Server:
    meta, spec = one["metadata"], one.get("spec") or {}
    reason = ""
    if spec.get("ruleSelector") is None:
        reason = "it has no ruleSelector, so that it reads no rules"
    elif not matches(spec["ruleSelector"], labels):
        reason = f"its ruleSelector {json.dumps(spec['ruleSelector'])} does not match the labels {json.dumps(labels)}"
    elif spec.get("ruleNamespaceSelector") is None and meta["namespace"] != namespace:
        reason = "it has no ruleNamespaceSelector, so that it reads rules of its own namespace alone"
    elif not matches(spec.get("ruleNamespaceSelector") or {}, around):
        selector = json.dumps(spec["ruleNamespaceSelector"])
        reason = f"its ruleNamespaceSelector {selector} does not match the labels of namespace {namespace}"
    return Server(meta["namespace"], meta["name"], reason, str(spec.get("routePrefix") or ""))


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector of Kubernetes matches; an empty one matches everything."""
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_meets(rule, labels) for rule in selector.get("matchExpressions") or [])


def _meets(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = rule["key"], rule.get("values") or []
    if rule["operator"] == "In":
        return labels.get(key) in values
    if rule["operator"] == "NotIn":
        return labels.get(key) not in values
    if rule["operator"] == "Exists":
        return key in labels
    if rule["operator"] == "DoesNotExist":
        return key not in labels
    raise GoliveError("invalid", f"Reading the selector of a Prometheus failed: {rule['operator']} is not known.")


def _labels(obj: Mapping[str, Any]) -> dict[str, str]:
    return dict(obj["metadata"].get("labels") or {})
