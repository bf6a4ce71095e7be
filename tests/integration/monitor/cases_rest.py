# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of each alert of backups, certificates, secrets, changes and of the monitoring itself."""

from __future__ import annotations

from tests.integration.monitor.case import Case, Series, bare, fires, of_app, of_database, of_namespace, quiet

DAY = 86400
NAME = {"name": "shop-tls"}
MIGRATION = {"migration": "0042"}
RECEIVER = {"integration": "pagerduty"}
CNPG = {"database": "cnpg"}


def _pair(alert: str, series: str, above: float, below: float, fault: str = "", **labels: str) -> list[Case]:
    return [
        fires(alert, of_app(series, above, **labels), labels=[labels], fault=fault),
        quiet(alert, of_app(series, below, **labels), fault=fault),
    ]


def _state(state: str, value: float) -> Series:
    return of_app("golive_migration_state", value, **MIGRATION, state=state)


def _started(value: float) -> Series:
    return of_app("golive_migration_started_timestamp_seconds", value, **MIGRATION)


def _secret(changed: float, limit: float) -> tuple[Series, ...]:
    return (
        of_app("golive_secret_last_rotated_timestamp_seconds", changed, **NAME),
        of_app("golive_secret_max_age_seconds", limit, **NAME),
    )


def _synced(condition: str, status: str) -> Series:
    return of_namespace("externalsecret_status_condition", 1, **NAME, condition=condition, status=status)


def _delivery(prefix: str, failed: float, every: float) -> tuple[Series, ...]:
    return (
        bare(f"{prefix}_failed_total", f"0+{failed}x60", **RECEIVER),
        bare(f"{prefix}_total", f"0+{every}x60", **RECEIVER),
    )


def _firing(name: str, severity: str = "critical", state: str = "firing") -> Series:
    return of_app("ALERTS", 1, alertname=name, severity=severity, alertstate=state)


def _discarded(intentional: str) -> Series:
    return bare(
        "vector_component_discarded_events_total",
        "0+0.1x60",
        component_id="out",
        component_kind="sink",
        intentional=intentional,
    )


PRIMARY = of_database("golive_expected_pg_primaries", 1)
SENT = "alertmanager_notifications"
ASKED = "alertmanager_notification_requests"

