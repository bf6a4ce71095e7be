# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session of a database."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

try:
    import psycopg2
    import psycopg2.extensions
except ImportError:
    psycopg2 = None  # type: ignore[assignment]  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._core.call import TICK_S, Call
from ansible_collections.golive.cutover.plugins.module_utils._pg.cancel import cancel
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError, sql_error

# After its statement_timeout the server must have answered; what comes later is a broken network.
_GRACE_S = 30.0
_DRAIN_S = 5.0


class Session:
    """Runs one statement after the other, each in a transaction of its own unless BEGIN was sent.

    The connection is asynchronous, so that a cancelled run ends a waiting statement within a tick: a blocking call
    inside libpq would not even see the signal.
    """

    def __init__(self, call: Call, connection: Any) -> None:
        self.limit_s: float | None = None
        self.tick_s = TICK_S
        self._call = call
        self._connection = connection
        self._joining = False
        self._ahead: list[str] = []

    @property
    def server_version(self) -> int:
        """As ``server_version_num``: 150018 is 15.18."""
        return int(self._connection.server_version)

    @property
    def used_password(self) -> bool:
        """Whether the server has asked for the password when the session began."""
        return bool(self._connection.info.used_password)

    @property
    def announced_pid(self) -> int:
        """The process that answered when the session began; a pooler names one that no server has."""
        return int(self._connection.info.backend_pid)

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return bool(self._connection.closed)

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open on the server, also a failed one."""
        idle = (psycopg2.extensions.TRANSACTION_STATUS_IDLE, psycopg2.extensions.TRANSACTION_STATUS_UNKNOWN)
        return self._connection.info.transaction_status not in idle

    def execute(self, sql: str, values: Sequence[Any] | None = None) -> None:
        """Run a statement; its rows are dropped. Raises SqlError, or Interrupted after cancelling the statement."""
        if self._joining:
            self._ahead.append(self._text(sql, values))
        else:
            self._run(sql, values).close()

    @contextmanager
    def joined(self) -> Iterator[None]:
        """What is executed inside an open transaction and inside this is sent with the next statement behind it.

        That takes one round trip instead of one each; whatever the server refuses is raised there, without a position.
        """
        self._joining = True
        try:
            yield
        except BaseException:
            self._ahead.clear()
            raise
        finally:
            self._joining = False

    def rows(self, sql: str, values: Sequence[Any] | None = None) -> list[dict[str, Any]]:
        """Run a query; its rows as dicts by column name."""
        cursor = self._run(sql, values)
        names = [column[0] for column in cursor.description]
        found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        cursor.close()
        return found

    def value(self, sql: str, values: Sequence[Any] | None = None) -> Any:
        """The first column of a query's only row; None without a row."""
        found = self.rows(sql, values)
        return next(iter(found[0].values())) if found else None

    def affected(self, sql: str, values: Sequence[Any] | None = None) -> int:
        """Run a statement; how many rows it has written or returned."""
        cursor = self._run(sql, values)
        count: int = max(0, cursor.rowcount)
        cursor.close()
        return count

    def close(self) -> None:
        """End the session; a statement that still runs is cancelled first, or the server would work on."""
        if self._connection.closed:
            return
        try:
            if self._connection.isexecuting():
                cancel(self._connection, _DRAIN_S)
                self._poll(self._call.for_undo(), _DRAIN_S)
        except (psycopg2.Error, SqlError):
            pass
        finally:
            self._connection.close()

    def _run(self, sql: str, values: Sequence[Any] | None) -> Any:
        self._call.alive()
        ahead = [*self._ahead]
        self._ahead.clear()
        try:
            cursor = self._connection.cursor()
            if ahead:
                cursor.execute("; ".join([*ahead, self._text(sql, values)]))
            else:
                cursor.execute(sql, values)
            self._poll(self._call, self.limit_s)
        except psycopg2.Error as error:
            refused = sql_error(error, bool(self._connection.closed))
            if ahead:
                refused.position = None
            raise refused from error
        return cursor

    def _text(self, sql: str, values: Sequence[Any] | None) -> str:
        """A statement with its values in it, as psycopg2 would send it."""
        text: bytes = self._connection.cursor().mogrify(sql, values)
        return text.decode()

    def _poll(self, call: Call, limit_s: float | None) -> None:
        end = None if limit_s is None else time.monotonic() + limit_s + _GRACE_S
        wait_ready(call, self._connection, end, self.tick_s)


def wait_ready(call: Call, connection: Any, end: float | None, tick_s: float = TICK_S) -> None:
    """Let an asynchronous connection go on until its connect or statement is done.

    Raises psycopg2's errors, Interrupted, or SqlError ``connection_lost`` at the monotonic time ``end``.
    """
    events = {psycopg2.extensions.POLL_READ: select.POLLIN, psycopg2.extensions.POLL_WRITE: select.POLLOUT}
    while True:
        state = connection.poll()
        if state == psycopg2.extensions.POLL_OK:
            return
        ready = select.poll()
        ready.register(connection.fileno(), events[state])
        while not ready.poll(tick_s * 1000):
            call.alive()
            if end is not None and time.monotonic() >= end:
                raise SqlError(
                    "connection_lost", "no answer in time", "Look at the server and the network.", None, None
                )
