# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says of one app in words and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.figures import duration, figure
from ansible_collections.golive.cutover.plugins.module_utils._core.html import Html, el, join
from ansible_collections.golive.cutover.plugins.plugin_utils._report import of_kind, streams_of
from ansible_collections.golive.cutover.plugins.plugin_utils._report_charts import meter
from ansible_collections.golive.cutover.plugins.plugin_utils._report_html import badge, fold, table

_VERDICTS = {"pass": "good", "fail": "bad", "inconclusive": "unsure"}
_TEST = ("z", "fails_at", "passes_at")
_DEPTH = 4


def tiles(report: Mapping[str, Any], host: str) -> Html | None:
    """The few figures that are looked at first."""
    known = report["apps"].get(host)
    if not known:
        return None
    cells = [_release_tile(known), _downtime_tile(known), _gate_tile(known)]
    if known["proof"]:
        cells.append(_tile(known["proof"], "proof of the switch"))
    cells += [
        _tile(duration(float(known[key])), name)
        for key, name in (("rto_s", "RTO, measured"), ("rpo_s", "RPO, measured"))
        if known[key] is not None
    ]
    shown = [cell for cell in cells if cell is not None]
    return el("div", *shown, class_="tiles") if shown else None


def _release_tile(known: Mapping[str, Any]) -> Html | None:
    if not (known["after"] or known["before"] or known["live"]):
        return None
    after = known["after"] or known["before"] or known["live"]
    before = f"before: {known['before']}" if known["before"] and known["after"] else "release that takes traffic"
    colour = f" · as {known['live']}" if known["live"] else ""
    return _tile(after, f"{before}{colour}")


def _downtime_tile(known: Mapping[str, Any]) -> Html | None:
    if known["downtime"] == "no switch":
        return None
    if known["downtime"] == "not measured":
        return _tile("not measured", "downtime: no probe watched live traffic")
    failed = known["failed_requests"]
    return _tile(
        f"{figure(known['downtime_ms'])} ms",
        f"downtime, measured · {failed:,} of {known['requests']:,} requests failed",
    )


def _gate_tile(known: Mapping[str, Any]) -> Html | None:
    verdicts = known["gates"]
    if not verdicts:
        return None
    worst = min(verdicts, key=lambda one: ("fail", "inconclusive", "pass").index(one) if one in _VERDICTS else 0)
    count = f"{verdicts.count('pass')} of {len(verdicts)} gates passed"
    return _tile(badge(worst, _VERDICTS.get(worst, "plain")), count)


def _tile(value: Any, name: str) -> Html:
    return el("div", el("b", value), el("span", name), class_="tile")


def gates(evidence: list[Mapping[str, Any]]) -> Html | None:
    """Each gate with its checks and their raw numbers."""
    found = _placed(evidence, "health_gate")
    return join(el("h3", "Gates"), *(_gate(place, one) for place, one in found)) if found else None


