# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait while the server has more to do than it bears: replicas behind, much or unarchived WAL, sessions that wait."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.waiting import Done, Pending, wait_for
from ansible_collections.golive.cutover.plugins.module_utils._migrate.runner import Runner
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script

_READY_FILES = 16
_WAITING = 3
_LONGEST_S = 3600.0
_INTERVAL_S = 1.0
_RATE_S = 10.0
# A user without the rights of pg_monitor sees NULL, and no backlog: then replicas and archive say nothing.
_SEEN = """
SELECT (SELECT coalesce(max(extract(epoch FROM replay_lag)), 0)::float8 FROM pg_catalog.pg_stat_replication) AS lag,
    pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')::bigint AS written,
    (SELECT pg_catalog.pg_wal_lsn_diff(min(replay_lsn), '0/0')::bigint FROM pg_catalog.pg_stat_replication
        WHERE state <> 'backup') AS replayed,
    (SELECT count(*) FROM pg_catalog.pg_locks WHERE NOT granted AND pid <> ALL(%s)) AS waiting,
    (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE backend_type = 'autovacuum worker'
        AND query LIKE '%%to prevent wraparound%%' AND query LIKE '%%' || %s || '%%') AS wraparound"""
_MAY_SEE_ARCHIVE = "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'execute')"
_READY = "SELECT count(*) FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"


@dataclass(frozen=True)
class _Position:
    """How many bytes of WAL the server had written at a time in seconds."""

    at: float
    written: int


class Pressure:
    """Looks at the server between the batches of ``table``."""

    def __init__(self, runner: Runner, script: Script, table: str) -> None:
        self._runner = runner
        self._script = script
        self._table = table
        self._positions: deque[_Position] = deque()

    def await_calm(self) -> None:
        """Return when nothing speaks against the next batch. Raises GoliveError ``throttled`` after an hour without."""

        def look() -> Done[None] | Pending:
            reason = self._reason()
            return Pending(reason) if reason else Done(None)

        what = f"a calm server for {self._script.file}"
        try:
            wait_for(self._runner.call, look, what=what, timeout=_LONGEST_S, interval=_INTERVAL_S)
        except GoliveError as error:
            if error.code != "timeout":
                raise
            details = {"file": self._script.file, "line": self._script.statements[0].line, "sqlstate": None}
            hint = "Look at what the server is busy with; the next run goes on behind the rows that are done."
            raise GoliveError("throttled", error.message, hint, details) from error

    def _reason(self) -> str:
        """What speaks against writing more just now; empty when nothing does."""
        runner = self._runner
        seen = runner.guard.rows(_SEEN, ([runner.watch.pid, 0], self._table))[0]
        self._keep(_Position(runner.call.now(), seen["written"]))
        lag = max(seen["lag"], self._lag(seen["replayed"]))
        if lag > runner.replica_lag:
            return f"a replica is {lag:.0f} s behind"
        rate = self._rate()
        if runner.wal_rate and rate > runner.wal_rate:
            return f"the server writes {rate / (1 << 20):.1f} MiB of WAL a second"
        if seen["waiting"] >= _WAITING:
            return f"{seen['waiting']} sessions wait for locks"
        if seen["wraparound"]:
            return f"autovacuum works on {self._table} to prevent wraparound"
        if runner.guard.value(_MAY_SEE_ARCHIVE):
            ready = runner.guard.value(_READY)
            if ready >= _READY_FILES:
                return f"{ready} files of WAL are not archived"
        return ""

    def _keep(self, position: _Position) -> None:
        positions = self._positions
        positions.append(position)
        oldest = position.at - max(_RATE_S, 2 * self._runner.replica_lag)
        while len(positions) > 2 and positions[1].at <= oldest:
            positions.popleft()

    def _lag(self, replayed: int | None) -> float:
        """For how long the slowest replica has lacked what it lacks.

        The server's own number stands still when a replica does: it is measured when the replica answers.
        """
        if replayed is None:
            return 0.0
        lacked = next((one for one in self._positions if one.written > replayed), None)
        return self._positions[-1].at - lacked.at if lacked else 0.0

    def _rate(self) -> float:
        """Bytes of WAL a second, on an average of ten seconds, or of the time since the first batch."""
        last = self._positions[-1]
        before = [one for one in self._positions if one.at <= last.at - _RATE_S]
        first = before[-1] if before else self._positions[0]
        return (last.written - first.written) / (last.at - first.at) if last.at > first.at else 0.0
