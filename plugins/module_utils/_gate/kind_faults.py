# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the options of a check, kind by kind; every text begins with the option's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate import ask_kube
from ansible_collections.golive.cutover.plugins.module_utils._gate.ask_approval import moment
from ansible_collections.golive.cutover.plugins.module_utils._gate.bands import band_faults
from ansible_collections.golive.cutover.plugins.module_utils._gate.effect import OF_USERS
from ansible_collections.golive.cutover.plugins.module_utils._gate.own_load import low_sample_faults
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import check_url
from ansible_collections.golive.cutover.plugins.module_utils._gate.promql import is_selector
from ansible_collections.golive.cutover.plugins.module_utils._gate.sequential import PRESETS, settings_faults
from ansible_collections.golive.cutover.plugins.module_utils._kube.create_only import parse_path

_MOST_REDIRECTS = 10
# Below this many values on each side no difference is significant at one in a thousand (reference 4.3).
_LEAST_SAMPLES = 7
# Raw samples are read ten minutes at a time, while the gate waits.
_LONGEST_HISTORY_S = 6 * 3600


def http_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``http``."""
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


def tcp_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``tcp``."""
    faults = []
    if not options["tunnel"]:
        faults += [f"{key} is missing" for key in ("host", "port") if options[key] is None]
    if options["port"] is not None and not 1 <= options["port"] <= 65535:
        faults.append("port must be from 1 to 65535")
    return faults


def sql_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``sql``."""
    faults = []
    if options["query"] is None:
        faults += [f"{key} needs a query" for key in ("min_rows", "max_rows", "expect") if options[key]]
        if not options["ready"]:
            faults.append("query is missing (or set ready to ask only whether sessions are accepted)")
    elif options["ready"]:
        faults.append("ready and query exclude each other")
    return faults


def kube_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``kube``."""
    faults = []
    if options["object"] is None:
        return ["object is missing"]
    kind = options["object"]["kind"]
    if not any(options[key] for key in ("conditions", "expect", "rolled_out")) and options["max_restarts"] is None:
        faults.append("object: nothing is asked of it; give conditions, expect, rolled_out or max_restarts")
    if (options["rolled_out"] or options["max_restarts"] is not None) and kind not in ask_kube.TRACKED:
        faults.append(f"rolled_out and max_restarts know {', '.join(ask_kube.TRACKED)}, not {kind}")
    return faults + _path_faults(options)


def prometheus_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``prometheus``."""
    faults = _url_faults(options) if options["url"] else []
    if not options["url"] and not options["tunnel"]:
        faults.append("url is missing (or reach it by a tunnel)")
    ways = [key for key in ("query", "counters", "gauges") if options[key]]
    if len(ways) != 1:
        faults.append(f"query, counters and gauges: exactly one is wanted, not {' and '.join(ways) or 'none'}")
    faults += [
        f"{key} must be greater than 0" for key in ("scrape_interval", "stale_after") if (options[key] or 1) <= 0
    ]
    faults += _value_faults(options) if options["query"] else []
    faults += _counter_faults(options["counters"]) if options["counters"] else []
    faults += _gauge_faults(options["gauges"]) if options["gauges"] else []
    return faults + low_sample_faults(options)


def _url_faults(options: Mapping[str, Any]) -> list[str]:
    fault = check_url(options["url"])
    return [f"url: {fault}"] if fault else []


def _value_faults(options: Mapping[str, Any]) -> list[str]:
    banded = options["kpi"] or options["band"]
    if not banded and options["min"] is None and options["max"] is None:
        return ["query: nothing is asked of its values; give min, max, kpi or band"]
    return band_faults(options) if banded else []


def _counter_faults(counters: Mapping[str, Any]) -> list[str]:
    old = counters["old"]
    faults = [
        f"{place}.{key} must be one selector of a raw counter, without a function or a range"
        for place, row in (("counters", counters), ("counters.old", old))
        for key in ("bad", "total")
        if row and not is_selector(row[key])
    ]
    if old and not 0 < old["seconds"] <= _LONGEST_HISTORY_S:
        faults.append(f"counters.old.seconds must be greater than 0 and at most {_LONGEST_HISTORY_S}")
    if old and counters["effect"] is not None:
        faults.append("counters.effect and counters.old exclude each other: old is there to estimate the effect")
    preset = PRESETS[counters["preset"]]
    p0 = preset.p0 if counters["p0"] is None else counters["p0"]
    p1 = preset.p1 if counters["p1"] is None else counters["p1"]
    wrong = settings_faults(
        p0, p1, counters["alpha"], counters["beta"], OF_USERS if counters["effect"] is None else counters["effect"]
    )
    return faults + [f"counters: {fault}" for fault in wrong]


def _gauge_faults(gauges: Mapping[str, Any]) -> list[str]:
    faults = []
    if gauges["samples"] < _LEAST_SAMPLES:
        faults.append(f"gauges.samples must be at least {_LEAST_SAMPLES}: fewer can never be significant")
    if not 0.5 < gauges["least_cles"] <= 1:
        faults.append("gauges.least_cles must be greater than 0.5 and at most 1")
    if gauges["least_change"] < 0:
        faults.append("gauges.least_change must not be negative")
    if not 0 < gauges["alpha"] < 0.5:
        faults.append("gauges.alpha must be greater than 0 and less than 0.5")
    return faults


def job_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``job``."""
    given = options["definition"]
    if not given:
        return ["definition is missing"]
    if given.get("kind") != "Job" or given.get("apiVersion") != "batch/v1":
        return ["definition must be a manifest of kind Job and apiVersion batch/v1"]
    meta = given.get("metadata") or {}
    faults = [] if meta.get("name") else ["definition.metadata.name is missing"]
    if not options["namespace"] and not meta.get("namespace"):
        faults.append("namespace is missing")
    return faults + _path_faults(options)


def exec_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``exec``."""
    faults = [f"{key} is missing" for key in ("namespace", "command") if not options[key]]
    if bool(options["pod"]) == bool(options["labels"]):
        faults.append("pod and labels: exactly one is wanted")
    if not 0 <= options["exit_code"] <= 255:
        faults.append("exit_code must be from 0 to 255")
    return faults


def tls_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``tls``."""
    faults = [] if options["host"] else ["host is missing: it is the name that the certificate must show"]
    if not 1 <= options["port"] <= 65535:
        faults.append("port must be from 1 to 65535")
    if not 0 <= options["min_lifetime"] < 1:
        faults.append("min_lifetime is a share: from 0 to less than 1")
    return faults


def headers_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``headers``."""
    return http_faults({**options, "redirects": 0, "status": None})


def pod_security_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``pod_security``."""
    if options["object"] is None:
        return ["object is missing"]
    return [] if options["object"]["namespace"] else ["object.namespace is missing"]


def namespace_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kinds that look at a namespace."""
    return [] if options["namespace"] else ["namespace is missing"]


def approval_faults(options: Mapping[str, Any]) -> list[str]:
    """Of kind ``approval``. A missing approval is no fault of the settings: the check fails."""
    given = options["approval"]
    if not given:
        return []
    faults = [] if given["by"].strip() else ["approval.by is empty"]
    try:
        moment(given["until"])
    except ValueError:
        faults.append("approval.until must be a time with its offset, such as 2026-03-01T18:00:00+01:00")
    return faults


def _path_faults(options: Mapping[str, Any]) -> list[str]:
    faults = []
    for number, rule in enumerate(options["expect"]):
        try:
            parse_path(rule["name"])
        except GoliveError as error:
            faults.append(f"expect[{number}].name: {error.message}")
    return faults
