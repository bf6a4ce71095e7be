# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboards: the main one, the database, the cut-over room, and the monitoring itself."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.dashboard import (
    BYTES,
    NUMBERS,
    OPERATIONS,
    REQUESTS,
    SECONDS,
    SHARE,
    Dashboard,
    Mark,
    Panel,
    Query,
)

_RANGE = "[$__rate_interval]"
_AVAILABLE = "kube_deployment_status_replicas_available{$ns,deployment=~$deployments}"
_WANTED = "kube_deployment_spec_replicas{$ns,deployment=~$deployments}"
_SCALED = "{$ns,horizontalpodautoscaler=~$mine}"
_NO_LIMIT = "the pods have no CPU limit"
_NO_AUTOSCALER = "the app has no autoscaler"
_NO_ALERT = "nothing fires"
_MONTH = "it is looked at every five minutes, and takes a month to fill"

_COLOUR_OF_POD = '"colour", "$1", "pod", "$name-(blue|green)-.*"'
_COLOUR_OF_DEPLOYMENT = '"colour", "$1", "deployment", "$name-(blue|green)"'
_ANSWERS = f"sum by (colour) (rate($requests{_RANGE}))"

MARKS = (
    Mark(
        "changes of pods",
        "changes(kube_deployment_metadata_generation{$ns,deployment=~$deployments}[2m]) > 0",
        "{{deployment}} was changed: a release, or another number of pods",
        "kubernetes",
    ),
    Mark("migrations", 'golive_migration_state{$app,state="running"} == 1', "{{migration}} runs", "migrations"),
    Mark("guards", "golive_cutover_guard_tripped{$app} == 1", "guard {{guard}} has tripped", "cutover"),
    Mark("critical alerts", 'ALERTS{$app,alertstate="firing",severity="critical"}', "{{alertname}} fires", "always"),
)

