# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The own linter finds each fault it is for, and none in the catalogue."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue import RECORDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboards import DASHBOARDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.render import groups
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import DATABASES, METRICS, settings_from
from ansible_collections.golive.cutover.plugins.module_utils._monitor.shown import shown
from tests.unit.monitor.contract import COUNTERS, GAUGES
from tests.unit.monitor.promql import faults, selectors

NAMES = {record.name for record in RECORDS}
ALL = {
    "app": "shop",
    "standbys": 1,
    "requests_rate": 9,
    "jobs": ["shop"],
    "also": ["certificates", "headers", "cache", "logs", "external_secrets"],
}
RULES = [
    rule
    for database, metrics in itertools.product(DATABASES, METRICS)
    for group in groups(settings_from({**ALL, "database": database, "metrics": metrics}))
    for rule in group["rules"]
]
SCOPE = 'namespace="shop",app="shop"'


def test_the_catalogue_is_clean() -> None:
    found = {rule.get("alert") or rule.get("record"): faults(rule["expr"], NAMES, "alert" in rule) for rule in RULES}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_every_series_of_the_contract_is_read() -> None:
    read = {one.name for rule in RULES for one in selectors(rule["expr"])}
    assert read >= COUNTERS | GAUGES


def test_every_record_is_used_or_shown() -> None:
    boards = [shown(board, settings_from(ALL)) for board in DASHBOARDS]
    drawn = {
        one.name
        for board in boards
        for panel in board.panels
        for query in panel.queries
        for one in selectors(query.expr)
    }
    read = {one.name for rule in RULES for one in selectors(rule["expr"])}
    assert NAMES - read - drawn == set()


@pytest.mark.parametrize(
    ("expr", "word"),
    [
        (f"sum by (cluster, namespace, app) (http_requests_total{{{SCOPE}}}) > 1", "counter without"),
        (f"rate(probe_success{{{SCOPE}}}[5m]) > 1", "no counter"),
        (f"pg_replication_lag{{{SCOPE}}} > 1", "no exporter"),
        ('probe_success{app="shop"} == 0', "any namespace"),
        ('probe_success{namespace="shop"} == 0', "any app"),
        (f"sum(rate(http_requests_total{{{SCOPE}}}[5m])) > 1", "drops the namespace"),
        (f"sum by (app) (rate(http_requests_total{{{SCOPE}}}[5m])) > 1", "routes need"),
        (f"probe_success{{{SCOPE}}}", "compares nothing"),
    ],
)
def test_the_linter_finds(expr: str, word: str) -> None:
    assert any(word in fault for fault in faults(expr, NAMES, alert=True))
