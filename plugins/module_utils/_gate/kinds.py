# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of checks: what each understands, what it refuses, and how it looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._gate import (
    ask_approval,
    ask_cluster,
    ask_exec,
    ask_headers,
    ask_http,
    ask_job,
    ask_kube,
    ask_load,
    ask_prometheus,
    ask_sql,
    ask_tcp,
    ask_tls,
    load_options,
)
from ansible_collections.golive.cutover.plugins.module_utils._gate import kind_faults as faults
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import Look
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach

_JOB_S = 120.0
_WAY: Mapping[str, Any] = {
    "url": None, "path": None, "tunnel": None, "headers": {}, "validate_certs": True, "ca_cert": None,
}  # fmt: skip
Ask = Callable[[Mapping[str, Any], Reach], Look]
Begin = Callable[[Mapping[str, Any], Reach], Callable[[], Look]]


@dataclass(frozen=True)
class Kind:
    """What a kind of check understands: its options with their defaults, its own rules, and how it looks.

    ``begin`` starts one gate's work on a check; what it gives is called for each look, and may remember. ``tests``
    counts the statistical tests by which a check can fail a release.
    """

    defaults: Mapping[str, Any]
    faults: Callable[[Mapping[str, Any]], list[str]]
    begin: Begin
    tests: Callable[[Mapping[str, Any]], int] = lambda _options: 0


def each_time(ask: Ask) -> Begin:
    """``begin`` of a kind whose looks know nothing of one another; each ends within its timeout and with the gate."""
    return lambda options, reach: lambda: ask({**options, "timeout": reach.limit(options["timeout"])}, reach)


KINDS: Mapping[str, Kind] = {
    "http": Kind(
        {
            "url": None, "path": None, "tunnel": None, "method": "GET", "headers": {}, "status": None, "contains": None,
            "expect_headers": {}, "redirects": 0, "validate_certs": True, "ca_cert": None,
        },
        faults.http_faults,
        each_time(ask_http.ask),
    ),
    "tcp": Kind({"host": None, "port": None, "tunnel": None}, faults.tcp_faults, each_time(ask_tcp.ask)),
    "sql": Kind(
        {
            "postgresql": {}, "tunnel": None, "ready": None, "query": None, "min_rows": None, "max_rows": None,
            "expect": [],
        },
        faults.sql_faults,
        each_time(ask_sql.ask),
    ),
    "kube": Kind(
        {"object": None, "conditions": {}, "expect": [], "rolled_out": None, "max_restarts": None},
        faults.kube_faults,
        each_time(ask_kube.ask),
    ),
    "prometheus": Kind(
        {
            **_WAY, "login": {}, "query": None, "min": None, "max": None, "kpi": None, "band": None,
            "fails_at": "critical", "counters": None, "low_sample": None, "gauges": None, "scrape_interval": None,
            "stale_after": None,
        },
        faults.prometheus_faults,
        ask_prometheus.begin,
        lambda options: bool(options["counters"] or options["gauges"]),
    ),
    "load": Kind(load_options.DEFAULTS, load_options.load_faults, ask_load.begin, load_options.count_tests),
    "job": Kind(
        {"definition": None, "namespace": None, "contains": None, "expect": [], "timeout": _JOB_S},
        faults.job_faults,
        ask_job.begin,
    ),
    "exec": Kind(
        {
            "namespace": None, "pod": None, "labels": None, "container": None, "command": None, "exit_code": 0,
            "contains": None,
        },
        faults.exec_faults,
        each_time(ask_exec.ask),
    ),
    "tls": Kind(
        {
            "host": None, "port": 443, "tunnel": None, "ca_cert": None, "min_lifetime": 0.1, "min_version": "TLSv1.2",
        },
        faults.tls_faults,
        each_time(ask_tls.ask),
    ),
    "headers": Kind({**_WAY, "expect_headers": {}}, faults.headers_faults, each_time(ask_headers.ask)),
    "pod_security": Kind(
        {"object": None, "level": "restricted"}, faults.pod_security_faults, each_time(ask_cluster.ask_pod_security)
    ),
    "rights": Kind(
        {"namespace": None, "service_account": "default", "denied": []},
        faults.namespace_faults,
        each_time(ask_cluster.ask_rights),
    ),
    "capacity": Kind({"namespace": None, "max": 0.9}, faults.namespace_faults, each_time(ask_cluster.ask_capacity)),
    "approval": Kind({"approval": None, "release": None}, faults.approval_faults, each_time(ask_approval.ask)),
}  # fmt: skip
