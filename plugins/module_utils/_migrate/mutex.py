# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep two runners apart, without any lock that somebody else could wait behind.

A session-level advisory lock frees itself when its runner dies. It is polled with the try-form: a session that sits in
``pg_advisory_lock`` holds a snapshot, and CREATE INDEX CONCURRENTLY of the other runner waits for that for ever
(flyway/flyway#1654).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Failed, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# First halves of the keys of advisory locks: the mutex, and the session that does the work.
_MUTEX = 0x676F6C69
_WORK = 0x676F6C6A
_LOOK_S = 0.3
# With two pools the first tells; with four, one run in a thousand is not told.
_PROBES = 10
RELEASED = "its lock was released"


class Mutex:
    """The right to migrate one database with one ledger; ``holder`` sees it without taking it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        # Advisory locks belong to a database; the second half tells ledgers apart.
        digest = hashlib.sha256(str(ledger).encode()).digest()
        self._key = int.from_bytes(digest[:4], "big", signed=True)
        self._pid = 0

    @contextmanager
    def held(self, call: Call, guard: Session, work: Session, wait: float) -> Iterator[None]:
        """Hold the mutex on ``guard``, and mark ``work`` as the session that works under it.

        The mark is a second lock: a killed runner's mutex is free at once, but the server may still work on its last
        statement. Raises GoliveError ``timeout`` naming the holder after ``wait`` seconds.
        """
        self._take(call, guard, _MUTEX, wait)
        self._pid = guard.value("SELECT pg_catalog.pg_backend_pid()")
        self._take(call, work, _WORK, wait)
        try:
            yield
        finally:
            for session, half in ((work, _WORK), (guard, _MUTEX)):
                with suppress(GoliveError):
                    self._free(session, half)

    def ensure(self, guard: Session) -> None:
        """Raise GoliveError ``mutex_lost`` when the guarding session is gone, or its lock."""
        try:
            held = self.is_held(guard)
        except GoliveError as error:
            raise lost(error.message) from error
        if not held:
            raise lost(RELEASED)

    def is_held(self, session: Session) -> bool:
        """Whether the guarding session still has its lock, as any session sees it. Raises SqlError."""
        return bool(
            session.value(
                "SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted"
                " AND pid = %s AND classid = %s AND objid = %s AND objsubid = 2",
                (self._pid, _MUTEX, self._key & 0xFFFFFFFF),
            )
        )

    def holder(self, session: Session) -> dict[str, Any] | None:
        """Who holds the mutex: ``pid, user, application_name, client, since``; None when it is free."""
        for half in (_MUTEX, _WORK):
            found = session.rows(
                "SELECT l.pid, a.usename::text AS user, a.application_name, host(a.client_addr) AS client,"
                " to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS since"
                " FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
                " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = %s AND l.objid = %s"
                " AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())"
                " AND l.pid <> pg_catalog.pg_backend_pid()",
                (half, self._key & 0xFFFFFFFF),
            )
            if found:
                return found[0]
        return None

    def _take(self, call: Call, session: Session, half: int, wait: float) -> None:
        def look() -> Done[None] | Failed | Pending:
            if session.value("SELECT pg_catalog.pg_try_advisory_lock(%s, %s)", (half, self._key)):
                return Done(None)
            return Pending(_said(self.holder(session)))

        wait_for(
            call,
            look,
            what=f"the mutex of the migrations in {self._ledger}",
            timeout=wait,
            interval=_LOOK_S,
            hint="Let the other run end, or raise wait. If it hangs: SELECT pg_terminate_backend(pid).",
        )

    def _free(self, session: Session, half: int) -> None:
        # A closed session has no lock, and one inside a transaction loses it when it is closed.
        if session.closed or session.in_transaction:
            return
        session.execute("SELECT pg_catalog.pg_advisory_unlock(%s, %s)", (half, self._key))


def refuse_pooler(guard: Session, work: Session, another: Callable[[], AbstractContextManager[Session]]) -> None:
    """Raise GoliveError ``pooled`` when a pooler moves sessions between server processes.

    Under PgBouncer's transaction mode a session lock would stay with a process that others get next. While ``work`` is
    inside a transaction it keeps its process, so ``guard`` must keep another one.

    Behind one address there may be several pools, and both sessions are then alone in theirs. A pooler announces a
    process of its own making; where it does, ``another`` session must never get the process of one of the two.
    """
    query = "SELECT pg_catalog.pg_backend_pid()"
    before = guard.value(query)
    # Asked outside a transaction first: with a pool of one process the next question would never be answered.
    pooled = work.value(query) == before
    if not pooled:
        work.execute("BEGIN")
        pooled = work.value(query) == before or guard.value(query) != before
        work.execute("ROLLBACK")
    if not pooled and guard.announced_pid != before:
        pooled = _shared(another, {before, work.value(query)})
    if pooled:
        raise GoliveError(
            "pooled",
            "Connecting for migrations was refused: a pooler in transaction mode stands before the server.",
            "Connect to PostgreSQL itself, or to a pool in session mode.",
        )


def _shared(another: Callable[[], AbstractContextManager[Session]], taken: set[int]) -> bool:
    """Whether a new session gets one of the processes that are taken."""
    # In session mode a pool may be full by the two, and lets nobody else in.
    with suppress(GoliveError):
        for _try in range(_PROBES):
            with another() as session:
                if session.value("SELECT pg_catalog.pg_backend_pid()") in taken:
                    return True
    return False


def _said(holder: dict[str, Any] | None) -> str:
    if holder is None:
        return "held by a session that ended just now"
    who = f"user {holder['user']}, application {holder['application_name'] or '-'}, client {holder['client'] or '-'}"
    return f"held by pid {holder['pid']} ({who}, since {holder['since'] or 'unknown'})"


def lost(reason: str) -> GoliveError:
    """The error of a run whose mutex is gone."""
    return GoliveError(
        "mutex_lost",
        f"Keeping the mutex of the migrations failed: {reason}.",
        "Nothing of the current file was applied; run again.",
    )
