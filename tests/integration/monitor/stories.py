# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole stories: all rules of an app over raw series, and every alert that fires at each moment.

Each shows a fault of an earlier catalogue that was measured in real pods, or that there is none where all is well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.integration.monitor.case import Series, bare, of_app, of_database, of_namespace

STEP = 30
MINUTE, HOUR = 60, 3600
# What is there; each test takes some of it away or makes it ill.
JOBS = {"jobs": ["shop"], "requests_rate": 0}


@dataclass(frozen=True)
class Story:
    """``fires`` are the critical alerts and warnings that fire at a second, besides the Watchdog."""

    name: str
    series: Mapping[str, Series]
    fires: Mapping[int, frozenset[str]]
    settings: Mapping[str, Any] = field(default_factory=lambda: JOBS)


def _per_step(rate: float) -> float:
    return rate * STEP


def healthy(minutes: int, **changes: Series | None) -> dict[str, Series]:
    """An app with a database, a standby and backups that are all well; None takes a series away."""
    n = minutes * MINUTE // STEP
    server = {"instance": "a"}

    def grows(rate: float) -> str:
        return f"0+{_per_step(rate)}x{n}"

    def stays(value: float) -> str:
        return f"{value}x{n}"

    found: dict[str, Series | None] = {
        "probe": of_app("probe_success", stays(1), role="external"),
        "headers": of_app("probe_success", stays(1), role="headers"),
        "expiry": of_app("probe_ssl_earliest_cert_expiry", stays(5e6)),
        "good": of_app("http_requests_total", grows(50), code="200"),
        "bad": of_app("http_requests_total", grows(0.01), code="500"),
        **{
            f"le{bound}": of_app("http_request_duration_seconds_bucket", grows(rate), le=bound)
            for bound, rate in (("0.5", 49.0), ("1", 49.9), ("2", 50.0), ("+Inf", 50.0))
        },
        "count": of_app("http_request_duration_seconds_count", grows(50)),
        "wanted": of_namespace("kube_deployment_spec_replicas", stays(3), deployment="shop-blue"),
        "available": of_namespace("kube_deployment_status_replicas_available", stays(3), deployment="shop-blue"),
        "warm": of_namespace("kube_deployment_spec_replicas", stays(3), deployment="shop-green"),
        "warm_available": of_namespace("kube_deployment_status_replicas_available", stays(3), deployment="shop-green"),
        "pg_up": of_database("pg_up", stays(1), **server),
        "tcp": of_database("probe_success", stays(1), **server, role="database"),
        "replica": of_database("pg_replication_is_replica", stays(0), **server),
        "streaming": of_database("pg_stat_replication_pg_wal_lsn_diff", stays(9), **server, state="streaming"),
        "sessions": of_database("pg_stat_activity_count", stays(20), **server, state="idle"),
        "max": of_database("pg_settings_max_connections", stays(100), **server),
        "reserved": of_database("pg_settings_superuser_reserved_connections", stays(3), **server),
        "archived": of_database("pg_stat_archiver_archived_count", grows(1 / 60), **server),
        "failed": of_database("pg_stat_archiver_failed_count", stays(0), **server),
        "backup": of_database("golive_backup_last_success_timestamp_seconds", stays(1)),
        "restored": of_database("golive_restore_test_last_success_timestamp_seconds", stays(1)),
        "free": of_namespace(
            "kubelet_volume_stats_available_bytes", stays(70), persistentvolumeclaim="data-shop-postgres-0"
        ),
        "size": of_namespace(
            "kubelet_volume_stats_capacity_bytes", stays(100), persistentvolumeclaim="data-shop-postgres-0"
        ),
        "up": bare("up", stays(1), job="shop", instance="a"),
        "reload": bare("prometheus_config_last_reload_successful", stays(1)),
        **changes,
    }
    return {name: one for name, one in found.items() if one is not None}


def _none(*seconds: int) -> dict[int, frozenset[str]]:
    return dict.fromkeys(seconds, frozenset())


_TEN_MINUTES = 20
_SERVER = {"instance": "a"}
# From the tenth minute on.
_GONE = f"1x{_TEN_MINUTES} _x200"
_DOWN = f"1x{_TEN_MINUTES} 0x200"

