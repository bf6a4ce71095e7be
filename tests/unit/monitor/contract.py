# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which series there are: what the exporters emit, by their names, and what of it only grows.

From the exporters that were run (postgres_exporter 0.19 with PostgreSQL 15 and 17, blackbox 0.28, kubelet, Prometheus
3.5, Alertmanager 0.33) and, where marked, from documentation alone.
"""

from __future__ import annotations

COUNTERS = {
    "http_requests_total",
    "http_request_duration_seconds_bucket",
    "http_request_duration_seconds_count",
    # documentation: OpenTelemetry's HTTP conventions, Envoy's statistics
    "http_server_request_duration_seconds_bucket",
    "http_server_request_duration_seconds_count",
    "envoy_cluster_upstream_rq_xx",
    "envoy_cluster_upstream_rq_time_bucket",
    "envoy_cluster_upstream_rq_time_count",
    "container_cpu_usage_seconds_total",
    "kube_pod_container_status_restarts_total",
    "pg_stat_database_blks_hit",
    "pg_stat_database_blks_read",
    "pg_stat_database_xact_commit",
    "pg_stat_database_xact_rollback",
    "pg_stat_database_deadlocks",
    "pg_stat_archiver_failed_count",
    "pg_stat_archiver_archived_count",
    "pg_stat_bgwriter_checkpoints_req_total",
    "pg_stat_checkpointer_num_requested_total",
    # documentation: CloudNativePG's default queries
    "cnpg_pg_stat_database_blks_hit",
    "cnpg_pg_stat_database_blks_read",
    "cnpg_pg_stat_database_xact_commit",
    "cnpg_pg_stat_database_xact_rollback",
    "cnpg_pg_stat_database_deadlocks",
    "cnpg_pg_stat_archiver_failed_count",
    "cnpg_pg_stat_archiver_archived_count",
    "cnpg_pg_stat_bgwriter_checkpoints_req",
    "cnpg_pg_stat_checkpointer_checkpoints_req",
    "alertmanager_notifications_total",
    "alertmanager_notifications_failed_total",
    "alertmanager_notification_requests_total",
    "alertmanager_notification_requests_failed_total",
    "prometheus_rule_evaluation_failures_total",
    # documentation: Vector
    "vector_component_discarded_events_total",
}

GAUGES = {
    "ALERTS",
    "up",
    "probe_success",
    "probe_ssl_earliest_cert_expiry",
    "prometheus_config_last_reload_successful",
    "container_memory_working_set_bytes",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "kube_deployment_metadata_generation",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_condition",
    "kube_deployment_status_observed_generation",
    "kube_deployment_status_replicas_available",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_job_status_failed",
    "kube_job_status_succeeded",
    "kube_pod_container_resource_limits",
    "kube_pod_container_status_waiting_reason",
    "kube_poddisruptionbudget_status_expected_pods",
    "kube_poddisruptionbudget_status_pod_disruptions_allowed",
    "kube_resourcequota",
    "pg_up",
    "pg_exporter_last_scrape_error",
    "pg_scrape_collector_success",
    "pg_replication_is_replica",
    "pg_replication_lag_seconds",
    "pg_stat_activity_count",
    "pg_stat_activity_max_tx_duration",
    "pg_stat_archiver_last_archive_age",
    # not seen: no standby was run
    "pg_stat_replication_pg_wal_lsn_diff",
    "pg_stat_user_tables_n_dead_tup",
    "pg_stat_user_tables_n_live_tup",
    "pg_settings_max_connections",
    # documentation: PostgreSQL 16 and newer
    "pg_settings_reserved_connections",
    "pg_settings_superuser_reserved_connections",
    "pg_database_wraparound_age_datfrozenxid_seconds",
    "pg_database_wraparound_age_datminmxid_seconds",
    "pg_replication_slot_wal_status",
    "pg_replication_slots_active",
    "pg_replication_slots_pg_wal_lsn_diff",
    # documentation: postgres_exporter 0.20
    "pg_replication_slots_wal_status",
    # documentation: CloudNativePG's default queries and its Barman plugin
    "barman_cloud_cloudnative_pg_io_last_available_backup_timestamp",
    "cnpg_backends_max_tx_duration_seconds",
    "cnpg_backends_total",
    "cnpg_backends_waiting_total",
    "cnpg_collector_last_collection_error",
    "cnpg_collector_up",
    "cnpg_pg_database_mxid_age",
    "cnpg_pg_database_xid_age",
    "cnpg_pg_replication_in_recovery",
    "cnpg_pg_replication_lag",
    "cnpg_pg_replication_slots_active",
    "cnpg_pg_replication_slots_pg_wal_lsn_diff",
    "cnpg_pg_replication_streaming_replicas",
    "cnpg_pg_settings_setting",
    "cnpg_pg_stat_archiver_seconds_since_last_archival",
    "cnpg_pg_stat_replication_replay_diff_bytes",
    # documentation: cert-manager 1.18, External Secrets, redis_exporter
    "certmanager_certificate_not_after_timestamp_seconds",
    "certmanager_certificate_not_before_timestamp_seconds",
    "certmanager_certificate_ready_status",
    "externalsecret_status_condition",
    "redis_memory_max_bytes",
    "redis_memory_used_bytes",
    # our own exporter
    "golive_backup_last_success_timestamp_seconds",
    "golive_cutover_guard_tripped",
    "golive_exporter_query_up",
    "golive_migration_started_timestamp_seconds",
    "golive_migration_state",
    "golive_pg_bloat_bytes",
    "golive_pg_bloat_ratio",
    "golive_pg_invalid_indexes",
    "golive_pg_sequence_used_ratio",
    "golive_pg_settings_pending_restart",
    "golive_restore_test_last_success_timestamp_seconds",
    "golive_secret_last_rotated_timestamp_seconds",
    "golive_secret_max_age_seconds",
}

# What no rule reads, and a dashboard does.
SHOWN_COUNTERS = {"prometheus_tsdb_head_samples_appended_total"}
SHOWN_GAUGES = {"prometheus_rule_group_last_duration_seconds", "prometheus_tsdb_head_series"}

# Series of the monitoring itself belong to no app.
UNSCOPED = ("alertmanager_", "prometheus_", "vector_", "up")
