# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What speaks against migrating just now, looked at before anything is applied.

An error is what does not pass by itself; what may be over in a moment is a warning, because the run waits for locks,
old transactions and calm by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.watch import old_transactions
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, set_timeouts
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

if TYPE_CHECKING:
    from ansible_collections.golive.cutover.plugins.module_utils._migrate.preflight_tables import Need, Target

IDS = (
    "old_transaction",
    "prepared_transaction",
    "inactive_slot",
    "replica_lag",
    "wraparound_vacuum",
    "disk",
    "xid_age",
    "not_visible",
)
# A slot may keep as much WAL as an archive may lag behind (16 files of the usual 16 MiB) before it is worth a word.
_SLOT_BYTES = 256 << 20
# From here on the size of what is needed is told without being asked for.
_TOLD_BYTES = 1 << 30
# Transaction ids end at 2^31; the server warns 40 million and refuses to write 3 million before (routine-vacuuming).
_LAST_IDS = 2**31 - 40_000_000
_FAILSAFE_AGE = 1_600_000_000
_LOOK_LOCK_S = 0.3

# A prepared transaction has no process; what it locks shares the virtual id of the lock on its own number.
_PREPARED = """
SELECT p.gid, p.owner::text AS owner, extract(epoch FROM now() - p.prepared)::float8 AS age_s,
    array_agg(DISTINCT l.relation::bigint) FILTER (WHERE l.relation IS NOT NULL) AS locked
FROM pg_catalog.pg_prepared_xacts p
LEFT JOIN pg_catalog.pg_locks own ON own.pid IS NULL AND own.locktype = 'transactionid'
    AND own.transactionid = p.transaction
LEFT JOIN pg_catalog.pg_locks l ON l.pid IS NULL AND l.virtualtransaction = own.virtualtransaction
    AND l.locktype = 'relation' AND l.relation = ANY(%s::oid[])
WHERE p.database = pg_catalog.current_database() GROUP BY 1, 2, p.prepared ORDER BY p.prepared"""
# A standby, which may be asked too, has no current position.
_POSITION = """CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
        ELSE pg_catalog.pg_current_wal_lsn() END"""
_SLOTS = f"""
SELECT slot_name::text AS name, coalesce(wal_status, '') AS state,
    coalesce(pg_catalog.pg_wal_lsn_diff({_POSITION}, restart_lsn), 0)::bigint AS kept
FROM pg_catalog.pg_replication_slots WHERE NOT active ORDER BY 1"""
_REPLICAS = f"""
SELECT pid, coalesce(nullif(application_name, ''), client_addr::text, '') AS name, state,
    coalesce(extract(epoch FROM replay_lag), 0)::float8 AS lag_s,
    coalesce(pg_catalog.pg_wal_lsn_diff({_POSITION}, replay_lsn), 0)::bigint AS behind
FROM pg_catalog.pg_stat_replication WHERE coalesce(state, '') <> 'backup' ORDER BY 2"""
# The lock of a running vacuum is seen by everybody, what it is for only with the rights of pg_monitor.
_WRAPAROUND = """
SELECT c.oid::bigint AS oid, pg_catalog.age(c.relfrozenxid) AS age, least(
        pg_catalog.current_setting('autovacuum_freeze_max_age')::bigint,
        (SELECT option_value::bigint FROM pg_catalog.pg_options_to_table(c.reloptions)
            WHERE option_name = 'autovacuum_freeze_max_age')) AS allowed,
    (SELECT min(a.pid) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.granted AND a.backend_type = 'autovacuum worker'
        AND a.query LIKE '%%to prevent wraparound%%') AS pid
FROM pg_catalog.pg_class c WHERE c.oid = ANY(%s::oid[]) AND c.relkind IN ('r', 'm')"""
_AGE = """
SELECT datname::text AS name, pg_catalog.age(datfrozenxid)::bigint AS transactions,
    pg_catalog.mxid_age(datminmxid)::bigint AS multixacts,
    coalesce(pg_catalog.current_setting('vacuum_failsafe_age', true)::bigint, %s) AS transactions_late,
    coalesce(pg_catalog.current_setting('vacuum_multixact_failsafe_age', true)::bigint, %s) AS multixacts_late
FROM pg_catalog.pg_database ORDER BY greatest(pg_catalog.age(datfrozenxid), pg_catalog.mxid_age(datminmxid)) DESC
LIMIT 1"""


