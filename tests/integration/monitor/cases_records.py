# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each recording rule makes of series, for each way in which an app or a database is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._monitor.objective import WINDOWS
from tests.integration.monitor.case import Rule, Series, of_app, of_database, of_namespace, strangers

OTEL = {"metrics": "opentelemetry"}
ENVOY = {"metrics": "envoy"}
CNPG = {"database": "cnpg"}
LIMIT = 2147483648
# Seconds between two samples, and when it is looked: more than every short window later.
STEP, AT = 60, 3600


@dataclass(frozen=True)
class Recorded:
    """``labels`` are those of the result besides namespace and app or pgcluster; no ``value`` means no result."""

    record: str
    series: tuple[Series, ...]
    value: float | None
    labels: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    at: int = AT
    step: int = STEP
    decoys: bool = True


def recorded(record: str, value: float | None, *series: Series, **more: Any) -> Recorded:
    """A record of this value."""
    return Recorded(record, series, value, **more)


def file_of(case: Recorded, rule: Rule) -> dict[str, Any]:
    """What promtool reads: the value may differ by rounding, the labels may not."""
    samples = case.at // case.step + 1
    series = [*case.series, *(strangers(case.series) if case.decoys else [])]
    labels = {"namespace": "shop", **rule.get("labels", {}), **case.labels}
    labels |= {} if case.record.startswith(("app:", "tls:", "cache:", "golive")) else {"pgcluster": "shop-postgres"}
    labels |= {"app": "shop"} if case.record.startswith(("app:", "cache:")) else {}
    inner = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    mine = ",".join(f'{name}="{value}"' for name, value in labels.items() if name not in case.labels)
    near = max(abs(case.value or 0) / 1000, 1e-9)
    found = f"{case.record}{{{mine}}}"
    expr = (
        f"count without () (abs({found} - ({case.value or 0!r})) <= {near:.12f})" if case.value is not None else found
    )
    return {
        "evaluation_interval": f"{case.step}s",
        "tests": [
            {
                "interval": f"{case.step}s",
                "input_series": [
                    {"series": name, "values": values.replace("x*", f"x{samples}")} for name, values in series
                ],
                "promql_expr_test": [
                    {
                        "expr": expr,
                        "eval_time": f"{case.at}s",
                        "exp_samples": [] if case.value is None else [{"labels": f"{{{inner}}}", "value": 1}],
                    }
                ],
            }
        ],
    }


def _requests(name: str, slope: float, **labels: str) -> Series:
    return of_app(name, f"0+{slope}x*", **labels)


def _errors(label: str, name: str, good: str = "200", bad: str = "500") -> tuple[Series, ...]:
    return _requests(name, 90, **{label: good}), _requests(name, 10, **{label: bad})


def _histogram(name: str, unit: float = 1) -> tuple[Series, ...]:
    """A third of the requests within half a second, eight of ten within one, all within two; 60 a minute."""
    whole = {0.5: 20, 1: 48, 2: 60}
    bounds = [(f"{bound * unit:g}", slope) for bound, slope in whole.items()]
    return (
        *(_requests(f"{name}_bucket", slope, le=bound) for bound, slope in [*bounds, ("+Inf", 60)]),
        _requests(f"{name}_count", 60),
    )


PLAIN, HTTP_OTEL, RQ_ENVOY = (
    "http_request_duration_seconds",
    "http_server_request_duration_seconds",
    "envoy_cluster_upstream_rq_time",
)
POD = {"pod": "shop-blue-1"}
APP = {**POD, "container": "app"}
CPU, MEMORY, LIMITS = (
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "kube_pod_container_resource_limits",
)
OTHERS_POD = {"pod": "other-1", "container": "app"}
A, B = {"instance": "a"}, {"instance": "b"}
CLAIM = {"persistentvolumeclaim": "data-shop-postgres-0"}
NOT_AFTER, NOT_BEFORE = (
    f"certmanager_certificate_not_{side}_timestamp_seconds" for side in ("after", "before")
)  # fmt: skip


