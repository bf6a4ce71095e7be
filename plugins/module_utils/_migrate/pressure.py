# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait while the server has more to do than it bears: replicas behind, unarchived WAL, sessions waiting for locks."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._migrate.runner import Runner
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

_LAG_S = 10.0
_READY_FILES = 16
_WAITING = 3
_LONGEST_S = 3600.0
_INTERVAL_S = 1.0
# A user without the rights of pg_monitor sees NULL, and no backlog: then these two say nothing.
_SEEN = """
SELECT (SELECT coalesce(max(extract(epoch FROM replay_lag)), 0)::float8 FROM pg_catalog.pg_stat_replication) AS lag,
    (SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted AND pid <> ALL(%s)) AS waiting,
    (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'autovacuum worker'
        AND query LIKE '%%to prevent wraparound%%' AND query LIKE '%%' || %s || '%%') AS wraparound"""
_MAY_SEE_ARCHIVE = "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'execute')"
_READY = "SELECT count(*) FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"


def await_calm(runner: Runner, script: Script, table: str) -> None:
    """Return when nothing speaks against the next batch. Raises GoliveError ``throttled`` after an hour without."""

    def look() -> Done[None] | Pending:
        reason = pressure(runner.guard, table, runner.watch.pid)
        return Pending(reason) if reason else Done(None)

    try:
        wait_for(runner.call, look, what=f"a calm server for {script.file}", timeout=_LONGEST_S, interval=_INTERVAL_S)
    except GoliveError as error:
        if error.code != "timeout":
            raise
        details = {"file": script.file, "line": script.statements[0].line, "sqlstate": None}
        hint = "Look at what the server is busy with; the next run goes on behind the rows that are done."
        raise GoliveError("throttled", error.message, hint, details) from error


def pressure(session: Session, table: str, pid: int) -> str:
    """What speaks against writing more just now; empty when nothing does."""
    seen = session.rows(_SEEN, ([pid, 0], table))[0]
    if seen["lag"] > _LAG_S:
        return f"a replica is {seen['lag']:.0f} s behind"
    if seen["waiting"] >= _WAITING:
        return f"{seen['waiting']} sessions wait for locks"
    if seen["wraparound"]:
        return f"autovacuum works on {table} to prevent wraparound"
    if session.value(_MAY_SEE_ARCHIVE):
        ready = session.value(_READY)
        if ready >= _READY_FILES:
            return f"{ready} files of WAL are not archived"
    return ""
