# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboards: complete, of known series alone, with units, bounds and runbooks, and as Grafana reads them."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.golive.cutover.plugins.filter.grafana_dashboards import grafana_dashboards
from ansible_collections.golive.cutover.plugins.module_utils._monitor.bounds import BOUNDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue import NAMES as ALERT_NAMES
from ansible_collections.golive.cutover.plugins.module_utils._monitor.catalogue import RECORDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboards import DASHBOARDS, MAIN
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import COMPONENTS, DATABASES, METRICS
from tests.unit.monitor.contract import COUNTERS, GAUGES, SHOWN_COUNTERS, SHOWN_GAUGES
from tests.unit.monitor.promql import faults_of_series, selectors
from tests.unit.monitor.test_rules import ALL

KNOWN = COUNTERS | GAUGES | SHOWN_COUNTERS | SHOWN_GAUGES | {record.name for record in RECORDS}
# Grafana's own limit.
MOST_OF_A_UID = 40
EVERY_WISH = [
    {**ALL, "database": database, "metrics": metrics} for database, metrics in itertools.product(DATABASES, METRICS)
]


def expressions(board: dict[str, Any]) -> list[str]:
    """All that Prometheus is asked for a dashboard, as it is asked."""
    drawn = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    marked = [one["expr"] for one in board["annotations"]["list"]]
    return [text.replace("$__rate_interval", "5m") for text in drawn + marked]


@pytest.mark.parametrize("wish", EVERY_WISH, ids=lambda wish: f"{wish['database']}-{wish['metrics']}")
def test_every_query_reads_known_series_of_this_app_alone(wish: dict[str, Any]) -> None:
    found = [
        (expr, faults)
        for board in grafana_dashboards(wish).values()
        for expr in expressions(board)
        if (faults := faults_of_series(expr, KNOWN, COUNTERS | SHOWN_COUNTERS))
        or "$" in re.sub(r"\$(1|\{1\})", "", expr)
        or expr.count("(") != expr.count(")")
    ]
    assert found == []


def test_every_series_that_is_only_shown_is_shown() -> None:
    read = {
        one.name for board in grafana_dashboards(ALL).values() for expr in expressions(board) for one in selectors(expr)
    }
    assert read >= SHOWN_COUNTERS | SHOWN_GAUGES


def test_the_main_one_has_its_eight_panels() -> None:
    assert len(MAIN.panels) == 8
    assert len(grafana_dashboards(ALL)["main"]["panels"]) == 8
    assert set(grafana_dashboards(ALL)) == {"main", "postgres", "cut-over", "self-check"}


@pytest.mark.parametrize("wish", EVERY_WISH, ids=lambda wish: f"{wish['database']}-{wish['metrics']}")
def test_grafana_can_read_them(wish: dict[str, Any]) -> None:
    boards = grafana_dashboards(wish)
    assert json.loads(json.dumps(boards)) == boards
    uids = [board["uid"] for board in boards.values()]
    assert len(set(uids)) == len(uids)
    for board in boards.values():
        assert len(board["uid"]) <= MOST_OF_A_UID
        (variable,) = board["templating"]["list"]
        assert (variable["name"], variable["type"]) == ("datasource", "datasource")
        ids = [panel["id"] for panel in board["panels"]]
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
        assert len(set(ids)) == len(set(places)) == len(ids) > 0
        for panel in board["panels"]:
            assert panel["type"] in ("stat", "timeseries")
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["title"]
            assert panel["description"].endswith(".")
            references = [target["refId"] for target in panel["targets"]]
            assert len(set(references)) == len(references) > 0
            for target in panel["targets"]:
                assert target["legendFormat"]
                # One data source that is chosen where it is shown.
                assert target["datasource"]["uid"] == "${datasource}"
            steps = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
            assert steps[0] is None
            assert steps[1:] == sorted(steps[1:])


def test_what_a_panel_names_is_there() -> None:
    for board in DASHBOARDS:
        titles = [panel.title for panel in board.panels]
        assert len(set(titles)) == len(titles)
        for panel in board.panels:
            assert set(panel.alerts) <= set(ALERT_NAMES), panel.title
            assert set(panel.bands) <= set(BOUNDS), panel.title
            for query in panel.queries:
                assert query.needs in {*COMPONENTS, "always", "standby", "jobs"}, query.expr
                # A name of a label is taken from the series, which must still have it.
                for label in re.findall(r"\{\{(\w+)\}\}", query.legend):
                    grouped = re.search(r"\bby \(([^)]*)\)", query.expr)
                    assert not grouped or label in grouped[1].split(", "), query.expr
    urls = [link["url"] for panel in grafana_dashboards(ALL)["main"]["panels"] for link in panel["links"]]
    assert all(url.startswith("https://") and url.endswith(".md") for url in urls)


def test_bounds_are_those_of_the_profile() -> None:
    def steps(**wish: Any) -> list[Any]:
        panels = grafana_dashboards({**ALL, **wish})["main"]["panels"]
        (panel,) = (one for one in panels if one["title"] == "Share of errors")
        return [(one["color"], one["value"]) for one in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]

    assert steps() == [("green", None), ("orange", 0.005), ("red", 0.01)]
    assert steps(bounds={"error_critical": 0.2})[-1] == ("red", 0.2)
    volume = next(one for one in grafana_dashboards(ALL)["postgres"]["panels"] if one["title"] == "Free on the volume")
    colours = [step["color"] for step in volume["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert colours == ["red", "orange", "green"]


def test_two_apps_and_two_clusters_never_share_a_dashboard() -> None:
    made = [
        board["uid"]
        for wish in ({}, {"app": "search", "namespace": "shop"}, {"cluster": "eu"})
        for board in grafana_dashboards({**ALL, **wish}).values()
    ]
    assert len(set(made)) == len(made)


def test_what_is_not_there_has_no_panel() -> None:
    bare = {"app": "shop", "database": "none", "metrics": "none", "without": ["kubernetes"]}
    text = json.dumps(grafana_dashboards(bare))
    assert not re.search(r"pg_|pg:|http_|kube_|certmanager", text)
    assert [panel["title"] for panel in grafana_dashboards(bare)["main"]["panels"]] == [
        "Availability and error budget",
        "Changes and alerts",
    ]
    assert "postgres" not in grafana_dashboards(bare)


def test_wrong_settings_are_named() -> None:
    with pytest.raises(AnsibleFilterError, match="profile must be one of"):
        grafana_dashboards({"app": "shop", "profile": "x"})
