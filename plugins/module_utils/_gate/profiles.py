# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles: which checks an app gets, how strict they are and for how long; every value can be overridden.

``mvp`` asks whether the app works and fails at the critical bounds after a short dwell. ``standard`` adds function and
performance, and fails when a warning bound is passed over the whole dwell. ``enterprise`` adds security, capacity and
an approval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.golive.cutover.plugins.module_utils._gate.bands import BANDS, CRITICAL, WARNING, meant
from ansible_collections.golive.cutover.plugins.module_utils._gate.spec import check_options

Row = dict[str, Any]
_CPU = (
    "sum(rate(container_cpu_usage_seconds_total{{{0}}}[2m]))"
    ' / sum(kube_pod_container_resource_limits{{resource="cpu",{0}}})'
)
_MEMORY = (
    "max(container_memory_working_set_bytes{{{0}}}"
    ' / on (namespace, pod, container) kube_pod_container_resource_limits{{resource="memory",{0}}})'
)
_P95 = "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{{0}}}[1m])))"


@dataclass(frozen=True)
class Profile:
    """``rules`` are the gate's own options, ``fails_at`` the bound of the bands that is too much."""

    rules: Mapping[str, Any]
    fails_at: str
    groups: tuple[str, ...]


PROFILES: Mapping[str, Profile] = {
    "mvp": Profile({"consecutive": 5, "interval": 1, "timeout": 60, "failures": 0}, CRITICAL, ("core",)),
    "standard": Profile(
        {"consecutive": 30, "interval": 2, "timeout": 300, "failures": 30}, WARNING, ("core", "function", "performance")
    ),
    "enterprise": Profile(
        {"consecutive": 60, "interval": 2, "timeout": 600, "failures": 60},
        WARNING,
        ("core", "function", "performance", "security", "capacity", "approval"),
    ),
}
# The rules of a gate without a profile.
RULES: Mapping[str, Any] = {"consecutive": 3, "interval": 1, "timeout": 60, "failures": 0}


def rules_of(params: Mapping[str, Any]) -> dict[str, Any]:
    """The gate's rules: what the caller gives, else the profile's."""
    base = PROFILES[params["profile"]].rules if params["profile"] else RULES
    return {name: value if params[name] is None else params[name] for name, value in base.items()}


def profile_rows(params: Mapping[str, Any]) -> tuple[list[Row], list[str]]:
    """The checks of the profile for this app with the overrides, and what is wrong with these options."""
    if not params["profile"]:
        wrong = [f"{name} needs a profile" for name in ("app", "overrides") if params[name]]
        return [], wrong
    app = params["app"]
    if not app:
        return [], ["profile needs app: without it there is nothing to check"]
    faults = _app_faults(app)
    if faults:
        return [], faults
    profile = PROFILES[params["profile"]]
    rows: list[Row] = []
    for group in profile.groups:
        rows += _GROUPS[group]({**app, "after_shift": params["after_shift"]}, profile)
    return _overridden(rows, params["overrides"] or {})


def _app_faults(app: Mapping[str, Any]) -> list[str]:
    faults = []
    if not app["url"] and not app["service"]:
        faults.append("app needs url or service: one of them says where it answers")
    if (app["service"] or app["old_service"]) and not app["namespace"]:
        faults.append("app.namespace is missing")
    if app["workload"] and not app["namespace"]:
        faults.append("app.namespace is missing for app.workload")
    return faults


def _overridden(rows: list[Row], overrides: Mapping[str, Any]) -> tuple[list[Row], list[str]]:
    """A check set to false is left out; a dictionary replaces its options, merged with the present ones."""
    names = [row["name"] for row in rows]
    faults = [f"overrides: {meant(str(name), names)}" for name in overrides if name not in names]
    found = []
    for row in rows:
        wish = overrides.get(row["name"], {})
        if wish is False:
            continue
        if not isinstance(wish, Mapping):
            faults.append(f"overrides.{row['name']} must be a dictionary of options, or false to leave the check out")
            continue
        done, wrong = _completed(_merged(row, wish))
        found += [] if wrong else [done]
        faults += [f"overrides.{row['name']}{text}" for text in wrong]
    return found, faults


def _completed(row: Row) -> tuple[Row, list[str]]:
    """A row as the argument spec of a check leaves it, and what it finds wrong."""
    spec = check_options()
    result = ArgumentSpecValidator(spec).validate(row)
    unknown = [_meant_path(path, spec) for path in sorted(result.unsupported_parameters)]
    others = [
        f": {error}" for error in result.error_messages if not isinstance(error, str) or "Unsupported" not in error
    ]
    told = [text for text in others if not unknown or "Supported parameters" not in text]
    return dict(result.validated_parameters), unknown + told


