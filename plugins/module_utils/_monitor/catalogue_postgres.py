# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL, by the series of postgres_exporter or of CloudNativePG.

An exporter that cannot log in says ``pg_up 0``, and so it does when the server is down. A TCP probe of the server
(``probe_success`` with ``role="database"`` and the exporter's ``instance``) tells the two apart; without it both count
as down.
"""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import CRITICAL, WARNING, Alert, Record

_SERVER = "by (cluster, namespace, pgcluster, instance)"
_POD = "by (cluster, namespace, pgcluster, pod)"
_ON_SERVER = "on (cluster, namespace, pgcluster, instance)"
_REACHED = 'probe_success{$pg,role="database"} == 1'
# No connection is left, or the exporter's login is gone: it says ``pg_up 0``, or ``pg_up 1`` and nothing else.
TELLS_NOTHING = f"pg_up{{$pg}} and {_ON_SERVER} {_REACHED} unless {_ON_SERVER} pg_replication_is_replica{{$pg}}"
_ID_LIMIT = "2147483648"


def _both(exporter: str) -> tuple[str, str]:
    """The expression for either exporter, where only the prefix of the series differs."""
    return exporter, exporter.replace("pg_stat_", "cnpg_pg_stat_")


_HITS = "rate(pg_stat_database_blks_hit{$pg}[5m])"
_CACHE_HIT = _both(
    f"sum $P ({_HITS}) / (sum $P ({_HITS} + rate(pg_stat_database_blks_read{{$pg}}[5m])) > $least_blocks)"
)
_ROLLBACKS = "rate(pg_stat_database_xact_rollback{$pg}[5m])"
_ROLLBACK = _both(
    f"sum $P ({_ROLLBACKS}) / (sum $P (rate(pg_stat_database_xact_commit{{$pg}}[5m]) + {_ROLLBACKS}) > $least_requests)"
)
_DEADLOCKS = _both("sum by (cluster, namespace, pgcluster, datname) (increase(pg_stat_database_deadlocks{$pg}[10m]))")
_ARCHIVING = _both(
    "sum $P (increase(pg_stat_archiver_failed_count{$pg}[$archive_window])) > 0"
    " unless sum $P (increase(pg_stat_archiver_archived_count{$pg}[$archive_window])) > 0"
)
_SLOTS = "pg_replication_slots_pg_wal_lsn_diff{$pg} > $slot_bytes or pg_replication_slots_active{$pg} == 0"
_LOST = 'wal_status{$pg,wal_status=~"unreserved|lost"} == 1'

RECORDS = (
    Record("R12", "pg:instances_up:count", "sum $P (pg_up{$pg})", "postgres", "sum $P (cnpg_collector_up{$pg})"),
    Record(
        "R13",
        "pg:primaries:count",
        "sum $P (1 - pg_replication_is_replica{$pg})",
        "postgres",
        "count $P (cnpg_pg_replication_in_recovery{$pg} == 0)",
    ),
    Record(
        "R14",
        "pg:standbys_streaming:count",
        'count $P (pg_stat_replication_pg_wal_lsn_diff{$pg,state="streaming"}) or 0 * sum $P (pg_up{$pg})',
        "standby",
        "max $P (cnpg_pg_replication_streaming_replicas{$pg})",
    ),
    # From PostgreSQL 16 on a second setting holds connections back.
    Record(
        "R15",
        "pg:connections:ratio",
        f"max $P (sum {_SERVER} (pg_stat_activity_count{{$pg}}) / (sum {_SERVER} (pg_settings_max_connections{{$pg}})"
        f" - sum {_SERVER} (pg_settings_superuser_reserved_connections{{$pg}})"
        f" - (sum {_SERVER} (pg_settings_reserved_connections{{$pg}})"
        f" or 0 * sum {_SERVER} (pg_settings_max_connections{{$pg}}))))",
        "postgres",
        f"max $P (sum {_POD} (cnpg_backends_total{{$pg}})"
        f' / sum {_POD} (cnpg_pg_settings_setting{{$pg,name="max_connections"}}))',
    ),
    # A standby that is cut off reports 0 here; it is missing in R14 then.
    Record(
        "R16",
        "pg:replay_lag:seconds",
        f"max $P (pg_replication_lag_seconds{{$pg}} and {_ON_SERVER} pg_replication_is_replica{{$pg}} == 1)",
        "standby",
        "max $P (cnpg_pg_replication_lag{$pg})",
    ),
    Record(
        "R17",
        "pg:replay_lag:bytes",
        "max $P (pg_stat_replication_pg_wal_lsn_diff{$pg})",
        "standby",
        "max $P (cnpg_pg_stat_replication_replay_diff_bytes{$pg})",
    ),
    Record(
        "R18",
        "pg:xid_age:ratio",
        f"max $P (pg_database_wraparound_age_datfrozenxid_seconds{{$pg}}) / {_ID_LIMIT}",
        "postgres",
        f"max $P (cnpg_pg_database_xid_age{{$pg}}) / {_ID_LIMIT}",
    ),
    Record(
        "R19",
        "pg:mxid_age:ratio",
        f"max $P (pg_database_wraparound_age_datminmxid_seconds{{$pg}}) / {_ID_LIMIT}",
        "postgres",
        f"max $P (cnpg_pg_database_mxid_age{{$pg}}) / {_ID_LIMIT}",
    ),
    Record("R20", "pg:cache_hit:ratio_rate5m", _CACHE_HIT[0], "postgres", _CACHE_HIT[1]),
    Record("R21", "pg:rollback:ratio_rate5m", _ROLLBACK[0], "postgres", _ROLLBACK[1]),
    Record("R22", "pg:deadlocks:increase10m", _DEADLOCKS[0], "postgres", _DEADLOCKS[1]),
    Record(
        "R23",
        "pg:lock_waiters:count",
        'sum $P (pg_stat_activity_count{$pg,wait_event_type="Lock"}) or 0 * sum $P (pg_up{$pg})',
        "postgres",
        "max $P (cnpg_backends_waiting_total{$pg})",
    ),
    Record(
        "R24",
        "pg:oldest_xact:seconds",
        'max $P (pg_stat_activity_max_tx_duration{$pg,backend_type="client backend"})',
        "postgres",
        "max $P (cnpg_backends_max_tx_duration_seconds{$pg})",
    ),
    # Volumes know no database; the names of their claims do.
    Record(
        "R25",
        "pg:volume_free:ratio",
        "min by (cluster, namespace, persistentvolumeclaim)"
        " (kubelet_volume_stats_available_bytes{$ns,persistentvolumeclaim=~$claims}"
        " / kubelet_volume_stats_capacity_bytes{$ns,persistentvolumeclaim=~$claims})",
        "volumes",
        adds=("app", "pgcluster"),
    ),
)

ALERTS = (
    # Not where the exporter tells nothing of a server that answers: then nobody knows the number of primaries.
    Alert(
        "C09",
        "PostgresPrimaryMissing",
        CRITICAL,
        60,
        "golive_expected_pg_primaries{$pg} unless on (namespace, pgcluster) pg:primaries:count{$pg} == $primaries"
        f" unless on (namespace, pgcluster) ({TELLS_NOTHING})",
        "postgres",
        "$pgcluster has no primary, or more than one",
        "Without a primary nothing can be written. With two of them both take writes that the other does not have.",
        "golive_expected_pg_primaries{$pg} unless on (namespace, pgcluster) pg:primaries:count{$pg} == $primaries",
    ),
    Alert(
        "C10",
        "PostgresInstanceDown",
        CRITICAL,
        60,
        f"min {_SERVER} (pg_up{{$pg}}) == 0 unless {_ON_SERVER} {_REACHED}",
        "postgres",
        "A server of $pgcluster is down",
        "{{ $labels.instance }}{{ $labels.pod }} does not answer.",
        f"min {_POD} (cnpg_collector_up{{$pg}}) == 0",
    ),
    # The second half is an exporter that gets no connection itself, where most of them were taken just before.
    Alert(
        "C11",
        "PostgresConnectionsExhausted",
        CRITICAL,
        120,
        "pg:connections:ratio{$pg} > $connections_critical"
        " or (max_over_time(pg:connections:ratio{$pg}[15m]) > $connections_warning"
        f" and on (cluster, namespace, pgcluster) ({TELLS_NOTHING}))",
        "postgres",
        "$pgcluster has no connection left",
        "{{ $value | humanizePercentage }} of its connections are taken. New requests of the app will fail.",
        "pg:connections:ratio{$pg} > $connections_critical",
    ),
    Alert(
        "C12",
        "PostgresReplicationBroken",
        CRITICAL,
        120,
        "pg:standbys_streaming:count{$pg} < on (namespace, pgcluster) golive_expected_pg_standbys{$pg}",
        "standby",
        "A standby of $pgcluster does not follow",
        "Only {{ $value }} standbys receive what is written. A failover now would lose data, or find no standby.",
    ),
    Alert(
        "C13",
        "PostgresWraparoundImminent",
        CRITICAL,
        300,
        "pg:xid_age:ratio{$pg} > $ids_critical or pg:mxid_age:ratio{$pg} > $ids_critical",
        "postgres",
        "$pgcluster runs out of transaction ids",
        "{{ $value | humanizePercentage }} of them are used. At the end the server refuses every write.",
    ),
    # The trend of a few minutes says nothing: it wants an hour of history.
    Alert(
        "C14",
        "PostgresVolumeFilling",
        CRITICAL,
        120,
        "pg:volume_free:ratio{$pg} < $volume_critical or (pg:volume_free:ratio{$pg} < $volume_warning"
        " and predict_linear(pg:volume_free:ratio{$pg}[3h], 4 * 3600) < 0"
        " and present_over_time(pg:volume_free:ratio{$pg}[1h] offset 1h))",
        "volumes",
        "The volume of $pgcluster fills up",
        "{{ $value | humanizePercentage }} of {{ $labels.persistentvolumeclaim }} are free. At 0 the server stops.",
    ),
    # As long as the archiver tried twice: longer windows would remember the last success for too long.
    Alert(
        "C15",
        "PostgresWalArchivingStopped",
        CRITICAL,
        60,
        _ARCHIVING[0],
        "archive",
        "$pgcluster does not archive its log any more",
        "What is written now could not be restored, and the log stays on the volume until it is full.",
        _ARCHIVING[1],
    ),
    Alert(
        "W14",
        "PostgresConnectionsHigh",
        WARNING,
        600,
        "pg:connections:ratio{$pg} > $connections_warning",
        "postgres",
        "$pgcluster gets short of connections",
        "{{ $value | humanizePercentage }} of its connections are taken.",
    ),
    Alert(
        "W15",
        "PostgresLongTransaction",
        WARNING,
        300,
        "pg:oldest_xact:seconds{$pg} > $transaction_seconds",
        "postgres",
        "A transaction of $pgcluster stays open",
        "It has been open for {{ $value | humanizeDuration }}. It keeps locks, and dead rows cannot be removed.",
        grave=True,
    ),
    Alert(
        "W16",
        "PostgresLockWaits",
        WARNING,
        180,
        "pg:lock_waiters:count{$pg} > $lock_waiters",
        "postgres",
        "Sessions of $pgcluster wait for locks",
        "{{ $value }} sessions wait for another one.",
        grave=True,
    ),
    Alert(
        "W17",
        "PostgresDeadlocks",
        WARNING,
        0,
        "pg:deadlocks:increase10m{$pg} > $deadlocks",
        "postgres",
        "Transactions of {{ $labels.datname }} in $pgcluster block each other",
        "{{ $value | humanize }} of them were cancelled in 10 minutes.",
    ),
    Alert(
        "W18",
        "PostgresRollbackRatio",
        WARNING,
        900,
        "pg:rollback:ratio_rate5m{$pg} > $rollbacks",
        "postgres",
        "Many transactions of $pgcluster are taken back",
        "{{ $value | humanizePercentage }} of them end with a rollback.",
    ),
    Alert(
        "W19",
        "PostgresReplicationLag",
        WARNING,
        300,
        "pg:replay_lag:seconds{$pg} > $lag_seconds or pg:replay_lag:bytes{$pg} > $lag_bytes",
        "standby",
        "A standby of $pgcluster lags behind",
        "It is {{ $value | humanize }} seconds or bytes behind.",
    ),
    # Both spellings: the exporter has changed its own between two versions.
    Alert(
        "W20",
        "PostgresSlotRetainsWal",
        WARNING,
        900,
        f"{_SLOTS} or pg_replication_slots_{_LOST} or pg_replication_slot_{_LOST}",
        "postgres",
        "Slot {{ $labels.slot_name }} of $pgcluster keeps the log from being removed",
        "Nobody reads from it, it holds too much, or what it needs is gone.",
        _SLOTS.replace("pg_repl", "cnpg_pg_repl"),
    ),
    Alert(
        "W21",
        "PostgresVacuumBehind",
        WARNING,
        1800,
        "pg:xid_age:ratio{$pg} > $ids_warning or (pg_stat_user_tables_n_dead_tup{$pg} > $dead_rows"
        " and pg_stat_user_tables_n_dead_tup{$pg} > $dead_share * pg_stat_user_tables_n_live_tup{$pg})",
        "postgres",
        "Autovacuum of $pgcluster does not keep up",
        "Transaction ids get old, or a table is full of dead rows.",
        "pg:xid_age:ratio{$pg} > $ids_warning",
    ),
    Alert(
        "W24",
        "PostgresCacheHitLow",
        WARNING,
        1800,
        "pg:cache_hit:ratio_rate5m{$pg} < $cache_hit",
        "postgres",
        "$pgcluster reads much from disk",
        "Only {{ $value | humanizePercentage }} of the blocks were found in memory.",
    ),
    # PostgreSQL 17 has moved the counter.
    Alert(
        "W25",
        "PostgresCheckpointPressure",
        WARNING,
        900,
        "rate(pg_stat_bgwriter_checkpoints_req_total{$pg}[15m]) > $checkpoints / 900"
        " or rate(pg_stat_checkpointer_num_requested_total{$pg}[15m]) > $checkpoints / 900",
        "postgres",
        "$pgcluster writes checkpoints too often",
        "So much is written that max_wal_size is reached before the time is.",
        "rate(cnpg_pg_stat_bgwriter_checkpoints_req{$pg}[15m]) > $checkpoints / 900"
        " or rate(cnpg_pg_stat_checkpointer_checkpoints_req{$pg}[15m]) > $checkpoints / 900",
    ),
    Alert(
        "W22",
        "PostgresBloatHigh",
        WARNING,
        21600,
        "golive_pg_bloat_ratio{$pg} > $bloat_share"
        " and on (cluster, namespace, pgcluster, datname, relname) golive_pg_bloat_bytes{$pg} > $bloat_bytes",
        "bloat",
        "{{ $labels.relname }} in $pgcluster is mostly empty space",
        "{{ $value | humanizePercentage }} of it are not used.",
    ),
    Alert(
        "W23",
        "PostgresSchemaDebt",
        WARNING,
        3600,
        "golive_pg_sequence_used_ratio{$pg} > $sequence_used or golive_pg_invalid_indexes{$pg} > 0"
        " or golive_pg_settings_pending_restart{$pg} > 0",
        "schema",
        "Something in $pgcluster waits for your hand",
        "A sequence nears its end, an index is invalid, or a setting waits for a restart.",
    ),
)
