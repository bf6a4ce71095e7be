# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both sides of each alert of a database."""

from __future__ import annotations

from typing import Any

from tests.integration.monitor.case import Case, Series, fires, of_database, of_namespace, quiet

GIB = 1024**3
PRIMARY = of_database("golive_expected_pg_primaries", 1)
TABLE = {"datname": "shop", "relname": "orders"}
CNPG = {"database": "cnpg"}


def _up(value: float | str, instance: str = "a") -> Series:
    return of_database("pg_up", value, instance=instance)


def _probe(value: float, role: str = "database", instance: str = "a") -> Series:
    return of_database("probe_success", value, instance=instance, role=role)


def _pair(alert: str, series: str, above: float, below: float, **labels: str) -> list[Case]:
    return [
        fires(alert, of_database(series, above, **labels), labels=[labels]),
        quiet(alert, of_database(series, below, **labels)),
    ]


def _free(values: float | str) -> Series:
    claim = {"namespace": "shop", "app": "shop", "pgcluster": "shop-postgres"}
    return of_namespace("pg:volume_free:ratio", values, **claim, persistentvolumeclaim=VOLUME["persistentvolumeclaim"])


def _archiver(failed: str, archived: str, prefix: str = "") -> tuple[Series, ...]:
    return (
        of_database(f"{prefix}pg_stat_archiver_failed_count", failed),
        of_database(f"{prefix}pg_stat_archiver_archived_count", archived),
    )


def _tuples(dead: float, live: float) -> tuple[Series, ...]:
    return (
        of_database("pg_stat_user_tables_n_dead_tup", dead, **TABLE),
        of_database("pg_stat_user_tables_n_live_tup", live, **TABLE),
    )


def _bloat(ratio: float, size: float) -> tuple[Series, ...]:
    return (
        of_database("golive_pg_bloat_ratio", ratio, **TABLE),
        of_database("golive_pg_bloat_bytes", size, **TABLE),
    )


def _checkpoints(name: str, **more: Any) -> list[Case]:
    # The first jump makes the start exact, the slope keeps it above the bound.
    return [
        fires("PostgresCheckpointPressure", of_database(name, "0x20 4+0.3x80"), start=1260, step=60, **more),
        quiet("PostgresCheckpointPressure", of_database(name, "0+0.18x120"), start=1260, step=60, **more),
    ]


VOLUME = {"persistentvolumeclaim": "data-shop-postgres-0"}
SLOT = {"slot_name": "report"}