@dataclass(frozen=True)
class Thresholds:
    """``old_transaction`` and ``replica_lag`` in seconds; ``disk_free`` tells bytes, or None when nobody knows."""

    old_transaction: float = 60.0
    replica_lag: float = 10.0
    disk_free: Callable[[], int | None] = lambda: None


@dataclass(frozen=True)
class Obstacle:
    """``id`` is one of ``IDS``, ``severity`` error, warning or info; ``where`` is what it is about."""

    id: str
    severity: str
    where: str
    message: str
    hint: str

    def row(self) -> dict[str, Any]:
        """As JSON types."""
        return asdict(self)


def preflight(session: Session, pending: Sequence[Migration], limits: Thresholds) -> list[Obstacle]:
    """What speaks against applying ``pending`` now; nothing without pending files. Only reads."""
    if not pending:
        return []
    # Late: it reads statements as the linter does, which takes as long to import as a run with nothing to do.
    from ansible_collections.golive.cutover.plugins.module_utils._migrate.preflight_tables import needs, targets

    readable = [one for one in pending if not one.fault]
    found = targets(session, readable)
    return [
        *_old(session, limits),
        *_prepared(session, found),
        *_slots(session),
        *_replicas(session, limits),
        *_wraparound(session, found),
        *_disk(session, found, lambda: needs(session, readable, found), limits),
        *_ages(session),
    ]


def judged(call: Call, found: Iterable[Obstacle], ignored: Sequence[str]) -> list[dict[str, Any]]:
    """Warn of what was found, and return it as rows. Raises GoliveError ``preflight`` with them for an error.

    What is ``ignored`` is a warning at most.
    """
    kept = list(found)
    errors = [one for one in kept if one.severity == "error" and one.id not in ignored]
    rows = [one.row() for one in kept]
    if errors:
        said = " ".join(f"{one.id}: {one.message}" for one in errors)
        hints = " ".join(dict.fromkeys(one.hint for one in errors))
        hint = f"{hints} To go on all the same, name it in preflight_ignore."
        raise GoliveError(
            "preflight", f"Migrating was refused before anything was applied. {said}", hint, {"preflight": rows}
        )
    for one in kept:
        if one.severity != "info":
            call.warn(f"{one.id}: {one.message} {one.hint}")
    return rows


def _old(session: Session, limits: Thresholds) -> Iterator[Obstacle]:
    for one in old_transactions(session, limits.old_transaction, session.value("SELECT pg_catalog.pg_backend_pid()")):
        who = f"user {one['user']}, application {one['application_name'] or '-'}"
        yield Obstacle(
            "old_transaction",
            "warning",
            f"pid {one['pid']}",
            f"A transaction of pid {one['pid']} ({who}) is open for {one['age_s']:.0f} s.",
            f"End it, if nobody needs it: SELECT pg_terminate_backend({one['pid']}).",
        )


def _prepared(session: Session, found: Sequence[Target]) -> Iterator[Obstacle]:
    names = {one.oid: one.name for one in found if one.locked}
    for one in session.rows(_PREPARED, (list(names),)):
        held = ", ".join(sorted(names[oid] for oid in one["locked"] or ()))
        gid = one["gid"].replace("'", "''")
        yield Obstacle(
            "prepared_transaction",
            "error" if held else "warning",
            f"prepared transaction {one['gid']}",
            f"The prepared transaction {one['gid']} of {one['owner']} is {one['age_s']:.0f} s old"
            + (f" and holds locks on {held}, until somebody ends it." if held else "."),
            f"End it, connected as its owner: COMMIT PREPARED '{gid}' or ROLLBACK PREPARED '{gid}'.",
        )


