# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that a caller asks for: every wrong setting at once, with its path, before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate import ask_http, ask_kube, ask_sql, ask_tcp
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import Look
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import check_url
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import parse_path

_TIMEOUT_S = 5.0
_MOST_REDIRECTS = 10
_COMMON = {"name": None, "kind": None, "timeout": _TIMEOUT_S, "max_latency": None}
_THRESHOLDS = (
    "max_latency",
    "status",
    "contains",
    "expect_headers",
    "min_rows",
    "max_rows",
    "expect",
    "conditions",
    "rolled_out",
    "max_restarts",
)


Ask = Callable[[Mapping[str, Any], Reach], Look]
Begin = Callable[[Mapping[str, Any], Reach], Callable[[], Look]]


@dataclass(frozen=True)
class Kind:
    """What a kind of check understands: its options with their defaults, its own rules, and how it looks.

    ``begin`` starts one gate's work on a check; what it gives is called for each look, and may remember.
    """

    defaults: Mapping[str, Any]
    faults: Callable[[Mapping[str, Any]], list[str]]
    begin: Begin


def each_time(ask: Ask) -> Begin:
    """``begin`` of a kind whose looks know nothing of one another."""
    return lambda options, reach: lambda: ask(options, reach)


@dataclass(frozen=True)
class Check:
    """One check, complete with defaults."""

    name: str
    kind: str
    options: Mapping[str, Any]

    def begin(self, reach: Reach) -> Callable[[], Look]:
        """What looks once each time that it is called."""
        return KINDS[self.kind].begin(self.options, reach)

    @property
    def threshold(self) -> dict[str, Any]:
        """What the answer is held against."""
        return {key: self.options[key] for key in _THRESHOLDS if self.options.get(key) not in (None, {}, [], False)}


def read_checks(rows: list[Mapping[str, Any]]) -> tuple[list[Check], list[str]]:
    """The checks, and every fault of their settings with its path."""
    faults = [] if rows else ["checks is empty: a gate without checks would always pass"]
    checks = []
    for number, row in enumerate(rows):
        place = f"checks[{number}]"
        kind = KINDS[row["kind"]]
        given = {key: value for key, value in row.items() if value is not None}
        known = {**_COMMON, **kind.defaults}
        faults += [f"{place}.{key} does not belong to kind {row['kind']}" for key in given if key not in known]
        options = {**known, **{key: value for key, value in given.items() if key in known}}
        faults += [f"{place}.{text}" for text in _common_faults(options) + kind.faults(options)]
        checks.append(Check(row["name"], row["kind"], options))
    names = [check.name for check in checks]
    faults += [f"checks: the name {name!r} is used twice" for name in sorted({n for n in names if names.count(n) > 1})]
    return checks, faults


def _common_faults(options: Mapping[str, Any]) -> list[str]:
    faults = [
        f"{key} must be greater than 0"
        for key in ("timeout", "max_latency")
        if options[key] is not None and options[key] <= 0
    ]
    if options["max_latency"] is not None and options["max_latency"] > options["timeout"] > 0:
        faults.append("max_latency is greater than timeout, so it could never be exceeded")
    for number, rule in enumerate(options.get("expect") or []):
        asked = [key for key in ("equals", "min", "max") if rule.get(key) is not None]
        if not asked:
            faults.append(f"expect[{number}] asks for nothing: give equals, min or max")
        if "equals" in asked and len(asked) > 1:
            faults.append(f"expect[{number}] has equals beside min or max")
        if rule.get("min") is not None and rule.get("max") is not None and rule["min"] > rule["max"]:
            faults.append(f"expect[{number}]: min is greater than max")
    return faults


def _http_faults(options: Mapping[str, Any]) -> list[str]:
    faults = []
    if options["url"] is None and (options["path"] is None or not options["tunnel"]):
        faults.append("url is missing (a path alone needs a tunnel)")
    if options["url"] is not None and options["path"] is not None:
        faults.append("path and url exclude each other")
    if options["url"] is not None and check_url(options["url"]):
        faults.append(f"url: {check_url(options['url'])}")
    if options["path"] is not None and not options["path"].startswith("/"):
        faults.append("path must begin with /")
    if not 0 <= options["redirects"] <= _MOST_REDIRECTS:
        faults.append(f"redirects must be from 0 to {_MOST_REDIRECTS}")
    faults += [f"status: {code} is no HTTP status" for code in options["status"] or [] if not 100 <= code <= 599]
    return faults


def _tcp_faults(options: Mapping[str, Any]) -> list[str]:
    faults = []
    if not options["tunnel"]:
        faults += [f"{key} is missing" for key in ("host", "port") if options[key] is None]
    if options["port"] is not None and not 1 <= options["port"] <= 65535:
        faults.append("port must be from 1 to 65535")
    return faults


def _sql_faults(options: Mapping[str, Any]) -> list[str]:
    faults = []
    if options["query"] is None:
        faults += [f"{key} needs a query" for key in ("min_rows", "max_rows", "expect") if options[key]]
        if not options["ready"]:
            faults.append("query is missing (or set ready to ask only whether sessions are accepted)")
    elif options["ready"]:
        faults.append("ready and query exclude each other")
    return faults


def _kube_faults(options: Mapping[str, Any]) -> list[str]:
    faults = []
    if options["object"] is None:
        return ["object is missing"]
    kind = options["object"]["kind"]
    if not any(options[key] for key in ("conditions", "expect", "rolled_out")) and options["max_restarts"] is None:
        faults.append("object: nothing is asked of it; give conditions, expect, rolled_out or max_restarts")
    if (options["rolled_out"] or options["max_restarts"] is not None) and kind not in ask_kube.TRACKED:
        faults.append(f"rolled_out and max_restarts know {', '.join(ask_kube.TRACKED)}, not {kind}")
    for number, rule in enumerate(options["expect"]):
        try:
            parse_path(rule["name"])
        except GoliveError as error:
            faults.append(f"expect[{number}].name: {error.message}")
    return faults


KINDS: Mapping[str, Kind] = {
    "http": Kind(
        {
            "url": None, "path": None, "tunnel": None, "method": "GET", "headers": {}, "status": None, "contains": None,
            "expect_headers": {}, "redirects": 0, "validate_certs": True, "ca_cert": None,
        },
        _http_faults,
        each_time(ask_http.ask),
    ),
    "tcp": Kind({"host": None, "port": None, "tunnel": None}, _tcp_faults, each_time(ask_tcp.ask)),
    "sql": Kind(
        {
            "postgresql": {}, "tunnel": None, "ready": None, "query": None, "min_rows": None, "max_rows": None,
            "expect": [],
        },
        _sql_faults,
        each_time(ask_sql.ask),
    ),
    "kube": Kind(
        {"object": None, "conditions": {}, "expect": [], "rolled_out": None, "max_restarts": None},
        _kube_faults,
        each_time(ask_kube.ask),
    ),
}  # fmt: skip