CASES = [
    fires("BackupMissing", of_database("pg:backup_age:seconds", 26 * 3600 + 1), PRIMARY),
    fires("BackupMissing", PRIMARY),
    quiet("BackupMissing", of_database("pg:backup_age:seconds", 26 * 3600 - 1), PRIMARY),
    *_pair("CertificateExpiryCritical", "tls:lifetime_left:ratio", 0.09, 0.11, fault="renewal", **NAME),
    # Time begins at 0 in these tests: the certificate has three days and five minutes left.
    fires(
        "CertificateExpiryCritical",
        of_app("probe_ssl_earliest_cert_expiry", 3 * DAY + 300),
        start=360,
        step=60,
        fault="shown",
    ),
    quiet(
        "CertificateExpiryCritical", of_app("probe_ssl_earliest_cert_expiry", 3 * DAY + 5000), step=60, fault="shown"
    ),
    fires("RestoreTestOverdue", of_database("pg:restore_test_age:seconds", 8 * DAY + 1), fault="age"),
    quiet("RestoreTestOverdue", of_database("pg:restore_test_age:seconds", 8 * DAY - 1), fault="age"),
    fires("RestoreTestOverdue", of_database("pg:backup_age:seconds", 60), start=8 * DAY, step=1800, fault="never"),
    quiet("RestoreTestOverdue", of_database("pg:backup_age:seconds", 60), start=7 * DAY, step=1800, fault="never"),
    quiet(
        "RestoreTestOverdue",
        of_database("pg:backup_age:seconds", 60),
        of_database("pg:restore_test_age:seconds", 60),
        start=8 * DAY,
        step=1800,
        fault="never",
    ),
    *_pair("CertificateRenewalLate", "tls:lifetime_left:ratio", 0.24, 0.26, **NAME),
    fires(
        "CertificateRenewalLate",
        of_namespace("certmanager_certificate_ready_status", 1, **NAME, condition="False"),
        labels=[NAME],
    ),
    quiet("CertificateRenewalLate", of_namespace("certmanager_certificate_ready_status", 1, **NAME, condition="True")),
    fires("SecretRotationOverdue", *_secret(0, 600), labels=[NAME], start=660, step=60, fault="age"),
    quiet("SecretRotationOverdue", *_secret(0, 90000), step=60, fault="age"),
    fires("SecretRotationOverdue", _synced("Ready", "False"), labels=[NAME], fault="sync"),
    quiet("SecretRotationOverdue", _synced("Ready", "True"), _synced("Deleted", "False"), fault="sync"),
    fires("SecurityHeadersMissing", of_app("probe_success", 0, role="headers"), labels=[{"role": "headers"}]),
    quiet(
        "SecurityHeadersMissing",
        of_app("probe_success", 1, role="headers"),
        of_app("probe_success", 0, role="external"),
    ),
    fires("MigrationFailed", _state("failed", 1), labels=[MIGRATION]),
    quiet("MigrationFailed", _state("failed", 0), _state("running", 1)),
    fires(
        "CutoverGuardTripped", of_app("golive_cutover_guard_tripped", 1, guard="writes"), labels=[{"guard": "writes"}]
    ),
    quiet("CutoverGuardTripped", of_app("golive_cutover_guard_tripped", 0, guard="writes")),
    fires("MigrationRunningLong", _started(0), _state("running", 1), labels=[MIGRATION], start=1860, step=60),
    quiet("MigrationRunningLong", _started(0), _state("running", 1), start=1500, step=60),
    quiet("MigrationRunningLong", _started(0), _state("running", 0), _state("failed", 1), start=4000, step=60),
    *_pair("CacheMemoryHigh", "cache:memory:ratio", 0.91, 0.89),
    fires("AlertDeliveryFailing", *_delivery(SENT, 0.3, 5), labels=[RECEIVER], start=30),
    quiet("AlertDeliveryFailing", *_delivery(SENT, 0.2, 5), start=30),
    # Two alerts at once: grouped by the wrong label they would be one series, which Prometheus refuses.
    fires(
        "CriticalUnresolved",
        _firing("AppUnreachable"),
        _firing("BackupMissing"),
        labels=[{"source_alert": "AppUnreachable"}, {"source_alert": "BackupMissing"}],
    ),
    quiet(
        "CriticalUnresolved",
        _firing("AppCpuHigh", severity="warning"),
        _firing("AppUnreachable", state="pending"),
        _firing("CriticalUnresolved"),
    ),
    fires("LogPipelineDropping", _discarded("false"), labels=[{"component_id": "out"}], start=30),
    quiet("LogPipelineDropping", _discarded("true"), start=30),
    fires(
        "MonitoringImpaired",
        of_app("golive_exporter_query_up", 0, query="bloat"),
        labels=[{"query": "bloat"}],
        fault="query",
    ),
    quiet("MonitoringImpaired", of_app("golive_exporter_query_up", 1, query="bloat"), fault="query"),
    fires("MonitoringImpaired", of_database("pg_exporter_last_scrape_error", 1), fault="exporter"),
    fires(
        "MonitoringImpaired",
        of_database("pg_scrape_collector_success", 0, collector="wal"),
        labels=[{"collector": "wal"}],
        fault="exporter",
    ),
    quiet(
        "MonitoringImpaired",
        of_database("pg_exporter_last_scrape_error", 0),
        of_database("pg_scrape_collector_success", 1, collector="wal"),
        fault="exporter",
    ),
    fires(
        "MonitoringImpaired", of_database("cnpg_collector_last_collection_error", 1), fault="exporter", settings=CNPG
    ),
    quiet(
        "MonitoringImpaired", of_database("cnpg_collector_last_collection_error", 0), fault="exporter", settings=CNPG
    ),
    fires(
        "MonitoringImpaired",
        of_database("pg_up", 0, instance="a"),
        of_database("probe_success", 1, instance="a", role="database"),
        of_database("pg_up", 1, instance="b"),
        of_database("probe_success", 1, instance="b", role="database"),
        labels=[{"instance": "a"}, {"instance": "b"}],
        fault="login",
    ),
    quiet(
        "MonitoringImpaired",
        of_database("pg_up", 0, instance="a"),
        of_database("probe_success", 0, instance="a", role="database"),
        of_database("probe_success", 1, instance="a", role="external"),
        of_database("pg_up", 1, instance="b"),
        of_database("pg_replication_is_replica", 0, instance="b"),
        of_database("probe_success", 1, instance="b", role="database"),
        fault="login",
    ),
    fires(
        "MonitoringImpaired",
        bare("prometheus_rule_evaluation_failures_total", "0+0.01x90", rule_group="golive"),
        labels=[{"rule_group": "golive"}],
        start=30,
        fault="rules",
    ),
    quiet("MonitoringImpaired", bare("prometheus_rule_evaluation_failures_total", 7), start=30, fault="rules"),
    fires("MonitoringImpaired", bare("prometheus_config_last_reload_successful", 0), fault="configuration"),
    quiet("MonitoringImpaired", bare("prometheus_config_last_reload_successful", 1), fault="configuration"),
    fires(
        "MonitoringImpaired",
        of_app("golive_expected_job", 1, job="shop"),
        bare("up", 0, job="shop", instance="a"),
        bare("up", 1, job="other", instance="b"),
        labels=[{"job": "shop"}],
        fault="targets",
    ),
    quiet(
        "MonitoringImpaired",
        of_app("golive_expected_job", 1, job="shop"),
        bare("up", 0, job="shop", instance="a"),
        bare("up", 1, job="shop", instance="b"),
        fault="targets",
    ),
    fires("MonitoringImpaired", *_delivery(ASKED, 0.3, 5), labels=[RECEIVER], start=30, fault="delivery"),
    quiet("MonitoringImpaired", *_delivery(ASKED, 0.2, 5), start=30, fault="delivery"),
]