MAIN = Dashboard(
    "main",
    "live",
    (
        Panel(
            "Availability and error budget",
            "Probes from outside that got an answer, now and over 30 days, and what is left of the errors that the "
            "objective allows.",
            (
                Query('max $A (probe_success{$app,role="external"})', "now", "probe", SHARE),
                Query("app:probe_success:ratio_30d{$app}", "30 days", "probe", SHARE, silent=_MONTH),
                Query("app:error_budget:remaining_30d{$app}", "error budget left", "app", SHARE, silent=_MONTH),
            ),
            NUMBERS,
            ("uptime_warning",),
            True,
            ("AppUnreachable", "AppUptimeBelowTarget", "AppErrorBudgetBurnSlow"),
        ),
        Panel(
            "Traffic by class of status",
            "Requests a second that the pods have answered.",
            (
                Query(
                    f'sum by (class) (label_replace(rate($requests{_RANGE}), "class", "${{1}}xx", "$code", "(.).*"))',
                    "{{class}}",
                    "app",
                    REQUESTS,
                ),
                Query("app:http_requests:rate5m{$app}", "all, 5 minutes", "app", REQUESTS),
            ),
            alerts=("AppTrafficDropped",),
        ),
        Panel(
            "Share of errors",
            "Requests that failed on the server's side.",
            (
                Query("app:http_error:ratio_rate5m{$app}", "5 minutes", "app", SHARE),
                Query("app:http_error:ratio_rate1h{$app}", "1 hour", "app", SHARE),
            ),
            bands=("error_budget", "error_critical"),
            alerts=("AppErrorRateCritical", "AppErrorBudgetBurnFast"),
        ),
        Panel(
            "Latency",
            "Half, 95 and 99 of 100 requests are faster than this.",
            tuple(
                Query(f"app:http_latency_seconds:p{part}_5m{{$app}}", f"p{part}", "app", SECONDS)
                for part in (50, 95, 99)
            ),
            bands=("latency_warning", "latency_critical"),
            alerts=("AppLatencyP95High", "AppLatencyP95Critical", "AppLatencyBudgetBurnFast"),
        ),
        Panel(
            "CPU, memory and pods",
            "Use of the limits, and how many pods there are and may be.",
            (
                Query("app:cpu:limit_ratio{$app}", "CPU", "kubernetes", SHARE, silent=_NO_LIMIT),
                Query("app:memory:limit_ratio{$app}", "memory", "kubernetes", SHARE),
                Query(f"sum $N ({_AVAILABLE})", "pods that serve", "kubernetes"),
                Query(
                    f"kube_horizontalpodautoscaler_status_current_replicas{_SCALED}",
                    "pods of {{horizontalpodautoscaler}}",
                    "kubernetes",
                    silent=_NO_AUTOSCALER,
                ),
                Query(
                    f"kube_horizontalpodautoscaler_spec_max_replicas{_SCALED}",
                    "most pods",
                    "kubernetes",
                    silent=_NO_AUTOSCALER,
                ),
            ),
            bands=("cpu_warning", "cpu_critical"),
            alerts=("AppCpuHigh", "AppCpuCritical", "AppMemoryCritical", "HpaAtMaximum"),
        ),
        Panel(
            "Database",
            "Connections in use, transaction ids used up, sessions that wait for a lock, and a standby that is behind.",
            (
                Query("pg:connections:ratio{$pg}", "connections", "postgres", SHARE),
                Query("pg:xid_age:ratio{$pg}", "transaction ids", "postgres", SHARE),
                Query("pg:lock_waiters:count{$pg}", "waiting for a lock", "postgres"),
                Query("pg:primaries:count{$pg}", "primaries", "postgres"),
                Query("pg:replay_lag:seconds{$pg}", "standby behind", "standby", SECONDS),
            ),
            bands=("connections_warning", "connections_critical"),
            alerts=("PostgresPrimaryMissing", "PostgresConnectionsExhausted", "PostgresLockWaits"),
        ),
        Panel(
            "Protection",
            "Age of backup, drill and archived WAL, what is left of certificates, and age of secrets.",
            (
                Query("pg:backup_age:seconds{$pg}", "backup", "backup", SECONDS),
                Query(
                    "pg:restore_test_age:seconds{$pg}",
                    "drill",
                    "restore_test",
                    SECONDS,
                    silent="nobody has drilled yet",
                ),
                Query(
                    "pg:wal_archive:age_seconds{$pg}",
                    "archived WAL",
                    "archive",
                    SECONDS,
                    silent="nothing was archived yet",
                ),
                Query("tls:lifetime_left:ratio{$app}", "certificate {{name}}", "certificates", SHARE),
                Query(
                    "time() - golive_secret_last_rotated_timestamp_seconds{$app}", "secret {{name}}", "secrets", SECONDS
                ),
                Query("pg:volume_free:ratio{$pg}", "free on {{persistentvolumeclaim}}", "volumes", SHARE),
            ),
            alerts=("BackupMissing", "RestoreTestOverdue", "PostgresWalArchivingStopped", "CertificateExpiryCritical"),
        ),
        Panel(
            "Changes and alerts",
            "Pods of each colour that serve, and how many alerts fire.",
            (
                Query(_AVAILABLE, "{{deployment}}", "kubernetes"),
                Query(
                    'count by (severity) (ALERTS{$app,alertstate="firing",alertname!="Watchdog"})',
                    "{{severity}} alerts",
                    "always",
                    silent=_NO_ALERT,
                ),
            ),
            alerts=("RolloutStuck", "AppReplicasUnavailable", "CriticalUnresolved"),
        ),
    ),
    MARKS,
)


def _per_second(series: str) -> tuple[str, str]:
    """Per second and database, by either exporter."""
    text = f"sum by (datname) (rate(pg_stat_database_{series}{{$pg}}{_RANGE}))"
    return text, text.replace("pg_stat_", "cnpg_pg_stat_")


