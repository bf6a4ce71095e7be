# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs as the callback would tell them: a release, and parts of it, in the shape that the verbs give."""

from __future__ import annotations

import random
from typing import Any

from ansible_collections.golive.cutover.plugins.plugin_utils._report import OK, Report
from ansible_collections.golive.cutover.plugins.plugin_utils._report_evidence import evidence_of

STARTED = "2026-11-24T17:02:11.000+00:00"
STARTED_UNIX = 1795539731.0
IDENTITY = {
    "playbook": "release.yml",
    "started": STARTED,
    "user": "deploy",
    "controller": "runner-3",
    "awx": {"job_id": "4711", "user": "anna"},
    "inventory": ["inventories/production"],
    "limit": "shop",
    "tags": [],
    "skip_tags": [],
    "check_mode": False,
    "extra_vars": ["app_version", "db_password"],
    "ansible_core": "2.19.14",
    "collection": "0.1.0",
    "python": "3.11.9",
}


def series(begin_s: float, seconds: int, switch_s: float | None, failed: int = 0) -> list[dict[str, Any]]:
    """Per-second rows from ``begin_s`` on; traffic moves from blue to green at ``switch_s``."""
    dice = random.Random(7)
    rows = []
    for second in range(seconds):
        at = begin_s + second
        share = 0.0 if switch_s is None else min(max((at - switch_s) / 2, 0.0), 1.0)
        total = 40 + dice.randint(-2, 2)
        new = round(total * share)
        ok = {name: number for name, number in (("blue", total - new), ("green", new)) if number > 0}
        middle = 6 + dice.random() * 2
        rows.append(
            {
                "t": STARTED_UNIX + at,
                "ok": ok,
                "failed": {"http_5xx": failed, "timeout": 1} if failed and second % 9 == 4 else {},
                "p50_ms": round(middle, 1),
                "p95_ms": round(middle * 2.2 + dice.random() * 4, 1),
                "p99_ms": round(middle * 4 + dice.random() * 22, 1),
            }
        )
    return rows


