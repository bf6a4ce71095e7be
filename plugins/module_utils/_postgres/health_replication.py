# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of replication and of archiving WAL.

Thresholds are those of the alert catalogue (observability.md, sections 5 and 6), named beside each fact. Those of the
archiver rest on ``pg_stat_archiver`` and the archive's status files as monitoring-testbed.md (C15, R28) wants it: the
exporters tell neither a failure that is newer than the last success nor an archive that has never worked.
"""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_fact import (
    BYTES,
    COUNT,
    PRIMARY,
    SECONDS,
    STANDBY,
    Fact,
    counted,
    worst,
)

# A standby, which may have standbys and slots too, has no current position.
_POSITION = """CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
        ELSE pg_catalog.pg_current_wal_lsn() END"""
_STANDBY = "coalesce(nullif(application_name, ''), client_addr::text, 'pid ' || pid)"
# Those of pg_basebackup come and go.
_STANDBYS = "FROM pg_catalog.pg_stat_replication WHERE coalesce(state, '') <> 'backup'"
_ARCHIVES = """(pg_catalog.current_setting('archive_mode') = 'always'
        OR pg_catalog.current_setting('archive_mode') = 'on' AND NOT pg_catalog.pg_is_in_recovery())"""
_READY = f"FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready' AND {_ARCHIVES}"
# A slot that a standby keeps in step with its primary has no reader there (version 17).
_SLOTS = """FROM (SELECT s.*, coalesce((pg_catalog.to_jsonb(s) ->> 'synced')::boolean, false) AS in_step
        FROM pg_catalog.pg_replication_slots s) AS slots"""
# The server's own lag stands still when the standby does; then the age of its last sign of life tells (W19).
_LAG = f"""SELECT greatest(extract(epoch FROM replay_lag), 0, CASE WHEN replay_lsn < {_POSITION}
        THEN extract(epoch FROM clock_timestamp() - reply_time) END), {_STANDBY} {_STANDBYS}"""
_FAILING = f"""
SELECT coalesce({_ARCHIVES} AND last_failed_time > coalesce(last_archived_time, '-infinity'), false)::int::float8,
    CASE WHEN {_ARCHIVES} THEN format('the last success was %s, the last failure %s of %s',
            coalesce(to_char(last_archived_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), 'never'),
            coalesce(to_char(last_failed_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), 'never'),
            failed_count)
        ELSE 'nothing is archived here' END
FROM pg_catalog.pg_stat_archiver"""
# One that lives from the archive alone has no primary_conninfo.
_RECEIVER = """
SELECT (wanted AND streaming = 0)::int::float8, CASE WHEN NOT wanted THEN 'no primary is set'
    WHEN streaming = 0 THEN 'it gets nothing from its primary' ELSE 'it streams' END
