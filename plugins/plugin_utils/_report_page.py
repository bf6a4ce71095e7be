# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole report as one HTML page that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.figures import clock, duration
from ansible_collections.golive.cutover.plugins.module_utils._core.html import Html, document, el, join
from ansible_collections.golive.cutover.plugins.module_utils._core.style import STYLE
from ansible_collections.golive.cutover.plugins.plugin_utils._report import FAILED, INTERRUPTED, by_host
from ansible_collections.golive.cutover.plugins.plugin_utils._report_app import (
    approvals,
    gates,
    messages,
    migrations,
    switches,
    tiles,
)
from ansible_collections.golive.cutover.plugins.plugin_utils._report_charts import Traffic, phase_chart, traffic_chart
from ansible_collections.golive.cutover.plugins.plugin_utils._report_html import badge, fold, table
from ansible_collections.golive.cutover.plugins.plugin_utils._report_traffic import moments_of, traffic_of, traffic_rows

OPEN_HOSTS = 6
DRAWN_HOSTS = 24
SLOWEST = 40
MOST_FAILED = 100
_BAD = ("failed", "unreachable", "ignored")


def page(report: Mapping[str, Any], json_name: str) -> str:
    """The page; ``report`` is what ``Report.data`` gives, ``json_name`` the name of the file beside it."""
    hosts = _hosts(report)
    evidence = by_host(report["evidence"])
    body = el(
        "main",
        _head(report, hosts),
        _side_by_side(report, evidence) if len(hosts) > 1 else None,
        *(_app(report, host, evidence.get(host, []), number, len(hosts)) for number, host in enumerate(hosts)),
        _tasks(report),
        _facts(report),
        el("footer", "The same as data, for programs: ", el("code", json_name), ". Written by golive.cutover."),
    )
    return document(f"{_name(report)} {_listed(hosts)}: {_outcome(report)[0]}", STYLE, body)


def _head(report: Mapping[str, Any], hosts: list[str]) -> Html:
    word, kind = _outcome(report)
    limit = f", limited to {report['limit']}" if report.get("limit") else ""
    return el(
        "header",
        el("div", el("h1", f"{_name(report).capitalize()} of {_listed(hosts)}"), badge(word, kind), class_="head"),
        el(
            "p",
            f"{_when(report)} · took {duration(report['seconds'])} · by {report.get('user', '?')} on "
            f"{report.get('controller', '?')} · inventory {', '.join(report.get('inventory') or []) or '–'}{limit}",
            class_="soft",
        ),
        _interrupted(report) if report["outcome"] == INTERRUPTED else None,
    )


def _interrupted(report: Mapping[str, Any]) -> Html:
    lines = [
        el("li", f"{one['host']}: {one['task']} ({one['phase'] or 'other tasks'}), since {clock(one['began_s'])}")
        for one in report["running"]
    ]
    return el(
        "div",
        el(
            "p",
            "The run was ended from outside. What follows is what it had done until then. Run the same command again.",
        ),
        el("p", "At work at that moment:") if lines else None,
        el("ul", *lines) if lines else None,
        class_="card",
    )


def _app(
    report: Mapping[str, Any], host: str, evidence: list[Mapping[str, Any]], number: int, of_all: int
) -> Html | None:
    phases = [one for one in report["phases"] if one["host"] == host and (one["tasks"] or one["skipped"])]
    if number >= DRAWN_HOSTS or not (phases or evidence):
        return None
    moments = moments_of(evidence)
    seconds = report["seconds"]
    parts = [
        tiles(report, host),
        approvals(evidence),
        el(
            "figure",
            phase_chart(phases, seconds, moments, f"Phases of {host} over time"),
            fold("as a table", _phase_table(phases)),
        )
        if phases
        else None,
        None if of_all > 1 else _traffic(report, evidence),
        gates(evidence),
        switches(evidence),
        migrations(evidence),
        messages(evidence),
    ]
    if number >= OPEN_HOSTS:
        return fold(host, *parts)
    return el("section", el("h2", host) if of_all > 1 else None, *parts)


def _traffic(report: Mapping[str, Any], evidence: list[Mapping[str, Any]]) -> Html | None:
    """Live traffic, and folded what gates asked of the preview."""
    drawn = [_drawing(one, one.title, wide=True) for one in traffic_of(evidence, _start(report)) if not one.preview]
    folded = [
        el("div", fold(one.title, traffic_chart(one, wide=True), fold("as a table", traffic_rows(one))), class_="card")
        for one in traffic_of(evidence, _start(report))
        if one.preview
    ]
    return join(*drawn, *folded) if drawn or folded else None


def _side_by_side(report: Mapping[str, Any], evidence: Mapping[str, list[Mapping[str, Any]]]) -> Html | None:
    """Live traffic of several apps as drawings of one kind."""
    drawn = [
        _drawing(one, f"Live traffic of {host}", wide=False)
        for host, of_host in list(evidence.items())[:DRAWN_HOSTS]
        for one in traffic_of(of_host, _start(report))
        if not one.preview
    ]
    return el("div", *drawn, class_="grid2") if drawn else None


