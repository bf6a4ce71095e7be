# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, errors, latency and load of an app. The objectives are in ``objective.py``."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import CRITICAL, WARNING, Alert, Record

_BUCKETS = "sum by (le, cluster, namespace, app) (rate($bucket[5m]))"
_CPU = "rate(container_cpu_usage_seconds_total{$ns,pod=~$pods,$container}[5m])"
_MEMORY = "container_memory_working_set_bytes{$ns,pod=~$pods,$container}"
_NAMED, _UNNAMED = 'container!="",container!="POD"', 'container=""'
_LIMITS = "kube_pod_container_resource_limits{$ns,pod=~$pods,resource="
_BY_POD, _BY_CONTAINER = "by (cluster, namespace, pod)", "by (cluster, namespace, pod, container)"

RECORDS = (
    Record("R03", "app:http_requests:rate5m", "sum $A (rate($requests[5m]))", "app"),
    Record("R04", "app:http_latency_seconds:p50_5m", f"histogram_quantile(0.50, {_BUCKETS})$scale", "app"),
    Record("R05", "app:http_latency_seconds:p95_5m", f"histogram_quantile(0.95, {_BUCKETS})$scale", "app"),
    Record("R06", "app:http_latency_seconds:p99_5m", f"histogram_quantile(0.99, {_BUCKETS})$scale", "app"),
    # Weighted by traffic: a plain average of ratios would count a quiet night as much as a busy day.
    Record(
        "R07",
        "app:http_error:ratio_30d",
        "sum_over_time((app:http_error:ratio_rate5m{$app} * app:http_requests:rate5m{$app})[30d:5m])"
        " / (sum_over_time(app:http_requests:rate5m{$app}[30d:5m]) > 0)",
        "app",
    ),
    Record("R08", "app:error_budget:remaining_30d", "1 - app:http_error:ratio_30d{$app} / $error_budget", "app"),
    Record(
        "R09",
        "app:probe_success:ratio_30d",
        'avg $A (avg_over_time(probe_success{$app,role="external"}[30d]))',
        "probe",
    ),
    # The kubelet and cAdvisor may both report a container, or cAdvisor only its pod with an empty name.
    Record(
        "R10",
        "app:cpu:limit_ratio",
        f"sum $N (sum {_BY_POD} (max {_BY_CONTAINER} ({_CPU.replace('$container', _NAMED)}))"
        f' or max {_BY_POD} ({_CPU.replace("$container", _UNNAMED)})) / sum $N ({_LIMITS}"cpu"}})',
        "kubernetes",
        adds=("app",),
    ),
    Record(
        "R11",
        "app:memory:limit_ratio",
        f"max $N (max {_BY_CONTAINER} ({_MEMORY.replace('$container', _NAMED)})"
        f' / max {_BY_CONTAINER} ({_LIMITS}"memory"}})) or max $N (max {_BY_POD}'
        f' ({_MEMORY.replace("$container", _UNNAMED)}) / sum {_BY_POD} ({_LIMITS}"memory"}}))',
        "kubernetes",
        adds=("app",),
    ),
)

ALERTS = (
    Alert(
        "C01",
        "AppUnreachable",
        CRITICAL,
        60,
        'max $A (probe_success{$app,role="external"}) == 0',
        "probe",
        "$name cannot be reached from outside",
        "No probe from outside gets an answer. Users see an outage, whatever the pods say.",
        keep=300,
    ),
    Alert(
        "C04",
        "AppErrorRateCritical",
        CRITICAL,
        120,
        "app:http_error:ratio_rate5m{$app} > $error_critical and app:http_requests:rate5m{$app} > $least_requests",
        "app",
        "$name answers too many requests with an error",
        "{{ $value | humanizePercentage }} of the requests of the last 5 minutes failed on the server's side.",
    ),
    Alert(
        "C05",
        "AppLatencyP95Critical",
        CRITICAL,
        120,
        "app:http_latency_seconds:p95_5m{$app} > $latency_critical"
        " and app:http_requests:rate5m{$app} > $least_requests",
        "app",
        "$name answers too slowly",
        "One request in twenty takes longer than {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "C06",
        "AppCpuCritical",
        CRITICAL,
        600,
        "app:cpu:limit_ratio{$app} > $cpu_critical"
        " and on (cluster, namespace, app) app:http_latency_seconds:p95_5m{$app} > $latency_warning",
        "app",
        "$name is out of CPU and slow",
        "Its pods use {{ $value | humanizePercentage }} of their CPU limit, and users feel it.",
    ),
    Alert(
        "C07",
        "AppMemoryCritical",
        CRITICAL,
        300,
        "app:memory:limit_ratio{$app} > $memory_critical",
        "kubernetes",
        "A container of $name is about to be killed for its memory",
        "It uses {{ $value | humanizePercentage }} of its limit.",
    ),
    Alert(
        "W03",
        "AppLatencyP95High",
        WARNING,
        600,
        "app:http_latency_seconds:p95_5m{$app} > $latency_warning and app:http_requests:rate5m{$app} > $least_requests",
        "app",
        "$name has become slow",
        "One request in twenty takes longer than {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "W04",
        "AppUptimeBelowTarget",
        WARNING,
        3600,
        "app:probe_success:ratio_30d{$app} < $uptime_warning",
        "probe",
        "$name was up less than promised",
        "Probes from outside got an answer {{ $value | humanizePercentage }} of the last 30 days.",
    ),
    Alert(
        "W05",
        "AppCpuHigh",
        WARNING,
        900,
        "app:cpu:limit_ratio{$app} > $cpu_warning",
        "kubernetes",
        "$name needs more CPU soon",
        "Its pods use {{ $value | humanizePercentage }} of their CPU limit.",
    ),
    Alert(
        "W06",
        "AppMemoryHigh",
        WARNING,
        900,
        "app:memory:limit_ratio{$app} > $memory_warning",
        "kubernetes",
        "$name needs more memory soon",
        "A container uses {{ $value | humanizePercentage }} of its limit.",
    ),
    # Until there is a week of history, yesterday stands in for last week, and before that the expected rate.
    Alert(
        "W07",
        "AppTrafficDropped",
        WARNING,
        900,
        "app:http_requests:rate5m{$app} < $traffic_share * (app:http_requests:rate5m{$app} offset 1w > $least_requests"
        " or app:http_requests:rate5m{$app} offset 1d > $least_requests or golive_expected_requests_rate{$app})",
        "app",
        "$name gets far fewer requests than usual",
        "It gets {{ $value | humanize }} requests a second, less than half of what it had at this hour before.",
        grave=True,
    ),
    Alert(
        "W34",
        "AppErrorsLowTraffic",
        WARNING,
        0,
        "sum $A (increase($errors[6h])) > $errors_quiet and app:http_requests:rate5m{$app} <= $least_requests",
        "app",
        "$name fails for its few users",
        "{{ $value | humanize }} errors in 6 hours, with too little traffic for the error rates to count.",
    ),
)
