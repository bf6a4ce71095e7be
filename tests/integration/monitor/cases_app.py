# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of each alert of an app and its pods."""

from __future__ import annotations

from tests.integration.monitor.case import Case, bare, fires, of_app, of_namespace, quiet

HOUR, DAY = 3600, 86400
LIVED = of_app("app:http_requests:rate5m", 50)


def _shares(kind: str, **values: float) -> list[tuple[str, str]]:
    return [of_app(f"app:http_{kind}:ratio_rate{window[1:]}", value) for window, value in values.items()]


def _burning(kind: str, fast: str, slow: str, budget: float) -> list[Case]:
    """The four windows of an objective: over the bound, just under it on either side, new, and repaired."""
    bad = 0.5
    over, under = 1.02 * budget, 0.98 * budget

    def shares(**values: float) -> list[tuple[str, str]]:
        return [LIVED, *_shares(kind, **values)]

    return [
        fires(fast, *shares(_1h=14.4 * over, _5m=14.4 * over, _6h=0.0, _30m=0.0), start=HOUR // 2, step=60),
        fires(fast, *shares(_1h=0.0, _5m=over, _6h=6 * over, _30m=6 * over), start=3 * HOUR, step=300),
        quiet(fast, *shares(_1h=14.4 * under, _5m=bad, _6h=6 * under, _30m=bad), start=4 * HOUR, step=300),
        quiet(fast, *shares(_1h=bad, _5m=14.4 * under, _6h=bad, _30m=6 * under), start=4 * HOUR, step=300),
        # Repaired: the long windows still remember.
        quiet(fast, *shares(_1h=bad, _5m=under, _6h=bad, _30m=bad), start=4 * HOUR, step=300),
        # A Prometheus that has just started.
        quiet(fast, *shares(_1h=bad, _5m=bad, _6h=bad, _30m=bad), step=60),
        fires(slow, *shares(_1d=3 * over, _2h=3 * over, _3d=0.0, _6h=0.0), start=DAY // 2, step=900),
        fires(slow, *shares(_1d=0.0, _2h=0.0, _3d=over, _6h=over), start=36 * HOUR, step=900),
        quiet(slow, *shares(_1d=3 * under, _2h=bad, _3d=under, _6h=bad), start=36 * HOUR, step=900),
        quiet(slow, *shares(_1d=bad, _2h=3 * under, _3d=bad, _6h=under), start=36 * HOUR, step=900),
        quiet(slow, *shares(_1d=bad, _2h=bad, _3d=bad, _6h=bad), step=900),
    ]


def _pair(alert: str, record: str, above: float, below: float) -> list[Case]:
    return [fires(alert, of_app(record, above)), quiet(alert, of_app(record, below))]


def _rate(value: float) -> tuple[str, str]:
    return of_app("app:http_requests:rate5m", value)


def _errors(value: float) -> tuple[str, str]:
    return of_app("app:http_error:ratio_rate5m", value)


def _p95(value: float) -> tuple[str, str]:
    return of_app("app:http_latency_seconds:p95_5m", value)


def _traffic(values: str) -> tuple[str, str]:
    return of_app("app:http_requests:rate5m", values)


def _replicas(deployment: str, wanted: float, available: float) -> tuple[tuple[str, str], ...]:
    return (
        of_namespace("kube_deployment_spec_replicas", wanted, deployment=deployment),
        of_namespace("kube_deployment_status_replicas_available", available, deployment=deployment),
    )


def _generation(observed: float, wanted: float) -> tuple[tuple[str, str], ...]:
    return (
        of_namespace("kube_deployment_status_observed_generation", observed, deployment="shop-blue"),
        of_namespace("kube_deployment_metadata_generation", wanted, deployment="shop-blue"),
    )


def _condition(condition: str, status: str, deployment: str = "shop-blue") -> tuple[str, str]:
    name = "kube_deployment_status_condition"
    return of_namespace(name, 1, deployment=deployment, condition=condition, status=status)


def _scaled(current: float, most: float, name: str = "shop-blue") -> tuple[tuple[str, str], ...]:
    return (
        of_namespace("kube_horizontalpodautoscaler_status_current_replicas", current, horizontalpodautoscaler=name),
        of_namespace("kube_horizontalpodautoscaler_spec_max_replicas", most, horizontalpodautoscaler=name),
    )


def _budget(allowed: float, expected: float, name: str = "shop-blue") -> tuple[tuple[str, str], ...]:
    return (
        of_namespace("kube_poddisruptionbudget_status_pod_disruptions_allowed", allowed, poddisruptionbudget=name),
        of_namespace("kube_poddisruptionbudget_status_expected_pods", expected, poddisruptionbudget=name),
    )


def _quota(used: float, hard: float) -> tuple[tuple[str, str], ...]:
    return tuple(
        of_namespace("kube_resourcequota", value, resourcequota="team", resource="pods", type=kind)
        for kind, value in (("used", used), ("hard", hard))
    )


def _job(failed: float, succeeded: float | None = None) -> list[tuple[str, str]]:
    found = [of_namespace("kube_job_status_failed", failed, job_name="shop-migrate")]
    if succeeded is not None:
        found.append(of_namespace("kube_job_status_succeeded", succeeded, job_name="shop-migrate"))
    return found


def _restarts(values: str, pod: str = "shop-blue-1") -> tuple[str, str]:
    return of_namespace("kube_pod_container_status_restarts_total", values, pod=pod, container="app")


def _waits(reason: str, pod: str = "shop-blue-1") -> tuple[str, str]:
    return of_namespace("kube_pod_container_status_waiting_reason", 1, pod=pod, container="app", reason=reason)


BLUE = {"deployment": "shop-blue"}
PDB = {"poddisruptionbudget": "shop-blue"}
POD = {"pod": "shop-blue-1"}
QUOTA = {"resourcequota": "team", "resource": "pods"}

CASES = [
    fires("AppUnreachable", of_app("probe_success", 0, role="external"), of_app("probe_success", 1, role="headers")),
    quiet(
        "AppUnreachable",
        of_app("probe_success", 0, role="external", region="east"),
        of_app("probe_success", 1, role="external", region="west"),
    ),
    *_burning("error", "AppErrorBudgetBurnFast", "AppErrorBudgetBurnSlow", 0.005),
    *_burning("slow", "AppLatencyBudgetBurnFast", "AppLatencyBudgetBurnSlow", 0.01),
    fires("AppErrorRateCritical", _errors(0.011), _rate(1.1)),
    quiet("AppErrorRateCritical", _errors(0.009), _rate(50)),
    quiet("AppErrorRateCritical", _errors(0.5), _rate(0.9)),
    fires("AppLatencyP95Critical", _p95(2.1), _rate(1.1)),
    quiet("AppLatencyP95Critical", _p95(1.9), _rate(50)),
    quiet("AppLatencyP95Critical", _p95(9), _rate(0.9)),
    fires("AppLatencyP95High", _p95(1.1), _rate(1.1)),
    quiet("AppLatencyP95High", _p95(0.9), _rate(50)),
    quiet("AppLatencyP95High", _p95(9), _rate(0.9)),
    fires("AppCpuCritical", of_app("app:cpu:limit_ratio", 0.91), _p95(1.1)),
    quiet("AppCpuCritical", of_app("app:cpu:limit_ratio", 0.89), _p95(5)),
    quiet("AppCpuCritical", of_app("app:cpu:limit_ratio", 1), _p95(0.9)),
    *_pair("AppMemoryCritical", "app:memory:limit_ratio", 0.96, 0.94),
    *_pair("AppUptimeBelowTarget", "app:probe_success:ratio_30d", 0.994, 0.996),
    *_pair("AppCpuHigh", "app:cpu:limit_ratio", 0.81, 0.79),
    *_pair("AppMemoryHigh", "app:memory:limit_ratio", 0.86, 0.84),
    # A sample is a quarter of an hour, so 96 of them are a day and 672 a week. Last week counts before yesterday.
    fires("AppTrafficDropped", _traffic("10x95 5x575 3.9x20"), start=7 * DAY, step=900),
    fires("AppTrafficDropped", _traffic("1.5x95 1x575 0.5x20"), start=7 * DAY, step=900),
    fires("AppTrafficDropped", _traffic("1.5x95 0.5x20"), start=DAY, step=900),
    fires("AppTrafficDropped", _traffic("3.9x20"), of_app("golive_expected_requests_rate", 10), step=900),
    quiet("AppTrafficDropped", _traffic("10x95 4.1x20"), start=DAY, step=900),
    quiet("AppTrafficDropped", _traffic("0.9x671 0.1x20"), start=7 * DAY, step=900),
    quiet("AppTrafficDropped", _traffic("0.1x20"), step=900),
    fires(
        "AppErrorsLowTraffic", of_app("http_requests_total", "0x9 110x20", code="500"), _rate(1), start=3000, step=300
    ),
    quiet(
        "AppErrorsLowTraffic",
        of_app("http_requests_total", "0x9 80x20", code="500"),
        of_app("http_requests_total", "0x9 5000x20", code="200"),
        _rate(1),
        start=3000,
        step=300,
    ),
    quiet(
        "AppErrorsLowTraffic", of_app("http_requests_total", "0x9 500x20", code="500"), _rate(1.1), start=3000, step=300
    ),
    # The live colour is down, the standby as large as it is up.
    fires("AppReplicasUnavailable", *_replicas("shop-blue", 4, 1), *_replicas("shop-green", 4, 4), labels=[BLUE]),
    fires("AppReplicasUnavailable", *_replicas("shop-blue", 1, 0), labels=[BLUE]),
    quiet(
        "AppReplicasUnavailable",
        *_replicas("shop-blue", 4, 2),
        *_replicas("shop-green", 0, 0),
        *_replicas("shop-worker", 5, 0),
    ),
    fires("PodRestarting", _restarts("0x5 4x60"), labels=[POD], start=360, step=60),
    fires("PodRestarting", _waits("ErrImageNeverPull"), labels=[POD]),
    quiet("PodRestarting", _restarts("0x5 2x60"), _restarts("0x5 50x60", pod="other-1"), start=360, step=60),
    quiet("PodRestarting", _waits("ContainerCreating"), _waits("CrashLoopBackOff", pod="other-1")),
    fires(
        "RolloutStuck",
        _condition("Progressing", "false"),
        labels=[{**BLUE, "condition": "Progressing", "status": "false"}],
    ),
    fires("RolloutStuck", *_generation(3, 4), labels=[BLUE]),
    quiet(
        "RolloutStuck",
        _condition("Progressing", "true"),
        _condition("Available", "false"),
        _condition("Progressing", "false", deployment="other"),
        *_generation(4, 4),
    ),
    fires("HpaAtMaximum", *_scaled(5, 5), labels=[{"horizontalpodautoscaler": "shop-blue"}]),
    quiet("HpaAtMaximum", *_scaled(4, 5), *_scaled(5, 5, name="other")),
    fires("PdbBlocksEviction", *_budget(0, 2), labels=[PDB]),
    quiet("PdbBlocksEviction", *_budget(0, 1), *_budget(0, 4, name="other")),
    quiet("PdbBlocksEviction", *_budget(1, 3)),
    fires("QuotaNearlyUsed", *_quota(9.1, 10), labels=[QUOTA]),
    fires("QuotaNearlyUsed", *_quota(1, 1), labels=[QUOTA]),
    quiet("QuotaNearlyUsed", *_quota(8.9, 10)),
    quiet("QuotaNearlyUsed", *_quota(5, 0)),
    fires("JobFailed", *_job(1), labels=[{"job_name": "shop-migrate"}]),
    quiet("JobFailed", *_job(1, 1)),
    quiet("JobFailed", *_job(0)),
    fires("Watchdog"),
    fires("Watchdog", bare("up", 0, job="prometheus")),
]
