# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of rules for one app, as a rule file and as an object for the Prometheus Operator. Both hold the same groups.

The result is for Prometheus 2.42 and newer: it has nothing that only version 3 knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._monitor.bounds import hold_seconds
from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue import THEMES, Theme
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import CRITICAL, WARNING, Alert, Record
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import Settings
from ansible_collections.golive.cutover.plugins.module_utils._monitor.words import expression, plain_text, words

Rule = dict[str, Any]
# Components whose alerts are of the database, so that they carry its name for inhibition.
_OF_DATABASE = ("postgres", "standby", "volumes", "exporter_login")


def groups(settings: Settings) -> list[dict[str, Any]]:
    """The groups with at least one rule, in the order of the catalogue."""
    return [group for theme in THEMES if (group := _group(theme, settings))["rules"]]


def rule_object(name: str, namespace: str, labels: Mapping[str, str], found: list[dict[str, Any]]) -> dict[str, Any]:
    """The groups as an object that the Prometheus Operator reads where its selector matches the labels."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {"groups": found},
    }


def _group(theme: Theme, settings: Settings) -> dict[str, Any]:
    there, known = settings.components(), words(settings)
    rules: list[Rule] = []
    for record in theme.records:
        if record.needs in there:
            rules += _recorded(record, settings, known)
    rules += [_alerted(alert, settings, known) for alert in theme.alerts if alert.needs in there]
    every = {"interval": f"{theme.interval}s"} if theme.interval else {}
    return {"name": f"golive-{settings.app}-{theme.name}", **every, "rules": rules}


def _recorded(record: Record, settings: Settings, known: Mapping[str, str]) -> list[Rule]:
    text = record.cnpg if record.cnpg and settings.database == "cnpg" else record.expr
    rule: Rule = {"record": record.name, "expr": expression(text, known)}
    if record.adds:
        # What the app expects carries the same labels as what is scraped, no more and no less.
        scope = {name: getattr(settings, name) for name in record.adds}
        if "namespace" in scope and settings.cluster:
            scope["cluster"] = settings.cluster
        rule["labels"] = scope
    if record.needs == "jobs":
        return [{**rule, "labels": {**rule["labels"], "job": job}} for job in settings.jobs]
    return [rule]


def _alerted(alert: Alert, settings: Settings, known: Mapping[str, str]) -> Rule:
    severity = CRITICAL if alert.grave and settings.hypercare and alert.severity == WARNING else alert.severity
    hold = hold_seconds(alert.hold, severity == CRITICAL, settings.profile, settings.hypercare)
    text = alert.cnpg if alert.cnpg and settings.database == "cnpg" else alert.expr
    # Every alert carries a namespace: routes of the operator drop those without.
    labels = {"severity": severity, "namespace": settings.namespace, "app": settings.app}
    if alert.needs in _OF_DATABASE or "pg:" in text or "$pg" in text:
        labels["pgcluster"] = settings.pgcluster
    if alert.fault:
        labels["fault"] = alert.fault
    rule: Rule = {"alert": alert.name, "expr": expression(text, known)}
    if hold:
        rule["for"] = f"{hold}s"
    if alert.keep:
        rule["keep_firing_for"] = f"{alert.keep}s"
    rule["labels"] = labels
    rule["annotations"] = {
        "summary": plain_text(alert.summary, settings),
        "description": plain_text(alert.description, settings),
        "runbook_url": f"{settings.runbooks}/{alert.name}.md",
    }
    return rule
