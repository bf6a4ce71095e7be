# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do when an alert of a database fires."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._monitor.commands import (
    ARCHIVER,
    BACK,
    BLOCKERS,
    DATABASE_LOGS,
    DEAD_ROWS,
    DISK,
    END_SESSION,
    EVENTS,
    INVALID_INDEXES,
    OLDEST_IDS,
    PODS,
    RELEASE,
    SESSIONS,
    SITE,
    SLOTS,
    STANDBYS,
    STATUS,
    WAITING_SETTINGS,
    sql,
)
from ansible_collections.golive.cutover.plugins.module_utils._monitor.rule import Guide

_DBA = "Whoever looks after PostgreSQL, at once when data may be lost or when you are not sure."
_OWNERS = "The people who wrote the app: the statement in question is theirs."

GUIDES = {
    "PostgresPrimaryMissing": Guide(
        "There should be exactly one server that takes writes. There is none, or there are two.",
        "Without one nothing can be written. With two of them data goes to both, and one half will be lost.",
        (
            f"See the servers: `{PODS}`",
            f"See what the database says: `{STATUS}`",
            f"Read its log: `{DATABASE_LOGS}`",
        ),
        (
            ("Two primaries", "Stop the app's writes first; never delete a volume; call for help"),
            ("The pod is pending or restarts", f"Look at its events: `{EVENTS}`"),
            ("The volume is full", "Go on with PostgresVolumeFilling"),
            ("An operator runs the database", "Let it fail over; look at its own status before you touch anything"),
        ),
        (SITE, "kubectl -n NAMESPACE describe pod -l app.kubernetes.io/name=APP-postgres"),
        "status shows one primary, and the app writes again.",
        _DBA,
    ),
    "PostgresInstanceDown": Guide(
        "A server does not answer, and a probe of its port does not either.",
        "If it is the only one the app is down with it. If it is a standby, a failover has nowhere to go.",
        (
            f"See the pod: `{PODS}`",
            f"See why: `{EVENTS}`",
            f"Read its log: `{DATABASE_LOGS}`",
        ),
        (
            ("It starts and replays its log", "Wait; deleting the pod makes it begin anew"),
            ("The log says «No space left»", "Go on with PostgresVolumeFilling"),
            ("OOMKilled", "Raise the limit in `postgres_resources`, then run site"),
            ("The node is gone", "The volume decides where it can run: ask the people of the cluster"),
        ),
        (SITE,),
        "status shows the server as healthy, and the app answers.",
        _DBA,
    ),
    "PostgresConnectionsExhausted": Guide(
        "Nearly all connections are taken, or the exporter itself gets none after most were taken.",
        "New requests of the app fail at the database. Those that have a connection go on.",
        (
            f"See who holds them: `{SESSIONS}`",
            f"See who waits: `{BLOCKERS}`",
            f"See whether a release has just doubled the pods: `{STATUS}`",
        ),
        (
            ("Many sessions are idle in transaction", "End the oldest; the app does not close what it opened"),
            ("They all wait for one", "Go on with PostgresLockWaits"),
            (
                "Pods times pool size is larger than max_connections",
                "Make the pool of the app smaller, or put a pooler in front",
            ),
            ("It began with a release", "Go back"),
        ),
        (END_SESSION, BACK, SITE),
        "Less than eight tenths of the connections are taken.",
        _OWNERS,
    ),
    "PostgresReplicationBroken": Guide(
        "Fewer standbys receive the log than there should be. The lag shows 0 in this state: it says nothing.",
        "A failover now would lose what was written since, or find no standby.",
        (
            f"See who follows: `{STANDBYS}`",
            f"See whether their slots are lost: `{SLOTS}`",
            f"See the pods: `{PODS}`",
        ),
        (
            ("A slot says lost", "That standby must be built anew from the primary or from a backup"),
            ("The standby is down", "Go on with PostgresInstanceDown"),
            ("It cannot log in", "Its password or certificate was changed; its log says so"),
        ),
        (SITE, STATUS),
        "Every standby shows state streaming.",
        _DBA,
    ),
    "PostgresWraparoundImminent": Guide(
        "Transaction ids are numbers that come round. Vacuum must free old ones and does not keep up.",
        "At the end the server refuses every write to protect the data. There are days left, not weeks.",
        (
            f"See which database it is: `{OLDEST_IDS}`",
            f"See what keeps old rows alive: `{SESSIONS}`",
            f"Slots keep them as well: `{SLOTS}`",
        ),
        (
            ("A transaction is open for hours", "End it"),
            ("A slot is not active", "Go on with PostgresSlotRetainsWal"),
            ("Neither", "Run vacuum by hand, table by table, the oldest first"),
        ),
        (END_SESSION, sql("VACUUM (FREEZE, VERBOSE) SCHEMA.TABLE", "DATABASE")),
        "The age falls while vacuum runs.",
        _DBA,
    ),
    "PostgresVolumeFilling": Guide(
        "The volume of the database is nearly full, or will be in four hours at this pace.",
        "At 0 the server stops and may not start again without help.",
        (
            f"See how much is free: `{DISK}`",
            f"See whether a slot holds the log back: `{SLOTS}`",
            f"See whether the log can be archived: `{ARCHIVER}`",
        ),
        (
            ("Archiving fails", "Go on with PostgresWalArchivingStopped: the log piles up until it works"),
            ("A slot holds much", "Go on with PostgresSlotRetainsWal"),
            (
                "Neither, data grows",
                "Make the volume larger: `postgres_storage`, then run site, if the storage class allows it",
            ),
            ("Less than 2 % are free", "Make the volume larger first, ask later; never delete files in pg_wal"),
        ),
        (SITE,),
        "More than a quarter of the volume is free and it does not fall.",
        _DBA,
    ),
    "PostgresWalArchivingStopped": Guide(
        "The server tries to store its log in the backup store and fails each time.",
        "What is written now could not be restored. The log stays on the volume until that is full.",
        (
            f"See what fails since when: `{ARCHIVER}`",
            f"Read why: `{DATABASE_LOGS}`",
            "See whether the store answers: its certificate, its keys and its free space are the usual causes.",
        ),
        (
            (
                "AccessDenied, SignatureDoesNotMatch",
                "The keys were changed; put the new ones into their Secret, then run site",
            ),
            ("No route, timeout, unknown name", "Network policy or DNS between the database and the store"),
            ("Certificate is not trusted", "The store has a new certificate authority; name it in the settings"),
            ("The store is full", "Make room there; expire old backups"),
        ),
        (SITE,),
        "last_archived_time is younger than last_failed_time, and the alert ends within two minutes.",
        _DBA,
    ),
    "PostgresConnectionsHigh": Guide(
        "Most connections are taken.",
        "Nothing fails yet. The next burst may use up the rest.",
        (f"See who holds them: `{SESSIONS}`",),
        (
            ("Many are idle", "Make the pool of the app smaller"),
            ("All work", "Raise max_connections by `postgres_settings` and give it memory, or put a pooler in front"),
        ),
        (SITE,),
        "Less than eight tenths are taken.",
        _OWNERS,
    ),
    "PostgresLongTransaction": Guide(
        "A transaction has been open for long.",
        "It keeps its locks, and dead rows cannot be removed meanwhile. A migration would wait behind it.",
        (f"See whose it is: `{SESSIONS}`", f"See who waits for it: `{BLOCKERS}`"),
        (
            ("It is idle in transaction", "End it: nobody works in it"),
            ("It is a report or a dump", "Let it end, unless others wait"),
            ("It is a migration", "Go on with MigrationRunningLong"),
        ),
        (END_SESSION,),
        "No transaction is older than the bound.",
        _OWNERS,
    ),
    "PostgresLockWaits": Guide(
        "Several sessions wait for locks of another one.",
        "Requests stand still. Each new one joins the queue until connections run out.",
        (f"See who blocks whom: `{BLOCKERS}`", f"See what the first one does: `{SESSIONS}`"),
        (
            ("The first one is idle in transaction", "End it"),
            ("It is a migration", "End it: it can be run again"),
            ("It is the app's own work", "Wait a minute; end it if the queue grows"),
        ),
        (END_SESSION,),
        "Nobody waits any more.",
        _OWNERS,
    ),
    "PostgresDeadlocks": Guide(
        "Transactions wait for each other, and the server cancels one of them.",
        "The cancelled requests fail unless the app tries again.",
        (f"The log names both statements: `{DATABASE_LOGS}`", f"See what is live since when: `{STATUS}`"),
        (
            ("It began with a release", "Two code paths take the same rows in another order: tell the owners"),
            ("A batch runs at the same time", "Stop the batch, or run it at night"),
        ),
        (BACK,),
        "No new deadlock in ten minutes.",
        _OWNERS,
    ),
    "PostgresRollbackRatio": Guide(
        "Many transactions end with a rollback.",
        "The app fails at something, or tries in vain and again.",
        (f"The log names the errors: `{DATABASE_LOGS}`", f"See what is live since when: `{STATUS}`"),
        (
            ("It began with a release", "Go back, or tell the owners"),
            ("Unique violations only", "The app may do so on purpose; set the bound `rollbacks` higher"),
        ),
        (BACK,),
        "The share of rollbacks is below the bound.",
        _OWNERS,
    ),
    "PostgresReplicationLag": Guide(
        "A standby is behind by more than the bound.",
        "Reads from it are old. A failover would lose what it lacks.",
        (f"See how far: `{STANDBYS}`", f"See what the primary does: `{SESSIONS}`"),
        (
            ("A large load or a migration runs", "Wait; it catches up"),
            ("A long query runs on the standby", "End it there, or accept the lag"),
            ("Its disk is slow", "Ask the people of the cluster"),
        ),
        (END_SESSION,),
        "The lag is below the bound.",
        _DBA,
    ),
    "PostgresSlotRetainsWal": Guide(
        "A replication slot keeps the log, because nobody reads it, or because it has lost what it needs.",
        "The volume fills up. A lost slot means a standby or a copy that must be built anew.",
        (f"See the slots: `{SLOTS}`", f"See how much is free: `{DISK}`"),
        (
            ("Nobody needs it any more", "Drop it"),
            ("Its reader is down for now", "Bring the reader back; drop it when the volume gets short"),
            ("It says lost", "Drop it and build its reader anew"),
        ),
        (sql("SELECT pg_drop_replication_slot('SLOT')"),),
        "Every slot is active and holds little.",
        _DBA,
    ),
    "PostgresVacuumBehind": Guide(
        "Autovacuum does not keep up: ids get old, or a table is full of dead rows.",
        "Queries get slower, tables grow. It may become PostgresWraparoundImminent.",
        (
            f"See the ids: `{OLDEST_IDS}`",
            f"See what keeps dead rows: `{SESSIONS}`",
            f"See the tables: `{DEAD_ROWS}`",
        ),
        (
            ("A transaction is open for hours", "End it"),
            ("The table changes all the time", "Make autovacuum start earlier for it"),
        ),
        (sql("VACUUM (ANALYZE) SCHEMA.TABLE", "DATABASE"), END_SESSION),
        "Dead rows fall below a fifth of the table.",
        _DBA,
    ),
    "PostgresCacheHitLow": Guide(
        "Many blocks are read from disk instead of memory.",
        "Queries are slower than they could be.",
        (f"See what runs: `{SESSIONS}`", f"See what is live since when: `{STATUS}`"),
        (
            ("A report or a dump runs", "Nothing to do"),
            ("A query reads a whole table", "It lacks an index: tell the owners"),
            ("Data has outgrown memory", "Raise `postgres_resources`, then run site"),
        ),
        (SITE,),
        "The share of blocks found in memory is above the bound.",
        _OWNERS,
    ),
    "PostgresCheckpointPressure": Guide(
        "So much is written that checkpoints come before their time.",
        "Writes are slower, and more log is written than needed.",
        (f"The log says how often: `{DATABASE_LOGS}`", f"See what writes: `{SESSIONS}`"),
        (
            ("A load or a batch runs", "Wait for its end"),
            ("It is the usual traffic", "Raise max_wal_size in `postgres_settings`, with room on the volume"),
        ),
        (SITE,),
        "Fewer than three requested checkpoints in a quarter of an hour.",
        _DBA,
    ),
    "PostgresBloatHigh": Guide(
        "A table takes far more room than its rows need.",
        "Reads of it are slow and the volume is wasted.",
        (
            f"See how much is free: `{DISK}`",
            "See whether the rows were deleted in one go: then it will not come again.",
        ),
        (
            ("It came from one clean-up", "Repack it once, in a quiet hour, with room for a second copy"),
            ("It comes again", "Go on with PostgresVacuumBehind"),
        ),
        ("kubectl -n NAMESPACE exec -it svc/APP-postgres -c postgres -- sh",),
        "Less than half of the table is empty.",
        _DBA,
    ),
    "PostgresSchemaDebt": Guide(
        "A sequence is nearly used up, an index is invalid, or a setting waits for a restart of the server.",
        "A sequence at its end makes inserts fail. An invalid index costs writes and helps nobody.",
        (
            f"Invalid indexes: `{INVALID_INDEXES}`",
            f"Settings: `{WAITING_SETTINGS}`",
        ),
        (
            ("A sequence", "Make its column bigint in the next release; that takes planning"),
            ("An invalid index", "Drop it concurrently and build it again by a migration"),
            ("A setting", "Restart in a quiet hour: set `postgres_restart`, then run site"),
        ),
        (RELEASE, SITE),
        "All three are 0 or below the bound.",
        _OWNERS,
    ),
}