def _placed(evidence: list[Mapping[str, Any]], kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Evidence of a kind, each with the phase of the run's journal in which it was found, else that of its task.

    A canary has a phase of the journal for each of its steps.
    """
    place, found = "", []
    for one in evidence:
        if one.get("kind") == "release_journal":
            place = str(one.get("begins") or "")
        elif one.get("kind") == kind:
            found.append((place or str(one.get("phase") or ""), one))
    return found


def _gate(place: str, one: Mapping[str, Any]) -> Html:
    verdict = str(one.get("verdict") or one.get("code") or one.get("status"))
    why = [*(one.get("reasons") or []), *(one.get("faults") or [])]
    checks = [check for check in one.get("checks") or [] if isinstance(check, Mapping)]
    seconds = one.get("seconds")
    return el(
        "div",
        el(
            "p",
            el("b", f"{place or 'gate'}: {one['task']} "),
            badge(verdict, _VERDICTS.get(verdict, "bad")),
            el("span", f" {duration(float(seconds))}", class_="soft") if seconds is not None else None,
        ),
        el("p", "; ".join(str(reason) for reason in why), class_="soft") if why else None,
        _check_table(checks) if checks else None,
        *(_test(check) for check in checks),
        _ledger(one),
        fold("raw numbers", el("pre", _json({key: one[key] for key in one if key not in ("series", "host")}))),
        class_="card",
    )


def _check_table(checks: list[Mapping[str, Any]]) -> Html:
    rows = []
    for check in checks:
        verdict = str(check.get("verdict"))
        last = check.get("last")
        seen = check.get("seen") or (last.get("seen") if isinstance(last, Mapping) else None)
        rows.append(
            [
                check.get("name", "?"),
                check.get("kind", ""),
                badge(verdict, _VERDICTS.get(verdict, "plain")),
                _brief(check.get("threshold")),
                _samples(check),
                _brief(check.get("latency_ms")),
                " ".join(filter(None, [str(check.get("reason") or ""), _brief(seen), _failures(check)])),
            ]
        )
    return table(["check", "kind", "verdict", "threshold", "samples", "latency ms", "seen"], rows)


def _samples(check: Mapping[str, Any]) -> str:
    if "attempts" in check:
        needed = f", {check['in_a_row']} in a row of {check['needed']}" if "needed" in check else ""
        return f"{check.get('passed', 0)} good of {check['attempts']}{needed}"
    test = _test_in(check)
    return f"{test.get('bad', 0)} bad of {test['samples']}" if test and "samples" in test else ""


def _failures(check: Mapping[str, Any]) -> str:
    found = check.get("failed")
    return f"failed: {_brief(found)}" if found else ""


def _test(check: Mapping[str, Any]) -> Html | None:
    """The sequential test of a check, as a drawing and in numbers."""
    test = _test_in(check)
    if test is None:
        return None
    numbers = {key: value for key, value in test.items() if not isinstance(value, (Mapping, list))}
    return el("div", el("p", f"{check.get('name', 'check')}: {_brief(numbers)}", class_="soft"), meter(test))


def _test_in(value: Any, depth: int = 0) -> Mapping[str, Any] | None:
    """The first mapping inside ``value`` that is a sequential test: ``z`` with the bounds that it is held against."""
    if not isinstance(value, Mapping) or depth >= _DEPTH:
        return None
    if all(isinstance(value.get(key), (int, float)) for key in _TEST) and value["fails_at"] > value["passes_at"]:
        return value
    return next((found for one in value.values() if (found := _test_in(one, depth + 1)) is not None), None)


def switches(evidence: list[Mapping[str, Any]]) -> Html | None:
    """Each switch with its steps, proof, drain and hazards."""
    found = _placed(evidence, "traffic_switch")
    hazards = {
        str(hazard.get("code") or hazard.get("name") or hazard.get("message")): hazard
        for one in of_kind(evidence, "traffic_switch", "traffic_info")
        for hazard in one.get("hazards") or []
        if isinstance(hazard, Mapping)
    }
    if not found and not hazards:
        return None
    return join(
        el("h3", "Switch") if found else None,
        *(_switch(place, one) for place, one in found),
        el("div", table(["hazard", "severity", "what", "what to do"], _hazard_rows(hazards)), class_="card")
        if hazards
        else None,
    )


def _switch(place: str, one: Mapping[str, Any]) -> Html:
    measured = one.get("downtime_ms")
    said = {
        "driver": one.get("driver"),
        "downtime": "not measured" if measured is None else f"{figure(measured)} ms, measured",
        "proof": _brief(one.get("proof")),
        "weights": _brief(one.get("weights")),
        "drain": _brief(one.get("drain")),
        "returned": "traffic was switched back" if one.get("returned") else None,
        "to return by hand": one.get("manual_patch"),
        "failure": one.get("msg") if one.get("status") == "failed" else None,
    }
    steps = [step for step in one.get("steps") or [] if isinstance(step, Mapping)]
    rows = [
        [
            str(step.get("step", "?")).replace("_", " "),
            duration(float(step.get("seconds", 0))),
            step.get("result", ""),
            _rest(step),
        ]
        for step in steps
    ]
    kind = "bad" if one.get("status") == "failed" else "good"
    way = f"{one.get('previous') or '–'} → {one.get('live') or '–'}"
    return el(
        "div",
        el("p", el("b", f"{place or 'switch'}: {way} "), badge(str(one["status"]), kind)),
        el("dl", *(join(el("dt", name), el("dd", text)) for name, text in said.items() if text), class_="facts"),
        table(["step", "took", "result", "numbers"], rows) if rows else None,
        _ledger(one),
        class_="card",
    )


def _ledger(one: Mapping[str, Any]) -> Html | None:
    rows = [
        [name, *(figure(stream.get(key, 0)) for key in ("sent", "ok")), _brief(stream["failed"]) or "0",
         _brief(stream.get("by_identity")), stream.get("slowest_ms", "")]
        for name, stream in streams_of(one).items()
    ]  # fmt: skip
    head = ["connections", "sent", "answered", "failed", "by colour", "slowest ms"]
    return table(head, rows, "Requests of the probe") if rows else None


def _hazard_rows(hazards: Mapping[str, Mapping[str, Any]]) -> list[list[Any]]:
    return [
        [name, one.get("severity", ""), one.get("message", ""), one.get("hint", "")] for name, one in hazards.items()
    ]


def migrations(evidence: list[Mapping[str, Any]]) -> Html | None:
    """Files that were applied, and the head before and after."""
    found = [one for one in of_kind(evidence, "db_migrate") if one.get("applied") or one.get("code")]
    if not found:
        return None
    cards = []
    for one in found:
        rows = [
            [file.get("version", ""), file.get("name", ""), duration(float(file.get("seconds", 0)))]
            for file in one.get("applied") or []
            if isinstance(file, Mapping)
        ]
        fault = " ".join(f"{key} {one[key]}" for key in ("file", "line", "sqlstate", "code") if one.get(key))
        cards += [
            el("p", f"head {one.get('previous_head') or 'nothing'} → {one['head']}") if "head" in one else None,
            table(["version", "name", "took"], rows) if rows else None,
            el("p", f"failed: {fault}") if fault else None,
        ]
    return join(el("h3", "Migrations"), el("div", *cards, class_="card"))


def messages(evidence: list[Mapping[str, Any]]) -> Html | None:
    """Who was told what, and who was not reached and why."""
    rows = [
        [one.get("title", ""), row.get("target", ""), row.get("reason") or f"delivered in {figure(row['seconds'])} s"]
        for one in of_kind(evidence, "notify")
        for row in [*(one.get("delivered") or []), *(one.get("undelivered") or [])]
        if isinstance(row, Mapping) and ("reason" in row or "seconds" in row)
    ]
    return (
        join(el("h3", "Messages"), el("div", table(["message", "to", "outcome"], rows), class_="card"))
        if rows
        else None
    )


def approvals(evidence: list[Mapping[str, Any]]) -> Html | None:
    """Approval, freeze override and what else a role handed on, and the run's entry in the journal."""
    stats = {
        key.removeprefix("golive_").replace("_", " "): value
        for one in of_kind(evidence, "stats")
        for key, value in one.items()
        if key.startswith("golive_") and key not in ("golive_live", "golive_version")
    }
    journal = [one for one in of_kind(evidence, "release_journal") if one.get("run_id")]
    if journal:
        stats["run"] = f"{journal[-1]['run_id']}, token {journal[-1].get('token', '?')}"
    wanted = of_kind(evidence, "release")
    if wanted:
        stats["wanted release"] = {key: value for key, value in wanted[-1].items() if key in ("version", "id", "image")}
    lines = [join(el("dt", name), el("dd", _brief(value))) for name, value in stats.items() if value]
    return el("dl", *lines, class_="facts card") if lines else None


def _brief(value: Any) -> str:
    """A value on one line, without braces."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_inner(item)}" for key, item in value.items() if item not in (None, "", [], {}))
    if isinstance(value, (list, tuple)):
        return "; ".join(_brief(one) for one in value[:8]) + (f"; and {len(value) - 8} more" if len(value) > 8 else "")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _inner(value: Any) -> str:
    return f"({_brief(value)})" if isinstance(value, Mapping) else _brief(value)


def _rest(step: Mapping[str, Any]) -> str:
    return _brief({key: value for key, value in step.items() if key not in ("step", "seconds", "result")})


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)
