# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guarding session sees while the working one is busy: who is in the way, and how an index build goes on."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

_LOOK_S = 0.5
# As much of a query as a person needs to know it again.
_SESSIONS = """
SELECT a.pid, a.usename::text AS "user", a.application_name, a.state,
    coalesce(extract(epoch FROM now() - a.xact_start), 0)::float8 AS age_s,
    left(regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g'), 80) AS query
FROM pg_catalog.pg_stat_activity a """
_BLOCKING = _SESSIONS + "WHERE a.pid = ANY(pg_catalog.pg_blocking_pids(%s)) ORDER BY a.xact_start"
_OLD = (
    _SESSIONS
    + """
WHERE a.datname = pg_catalog.current_database() AND a.pid <> ALL(%s) AND a.backend_type = 'client backend'
    AND a.xact_start < now() - pg_catalog.make_interval(secs => %s) ORDER BY a.xact_start"""
)
_END = """
SELECT CASE WHEN state LIKE 'idle%%' THEN pg_catalog.pg_terminate_backend(pid)
    ELSE pg_catalog.pg_cancel_backend(pid) END
FROM pg_catalog.pg_stat_activity WHERE pid = ANY(%s) AND usename::text = ANY(%s)"""
_BUILD = """
SELECT phase, lockers_total, lockers_done, current_locker_pid, blocks_total, blocks_done, tuples_total, tuples_done
FROM pg_catalog.pg_stat_progress_create_index WHERE pid = %s"""


class Watch:
    """Looks on while a statement of the session ``pid`` runs; ``blockers`` are the sessions it was last seen behind.

    Each is a dict ``pid, user, application_name, state, age_s, query``; ``age_s`` is that of its transaction.
    ``retries`` counts tries that ended at a lock, ``waited_s`` the seconds spent on them.
    """

    def __init__(self, call: Call, guard: Session) -> None:
        self.pid = 0
        self.retries = 0
        self.waited_s = 0.0
        self.blockers: list[dict[str, Any]] = []
        self._call = call
        self._guard = guard
        self._due = 0.0
        self._statement: str | None = None
        self._build_wait: float | None = None
        self._waits_since: float | None = None
        self._cancelled = ""

    def begin(self, statement: str, look_s: float = _LOOK_S, build_wait: float | None = None) -> None:
        """Look on from now; a build that waits for others longer than ``build_wait`` seconds is cancelled."""
        self.blockers = []
        self._statement = statement
        self._build_wait = build_wait
        self._waits_since = None
        self._cancelled = ""
        self._due = time.monotonic() + look_s

    def end(self) -> str:
        """Look on no more; why the statement was cancelled by ``look``, empty when it was not."""
        self._statement = None
        return self._cancelled

    def look(self) -> None:
        """One look, if it is due."""
        if self._statement is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _LOOK_S
        seen = self._guard.rows(_BLOCKING, (self.pid,))
        if seen:
            self.blockers = seen
        if self._build_wait is not None:
            self._look_at_build()

    def old_transactions(self, seconds: float) -> list[dict[str, Any]]:
        """Transactions of this database that are older than ``seconds``: a concurrent build would wait for each."""
        return old_transactions(self._guard, seconds, self.pid)

    def end_blockers(self, roles: tuple[str, ...]) -> None:
        """Cancel what sessions of ``roles`` in the way do, or end those that sit idle in a transaction."""
        with suppress(GoliveError):
            self._guard.execute(_END, ([one["pid"] for one in self.blockers], list(roles)))

    def _look_at_build(self) -> None:
        rows = self._guard.rows(_BUILD, (self.pid,))
        if not rows:
            self._waits_since = None
            return
        row = rows[0]
        self._call.progress(f"{self._statement}: {_build_said(row)}", *_share(row))
        if not row["phase"].startswith("waiting"):
            self._waits_since = None
            return
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        if self._build_wait is not None and now - self._waits_since >= self._build_wait:
            self._cancelled = f"{row['phase']} took longer than {self._build_wait:g} s"
            self._guard.execute("SELECT pg_catalog.pg_cancel_backend(%s)", (self.pid,))


def old_transactions(session: Session, seconds: float, own: int = 0) -> list[dict[str, Any]]:
    """Transactions of this database older than ``seconds``, but of the process ``own``; rows as ``blockers``.

    Without the rights of pg_monitor those of other roles are not seen.
    """
    return session.rows(_OLD, ([own, 0], seconds))


def _build_said(row: dict[str, Any]) -> str:
    if row["phase"].startswith("waiting") and row["lockers_total"]:
        behind = f", now behind pid {row['current_locker_pid']}" if row["current_locker_pid"] else ""
        return f"{row['phase']} ({row['lockers_done']} of {row['lockers_total']}{behind})"
    return str(row["phase"])


def _share(row: dict[str, Any]) -> tuple[int | None, int | None]:
    for unit in ("blocks", "tuples"):
        if row[f"{unit}_total"]:
            return row[f"{unit}_done"], row[f"{unit}_total"]
    return None, None
