# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``monitor_page``: dashboards on a page, where no Grafana is."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.files import not_writable, write_whole
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboards import DASHBOARDS
from ansible_collections.golive.cutover.plugins.module_utils._monitor.drawn import (
    Drawn,
    Happened,
    Span,
    draw,
    happened,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.page import page
from ansible_collections.golive.cutover.plugins.module_utils._monitor.settings import Settings, settings_from
from ansible_collections.golive.cutover.plugins.module_utils._monitor.shown import shown
from ansible_collections.golive.cutover.plugins.module_utils._monitor.way import Way
from ansible_collections.golive.cutover.plugins.module_utils._monitor.words import expression, words

_FIRING = 'ALERTS{$app,alertstate="firing",alertname!="Watchdog"}'
_MOST_HOURS = 31 * 24


def monitor_page(call: Call) -> dict[str, Any]:
    """The result of the verb. Raises GoliveError; the page of before stays then."""
    params = call.params
    settings = _settings(call)
    if not 0 < params["hours"] <= _MOST_HOURS:
        raise _refused(f"hours is {params['hours']:g}, not more than 0 and at most {_MOST_HOURS}")
    if params["interval"] < 1:
        raise _refused(f"interval is {params['interval']}, not at least 1")
    end = call.date().timestamp()
    span = Span(end - params["hours"] * 3600, end, params["interval"])
    boards = [shown(one, settings) for one in DASHBOARDS if one.name in params["dashboards"]]
    with ExitStack() as stack:
        client: list[Client] = []

        def reach() -> Client:
            if not client:
                client.append(stack.enter_context(connected(call)))
            return client[0]

        way = Way(params["prometheus"] or {}, reach)
        if not (way.url or params["tunnel"]):
            raise _refused("nothing says where Prometheus is", "Set prometheus.url or tunnel.")
        api = stack.enter_context(way.open(way.path, params["tunnel"]))
        drawn: list[tuple[str, list[Drawn]]] = []
        marks: set[Happened] = set()
        for number, board in enumerate(boards):
            call.progress(f"asking Prometheus for {board.title}", number, len(boards))
            drawn.append((board.title, draw(api, board, span)))
            marks.update(happened(api, board, span))
        firing = expression(_FIRING, words(settings))
        alerts = [row["metric"] for row in api.values(firing, span.end)]
    text = page(settings, drawn, alerts, sorted(marks, key=lambda one: (one.at, one.text)), span)
    if not call.check_mode:
        _write(Path(params["output"]), mask_text(text, call.secrets))
    return {
        "changed": True,
        "page": params["output"],
        "alerts": sorted({one["alertname"] for one in alerts}),
        "panels": [_told(one) for _title, panels in drawn for one in panels],
    }


def _settings(call: Call) -> Settings:
    try:
        return settings_from(call.params["watched"])
    except ValueError as error:
        raise _refused(f"watched: {error}") from error


def _write(place: Path, text: str) -> None:
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(place, text)
    except OSError as error:
        raise not_writable(place.parent, error) from error


def _told(one: Drawn) -> dict[str, Any]:
    empty = [{"query": query.legend, "reason": query.silent or None} for query in one.empty]
    return {"title": one.panel.title, "series": len(one.lines) + one.left_out, "empty": empty}


def _refused(reason: str, hint: str | None = None) -> GoliveError:
    return GoliveError("invalid", f"Drawing the page of a Prometheus was refused: {reason}.", hint)