def _slots(session: Session) -> Iterator[Obstacle]:
    for one in session.rows(_SLOTS):
        much = one["kept"] >= _SLOT_BYTES or one["state"] in ("unreserved", "lost")
        state = f", in state {one['state']}" if one["state"] in ("unreserved", "lost") else ""
        yield Obstacle(
            "inactive_slot",
            "warning" if much else "info",
            f"replication slot {one['name']}",
            f"Nobody reads the replication slot {one['name']}, which keeps {_size(one['kept'])} of WAL{state}.",
            f"Start its reader, or drop it: SELECT pg_drop_replication_slot('{one['name']}').",
        )


def _replicas(session: Session, limits: Thresholds) -> Iterator[Obstacle]:
    for one in session.rows(_REPLICAS):
        where = f"replica {one['name'] or one['pid']}"
        if one["state"] is None:
            yield _unseen(where, f"How far the {where} has come cannot be seen.")
        elif one["lag_s"] > limits.replica_lag or one["state"] == "catchup":
            yield Obstacle(
                "replica_lag",
                "warning",
                where,
                f"The {where} is {one['lag_s']:.0f} s and {_size(one['behind'])} of WAL behind.",
                "Wait until it has caught up; batches pause for it.",
            )


def _wraparound(session: Session, found: Sequence[Target]) -> Iterator[Obstacle]:
    names = {one.oid: one.name for one in found if one.locked}
    for one in session.rows(_WRAPAROUND, (list(names),)):
        if one["pid"] is None and one["age"] <= one["allowed"]:
            continue
        doing = f"works (pid {one['pid']})" if one["pid"] else f"is due (age {one['age']} of {one['allowed']})"
        yield Obstacle(
            "wraparound_vacuum",
            "warning",
            f"table {names[one['oid']]}",
            f"Autovacuum {doing} on {names[one['oid']]} to prevent wraparound, and does not give way to a lock.",
            "Let it end before the run, or run VACUUM yourself.",
        )


def _disk(
    session: Session, found: Sequence[Target], look: Callable[[], Sequence[Need]], limits: Thresholds
) -> Iterator[Obstacle]:
    if not found:
        return
    set_timeouts(session, lock=_LOOK_LOCK_S)
    try:
        wanted = look()
    except SqlError as error:
        if session.closed:
            raise
        yield _unseen("sizes of tables", f"How large the tables are cannot be seen: {error.message}.")
        return
    finally:
        if not session.closed:
            set_timeouts(session, lock=Limits().lock)
    free = limits.disk_free() if wanted else None
    for one in wanted:
        does = f"writes {one.table} anew" if one.work == "rewrite" else f"builds an index of {one.table}"
        said = f"{one.where} {does} and needs up to {_size(one.bytes)} free"
        if free is None:
            yield Obstacle(
                "disk",
                "warning" if one.bytes >= _TOLD_BYTES else "info",
                f"table {one.table}",
                f"{said}; the server does not tell how much is.",
                "Look at its volume, or give the bytes in disk_free.",
            )
        elif one.bytes > free:
            yield Obstacle(
                "disk",
                "error",
                f"table {one.table}",
                f"{said}; {_size(free)} are.",
                "Enlarge the volume, or free room on it.",
            )


def _ages(session: Session) -> Iterator[Obstacle]:
    one = session.rows(_AGE, (_FAILSAFE_AGE, _FAILSAFE_AGE))[0]
    for what in ("transactions", "multixacts"):
        if one[what] >= min(one[f"{what}_late"], _LAST_IDS):
            yield Obstacle(
                "xid_age",
                "error" if one[what] >= _LAST_IDS else "warning",
                f"database {one['name']}",
                f"The oldest {what} of database {one['name']} are {one[what]} ids old; at {2**31} the server stops.",
                "Vacuum its oldest tables first, and end what holds them back (old transactions, slots).",
            )


def _unseen(where: str, message: str) -> Obstacle:
    return Obstacle("not_visible", "info", where, message, "Grant this role pg_monitor.")


def _size(number: int) -> str:
    return f"{number / (1 << 30):.1f} GiB" if number >= 1 << 30 else f"{number / (1 << 20):.1f} MiB"
