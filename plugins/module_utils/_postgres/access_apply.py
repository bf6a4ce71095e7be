# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry a plan out in one transaction that makes nobody wait long, and end the sessions of those who may not stay."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, Settings, begin, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_draft import Action
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_sql import joined_sql
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import Administrator

APPLICATION = "golive pg_access"
_RETRIED = ("lock_timeout", "deadlock", "serialization_failure")
# A try that waits for a strong lock makes everybody behind it wait; most locks are free within the shortest.
_SHORTEST_S = 0.1
_LONGEST_S = 3.0
_LONGEST_PAUSE_S = 5.0
_LOOK_S = 0.05
_END_S = 15.0
_BLOCKING = """
SELECT a.pid, a.usename::text AS "user", a.application_name, a.state,
    coalesce(extract(epoch FROM now() - a.xact_start), 0)::float8 AS age_s
FROM pg_catalog.pg_stat_activity a WHERE a.pid = ANY(pg_catalog.pg_blocking_pids(%s)) ORDER BY a.xact_start"""
# The stored form of a password is good for guessing it: keep it out of the log, and of what statements are counted in.
_QUIET = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_duration": "off",
    "log_min_error_statement": "panic",
    "pg_stat_statements.track": "none",
    "pg_stat_statements.track_utility": "off",
}
_KNOWN_SETTINGS = "SELECT name FROM pg_catalog.pg_settings WHERE name = ANY(%s)"


class Blockers:
    """Who was in the way of the session ``pid`` when it was last seen waiting, as a third session sees it."""

    def __init__(self, guard: Session) -> None:
        self.pid = 0
        self.seen: list[dict[str, Any]] = []
        self._guard = guard
        self._due = 0.0

    def watched(self, call: Call) -> Call:
        """The same call, that looks while it waits."""

        def alive() -> None:
            call.alive()
            if self.pid and call.now() >= self._due:
                self._due = call.now() + _LOOK_S
                self.seen = self._guard.rows(_BLOCKING, (self.pid,)) or self.seen

        return replace(call, alive=alive)

    def said(self) -> str:
        """Who it was, for a person."""
        parts = [
            f"pid {one['pid']} ({one['user']}, application {one['application_name'] or '-'}, {one['state'] or '-'},"
            f" {one['age_s']:.0f} s old)"
            for one in self.seen
        ]
        return f" In the way: {'; '.join(parts)}." if parts else ""


def carry_out(
    call: Call, where: Settings, guard: Session, administrator: Administrator, actions: Sequence[Action], wait: float
) -> None:
    """Carry out actions of one phase in one transaction of the database ``where``; ``guard`` is another session.

    Raises GoliveError: ``lock_timeout`` with ``blockers`` when the locks were not got within ``wait`` seconds; else as
    ``sql_error``. Nothing of the actions was kept then.
    """
    blockers = Blockers(guard)
    start = call.now()
    rung, pause = _SHORTEST_S, _SHORTEST_S
    with connect(blockers.watched(call), where, limits=Limits(statement=0), application_name=APPLICATION) as session:
        session.tick_s = _LOOK_S
        pid = session.value("SELECT pg_catalog.pg_backend_pid()")
        while True:
            try:
                blockers.pid = pid
                _attempt(session, administrator, actions, rung)
                return
            except SqlError as error:
                blockers.pid = 0
                if error.code not in _RETRIED:
                    raise
                session.execute("ROLLBACK")
                left = start + wait - call.now()
                if left <= 0:
                    message = f"{error.message}. Tried for {call.now() - start:.0f} s.{blockers.said()}"
                    hint = "Nothing was changed. Let the other session end, or raise wait; then run again."
                    raise GoliveError(error.code, message, hint, {"blockers": blockers.seen}) from error
            call.progress(f"waiting for a lock.{blockers.said()}")
            call.pause(min(left, random.uniform(0, pause)))  # noqa: S311  # jitter is no secret
            rung, pause = min(2 * rung, _LONGEST_S), min(2 * pause, _LONGEST_PAUSE_S)


def _attempt(session: Session, administrator: Administrator, actions: Sequence[Action], rung: float) -> None:
    begin(session, lock=rung)
    if administrator.superuser:
        for row in session.rows(_KNOWN_SETTINGS, (list(_QUIET),)):
            session.execute("SELECT pg_catalog.set_config(%s, %s, true)", (row["name"], _QUIET[row["name"]]))
    for action in actions:
        try:
            session.execute(action.sql)
        except SqlError as error:
            raise _explained(error, action) from error
    session.execute("COMMIT")


def _explained(error: SqlError, action: Action) -> SqlError:
    return SqlError(error.code, f"{action.text} failed: {error.message}", error.hint, error.sqlstate, None)


def end_sessions(call: Call, guard: Session, administrator: Administrator, role: str) -> None:
    """End all sessions of a role that may not log in any more, and see them gone.

    Raises GoliveError ``timeout`` when they stay, ``forbidden`` when the administrator may not end them.
    """
    own = "usename = %s AND pid <> pg_catalog.pg_backend_pid()"

    def look() -> Done[None] | Pending:
        left = guard.value(f"SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE {own}", (role,))
        return Pending(f"{left} sessions") if left else Done(None)

    guard.execute("BEGIN")
    try:
        if not administrator.superuser and role not in administrator.roles:
            guard.execute(joined_sql(role, administrator.name, guard.server_version))
        guard.execute(
            f"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE {own}", (role,)
        )
    finally:
        # The membership was for this moment only.
        guard.execute("ROLLBACK")
    wait_for(call, look, what=f"the end of the sessions of {role}", timeout=_END_S, interval=_LOOK_S)