_COMMITS, _ROLLBACKS = _per_second("xact_commit"), _per_second("xact_rollback")

POSTGRES = Dashboard(
    "postgres",
    "database",
    (
        Panel(
            "Servers",
            "Servers that answer, and those that take writes.",
            (
                Query("pg:instances_up:count{$pg}", "up", "postgres"),
                Query("pg:primaries:count{$pg}", "primaries", "postgres"),
                Query("pg:standbys_streaming:count{$pg}", "standbys that follow", "standby"),
            ),
            NUMBERS,
            alerts=("PostgresPrimaryMissing", "PostgresInstanceDown", "PostgresReplicationBroken"),
        ),
        Panel(
            "Connections",
            "Of those that are there for everybody.",
            (Query("pg:connections:ratio{$pg}", "in use", "postgres", SHARE),),
            bands=("connections_warning", "connections_critical"),
            alerts=("PostgresConnectionsHigh", "PostgresConnectionsExhausted"),
        ),
        Panel(
            "Sessions by state",
            "What the sessions do; those idle in a transaction hold back vacuum and locks.",
            (
                Query(
                    "sum by (state) (pg_stat_activity_count{$pg})",
                    "{{state}}",
                    "postgres",
                    cnpg="sum by (state) (cnpg_backends_total{$pg})",
                ),
            ),
            alerts=("PostgresLongTransaction",),
        ),
        Panel(
            "Transactions a second",
            "Ended well, and taken back.",
            (
                Query(_COMMITS[0], "{{datname}} committed", "postgres", OPERATIONS, _COMMITS[1]),
                Query(_ROLLBACKS[0], "{{datname}} rolled back", "postgres", OPERATIONS, _ROLLBACKS[1]),
            ),
            alerts=("PostgresRollbackRatio",),
        ),
        Panel(
            "Locks and deadlocks",
            "Sessions that wait for a lock now, and deadlocks of the last 10 minutes.",
            (
                Query("pg:lock_waiters:count{$pg}", "waiting", "postgres"),
                Query("pg:deadlocks:increase10m{$pg}", "deadlocks of {{datname}}", "postgres"),
            ),
            bands=("lock_waiters",),
            alerts=("PostgresLockWaits", "PostgresDeadlocks"),
        ),
        Panel(
            "Oldest transaction",
            "How long the oldest one of a client has been open.",
            (Query("pg:oldest_xact:seconds{$pg}", "open for", "postgres", SECONDS),),
            bands=("transaction_seconds",),
            alerts=("PostgresLongTransaction",),
        ),
        Panel(
            "Reads from memory",
            "Share of blocks that were in memory. Below 100 blocks a second it says nothing and is not drawn.",
            (
                Query(
                    "pg:cache_hit:ratio_rate5m{$pg}",
                    "in memory",
                    "postgres",
                    SHARE,
                    silent="too little is read to tell",
                ),
            ),
            bands=("cache_hit",),
            falls=True,
            alerts=("PostgresCacheHitLow",),
        ),
        Panel(
            "Transaction ids",
            "Used up, of transactions and of multixacts. At 100 % the server refuses writes.",
            (
                Query("pg:xid_age:ratio{$pg}", "transactions", "postgres", SHARE),
                Query("pg:mxid_age:ratio{$pg}", "multixacts", "postgres", SHARE),
            ),
            bands=("ids_warning", "ids_critical"),
            alerts=("PostgresVacuumBehind", "PostgresWraparoundImminent"),
        ),
        Panel(
            "Free on the volume",
            "At 0 the server stops.",
            (Query("pg:volume_free:ratio{$pg}", "{{persistentvolumeclaim}}", "volumes", SHARE),),
            bands=("volume_warning", "volume_critical"),
            falls=True,
            alerts=("PostgresVolumeFilling",),
        ),
        Panel(
            "Standby behind",
            "In seconds of work, and in bytes of WAL.",
            (
                Query("pg:replay_lag:seconds{$pg}", "seconds", "standby", SECONDS),
                Query("pg:replay_lag:bytes{$pg}", "bytes", "standby", BYTES),
            ),
            bands=("lag_seconds",),
            alerts=("PostgresReplicationLag",),
        ),
        Panel(
            "Dead rows",
            "The five tables with the most of them.",
            (
                Query(
                    "topk(5, sum by (datname, relname) (pg_stat_user_tables_n_dead_tup{$pg}))",
                    "{{datname}}.{{relname}}",
                    "exporter_login",
                ),
            ),
            bands=("dead_rows",),
            alerts=("PostgresVacuumBehind",),
        ),
        Panel(
            "Debts of the schema",
            "Sequences near their end, invalid indexes, settings that wait for a restart.",
            (
                Query("max $P (golive_pg_sequence_used_ratio{$pg})", "fullest sequence", "schema", SHARE),
                Query("sum $P (golive_pg_invalid_indexes{$pg})", "invalid indexes", "schema"),
                Query("sum $P (golive_pg_settings_pending_restart{$pg})", "waiting settings", "schema"),
            ),
            bands=("sequence_used",),
            alerts=("PostgresSchemaDebt",),
        ),
    ),
    MARKS,
)

