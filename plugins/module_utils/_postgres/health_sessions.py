# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of sessions: connections, transactions, locks.

Thresholds are those of the alert catalogue (observability.md, sections 5 and 6), named beside each fact; where it has
none, those of pgMonitor 5 (Crunchy Data), its prior art.
"""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_fact import (
    COUNT,
    PER_HOUR,
    SECONDS,
    SHARE,
    Fact,
    counted,
    worst,
)

_WHO = """format('pid %s of user %s, application %s, %s', pid, usename, coalesce(nullif(application_name, ''), '-'),
    coalesce(state, '-'))"""
# Slots for superusers, and since version 16 for pg_use_reserved_connections, are not there for an app (R15, C11).
_CONNECTIONS = """
SELECT used::float8 / greatest(1, most - reserved),
    format('%s of %s connections are taken, of which %s more are reserved', used, most - reserved, reserved)
FROM (SELECT count(*) AS used FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend') AS taken,
    (SELECT pg_catalog.current_setting('max_connections')::int AS most,
        pg_catalog.current_setting('superuser_reserved_connections')::int
        + coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0) AS reserved) AS allowed"""


def _oldest(since: str, which: str, none: str) -> str:
    return worst(
        f"""SELECT extract(epoch FROM clock_timestamp() - {since}), {_WHO} FROM pg_catalog.pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid() AND {which}""",
        none,
    )


# Only the one that waits longest is asked for its blockers: that question stops the lock manager for a moment.
_LOCK_WAIT = worst(
    f"""SELECT extract(epoch FROM clock_timestamp() - w.waitstart), format('pid %s of user %s waits for %s', w.pid,
        (SELECT usename FROM pg_catalog.pg_stat_activity a WHERE a.pid = w.pid),
        coalesce((SELECT string_agg(CASE WHEN pid IS NULL THEN 'a prepared transaction' ELSE {_WHO} END, '; ')
            FROM unnest(pg_catalog.pg_blocking_pids(w.pid)) AS b (blocker)
            LEFT JOIN pg_catalog.pg_stat_activity ON pid = blocker), 'nobody any more'))
    FROM (SELECT pid, waitstart FROM pg_catalog.pg_locks WHERE NOT granted AND waitstart IS NOT NULL
        ORDER BY waitstart LIMIT 1) AS w""",
    "nobody waits for a lock",
)
# The counters of a database that was never reset begin with those of the server. A count of less than ten minutes,
# the window of W17, says little of an hour.
_DEADLOCKS = """
SELECT CASE WHEN bool_and(since IS NOT NULL) THEN sum(deadlocks * 3600.0
        / greatest(600, extract(epoch FROM clock_timestamp() - since)))::float8 END,
    format('%s deadlocks since %s UTC', sum(deadlocks),
        to_char(min(since) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
FROM (SELECT d.deadlocks, coalesce(d.stats_reset, b.stats_reset) AS since
    FROM pg_catalog.pg_stat_database d, pg_catalog.pg_stat_bgwriter b) AS counts"""

SESSION_FACTS = (
    # W14, C11
    Fact(
        "connections",
        "Connections in use",
        _CONNECTIONS,
        SHARE,
        0.8,
        0.95,
        "Close idle sessions, lower the pools of the clients, or raise max_connections.",
        monitor=True,
    ),
    # pgMonitor PGIdleTxn
    Fact(
        "idle_in_transaction",
        "Longest session idle in a transaction",
        _oldest("state_change", "state LIKE 'idle in transaction%'", "no session is idle in a transaction"),
        SECONDS,
        300,
        900,
        "End it with pg_terminate_backend, and set idle_in_transaction_session_timeout.",
        monitor=True,
    ),
    # pgMonitor PGQueryTime
    Fact(
        "query_age",
        "Longest running query",
        _oldest("query_start", "state = 'active'", "no query runs"),
        SECONDS,
        43_200,
        86_400,
        "Look whether somebody still needs it, or cancel it with pg_cancel_backend.",
        monitor=True,
    ),
    # W15; the longest query of pgMonitor is a transaction too
    Fact(
        "transaction_age",
        "Oldest transaction",
        _oldest("xact_start", "xact_start IS NOT NULL", "no transaction is open"),
        SECONDS,
        900,
        86_400,
        "Find out what it waits for; while it is open, vacuum cannot remove dead rows.",
        monitor=True,
    ),
    # W16
    Fact(
        "lock_waiters",
        "Sessions that wait for a lock",
        counted(
            "SELECT DISTINCT format('pid %s', pid) FROM pg_catalog.pg_locks WHERE NOT granted",
            "nobody waits for a lock",
        ),
        COUNT,
        5,
        None,
        "Look at lock_wait for who blocks them.",
    ),
    # What users feel: half of the usual 60 s of a proxy; critical is the time for which W16 must last
    Fact(
        "lock_wait",
        "Longest wait for a lock",
        _LOCK_WAIT,
        SECONDS,
        30,
        180,
        "Let the blocker end, or end it with pg_terminate_backend.",
        monitor=True,
        since=140000,
    ),
    # W17: more than 5 in ten minutes
    Fact(
        "deadlocks",
        "Deadlocks",
        _DEADLOCKS,
        PER_HOUR,
        30,
        None,
        "Let all transactions lock rows in the same order; the server's log names the statements.",
        required=False,
        unseen="the server does not tell since when it counts",
    ),
)
