# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of what is stored: age of transaction ids, checksums, room, indexes, sequences, settings.

Thresholds are those of the alert catalogue (observability.md, sections 5 and 6), named beside each fact; where it has
none, those of pgMonitor 5 (Crunchy Data), its prior art.
"""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_fact import (
    COUNT,
    SHARE,
    Fact,
    counted,
    worst,
)

# Ids end at 2^31 (routine-vacuuming, "Preventing Transaction ID Wraparound Failures").
_LAST_ID = str(2**31)
_XID = ("pg_catalog.age(datfrozenxid)", "transactions")
_MULTIXACT = ("pg_catalog.mxid_age(datminmxid)", "multixacts")
_VACUUM = "Vacuum the oldest tables, and end what holds them back: old and prepared transactions, slots."


def _age(what: tuple[str, str], whole: str) -> str:
    age, name = what
    return worst(
        f"""SELECT {age}::float8 / {whole}, format('database %s has {name} that are %s ids old', datname, {age})
    FROM pg_catalog.pg_database""",
        "",
    )


def _setting(name: str) -> str:
    return f"pg_catalog.current_setting('{name}')::float8"


_CHECKSUM_FAILURES = """
SELECT coalesce(sum(checksum_failures), 0)::float8,
    coalesce(string_agg(format('%s in %s, the last one %s', checksum_failures, coalesce(datname, 'shared tables'),
        to_char(checksum_last_failure AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')), '; ')
        FILTER (WHERE checksum_failures > 0), 'none')
FROM pg_catalog.pg_stat_database"""
_CHECKSUMS_OFF = """
SELECT (pg_catalog.current_setting('data_checksums') <> 'on')::int::float8,
    format('data_checksums is %s', pg_catalog.current_setting('data_checksums'))"""
# While an index of a table is built, one that is not valid yet is no fault.
_INVALID_INDEXES = counted(
    """SELECT format('%s of table %s', i.indexrelid::regclass, i.indrelid::regclass) FROM pg_catalog.pg_index i
    WHERE NOT i.indisvalid AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
        WHERE p.relid = i.indrelid AND p.datname = pg_catalog.current_database())""",
    "none",
)
# A sequence ends where the column ends that it fills, if that is earlier.
_SEQUENCES = """
SELECT CASE WHEN bool_or(hidden) THEN NULL ELSE coalesce(max(used), 0)::float8 END,
    coalesce((array_agg(format('%s has given %s', name, given) ORDER BY used DESC NULLS LAST)
        FILTER (WHERE given IS NOT NULL))[1], 'no sequence was used')
FROM (SELECT c.oid::regclass::text AS name, l.given, NOT l.readable AS hidden,
        CASE WHEN s.seqincrement > 0 THEN (l.given::numeric - s.seqmin + 1) / (l.last - s.seqmin + 1)
            ELSE (s.seqmax::numeric - l.given + 1) / (s.seqmax::numeric - s.seqmin + 1) END AS used
    FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid,
        LATERAL (SELECT pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE') AS readable,
            CASE WHEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT, USAGE')
                THEN pg_catalog.pg_sequence_last_value(c.oid) END AS given,
            (SELECT least(s.seqmax, min(CASE a.atttypid WHEN 'int2'::regtype THEN 32767
                    WHEN 'int4'::regtype THEN 2147483647 END))::numeric
                FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a
                    ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')) AS last) AS l
    WHERE NOT s.seqcycle AND NOT pg_catalog.pg_is_other_temp_schema(c.relnamespace)
        AND NOT (c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery())) AS sequences"""
# What a volume of the database's own holds; other files on it make the true size greater.
USED_BYTES = """
SELECT ((SELECT sum(pg_catalog.pg_database_size(oid)) FROM pg_catalog.pg_database)
    + (SELECT coalesce(sum(size), 0) FROM pg_catalog.pg_ls_waldir()))::bigint"""
DISK_FREE = "disk_free"

STORAGE_FACTS = (
    # W21, C13
    Fact("xid_age", "Age of transaction ids, of 2^31", _age(_XID, _LAST_ID), SHARE, 0.25, 0.6, _VACUUM),
    Fact("mxid_age", "Age of multixact ids, of 2^31", _age(_MULTIXACT, _LAST_ID), SHARE, 0.25, 0.6, _VACUUM),
    # pgMonitor PGEmergencyVacuum; its critical bound is far from an end of ids, so here it only warns
    Fact(
        "xid_freeze",
        "Age of transaction ids, of autovacuum_freeze_max_age",
        _age(_XID, _setting("autovacuum_freeze_max_age")),
        SHARE,
        1.1,
        None,
        "Autovacuum does not keep up: let it cost more, and look for what holds it back.",
    ),
    Fact(
        "mxid_freeze",
        "Age of multixact ids, of autovacuum_multixact_freeze_max_age",
        _age(_MULTIXACT, _setting("autovacuum_multixact_freeze_max_age")),
        SHARE,
        1.1,
        None,
        "Autovacuum does not keep up: let it cost more, and look for what holds it back.",
    ),
    # pgMonitor PGDataChecksum
    Fact(
        "checksum_failures",
        "Data pages with a wrong checksum",
        _CHECKSUM_FAILURES,
        COUNT,
        None,
        0,
        "Trust neither disk nor memory of this server: take care of the backups, and go to a standby or restore.",
    ),
    Fact(
        "checksums_off",
        "Data checksums off",
        _CHECKSUMS_OFF,
        COUNT,
        0,
        None,
        "Damage on the disk goes unseen: stop the server and run pg_checksums --enable.",
    ),
    # C14
    Fact(
        DISK_FREE,
        "Free room on the volume",
        None,
        SHARE,
        0.25,
        0.1,
        "Enlarge the volume; look at slots and the archive for WAL that cannot go.",
        low=True,
        required=False,
        unseen="no SQL tells it",
        unseen_hint="Give disk_free, or reach the server's pod by a tunnel with the right to run df in it.",
    ),
    # W23
    Fact(
        "pending_restart",
        "Settings that wait for a restart",
        counted("SELECT name FROM pg_catalog.pg_settings WHERE pending_restart", "none"),
        COUNT,
        0,
        None,
        "Restart the server at a quiet time, or take the setting back.",
        monitor=True,
    ),
    # W23
    Fact(
        "invalid_indexes",
        "Invalid indexes in this database",
        _INVALID_INDEXES,
        COUNT,
        0,
        None,
        "REINDEX INDEX CONCURRENTLY it, or drop it: it costs writes and serves no query.",
        monitor=True,
    ),
    # W23; critical is pgMonitor's usual last tenth
    Fact(
        "sequence_used",
        "Sequence nearest to its end in this database",
        _SEQUENCES,
        SHARE,
        0.75,
        0.9,
        "Make the column and its sequence bigint, or raise MAXVALUE.",
        required=False,
        unseen="this login may not read all sequences",
        unseen_hint="Grant it SELECT on them, or pg_read_all_data.",
    ),
)