_ERRORS = f"sum by (colour) (rate($errors{_RANGE}))"
_SLOW = f"histogram_quantile(0.95, sum by (le, colour) (rate($bucket{_RANGE})))$scale"
_CPU_OF_POD = f'rate(container_cpu_usage_seconds_total{{$ns,pod=~$pods,container!=""}}{_RANGE})'
_MEMORY_OF_POD = 'container_memory_working_set_bytes{$ns,pod=~$pods,container!=""}'
_RESTARTS_OF_POD = "kube_pod_container_status_restarts_total{$ns,pod=~$pods}"

ROOM = Dashboard(
    "cut-over",
    "cut-over room",
    (
        Panel(
            "Who answers",
            "Requests a second by colour: at a shift one line falls while the other rises.",
            (Query(_ANSWERS, "{{colour}}", "app", REQUESTS),),
            alerts=("AppTrafficDropped",),
        ),
        Panel(
            "Errors by colour",
            "Share of the requests of a colour that fail.",
            (Query(f"({_ERRORS} or 0 * {_ANSWERS}) / ({_ANSWERS} > 0)", "{{colour}}", "app", SHARE),),
            bands=("error_budget", "error_critical"),
            alerts=("AppErrorRateCritical",),
        ),
        Panel(
            "p95 by colour",
            "Nineteen of twenty requests are faster than this.",
            (Query(_SLOW, "{{colour}}", "app", SECONDS),),
            bands=("latency_warning", "latency_critical"),
            alerts=("AppLatencyP95Critical",),
        ),
        Panel(
            "Pods by colour",
            "Wanted, and those that serve.",
            (
                Query(
                    f"label_replace({_WANTED}, {_COLOUR_OF_DEPLOYMENT})",
                    "{{colour}} wanted",
                    "kubernetes",
                ),
                Query(f"label_replace({_AVAILABLE}, {_COLOUR_OF_DEPLOYMENT})", "{{colour}} serve", "kubernetes"),
            ),
            alerts=("AppReplicasUnavailable", "RolloutStuck"),
        ),
        Panel(
            "CPU by colour",
            "Cores that its pods use.",
            (Query(f"sum by (colour) (label_replace({_CPU_OF_POD}, {_COLOUR_OF_POD}))", "{{colour}}", "kubernetes"),),
            alerts=("AppCpuHigh",),
        ),
        Panel(
            "Memory by colour",
            "Working set of the largest pod.",
            (
                Query(
                    f"max by (colour) (label_replace({_MEMORY_OF_POD}, {_COLOUR_OF_POD}))",
                    "{{colour}}",
                    "kubernetes",
                    BYTES,
                ),
            ),
            alerts=("AppMemoryHigh",),
        ),
        Panel(
            "Restarts by colour",
            "Of containers, in the last half hour.",
            (
                Query(
                    f"sum by (colour) (label_replace(increase({_RESTARTS_OF_POD}[30m]), {_COLOUR_OF_POD}))",
                    "{{colour}}",
                    "kubernetes",
                ),
            ),
            bands=("restarts",),
            alerts=("PodRestarting",),
        ),
        Panel(
            "Database under both",
            "Both colours use the same one.",
            (
                Query("pg:connections:ratio{$pg}", "connections", "postgres", SHARE),
                Query("pg:lock_waiters:count{$pg}", "waiting for a lock", "postgres"),
            ),
            alerts=("PostgresConnectionsExhausted", "PostgresLockWaits"),
        ),
        Panel(
            "Migrations and guards",
            "Migrations that run or have failed, and guards that have tripped.",
            (
                Query(
                    'sum by (state) (golive_migration_state{$app,state=~"running|failed"})', "{{state}}", "migrations"
                ),
                Query("sum by (guard) (golive_cutover_guard_tripped{$app})", "guard {{guard}}", "cutover"),
            ),
            alerts=("MigrationFailed", "MigrationRunningLong", "CutoverGuardTripped"),
        ),
    ),
    MARKS,
)