STORIES = (
    Story("healthy from the first second", healthy(90), _none(*range(0, 90 * MINUTE + 1, 10 * MINUTE))),
    # A new Prometheus, and a third of the requests fail for its first 10 minutes: only what looks at 5 minutes tells.
    Story(
        "fresh",
        healthy(20, bad=of_app("http_requests_total", "0+600x40", code="500")),
        {2 * MINUTE: frozenset(), 4 * MINUTE: frozenset({"AppErrorRateCritical"})},
    ),
    # Every fifth request fails for 40 minutes, then all is well: everything ends with its cause.
    Story(
        "repaired",
        healthy(110, bad=of_app("http_requests_total", f"0x119 0+375x80 {375 * 80}x100", code="500")),
        {
            59 * MINUTE: frozenset(),
            63 * MINUTE: frozenset({"AppErrorRateCritical"}),
            98 * MINUTE: frozenset({"AppErrorRateCritical", "AppErrorBudgetBurnFast", "CriticalUnresolved"}),
            107 * MINUTE: frozenset(),
        },
    ),
    # The database is stopped: its port is closed, its exporter says 0.
    Story(
        "database down",
        healthy(
            20,
            pg_up=of_database("pg_up", _DOWN, **_SERVER),
            tcp=of_database("probe_success", _DOWN, **_SERVER, role="database"),
            replica=of_database("pg_replication_is_replica", f"0x{_TEN_MINUTES} _x200", **_SERVER),
            streaming=of_database(
                "pg_stat_replication_pg_wal_lsn_diff", f"9x{_TEN_MINUTES} _x200", **_SERVER, state="streaming"
            ),
            sessions=of_database("pg_stat_activity_count", f"20x{_TEN_MINUTES} _x200", **_SERVER, state="idle"),
        ),
        {
            10 * MINUTE: frozenset(),
            12 * MINUTE: frozenset({"PostgresInstanceDown"}),
            18 * MINUTE: frozenset({"PostgresInstanceDown", "PostgresPrimaryMissing", "PostgresReplicationBroken"}),
        },
    ),
    # All connections are taken and the exporter is started anew: it cannot log in, but the port is open.
    Story(
        "connections exhausted",
        healthy(
            20,
            pg_up=of_database("pg_up", _DOWN, **_SERVER),
            replica=of_database("pg_replication_is_replica", f"0x{_TEN_MINUTES} stale", **_SERVER),
            streaming=None,
            sessions=of_database("pg_stat_activity_count", "20x16 90x3 _x200", **_SERVER, state="idle"),
        ),
        {
            10 * MINUTE: frozenset({"PostgresReplicationBroken"}),
            14 * MINUTE: frozenset({"PostgresConnectionsExhausted", "MonitoringImpaired", "PostgresReplicationBroken"}),
        },
    ),
    # The same while the exporter runs on: it says that the server is up, and nothing else of it.
    Story(
        "collectors shut out",
        healthy(
            20,
            replica=of_database("pg_replication_is_replica", f"0x{_TEN_MINUTES} stale", **_SERVER),
            streaming=None,
            sessions=of_database("pg_stat_activity_count", "20x16 90x3 _x200", **_SERVER, state="idle"),
        ),
        {
            10 * MINUTE: frozenset({"PostgresReplicationBroken"}),
            14 * MINUTE: frozenset({"PostgresConnectionsExhausted", "MonitoringImpaired", "PostgresReplicationBroken"}),
        },
    ),
    # Every exporter vanishes: what is expected tells.
    Story(
        "exporters gone",
        {
            "up": bare("up", f"1x{_TEN_MINUTES} 0x200", job="shop", instance="a"),
            "reload": bare("prometheus_config_last_reload_successful", "1x200"),
        },
        {
            20 * MINUTE: frozenset({"PostgresPrimaryMissing", "BackupMissing", "CriticalUnresolved"}),
            22 * MINUTE: frozenset(
                {"PostgresPrimaryMissing", "BackupMissing", "MonitoringImpaired", "CriticalUnresolved"}
            ),
        },
    ),
    # The live colour loses its pods, the standby is as large and healthy.
    Story(
        "live down, standby warm",
        healthy(
            20,
            available=of_namespace(
                "kube_deployment_status_replicas_available", f"3x{_TEN_MINUTES} 0x200", deployment="shop-blue"
            ),
        ),
        {11 * MINUTE: frozenset(), 13 * MINUTE: frozenset({"AppReplicasUnavailable"})},
    ),
    # Archiving breaks after it had worked: told within four minutes.
    Story(
        "archiving breaks",
        healthy(
            20,
            archived=of_database("pg_stat_archiver_archived_count", f"0+0.5x{_TEN_MINUTES} 10x200", **_SERVER),
            failed=of_database("pg_stat_archiver_failed_count", f"0x{_TEN_MINUTES} 1+0.5x100", **_SERVER),
        ),
        {10 * MINUTE: frozenset(), 14 * MINUTE: frozenset({"PostgresWalArchivingStopped"})},
    ),
    # 5 % of the volume are free: told within three minutes.
    Story(
        "disk fills",
        healthy(
            20,
            free=of_namespace(
                "kubelet_volume_stats_available_bytes",
                f"70x{_TEN_MINUTES} 5x200",
                persistentvolumeclaim="data-shop-postgres-0",
            ),
        ),
        {10 * MINUTE: frozenset(), 13 * MINUTE: frozenset({"PostgresVolumeFilling"})},
    ),
    # The only backup is known for ten minutes and then forgotten.
    Story(
        "backup forgotten",
        healthy(25, backup=of_database("golive_backup_last_success_timestamp_seconds", f"1x{_TEN_MINUTES} _x200")),
        {10 * MINUTE: frozenset(), 18 * MINUTE: frozenset({"BackupMissing"})},
    ),
)


def file_of(story: Story, names: list[str]) -> dict[str, Any]:
    """What promtool reads: at each second the names of all alerts that fire."""
    tests = []
    for second, firing in story.fires.items():
        wanted = sorted({*firing, "Watchdog"})
        tests.append(
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"}) > bool 0',
                "eval_time": f"{second}s",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in wanted],
            }
        )
    assert set(names) >= {name for firing in story.fires.values() for name in firing}
    return {
        "evaluation_interval": f"{STEP}s",
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [{"series": name, "values": values} for name, values in story.series.values()],
                "promql_expr_test": tests,
            }
        ],
    }