CASES = [
    fires("PostgresPrimaryMissing", PRIMARY),
    fires("PostgresPrimaryMissing", PRIMARY, of_database("pg:primaries:count", 2)),
    fires("PostgresPrimaryMissing", PRIMARY, _up(0), _probe(0)),
    fires("PostgresPrimaryMissing", PRIMARY, _up(0), _probe(1, role="external")),
    fires(
        "PostgresPrimaryMissing", PRIMARY, _up(1), _probe(1), of_database("pg_replication_is_replica", 1, instance="a")
    ),
    quiet("PostgresPrimaryMissing", PRIMARY, of_database("pg:primaries:count", 1)),
    # The exporter tells nothing, but the server answers: nobody knows, so nobody is paged for it.
    quiet("PostgresPrimaryMissing", PRIMARY, _up(0), _probe(1)),
    quiet("PostgresPrimaryMissing", PRIMARY, _up(1), _probe(1)),
    fires("PostgresPrimaryMissing", PRIMARY, settings=CNPG),
    quiet("PostgresPrimaryMissing", PRIMARY, of_database("pg:primaries:count", 1), settings=CNPG),
    fires("PostgresInstanceDown", _up(0), _up(1, "b"), labels=[{"instance": "a"}]),
    fires("PostgresInstanceDown", _up(0), _probe(0), _probe(1, role="external"), labels=[{"instance": "a"}]),
    quiet("PostgresInstanceDown", _up(1)),
    quiet("PostgresInstanceDown", _up(0), _probe(1)),
    fires(
        "PostgresInstanceDown",
        of_database("cnpg_collector_up", 0, pod="p-1"),
        of_database("cnpg_collector_up", 1, pod="p-2"),
        labels=[{"pod": "p-1"}],
        settings=CNPG,
    ),
    quiet("PostgresInstanceDown", of_database("cnpg_collector_up", 1, pod="p-1"), settings=CNPG),
    *_pair("PostgresConnectionsExhausted", "pg:connections:ratio", 0.96, 0.94),
    fires(
        "PostgresConnectionsExhausted",
        of_database("pg:connections:ratio", "0.81x4 _x40"),
        _up("1x4 0x40"),
        of_database("pg_replication_is_replica", "0x4 stale", instance="a"),
        _probe(1),
        start=300,
        step=60,
    ),
    # All of its collectors fail, which it does not call being down.
    fires(
        "PostgresConnectionsExhausted",
        of_database("pg:connections:ratio", "0.81x4 _x40"),
        _up(1),
        of_database("pg_replication_is_replica", "0x4 stale", instance="a"),
        _probe(1),
        start=300,
        step=60,
    ),
    quiet("PostgresConnectionsExhausted", of_database("pg:connections:ratio", 0.79), _up(0), _probe(1)),
    quiet(
        "PostgresConnectionsExhausted",
        of_database("pg:connections:ratio", 0.9),
        _up(1),
        of_database("pg_replication_is_replica", 0, instance="a"),
        _probe(1),
    ),
    quiet("PostgresConnectionsExhausted", of_database("pg:connections:ratio", 0.9), _up(0), _probe(0)),
    quiet("PostgresConnectionsExhausted", of_database("pg:connections:ratio", 0.9), _up(0), _probe(1, role="external")),
    *(
        Case(case.alert, case.series, case.fires, settings=CNPG)
        for case in _pair("PostgresConnectionsExhausted", "pg:connections:ratio", 0.96, 0.94)
    ),
    fires(
        "PostgresReplicationBroken",
        of_database("pg:standbys_streaming:count", 1),
        of_database("golive_expected_pg_standbys", 2),
    ),
    quiet(
        "PostgresReplicationBroken",
        of_database("pg:standbys_streaming:count", 2),
        of_database("golive_expected_pg_standbys", 2),
    ),
    *_pair("PostgresWraparoundImminent", "pg:xid_age:ratio", 0.61, 0.59),
    *_pair("PostgresWraparoundImminent", "pg:mxid_age:ratio", 0.61, 0.59),
    fires("PostgresVolumeFilling", _free(0.09), labels=[VOLUME]),
    quiet("PostgresVolumeFilling", _free(0.11)),
    # Falling: below a quarter after 176 minutes, and empty in less than four hours.
    fires("PostgresVolumeFilling", _free("0.601-0.002x200"), labels=[VOLUME], start=176 * 60, step=60),
    quiet("PostgresVolumeFilling", _free("0.8-0.002x250"), start=200 * 60, step=60),
    quiet("PostgresVolumeFilling", _free("0.31-0.0006x300"), start=195 * 60, step=60),
    quiet("PostgresVolumeFilling", _free("0.24-0.002x60"), start=20 * 60, step=60),
    fires("PostgresWalArchivingStopped", *_archiver("0+0.05x60", "5x60"), start=15, step=15),
    # It had worked until a moment ago.
    fires("PostgresWalArchivingStopped", *_archiver("0x20 1+0.05x60", "0+1x20 20x60"), start=420, step=15, loose=True),
    quiet("PostgresWalArchivingStopped", *_archiver("0+1x60", "0+0.05x60"), start=15, step=15),
    quiet("PostgresWalArchivingStopped", *_archiver("3x60", "5x60"), start=15, step=15),
    fires("PostgresWalArchivingStopped", *_archiver("0+0.05x60", "5x60", "cnpg_"), start=15, step=15, settings=CNPG),
    quiet("PostgresWalArchivingStopped", *_archiver("0+1x60", "0+0.05x60", "cnpg_"), start=15, step=15, settings=CNPG),
    *_pair("PostgresConnectionsHigh", "pg:connections:ratio", 0.81, 0.79),
    *_pair("PostgresLongTransaction", "pg:oldest_xact:seconds", 901, 899),
    *_pair("PostgresLockWaits", "pg:lock_waiters:count", 6, 5),
    *_pair("PostgresDeadlocks", "pg:deadlocks:increase10m", 5.1, 4.9, datname="shop"),
    *_pair("PostgresRollbackRatio", "pg:rollback:ratio_rate5m", 0.11, 0.09),
    *_pair("PostgresReplicationLag", "pg:replay_lag:seconds", 31, 29),
    *_pair("PostgresReplicationLag", "pg:replay_lag:bytes", GIB / 4 + 1, GIB / 4 - 1),
    *_pair("PostgresSlotRetainsWal", "pg_replication_slots_pg_wal_lsn_diff", 10 * GIB + 1, 10 * GIB - 1, **SLOT),
    *_pair("PostgresSlotRetainsWal", "pg_replication_slots_active", 0, 1, **SLOT),
    *_pair("PostgresSlotRetainsWal", "pg_replication_slot_wal_status", 1, 0, **SLOT, wal_status="lost"),
    *_pair("PostgresSlotRetainsWal", "pg_replication_slots_wal_status", 1, 0, **SLOT, wal_status="unreserved"),
    quiet(
        "PostgresSlotRetainsWal",
        of_database("pg_replication_slot_wal_status", 1, **SLOT, wal_status="reserved"),
        of_database("pg_replication_slots_wal_status", 1, **SLOT, wal_status="reserved"),
    ),
    fires("PostgresSlotRetainsWal", of_database("cnpg_pg_replication_slots_active", 0), settings=CNPG),
    quiet("PostgresSlotRetainsWal", of_database("cnpg_pg_replication_slots_active", 1), settings=CNPG),
    *(
        Case(case.alert, case.series, case.fires, settings=CNPG)
        for case in _pair(
            "PostgresSlotRetainsWal", "cnpg_pg_replication_slots_pg_wal_lsn_diff", 10 * GIB + 1, 10 * GIB - 1
        )
    ),
    *_pair("PostgresVacuumBehind", "pg:xid_age:ratio", 0.26, 0.24),
    fires("PostgresVacuumBehind", *_tuples(100001, 400000), labels=[TABLE]),
    quiet("PostgresVacuumBehind", *_tuples(99999, 1)),
    quiet("PostgresVacuumBehind", *_tuples(200000, 1000001)),
    fires("PostgresVacuumBehind", of_database("pg:xid_age:ratio", 0.26), settings=CNPG),
    quiet("PostgresVacuumBehind", of_database("pg:xid_age:ratio", 0.24), settings=CNPG),
    *_pair("PostgresCacheHitLow", "pg:cache_hit:ratio_rate5m", 0.94, 0.96),
    *_checkpoints("pg_stat_bgwriter_checkpoints_req_total"),
    *_checkpoints("pg_stat_checkpointer_num_requested_total"),
    *_checkpoints("cnpg_pg_stat_bgwriter_checkpoints_req", settings=CNPG),
    *_checkpoints("cnpg_pg_stat_checkpointer_checkpoints_req", settings=CNPG),
    fires("PostgresBloatHigh", *_bloat(0.51, GIB + 1), labels=[TABLE]),
    quiet("PostgresBloatHigh", *_bloat(0.49, 9 * GIB)),
    quiet("PostgresBloatHigh", *_bloat(0.9, GIB - 1)),
    *_pair("PostgresSchemaDebt", "golive_pg_sequence_used_ratio", 0.76, 0.74),
    *_pair("PostgresSchemaDebt", "golive_pg_invalid_indexes", 1, 0),
    *_pair("PostgresSchemaDebt", "golive_pg_settings_pending_restart", 1, 0),
]