def stream(sent: int, failed: dict[str, int]) -> dict[str, Any]:
    """One stream of a ledger."""
    ok = sent - sum(failed.values())
    by = {"blue": ok // 3, "green": ok - ok // 3}
    return {"sent": sent, "ok": ok, "failed": failed, "by_identity": by, "reopened": 0, "slowest_ms": 48.2}


def switch(series_rows: list[dict[str, Any]], **others: Any) -> dict[str, Any]:
    """A result of traffic_switch."""
    return {
        "changed": True,
        "live": "green",
        "previous": "blue",
        "driver": "service",
        "proof": {"level": "probe", "slice": {"endpoints": 3, "slices": 1}, "probe": {"asked": 40, "needed": 10}},
        "returned": False,
        "hazards": [
            {
                "code": "session_affinity",
                "severity": "warn",
                "message": "Clients are pinned to a pod.",
                "hint": "Remove sessionAffinity.",
            }
        ],
        "steps": [
            {"step": "preflight", "result": "done", "seconds": 0.12, "state": "LIVE"},
            {"step": "stand_up", "result": "done", "seconds": 3.1, "pods": 3},
            {"step": "overlap", "result": "done", "seconds": 2.4, "endpoints": 6},
            {"step": "narrow", "result": "done", "seconds": 1.3},
            {"step": "proof", "result": "done", "seconds": 1.2},
        ],
        "timings": {"preflight": 0.12, "total": 8.1},
        "ledger": {"fresh": stream(162, {}), "kept": stream(161, {})},
        "downtime_ms": 0.0,
        "series": series_rows,
        **others,
    }


def gate(series_rows: list[dict[str, Any]], **others: Any) -> dict[str, Any]:
    """A result of health_gate with a look and a sequential test."""
    test = {"p0": 0.002, "p1": 0.02, "bad": 0, "samples": 1204, "z": -2.995, "fails_at": 6.856, "passes_at": -2.996}
    return {
        "changed": False,
        "verdict": "pass",
        "reasons": [],
        "seconds": 30.2,
        "checks": [
            {
                "name": "ready through the live Service",
                "kind": "http",
                "verdict": "pass",
                "attempts": 30,
                "passed": 30,
                "in_a_row": 30,
                "needed": 30,
                "threshold": {"status": [200], "max_latency": 0.5},
                "latency_ms": {"min": 2.1, "median": 3.4, "max": 14.8},
                "last": {"ok": True, "seen": "200 in 3.1 ms"},
            },
            {"name": "error rate", "kind": "load", "verdict": "pass", "threshold": {"p1": 0.02}, "test": test},
        ],
        "ledger": {"fresh": stream(602, {}), "kept": stream(602, {})},
        "series": series_rows,
        **others,
    }


def told(
    host: str, phase: str, task: str, began_s: float, ended_s: float, **others: Any
) -> list[tuple[str, dict[str, Any]]]:
    """The events of one task; ``result`` with ``verb`` gives its evidence."""
    result, verb = others.pop("result", {}), others.pop("verb", "kube_apply")
    status = others.pop("status", "changed" if result.get("changed") else "ok")
    common = {"host": host, "phase": phase, "task": task, "status": status, "at_s": ended_s}
    entry = {
        **common, "key": f"{task} {began_s}", "play": "Release", "role": "golive.cutover.release",
        "action": f"golive.cutover.{verb}", "started_s": began_s, **others,
    }  # fmt: skip
    begin = {"host": host, "key": entry["key"], "task": task, "phase": phase, "at_s": began_s}
    found = evidence_of(f"golive.cutover.{verb}", result)
    kept = [("evidence", {**one, **common, "began_s": began_s, "ended_s": ended_s}) for one in found]
    return [("begin", begin), ("end", entry), *kept]


def release(host: str = "shop", **of_switch: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events of a release that goes well, unless the switch's fields say otherwise."""
    colours = [{"colour": "blue", "version": "2.4.1", "state": "live"}, {"colour": "green", "version": "", "state": ""}]
    info = {"state": "LIVE", "live": "blue", "colours": colours, "hazards": []}
    wanted = {"ansible_facts": {"app_release": {"id": "7c1f", "version": "2.4.2", "image": "r.example.org/shop:2.4.2"}}}
    stats = {"ansible_stats": {"data": {"golive_live": "green", "golive_version": "2.4.2"}}}
    applied = {"applied": [{"version": "0007", "name": "add_index", "seconds": 0.42}], "head": "0007"}
    applied["previous_head"] = "0006"
    return [
        ("run", dict(IDENTITY)),
        *told(host, "preflight", "read what takes traffic", 0.4, 0.9, verb="traffic_info", result=info),
        *told(
            host,
            "migrate",
            "apply pending migrations",
            1.0,
            2.2,
            verb="db_migrate",
            result={"changed": True, **applied},
        ),
        *told(host, "stage", "name the release", 2.3, 2.4, verb="set_fact", result=wanted),
        *told(host, "stage", "apply the new colour", 2.4, 4.0, status="changed"),
        *told(host, "stage", "wait until it serves", 4.0, 11.6),
        *told(
            host, "verify", "gate the new colour", 11.7, 14.1, verb="health_gate", result=gate(series(11.8, 2, None))
        ),
        *told(
            host,
            "shift",
            "move live traffic and prove it",
            14.2,
            22.4,
            verb="traffic_switch",
            result=switch(series(14.3, 8, 17.6), **of_switch),
        ),
        *told(
            host, "observe", "gate live traffic", 22.5, 52.7, verb="health_gate", result=gate(series(22.6, 30, 17.6))
        ),
        *told(host, "settle", "shrink the old colour", 52.8, 53.6, status="changed"),
        *told(host, "report", "hand the result on", 53.6, 53.7, verb="set_stats", result=stats),
    ]


def report_of(events: list[tuple[str, dict[str, Any]]], outcome: str = OK) -> dict[str, Any]:
    """The report as data."""
    report = Report()
    for event, fields in events:
        report.apply(event, fields)
    hosts = {str(fields["host"]): {"ok": 9, "changed": 3, "failures": 0, "unreachable": 0} for _e, fields in events[1:]}
    return report.data(outcome, report.last_s + 0.1, hosts)
