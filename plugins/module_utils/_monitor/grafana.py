# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dashboard as Grafana reads it: its classic schema, which every version since 8 takes.

The data source is a variable of the dashboard, so that it can be chosen where it is shown. The uid follows from app and
dashboard alone: links stay valid when it is written anew.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboard import (
    NUMBERS,
    Dashboard,
    Mark,
    Panel,
    Query,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboards import DASHBOARDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import Settings
from ansible_collections.golive.cutover.plugins.module_utils._monitor.shown import shown

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Of Grafana 10; older ones are brought up to it, newer ones bring it up themselves.
_SCHEMA = 38
_WIDTH, _HEIGHT = 12, 8


def dashboards(settings: Settings) -> dict[str, dict[str, Any]]:
    """Each dashboard that has a panel, by its name."""
    return {one.name: _board(found, settings) for one in DASHBOARDS if (found := shown(one, settings)).panels}


def _board(board: Dashboard, settings: Settings) -> dict[str, Any]:
    whose = f"{settings.cluster}/{settings.namespace}/{settings.app}/{board.name}"
    return {
        "uid": f"golive-{hashlib.sha256(whose.encode()).hexdigest()[:20]}",
        "title": board.title,
        "description": f"Written by golive.cutover for {settings.app} in namespace {settings.namespace}.",
        "tags": ["golive", settings.app],
        "schemaVersion": _SCHEMA,
        "editable": False,
        "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        # One cross-hair through all panels: what happened at the same time.
        "graphTooltip": 1,
        "templating": {"list": [_data_source()]},
        "annotations": {"list": [_annotation(mark) for mark in board.marks]},
        "panels": [_panel(panel, place, settings) for place, panel in enumerate(board.panels)],
    }


def _data_source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}


def _annotation(mark: Mark) -> dict[str, Any]:
    return {
        "name": mark.name,
        "datasource": _SOURCE,
        "enable": True,
        "iconColor": "red" if mark.name.endswith("alerts") else "blue",
        "expr": mark.expr,
        "step": "60s",
        "titleFormat": mark.text,
    }


def _panel(panel: Panel, place: int, settings: Settings) -> dict[str, Any]:
    unit = panel.queries[0].unit
    targets = [_target(query, number) for number, query in enumerate(panel.queries)]
    overrides = [_override(query, number) for number, query in enumerate(panel.queries) if query.unit != unit]
    links = [{"title": name, "url": f"{settings.runbooks}/{name}.md", "targetBlank": True} for name in panel.alerts]
    defaults: dict[str, Any] = {"unit": unit, "thresholds": _thresholds(panel, settings)}
    options: dict[str, Any] = {"reduceOptions": {"calcs": ["lastNotNull"]}}
    if panel.kind != NUMBERS:
        defaults["custom"] = {"showPoints": "never", "thresholdsStyle": {"mode": "line" if panel.bands else "off"}}
        options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
    return {
        "id": place + 1,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "gridPos": {"x": place % 2 * _WIDTH, "y": place // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "targets": targets,
        "links": links,
        "fieldConfig": {"defaults": defaults, "overrides": overrides},
        "options": options,
    }


def _target(query: Query, number: int) -> dict[str, Any]:
    return {"refId": _ref(number), "datasource": _SOURCE, "expr": query.expr, "legendFormat": query.legend}


def _override(query: Query, number: int) -> dict[str, Any]:
    """Another unit stands on the other side."""
    properties = [{"id": "unit", "value": query.unit}, {"id": "custom.axisPlacement", "value": "right"}]
    return {"matcher": {"id": "byFrameRefID", "options": _ref(number)}, "properties": properties}


def _thresholds(panel: Panel, settings: Settings) -> dict[str, Any]:
    bounds = [settings.bound(name) for name in panel.bands]
    colours = ["green", "orange", "red"] if len(bounds) > 1 else ["green", "red"] if bounds else ["green"]
    if panel.falls:
        bounds, colours = bounds[::-1], colours[::-1]
    steps = [{"color": colour, "value": value} for colour, value in zip(colours, [None, *bounds], strict=True)]
    return {"mode": "absolute", "steps": steps}


def _ref(number: int) -> str:
    return chr(ord("A") + number)