def _meant_path(path: Any, spec: Mapping[str, Any]) -> str:
    """A path of names that the spec does not know, with the name that may have been meant."""
    names = list(path) if isinstance(path, tuple) else str(path).split(".")
    known = spec
    for name in names[:-1]:
        known = known[name]["options"]
    return f"{''.join(f'.{name}' for name in names[:-1])}: {meant(names[-1], known)}"


def _merged(row: Row, wish: Mapping[str, Any]) -> Row:
    both = {
        key: _merged(row[key], value) if isinstance(value, Mapping) and isinstance(row.get(key), dict) else value
        for key, value in wish.items()
    }
    return {**row, **both}


def _way(app: Mapping[str, Any], path: str) -> Row:
    """Where the app answers: the tunnel to its Service when it has one, else its address."""
    if app["service"]:
        return {"tunnel": _tunnel(app, app["service"]), "path": path}
    return {"url": app["url"].rstrip("/") + path}


def _tunnel(app: Mapping[str, Any], service: str) -> Row:
    return {"namespace": app["namespace"], "service": service, **({"port": app["port"]} if app["port"] else {})}


def _object(app: Mapping[str, Any]) -> Row:
    return {"namespace": app["namespace"], "name": app["workload"]}


def _core(app: Mapping[str, Any], profile: Profile) -> list[Row]:
    bound = getattr(BANDS["latency_p95"], profile.fails_at)
    rows = [{"name": "ready", "kind": "http", **_way(app, app["ready_path"]), "max_latency": bound}]
    if app["workload"]:
        rows.append({"name": "workload", "kind": "kube", "object": _object(app), "rolled_out": True, "max_restarts": 0})
    return rows


def _function(app: Mapping[str, Any], _profile: Profile) -> list[Row]:
    return [{"name": f"path {path}", "kind": "http", **_way(app, path)} for path in app["paths"] or []]


def _performance(app: Mapping[str, Any], profile: Profile) -> list[Row]:
    bound = getattr(BANDS["latency_p95"], profile.fails_at)
    paths = app["paths"] or [app["ready_path"]]
    load = {"slow": [{"preset": "slow_p95", "slower_than": bound}], "after_shift": app["after_shift"]}
    if app["old_service"]:
        load["compare"] = {"tunnel": _tunnel(app, app["old_service"])}
    rows = [{"name": "load", "kind": "load", **_way(app, paths[0]), "load": load}]
    return rows + (_monitored(app["prometheus"], profile) if app["prometheus"] else [])


def _monitored(given: Mapping[str, Any], profile: Profile) -> list[Row]:
    way = {key: value for key, value in given.items() if value is not None and not key.endswith("matchers")}
    matchers = given["matchers"]
    base = {"kind": "prometheus", "fails_at": profile.fails_at, **way}
    errors: Row = _errors(matchers)
    if given["old_matchers"]:
        errors["old"] = _errors(given["old_matchers"])
    return [
        {"name": "errors", "kind": "prometheus", **way, "counters": errors},
        {"name": "latency p95", **base, "kpi": "latency_p95", "query": _P95.format(matchers)},
        {"name": "cpu", **base, "kpi": "cpu", "query": _CPU.format(matchers)},
        {"name": "memory", **base, "kpi": "memory", "query": _MEMORY.format(matchers)},
    ]


def _errors(matchers: str) -> Row:
    return {
        "bad": f'http_requests_total{{code=~"5..",{matchers}}}',
        "total": f"http_requests_total{{{matchers}}}",
    }


def _security(app: Mapping[str, Any], _profile: Profile) -> list[Row]:
    rows: list[Row] = []
    if app["url"]:
        rows.append({"name": "headers", "kind": "headers", "url": app["url"]})
        scheme, _colon, rest = app["url"].partition("://")
        if scheme == "https":
            host, _colon, port = rest.partition("/")[0].partition(":")
            rows.append({"name": "certificate", "kind": "tls", "host": host, "port": int(port or 443)})
    if app["workload"]:
        rows.append({"name": "pod security", "kind": "pod_security", "object": _object(app)})
    if app["namespace"]:
        account = app["service_account"]
        rows.append({"name": "rights", "kind": "rights", "namespace": app["namespace"], "service_account": account})
    return rows


def _capacity(app: Mapping[str, Any], _profile: Profile) -> list[Row]:
    return [{"name": "capacity", "kind": "capacity", "namespace": app["namespace"]}] if app["namespace"] else []


def _approval(app: Mapping[str, Any], _profile: Profile) -> list[Row]:
    return [{"name": "approval", "kind": "approval", "approval": app["approval"], "release": app["release"]}]


_GROUPS: Mapping[str, Callable[[Mapping[str, Any], Profile], list[Row]]] = {
    "core": _core,
    "function": _function,
    "performance": _performance,
    "security": _security,
    "capacity": _capacity,
    "approval": _approval,
}
