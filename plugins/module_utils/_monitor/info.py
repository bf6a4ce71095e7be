# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``monitor_info``: whether the rules that were sent are loaded, and what is scraped."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._monitor.prometheus_api import PrometheusApi
from ansible_collections.golive.cutover.plugins.module_utils._monitor.proof import (
    Finding,
    finding,
    judge_groups,
    judge_targets,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule_readers import (
    Server,
    operator_there,
    servers,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.way import Way

_EVERY_S = 1.0
_LABELS = "Set the labels that it asks for on the rules: monitoring_rule_labels of the role monitoring."
# What a tunnel raises while a pod restarts, and what may answer a moment later.
_PASSING = ("no_ready_pod", "not_found", "port_closed", "tunnel_broken", "unreachable", "prometheus_down", "timeout")


def monitor_info(call: Call) -> dict[str, Any]:
    """The result of the verb. What is wrong is a finding; raises GoliveError when the cluster cannot be asked."""
    with ExitStack() as stack:
        return _Look(call, stack).result()


class _Look:
    def __init__(self, call: Call, stack: ExitStack) -> None:
        self._call = call
        self._stack = stack
        self._found_client: Client | None = None
        self._way_to = Way(call.params["prometheus"] or {}, self._client)

    def result(self) -> dict[str, Any]:
        """Look until nothing is wrong, nothing can get better, or the time is over."""
        start, wait = self._call.now(), self._call.params["wait"]
        while True:
            expired = self._call.now() - start >= wait
            told, final = self._seen()
            if told["ok"] or final or expired or self._call.check_mode:
                return {"changed": False, **told, "seconds": round(self._call.now() - start, 3)}
            self._call.progress(f"monitoring: {told['findings'][0]['message']}")
            self._call.pause(min(_EVERY_S, max(0.0, start + wait - self._call.now())))

    def _seen(self) -> tuple[dict[str, Any], bool]:
        """What is there, and whether waiting changes nothing."""
        told: dict[str, Any] = {"operator": operator_there(self._client()), "servers": [], "groups": [], "targets": []}
        readers, findings = self._readers(told)
        final = bool(findings)
        way = self._way(readers)
        if not final and way is not None and (self._call.params["groups"] or self._call.params["targets"]):
            try:
                with self._way_to.open(*way) as api:
                    findings += self._asked(api, told)
            except GoliveError as error:
                if error.code not in _PASSING:
                    raise
                findings.append(finding("prometheus", "prometheus_down", error.message, error.hint))
        return {"ok": not findings, "findings": findings, **told}, final

    def _readers(self, told: dict[str, Any]) -> tuple[list[Server], list[Finding]]:
        rule = self._call.params["rule"]
        if not rule:
            return [], []
        if not told["operator"]:
            message = "The cluster does not know PrometheusRule: nothing reads rules of that kind."
            hint = "Install the operator, or choose another mode."
            return [], [finding("operator", "operator_absent", message, hint)]
        found = servers(self._client(), rule)
        told["servers"] = [one.told() for one in found]
        readers = [one for one in found if not one.reason]
        if readers or not found:
            return readers, [] if readers or self._named() else [_no_server()]
        reasons = "; ".join(f"{one.name} in namespace {one.namespace}: {one.reason}" for one in found)
        message = f"No Prometheus reads the rules {rule['name']} of namespace {rule['namespace']}: {reasons}."
        return [], [finding("operator", "rule_ignored", message, _LABELS)]

    def _named(self) -> bool:
        return bool(self._way_to.url or self._call.params["tunnel"])

    def _way(self, readers: list[Server]) -> tuple[str, Mapping[str, Any] | None] | None:
        """Path and tunnel: those that are set, or the way to the first server that reads the rule."""
        if self._named():
            return self._way_to.path, self._call.params["tunnel"]
        return (readers[0].prefix, readers[0].tunnel) if readers else None

    def _asked(self, api: PrometheusApi, told: dict[str, Any]) -> list[Finding]:
        told["groups"], faults = judge_groups(self._call.params["groups"] or [], api.groups(), api.formatted)
        told["targets"], others = judge_targets(self._call.params["targets"] or [], api.targets())
        return faults + others

    def _client(self) -> Client:
        if self._found_client is None:
            self._found_client = self._stack.enter_context(connected(self._call))
        return self._found_client


def _no_server() -> Finding:
    return finding(
        "operator",
        "no_server",
        "The operator has no Prometheus, so that nobody can be asked whether the rules are loaded.",
        "Name the Prometheus that reads the rules: monitoring_prometheus of the role monitoring.",
    )
