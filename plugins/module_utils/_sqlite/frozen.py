# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A SQLite file that takes no writes: triggers on its tables refuse them, whoever writes, and outlast every crash."""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

from ansible_collections.golive.cutover.plugins.module_utils._core.call import TICK_S, Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.schema import FROZEN, quoted
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.source import BUSY_S, unreadable

_EVENTS = ("INSERT", "UPDATE", "DELETE")
_ID = re.compile(r"freeze ([0-9a-f]{16})'")
# Within it SQLite asks for its lock by itself; between two of them this process may be told to stop.
_TRY_S, _LOCK_S = 0.5, 30.0
_TABLES = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT GLOB 'sqlite_*'"


def source_tables(path: str) -> list[str]:
    """Names of the tables that hold rows of their own. Raises GoliveError ``source_locked``."""
    with _opened(path) as connection:
        return sorted(name for (name,) in connection.execute(_TABLES))


def frozen_by(path: str) -> str:
    """Id of the freeze that the file is under; empty without one."""
    with _opened(path) as connection:
        return next(iter(_triggers(connection).values()), "")


def refuse_new_tables(path: str) -> None:
    """Raises GoliveError ``frozen_changed`` when a table of a frozen file takes writes, because it is newer."""
    with _opened(path) as connection:
        open_ones = sorted({table for table, _event in _missing(connection)})
    if open_ones:
        raise GoliveError(
            "frozen_changed",
            f"The frozen file {path} has tables that were made since and are not copied: {', '.join(open_ones)}.",
            "Find out who makes tables in it; drop them, or thaw the file and begin anew.",
        )


def freeze(call: Call, path: str) -> str:
    """Have the file refuse writes, in one transaction behind those that are under way; the id of the freeze.

    A freeze that is there stays. Raises GoliveError ``source_locked`` or ``freeze_failed``.
    """
    with _written(call, path) as connection:
        name = next(iter(_triggers(connection).values()), secrets.token_hex(8))
        for table, event in _missing(connection):
            text = f"golive: this file takes no writes while it moves to PostgreSQL, freeze {name}"
            connection.execute(
                f"CREATE TRIGGER {quoted(_trigger(table, event))} BEFORE {event} ON {quoted(table)}"
                f" BEGIN SELECT RAISE(ABORT, '{text}'); END"
            )
        return name


def thaw(call: Call, path: str) -> None:
    """Have the file take writes again. Raises GoliveError as ``freeze``."""
    with _written(call, path) as connection:
        for trigger in _triggers(connection):
            connection.execute(f"DROP TRIGGER {quoted(trigger)}")


def _trigger(table: str, event: str) -> str:
    return f"{FROZEN}{event.lower()}_{table}"


def _triggers(connection: sqlite3.Connection) -> dict[str, str]:
    """Our triggers with the id of their freeze."""
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name").fetchall()
    found = {name: _ID.search(sql or "") for name, sql in rows if name.startswith(FROZEN)}
    return {name: match[1] for name, match in found.items() if match}


def _missing(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Tables and events that no trigger of ours guards."""
    there = _triggers(connection)
    tables = sorted(name for (name,) in connection.execute(_TABLES).fetchall())
    return [(table, event) for table in tables for event in _EVENTS if _trigger(table, event) not in there]


@contextmanager
def _opened(path: str) -> Iterator[sqlite3.Connection]:
    """A connection that reads."""
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=BUSY_S)) as connection:
            connection.isolation_level = None
            yield connection
    except sqlite3.DatabaseError as error:
        raise unreadable(path, error) from error


@contextmanager
def _written(call: Call, path: str) -> Iterator[sqlite3.Connection]:
    """One transaction of all of the block; readers go on, and writers wait for it."""
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, timeout=_TRY_S)) as connection:
            connection.isolation_level = None
            connection.execute("PRAGMA synchronous = FULL")
            _patiently(call, connection, "BEGIN IMMEDIATE")
            try:
                yield connection
                _patiently(call, connection, "COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
    except sqlite3.DatabaseError as error:
        if _busy(error):
            raise _locked(path, error) from error
        raise GoliveError(
            "freeze_failed",
            f"Cannot change the triggers of {path}: {error}.",
            "The file and its directory must be writable for the user that the task, or its Job, runs as.",
        ) from error


def _patiently(call: Call, connection: sqlite3.Connection, statement: str) -> None:
    end = call.now() + _LOCK_S
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if not _busy(error) or call.now() >= end:
                raise
        call.pause(TICK_S)


def _busy(error: sqlite3.DatabaseError) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _locked(path: str, error: sqlite3.DatabaseError) -> GoliveError:
    return GoliveError(
        "source_locked",
        f"Cannot get the lock of {path}: another program holds it for longer than {_LOCK_S:g} s ({error}).",
        "End what writes to it for so long, or try again.",
    )