def _drawing(traffic: Traffic, title: str, wide: bool) -> Html:
    return el("figure", el("h3", title), traffic_chart(traffic, wide), fold("as a table", traffic_rows(traffic)))


def _start(report: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(report["started"]).timestamp()


def _phase_table(phases: list[Mapping[str, Any]]) -> Html:
    rows = [
        [
            *(one["phase"] or "other tasks", clock(one["spans"][0][0]), duration(one["seconds"]), one["tasks"]),
            *(one["changed"], one["skipped"], one["failed"], one["code"] or ""),
        ]
        for one in phases
    ]
    return table(["phase", "began", "took", "tasks", "changed", "skipped", "failed", "cause"], rows)


def _tasks(report: Mapping[str, Any]) -> Html:
    tasks = report["tasks"]
    bad = [one for one in tasks if one["status"] in _BAD]
    slow = sorted((one for one in tasks if one["seconds"] >= 0.5), key=lambda one: -one["seconds"])[:SLOWEST]
    total = len(tasks) + report["tasks_left_out"]
    left = f" The file of data holds {len(tasks):,} of them." if report["tasks_left_out"] else ""
    rest = f", the first {MOST_FAILED} of {len(bad)}" if len(bad) > MOST_FAILED else ""
    return join(
        el("h2", "Tasks"),
        el("p", f"{total:,} tasks ran.{left}", class_="soft"),
        el("div", _task_table(bad[:MOST_FAILED], f"Failed{rest}"), class_="card") if bad else None,
        el("div", fold(f"The slowest {len(slow)}", _task_table(slow, "Tasks of half a second and more")), class_="card")
        if slow
        else None,
    )


def _task_table(tasks: list[Mapping[str, Any]], caption: str) -> Html:
    rows = [
        [
            *(clock(one["started_s"]), one["host"], one["phase"], one["task"], duration(one["seconds"]), one["status"]),
            " ".join(filter(None, [one.get("code"), one.get("message")])),
        ]
        for one in tasks
    ]
    return table(["at", "host", "phase", "task", "took", "status", "message"], rows, caption)


def _facts(report: Mapping[str, Any]) -> Html:
    awx = report.get("awx") or {}
    rows = {
        "playbook": report.get("playbook"),
        "began": _when(report),
        "user": report.get("user"),
        "controller": report.get("controller"),
        "AWX": ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in awx.items()),
        "inventory": ", ".join(report.get("inventory") or []),
        "limit": report.get("limit"),
        "tags": ", ".join(report.get("tags") or []),
        "skipped tags": ", ".join(report.get("skip_tags") or []),
        "mode": "check: nothing was changed" if report.get("check_mode") else "run",
        "extra variables": f"{', '.join(report['extra_vars'])} (names only)" if report.get("extra_vars") else "none",
        "versions": f"golive.cutover {report.get('collection')}, ansible-core {report.get('ansible_core')}, "
        f"Python {report.get('python')}",
        "hosts": "; ".join(f"{host}: {_counted(stats)}" for host, stats in list(report["hosts"].items())[:50]),
    }
    facts = [join(el("dt", name), el("dd", value)) for name, value in rows.items() if value]
    return join(el("h2", "Who, what, when"), el("dl", *facts, class_="facts card"))


def _counted(stats: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {number}" for key, number in stats.items() if number) or "nothing"


def _outcome(report: Mapping[str, Any]) -> tuple[str, str]:
    if report["outcome"] == INTERRUPTED:
        return "interrupted", "unsure"
    if report["outcome"] == FAILED:
        if any(app["held"] for app in report["apps"].values()):
            return "held: a gate could not decide", "unsure"
        returned = any(app["returned"] for app in report["apps"].values())
        return ("failed, traffic returned" if returned else "failed"), "bad"
    return ("plan only, nothing changed", "plain") if report.get("check_mode") else ("succeeded", "good")


def _name(report: Mapping[str, Any]) -> str:
    return str(report.get("playbook", "run")).partition(".")[0]


def _listed(hosts: list[str]) -> str:
    return ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "") if hosts else "no host"


def _hosts(report: Mapping[str, Any]) -> list[str]:
    """Hosts that failed come first, so that the drawn ones are those that matter."""
    found = list(dict.fromkeys([*(one["host"] for one in report["phases"]), *report["hosts"]]))
    failed = {one["host"] for one in report["phases"] if one["failed"]}
    return sorted(found, key=lambda host: host not in failed)


def _when(report: Mapping[str, Any]) -> str:
    began = datetime.fromisoformat(report["started"]).astimezone(timezone.utc)
    return f"{began:%Y-%m-%d %H:%M:%S} UTC"