FROM (SELECT coalesce((SELECT setting FROM pg_catalog.pg_settings WHERE name = 'primary_conninfo'), '') <> '' AS wanted,
    (SELECT count(*) FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming') AS streaming) AS looked"""
# Bytes, not time: after an idle hour of the primary, the age of the last commit would call each new one an hour late.
_REPLAY = """
SELECT greatest(0, coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(),
        pg_catalog.pg_last_wal_replay_lsn()), 0))::float8,
    format('received up to %s, replayed up to %s', pg_catalog.pg_last_wal_receive_lsn(),
        pg_catalog.pg_last_wal_replay_lsn())"""

REPLICATION_FACTS = (
    # C09
    Fact(
        "in_recovery",
        "Server in recovery where a primary is expected",
        """SELECT pg_catalog.pg_is_in_recovery()::int::float8, CASE WHEN pg_catalog.pg_is_in_recovery()
        THEN 'it is a standby' ELSE 'it is a primary' END""",
        COUNT,
        None,
        0,
        "Connect to the primary, or promote this server when there is none.",
        role=PRIMARY,
    ),
    Fact(
        "not_in_recovery",
        "Server writable where a standby is expected",
        """SELECT (NOT pg_catalog.pg_is_in_recovery())::int::float8, CASE WHEN pg_catalog.pg_is_in_recovery()
        THEN 'it is a standby' ELSE 'it is a primary' END""",
        COUNT,
        None,
        0,
        "Two primaries may be writing: look at once which is the right one, and fence the other.",
        role=STANDBY,
    ),
    # C12, seen from the standby
    Fact(
        "receiver",
        "Standby cut off from its primary",
        _RECEIVER,
        COUNT,
        None,
        0,
        "Look at primary_conninfo, the network, and whether the primary still has the WAL.",
        monitor=True,
        role=STANDBY,
    ),
    # W19
    Fact(
        "replay_lag_bytes",
        "WAL that is received and not replayed",
        _REPLAY,
        BYTES,
        256 << 20,
        None,
        "Look for a long query on the standby, or a slow disk.",
        role=STANDBY,
    ),
    # C12: how many there must be only the caller knows
    Fact(
        "standbys",
        "Standbys that stream",
        counted(f"SELECT {_STANDBY} {_STANDBYS} AND state = 'streaming'", "none"),
        COUNT,
        None,
        None,
        "Start or rebuild the standby.",
        low=True,
        monitor=True,
    ),
    Fact(
        "standbys_not_streaming",
        "Standbys that do not stream",
        counted(f"SELECT format('%s is in state %s', {_STANDBY}, state) {_STANDBYS} AND state <> 'streaming'", "none"),
        COUNT,
        0,
        None,
        "Wait until it has caught up; if it does not, look at its log.",
        monitor=True,
    ),
    # W19
    Fact(
        "standby_lag_bytes",
        "WAL that the slowest standby lacks",
        worst(
            f"SELECT greatest(0, pg_catalog.pg_wal_lsn_diff({_POSITION}, replay_lsn)), {_STANDBY} {_STANDBYS}",
            "no standby",
        ),
        BYTES,
        256 << 20,
        None,
        "Look at the standby's disk and network, or for a long query on it.",
        monitor=True,
    ),
    # W19
    Fact(
        "standby_lag",
        "Time that the slowest standby is behind",
        worst(_LAG, "no standby"),
        SECONDS,
        30,
        None,
        "Look at the standby's disk and network, or for a long query on it.",
        monitor=True,
    ),
    # W20
    Fact(
        "slots_inactive",
        "Replication slots without a reader",
        counted(f"SELECT slot_name::text {_SLOTS} WHERE NOT active AND NOT temporary AND NOT in_step", "none"),
        COUNT,
        0,
        None,
        "Start the reader, or drop the slot with pg_drop_replication_slot.",
    ),
    # W20
    Fact(
        "slot_wal",
        "WAL that a replication slot keeps",
        worst(f"SELECT pg_catalog.pg_wal_lsn_diff({_POSITION}, restart_lsn), slot_name::text {_SLOTS}", "no slot"),
        BYTES,
        10 << 30,
        None,
        "Start the reader, or drop the slot with pg_drop_replication_slot, before the volume is full.",
    ),
    # W20; a lost slot is a reader that must be built anew. 1 is unreserved, 2 is lost.
    Fact(
        "slot_status",
        "Replication slots that lose their WAL",
        worst(
            f"""SELECT CASE wal_status WHEN 'lost' THEN 2 WHEN 'unreserved' THEN 1 ELSE 0 END,
        format('%s is %s', slot_name, coalesce(wal_status, 'not in use')) {_SLOTS}""",
            "no slot",
        ),
        COUNT,
        0,
        1,
        "Drop a lost slot and build its reader anew; let the reader of an unreserved one catch up at once.",
    ),
    # C15
    Fact(
        "archiver_failing",
        "Archiving of WAL fails",
        _FAILING,
        COUNT,
        None,
        0,
        "Look at the server's log for archive_command: credentials, room, network of the repository.",
    ),
    # As many as batches of a migration bear
    Fact(
        "archive_backlog",
        "WAL files that wait to be archived",
        counted(f"SELECT name {_READY}", "none"),
        COUNT,
        16,
        None,
        "Look at the server's log for archive_command, and how fast the repository takes files.",
        monitor=True,
    ),
    # pgMonitor PGArchiveCommandStatus; critical is the window of C15
    Fact(
        "archive_age",
        "Longest wait of a WAL file to be archived",
        worst(f"SELECT extract(epoch FROM clock_timestamp() - modification), name {_READY}", "no file waits"),
        SECONDS,
        300,
        900,
        "What was written since then would be lost with the volume: look at the server's log for archive_command.",
        monitor=True,
    ),
)