def _limits(resource: str, value: float, **labels: str) -> Series:
    return of_namespace(LIMITS, value, **{**APP, **labels}, resource=resource)


def _connections(reserved: tuple[Series, ...] = ()) -> tuple[Series, ...]:
    return (
        of_database("pg_stat_activity_count", 40, **A, state="idle"),
        of_database("pg_stat_activity_count", 8, **A, state="active"),
        of_database("pg_settings_max_connections", 100, **A),
        of_database("pg_settings_superuser_reserved_connections", 4, **A),
        *reserved,
    )


def _archived(prefix: str = "") -> tuple[Series, ...]:
    return of_database(f"{prefix}pg_stat_database_blks_hit", "0+9000x*"), of_database(
        f"{prefix}pg_stat_database_blks_read", "0+1000x*"
    )


def _transactions(prefix: str = "") -> tuple[Series, ...]:
    return of_database(f"{prefix}pg_stat_database_xact_commit", "0+80x*"), of_database(
        f"{prefix}pg_stat_database_xact_rollback", "0+20x*"
    )


CASES = [
    *(recorded(f"app:http_error:ratio_rate{w}", 0.1, *_errors("code", "http_requests_total")) for w in WINDOWS),
    *(recorded(f"app:http_slow:ratio_rate{w}", 0.2, *_histogram(PLAIN)) for w in WINDOWS),
    # No error yet, and no traffic at all.
    *(recorded(f"app:http_error:ratio_rate{w}", 0, _requests("http_requests_total", 90, code="200")) for w in WINDOWS),
    recorded("app:http_error:ratio_rate5m", None, _requests("http_requests_total", 0, code="200")),
    recorded("app:http_slow:ratio_rate5m", None, *(_requests(f"{PLAIN}_{kind}", 0) for kind in ("count", "sum"))),
    recorded(
        "app:http_error:ratio_rate1h",
        0.1,
        *_errors("http_response_status_code", f"{HTTP_OTEL}_count"),
        settings=OTEL,
    ),
    recorded("app:http_slow:ratio_rate1h", 0.2, *_histogram(HTTP_OTEL), settings=OTEL),
    recorded(
        "app:http_error:ratio_rate1h",
        0.1,
        *_errors("envoy_response_code_class", "envoy_cluster_upstream_rq_xx", "2", "5"),
        settings=ENVOY,
    ),
    recorded("app:http_slow:ratio_rate1h", 0.2, *_histogram(RQ_ENVOY, 1000), settings=ENVOY),
    recorded("app:http_requests:rate5m", 100 / 60, *_errors("code", "http_requests_total")),
    # Interpolated inside of the bucket: 30, 57 and 59.4 of 60.
    recorded("app:http_latency_seconds:p50_5m", 0.5 + 0.5 * 10 / 28, *_histogram(PLAIN)),
    recorded("app:http_latency_seconds:p95_5m", 1.75, *_histogram(PLAIN)),
    recorded("app:http_latency_seconds:p99_5m", 1.95, *_histogram(PLAIN)),
    recorded("app:http_latency_seconds:p95_5m", 1.75, *_histogram(HTTP_OTEL), settings=OTEL),
    recorded("app:http_latency_seconds:p95_5m", 1.75, *_histogram(RQ_ENVOY, 1000), settings=ENVOY),
    # Half of the time 90 requests a second without an error, half of it 10 with every second one.
    recorded(
        "app:http_error:ratio_30d",
        0.05,
        of_app("app:http_error:ratio_rate5m", "0x11 0.5x11"),
        of_app("app:http_requests:rate5m", "90x11 10x11"),
        at=7200 - 300,
        step=300,
    ),
    recorded("app:http_error:ratio_30d", None, of_app("app:http_requests:rate5m", 0.0)),
    recorded("app:error_budget:remaining_30d", 0.6, of_app("app:http_error:ratio_30d", 0.002)),
    recorded(
        "app:probe_success:ratio_30d",
        0.75,
        of_app("probe_success", "1x29 0x30", role="external", region="east"),
        of_app("probe_success", 1, role="external", region="west"),
        of_app("probe_success", 0, role="headers"),
        at=3540,
    ),
    # From the kubelet and from cAdvisor at once, and a pod's own row beside: counted once.
    recorded(
        "app:cpu:limit_ratio",
        0.5,
        of_namespace(CPU, "0+15x*", **APP, metrics_path="/metrics/resource"),
        of_namespace(CPU, "0+15x*", **APP, metrics_path="/metrics/cadvisor"),
        of_namespace(CPU, "0+15x*", **POD, container="sidecar"),
        of_namespace(CPU, "0+31x*", **POD, container=""),
        of_namespace(CPU, "0+9x*", **POD, container="POD"),
        of_namespace(CPU, "0+60x*", **OTHERS_POD),
        _limits("cpu", 0.75),
        _limits("cpu", 0.25, container="sidecar"),
        _limits("memory", 9),
        _limits("cpu", 9, **OTHERS_POD),
    ),
    # cAdvisor without names of containers: the pod's row is the largest.
    recorded(
        "app:cpu:limit_ratio",
        0.5,
        of_namespace(CPU, "0+30x*", **POD, container="", id="/pod"),
        of_namespace(CPU, "0+20x*", **POD, container="", id="/pod/app"),
        of_namespace(CPU, "0+60x*", pod="other-1", container="", id="/other"),
        _limits("cpu", 1),
    ),
    recorded(
        "app:memory:limit_ratio",
        0.8,
        of_namespace(MEMORY, 40, **APP),
        of_namespace(MEMORY, 80, **POD, container="sidecar"),
        of_namespace(MEMORY, 130, **POD, container=""),
        of_namespace(MEMORY, 99, **POD, container="POD"),
        of_namespace(MEMORY, 99, **OTHERS_POD),
        _limits("memory", 100),
        _limits("memory", 100, container="sidecar"),
        _limits("memory", 100, container="POD"),
        _limits("memory", 100, **OTHERS_POD),
        _limits("cpu", 999),
        _limits("cpu", 999, container="sidecar"),
    ),
    recorded(
        "app:memory:limit_ratio",
        0.6,
        of_namespace(MEMORY, 120, **POD, container="", id="/pod"),
        of_namespace(MEMORY, 90, **POD, container="", id="/pod/app"),
        of_namespace(MEMORY, 199, pod="other-1", container="", id="/other"),
        _limits("memory", 150),
        _limits("memory", 50, container="sidecar"),
        _limits("memory", 200, **OTHERS_POD),
        _limits("cpu", 1),
    ),
    recorded("pg:instances_up:count", 1, of_database("pg_up", 1, **A), of_database("pg_up", 0, **B)),
    recorded(
        "pg:instances_up:count",
        1,
        of_database("cnpg_collector_up", 1, pod="p-1"),
        of_database("cnpg_collector_up", 0, pod="p-2"),
        settings=CNPG,
    ),
    recorded(
        "pg:primaries:count",
        2,
        *(
            of_database("pg_replication_is_replica", value, instance=name)
            for name, value in (("a", 0), ("b", 0), ("c", 1))
        ),
    ),
    recorded(
        "pg:primaries:count",
        2,
        *(
            of_database("cnpg_pg_replication_in_recovery", value, pod=name)
            for name, value in (("a", 0), ("b", 0), ("c", 1))
        ),
        settings=CNPG,
    ),
    recorded(
        "pg:standbys_streaming:count",
        2,
        of_database("pg_stat_replication_pg_wal_lsn_diff", 5, **A, application_name="s1", state="streaming"),
        of_database("pg_stat_replication_pg_wal_lsn_diff", 5, **A, application_name="s2", state="streaming"),
        of_database("pg_stat_replication_pg_wal_lsn_diff", 5, **A, application_name="s3", state="catchup"),
        of_database("pg_up", 1, **A),
    ),
    recorded("pg:standbys_streaming:count", 0, of_database("pg_up", 1, **A)),
    recorded("pg:standbys_streaming:count", 2, of_database("cnpg_pg_replication_streaming_replicas", 2), settings=CNPG),
    recorded("pg:connections:ratio", 0.5, *_connections()),
    recorded("pg:connections:ratio", 0.6, *_connections((of_database("pg_settings_reserved_connections", 16, **A),))),
    recorded(
        "pg:connections:ratio",
        0.48,
        of_database("cnpg_backends_total", 40, pod="p-1", state="idle"),
        of_database("cnpg_backends_total", 8, pod="p-1", state="active"),
        of_database("cnpg_pg_settings_setting", 100, pod="p-1", name="max_connections"),
        of_database("cnpg_pg_settings_setting", 3, pod="p-1", name="max_workers"),
        settings=CNPG,
    ),
    # What the primary reports of itself does not count.
    recorded(
        "pg:replay_lag:seconds",
        7,
        of_database("pg_replication_lag_seconds", 90, **A),
        of_database("pg_replication_is_replica", 0, **A),
        of_database("pg_replication_lag_seconds", 7, **B),
        of_database("pg_replication_is_replica", 1, **B),
    ),
    recorded("pg:replay_lag:seconds", 7, of_database("cnpg_pg_replication_lag", 7, pod="p-1"), settings=CNPG),
    recorded(
        "pg:replay_lag:bytes",
        9,
        of_database("pg_stat_replication_pg_wal_lsn_diff", 9, **A, application_name="s1"),
        of_database("pg_stat_replication_pg_wal_lsn_diff", 5, **A, application_name="s2"),
    ),
    recorded("pg:replay_lag:bytes", 9, of_database("cnpg_pg_stat_replication_replay_diff_bytes", 9), settings=CNPG),
    *(
        recorded(f"pg:{record}_age:ratio", 0.25, of_database(series, LIMIT / 4, datname="shop"), settings=settings)
        for record, series, settings in (
            ("xid", "pg_database_wraparound_age_datfrozenxid_seconds", {}),
            ("mxid", "pg_database_wraparound_age_datminmxid_seconds", {}),
            ("xid", "cnpg_pg_database_xid_age", CNPG),
            ("mxid", "cnpg_pg_database_mxid_age", CNPG),
        )
    ),
    recorded("pg:cache_hit:ratio_rate5m", 0.9, *_archived()),
    recorded("pg:cache_hit:ratio_rate5m", 0.9, *_archived("cnpg_"), settings=CNPG),
    recorded(
        "pg:cache_hit:ratio_rate5m",
        None,
        of_database("pg_stat_database_blks_hit", "0+4500x*"),
        of_database("pg_stat_database_blks_read", "0+500x*"),
    ),
    recorded("pg:rollback:ratio_rate5m", 0.2, *_transactions()),
    recorded("pg:rollback:ratio_rate5m", 0.2, *_transactions("cnpg_"), settings=CNPG),
    recorded(
        "pg:rollback:ratio_rate5m",
        None,
        of_database("pg_stat_database_xact_commit", "0+40x*"),
        of_database("pg_stat_database_xact_rollback", "0+10x*"),
    ),
    recorded(
        "pg:deadlocks:increase10m",
        20,
        of_database("pg_stat_database_deadlocks", "0+2x*", datname="shop"),
        labels={"datname": "shop"},
    ),
    recorded(
        "pg:deadlocks:increase10m",
        20,
        of_database("cnpg_pg_stat_database_deadlocks", "0+2x*", datname="shop"),
        labels={"datname": "shop"},
        settings=CNPG,
    ),
    recorded(
        "pg:lock_waiters:count",
        3,
        of_database("pg_stat_activity_count", 3, wait_event_type="Lock"),
        of_database("pg_stat_activity_count", 30, wait_event_type="Client"),
        of_database("pg_up", 1, **A),
    ),
    recorded("pg:lock_waiters:count", 0, of_database("pg_up", 1, **A)),
    recorded("pg:lock_waiters:count", 3, of_database("cnpg_backends_waiting_total", 3), settings=CNPG),
    recorded(
        "pg:oldest_xact:seconds",
        50,
        of_database("pg_stat_activity_max_tx_duration", 50, backend_type="client backend"),
        of_database("pg_stat_activity_max_tx_duration", 9000, backend_type="walsender"),
    ),
    recorded("pg:oldest_xact:seconds", 50, of_database("cnpg_backends_max_tx_duration_seconds", 50), settings=CNPG),
    recorded(
        "pg:volume_free:ratio",
        0.25,
        of_namespace("kubelet_volume_stats_available_bytes", 25, **CLAIM),
        of_namespace("kubelet_volume_stats_capacity_bytes", 100, **CLAIM),
        of_namespace("kubelet_volume_stats_available_bytes", 1, persistentvolumeclaim="uploads"),
        of_namespace("kubelet_volume_stats_capacity_bytes", 100, persistentvolumeclaim="uploads"),
        labels=CLAIM,
    ),
    recorded("pg:backup_age:seconds", 3000, of_database("golive_backup_last_success_timestamp_seconds", 600)),
    # Of two repositories the older one, also where it has no backup at all.
    recorded(
        "pg:backup_age:seconds",
        3600,
        of_database("golive_backup_last_success_timestamp_seconds", 600, repo="1"),
        of_database("golive_backup_last_success_timestamp_seconds", 0, repo="2"),
    ),
    recorded("pg:backup_age:seconds", None, of_database("golive_backup_first_success_timestamp_seconds", 600)),
    recorded(
        "pg:backup_age:seconds",
        3000,
        of_database("barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", 600),
        settings=CNPG,
    ),
    recorded(
        "pg:backup_age:seconds", 3000, of_database("golive_backup_last_success_timestamp_seconds", 600), settings=CNPG
    ),
    recorded(
        "pg:backup_age:seconds",
        None,
        of_database("barman_cloud_cloudnative_pg_io_last_available_backup_timestamp", 0),
        settings=CNPG,
    ),
    recorded(
        "pg:restore_test_age:seconds", 3000, of_database("golive_restore_test_last_success_timestamp_seconds", 600)
    ),
    recorded("pg:restore_test_age:seconds", None, of_database("golive_restore_test_last_success_timestamp_seconds", 0)),
    recorded("pg:wal_archive:age_seconds", 70, of_database("pg_stat_archiver_last_archive_age", 70)),
    recorded(
        "pg:wal_archive:age_seconds",
        70,
        of_database("cnpg_pg_stat_archiver_seconds_since_last_archival", 70),
        settings=CNPG,
    ),
    recorded(
        "tls:lifetime_left:ratio",
        0.5,
        of_namespace(NOT_AFTER, 5400, name="shop-tls"),
        of_namespace(NOT_BEFORE, 1800, name="shop-tls"),
        labels={"name": "shop-tls"},
    ),
    recorded("cache:memory:ratio", 0.5, of_app("redis_memory_used_bytes", 5), of_app("redis_memory_max_bytes", 10)),
    recorded("cache:memory:ratio", None, of_app("redis_memory_used_bytes", 5), of_app("redis_memory_max_bytes", 0)),
    recorded("golive_expected_pg_primaries", 1, labels={"pgcluster": "shop-postgres"}),
    recorded("golive_expected_pg_standbys", 1, labels={"pgcluster": "shop-postgres"}),
    recorded("golive_expected_requests_rate", 20, labels={"app": "shop"}),
]
