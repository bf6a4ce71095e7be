# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let nobody write to a server any more, and take that back: its databases accept no connection, and have none.

A session that is read only by default may set itself free, and a login may be a superuser's. A database that accepts no
connections refuses everybody, also after a restart, and what ran in it has ended before anything is counted.
"""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import set_timeouts
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# What marks a database that was closed here, with the transaction that did it: one that somebody else closed stays so.
_MARK = "golive.fenced"
_OPEN = (
    "SELECT datname FROM pg_catalog.pg_database"
    " WHERE datallowconn AND NOT datistemplate AND datname <> pg_catalog.current_database() ORDER BY 1"
)
_FENCED = """
SELECT d.datname, pg_catalog.split_part(entry, '=', 2)::bigint AS transaction
FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
    pg_catalog.unnest(s.setconfig) AS entry
WHERE s.setrole = 0 AND entry LIKE 'golive.fenced=%'
ORDER BY 1"""
_END = """
SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) FROM pg_catalog.pg_stat_activity a
JOIN pg_catalog.pg_database d ON d.oid = a.datid
WHERE NOT d.datallowconn AND NOT d.datistemplate AND a.backend_type <> 'autovacuum worker'"""
# Whoever connects holds this lock from before it asks whether it may until it is listed as a session.
_COMING = """
SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.objid
WHERE l.locktype = 'object' AND l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
    AND NOT d.datallowconn AND NOT d.datistemplate"""
# Held on the server that is live from before its fence until clients are led away; it goes with the session.
_ALONE = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext('golive.fence'))"
_ALONE_S = 10.0
_ENDED_S = 30.0
_LOCK_S = 10.0


def hold_alone(call: Call, session: Session) -> None:
    """Let no other run fence this server, or take its fence back, until the session ends.

    Raises GoliveError ``busy`` while another run does; the session of a killed one goes within moments.
    """

    def look() -> Done[None] | Pending:
        return Done(None) if session.value(_ALONE) else Pending("another run is at it")

    try:
        wait_for(call, look, what="the fence of this server", timeout=_ALONE_S, interval=0.2)
    except GoliveError as error:
        if error.code != "timeout":
            raise
        text = "Another run is leading clients to another server now, so that this one has changed nothing."
        raise GoliveError("busy", text, "Wait until it has ended, then run again.") from error


def fence(call: Call, session: Session) -> None:
    """Close every database but the one of ``session``, and end the sessions in them.

    Raises SqlError, and GoliveError ``timeout`` when a session does not end.
    """
    databases = [row["datname"] for row in session.rows(_OPEN)]
    if databases:
        call.alive()
        set_timeouts(session, lock=_LOCK_S)
        session.execute("BEGIN")
        number = session.value("SELECT pg_catalog.pg_current_xact_id()::text")
        for name in databases:
            session.execute(f"ALTER DATABASE {_quoted(name)} ALLOW_CONNECTIONS false")
            session.execute(f"ALTER DATABASE {_quoted(name)} SET {_MARK} = %s", (number,))
        session.execute("COMMIT")

    def look() -> Done[None] | Pending:
        left = int(session.value(_COMING)) + int(session.value(_END))
        return Pending(f"{left} sessions are left") if left else Done(None)

    wait_for(call, look, what="the sessions of the server to end", timeout=_ENDED_S, interval=0.1)


def fenced(session: Session) -> list[int]:
    """The transactions that have closed databases here; empty where none is closed."""
    return sorted({int(row["transaction"]) for row in session.rows(_FENCED)})


def lift(session: Session) -> bool:
    """Open what :func:`fence` has closed; whether there was anything. Raises SqlError."""
    databases = [row["datname"] for row in session.rows(_FENCED)]
    if not databases:
        return False
    session.execute("BEGIN")
    for name in databases:
        session.execute(f"ALTER DATABASE {_quoted(name)} ALLOW_CONNECTIONS true")
        session.execute(f"ALTER DATABASE {_quoted(name)} RESET {_MARK}")
    session.execute("COMMIT")
    return True


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