WATCH = Dashboard(
    "self-check",
    "monitoring itself",
    (
        Panel(
            "Targets",
            "Targets of each job that are up; at 0 its alerts see nothing.",
            (Query("sum by (job) (up and on (job) golive_expected_job{$app})", "{{job}}", "jobs"),),
            alerts=("MonitoringImpaired",),
        ),
        Panel(
            "Alarm chain",
            "The Watchdog always fires; 1 means that rules are evaluated.",
            (Query('max(ALERTS{$app,alertname="Watchdog",alertstate="firing"})', "Watchdog", "always"),),
            NUMBERS,
            alerts=("Watchdog",),
        ),
        Panel(
            "Alerts by state",
            "How many fire, and how many wait whether it lasts.",
            (Query("count by (alertstate) (ALERTS{$app})", "{{alertstate}}", "always"),),
            alerts=("CriticalUnresolved",),
        ),
        Panel(
            "Messages a second",
            "Sent by Alertmanager, and refused by a receiver.",
            (
                Query(
                    f"sum by (integration) (rate(alertmanager_notifications_total{_RANGE}))",
                    "{{integration}} sent",
                    "self",
                    OPERATIONS,
                ),
                Query(
                    f"sum by (integration) (rate(alertmanager_notification_requests_failed_total{_RANGE}))",
                    "{{integration}} refused",
                    "self",
                    OPERATIONS,
                ),
            ),
            alerts=("AlertDeliveryFailing",),
        ),
        Panel(
            "Evaluation of rules",
            "How long each group took last, and rules that failed in the last 10 minutes.",
            (
                Query(
                    "sum by (rule_group) (prometheus_rule_group_last_duration_seconds)",
                    "{{rule_group}}",
                    "self",
                    SECONDS,
                ),
                Query("sum(increase(prometheus_rule_evaluation_failures_total[10m]))", "failures", "self"),
            ),
            alerts=("MonitoringImpaired",),
        ),
        Panel(
            "Series and samples",
            "Series in memory, and samples taken in a second.",
            (
                Query("sum(prometheus_tsdb_head_series)", "series", "self"),
                Query(f"sum(rate(prometheus_tsdb_head_samples_appended_total{_RANGE}))", "samples", "self", OPERATIONS),
            ),
        ),
        Panel(
            "Configuration",
            "1 means that Prometheus has taken its newest configuration over.",
            (Query("min(prometheus_config_last_reload_successful)", "taken over", "self"),),
            NUMBERS,
            alerts=("MonitoringImpaired",),
        ),
    ),
)

DASHBOARDS = (MAIN, POSTGRES, ROOM, WATCH)
