# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Migrations and cut-overs, and the cache beside the app."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import CRITICAL, WARNING, Alert, Record

_MIGRATION = "on (cluster, namespace, app, migration)"

RECORDS = (
    Record(
        "R30",
        "cache:memory:ratio",
        "max $A (redis_memory_used_bytes{$app} / (redis_memory_max_bytes{$app} > 0))",
        "cache",
    ),
)

ALERTS = (
    Alert(
        "C17",
        "MigrationFailed",
        CRITICAL,
        0,
        'max by (cluster, namespace, app, migration) (golive_migration_state{$app,state="failed"}) == 1',
        "migrations",
        "Migration {{ $labels.migration }} of $name has failed",
        "The database may lack what the new release needs. What was live before still works.",
    ),
    Alert(
        "C18",
        "CutoverGuardTripped",
        CRITICAL,
        0,
        "max by (cluster, namespace, app, guard) (golive_cutover_guard_tripped{$app}) == 1",
        "cutover",
        "Guard {{ $labels.guard }} of the move of $name has tripped",
        "The move must not go on as it is.",
    ),
    Alert(
        "W27",
        "MigrationRunningLong",
        WARNING,
        60,
        f"time() - (golive_migration_started_timestamp_seconds{{$app}} and {_MIGRATION}"
        ' golive_migration_state{$app,state="running"} == 1) > $migration_seconds',
        "migrations",
        "Migration {{ $labels.migration }} of $name runs long",
        "It has been running for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "W30",
        "CacheMemoryHigh",
        WARNING,
        600,
        "cache:memory:ratio{$app} > $cache_memory",
        "cache",
        "The cache of $name is nearly full",
        "It uses {{ $value | humanizePercentage }} of its memory and will throw entries away.",
    ),
)
