# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a copy remembers in the database it goes into, so that a second run goes on where the first one stopped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import TICK_S, Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

_TABLES = """
CREATE SCHEMA IF NOT EXISTS golive;
CREATE TABLE IF NOT EXISTS golive.sqlite_copies (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  schema text NOT NULL,
  tables text[] NOT NULL,
  made text[] NOT NULL,
  source text NOT NULL,
  source_state text NOT NULL,
  asked text NOT NULL,
  sha256 text NOT NULL,
  plan text NOT NULL,
  cuts jsonb NOT NULL,
  checked boolean NOT NULL DEFAULT true,
  run_id text,
  started timestamptz NOT NULL DEFAULT now(),
  keyed integer NOT NULL DEFAULT 0,
  finished timestamptz,
  report jsonb);
CREATE TABLE IF NOT EXISTS golive.sqlite_chunks (
  copy bigint NOT NULL REFERENCES golive.sqlite_copies ON DELETE CASCADE, target text NOT NULL, number integer NOT NULL,
  low bigint, high bigint, rows bigint NOT NULL, bytes bigint NOT NULL, digest text NOT NULL, altered jsonb NOT NULL,
  PRIMARY KEY (copy, target, number));
"""
# The kernel ends a process of a killed run at once, its session ends with what it was sent.
_LOCK_WAIT_S, _WORKERS_END_S, _TERMINATED_S = 5.0, 20.0, 10.0
_OTHERS = (
    "SELECT {} FROM pg_catalog.pg_stat_activity"
    " WHERE datname = current_database() AND application_name = %s AND usename = current_user"
)
_GIVEN = ("schema", "tables", "made", "source", "source_state", "asked", "sha256", "plan", "cuts", "run_id")
# Any number that nothing else takes: the first 8 bytes of the SHA-256 of «golive.sqlite_copy».
_LOCK = 0x5F1B6A0D3C2E4B7


@dataclass(frozen=True)
class Copy:
    """A copy that was begun.

    ``source_state`` is the size and the time of the source when its snapshot was taken, ``asked`` the options. ``made``
    are the tables that it makes itself, ``keyed`` counts the keys and indexes that these have, ``cuts`` is how its
    tables are cut. Unless ``checked``, chunks may be there that are not what its snapshot has.
    """

    id: int
    source: str
    source_state: str
    asked: str
    sha256: str
    plan: str
    cuts: Mapping[str, Any]
    checked: bool
    tables: list[str]
    made: list[str]
    keyed: int
    finished: bool
    report: Mapping[str, Any] | None


# Key of a report for what the database held at the end of the copy, as ``mark_of`` tells it.
MARK = "mark"


def frozen_copy(known: Iterable[Copy], source: str, frozen: str) -> Copy | None:
    """The finished copy of a file that is under this freeze; None without one."""
    found = (one for one in known if one.finished and one.source == source and (one.report or {}).get("frozen"))
    return next((one for one in found if (one.report or {})["frozen"] == frozen), None)


def unmarked(copy: Copy) -> dict[str, Any]:
    """The result of a finished copy."""
    return {key: value for key, value in (copy.report or {}).items() if key != MARK}


def mark_again(session: Session, copy: Copy, mark: Mapping[str, Any]) -> None:
    """Record what the database holds now, as what may be given up."""
    report = json.dumps({**(copy.report or {}), MARK: mark})
    session.execute("UPDATE golive.sqlite_copies SET report = %s WHERE id = %s", (report, copy.id))


@dataclass(frozen=True)
class Done:
    """A chunk that is committed. ``altered``: values by column that policies have changed."""

    rows: int
    bytes: int
    digest: str
    altered: Mapping[str, int]


def altered_of(chunks: Iterable[Done]) -> dict[str, int]:
    """How many values policies have changed in all of the chunks."""
    found: dict[str, int] = {}
    for one in chunks:
        for what, count in one.altered.items():
            found[what] = found.get(what, 0) + count
    return found


def lock(call: Call, session: Session, wait: float) -> bool:
    """Be the only copy into this database until the session ends; False when another one is.

    A killed run holds it for a moment longer: the processes that it has forked hold its connection too.
    """
    end = call.now() + max(wait, _LOCK_WAIT_S)
    while not session.value("SELECT pg_try_advisory_lock(%s)", (_LOCK,)):
        if call.now() >= end:
            return False
        call.progress("waiting for another copy into this database")
        call.pause(TICK_S)
    return True


def await_workers(call: Call, session: Session, name: str) -> None:
    """Wait until no process of a run that is gone sends rows; one that hangs is ended. The lock must be held.

    Raises GoliveError ``worker_stays``.
    """
    begin = call.now()
    while session.value(_OTHERS.format("count(*)"), (name,)):
        waited = call.now() - begin
        if waited > _WORKERS_END_S + _TERMINATED_S:
            raise GoliveError(
                "worker_stays",
                "A session of an earlier run still sends rows, and does not end.",
                f"End the sessions named «{name}» in pg_stat_activity.",
            )
        if waited > _WORKERS_END_S:
            session.rows(_OTHERS.format("pg_terminate_backend(pid)"), (name,))
        call.pause(TICK_S)


def copies(session: Session, schema: str) -> list[Copy]:
    """The copies into a schema, the newest first."""
    if not session.value("SELECT to_regclass('golive.sqlite_copies') IS NOT NULL"):
        return []
    rows = session.rows(
        "SELECT id, source, source_state, asked, sha256, plan, cuts, checked, tables, made, keyed,"
        " finished IS NOT NULL AS finished, report FROM golive.sqlite_copies WHERE schema = %s ORDER BY id DESC",
        (schema,),
    )
    return [Copy(**row) for row in rows]


@contextmanager
def transaction(session: Session) -> Iterator[None]:
    """All of the block or nothing of it."""
    session.execute("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(SqlError):
            session.execute("ROLLBACK")
        raise
    session.execute("COMMIT")


def prepare(session: Session) -> None:
    """Make the tables."""
    session.execute(_TABLES)


def begin_copy(session: Session, row: Mapping[str, Any]) -> int:
    """Record that a copy begins, inside of the caller's transaction; its id."""
    number = session.value(
        f"INSERT INTO golive.sqlite_copies ({', '.join(_GIVEN)})"
        f" VALUES ({', '.join(['%s'] * len(_GIVEN))}) RETURNING id",
        [row[name] for name in _GIVEN],
    )
    return int(number)


def begin_catch_up(session: Session, number: int, row: Mapping[str, Any], keyed: int) -> None:
    """Let a copy be one of another snapshot; of its keys only the first ``keyed`` stay counted."""
    changed = ("source_state", "sha256", "plan", "cuts", "run_id")
    session.execute(
        f"UPDATE golive.sqlite_copies SET {', '.join(f'{name} = %s' for name in changed)},"
        " keyed = least(keyed, %s), checked = false, finished = NULL, report = NULL WHERE id = %s",
        [*(row[name] for name in changed), keyed, number],
    )


def drop_chunks(session: Session, number: int, target: str, chunk: int | None) -> None:
    """Forget a chunk, or all of a table without one, inside of the transaction that deletes its rows."""
    session.execute(
        "DELETE FROM golive.sqlite_chunks WHERE copy = %s AND target = %s AND number = coalesce(%s, number)",
        (number, target, chunk),
    )


def all_checked(session: Session, number: int) -> None:
    """Record that every chunk that is there is what the snapshot has."""
    session.execute("UPDATE golive.sqlite_copies SET checked = true WHERE id = %s", (number,))


def forget(session: Session, number: int) -> None:
    """Drop the record of a copy, inside of the caller's transaction."""
    session.execute("DELETE FROM golive.sqlite_copies WHERE id = %s", (number,))


def chunks_done(session: Session, number: int) -> dict[tuple[str, int], Done]:
    """The committed chunks of a copy."""
    rows = session.rows(
        "SELECT target, number, rows, bytes, digest, altered FROM golive.sqlite_chunks WHERE copy = %s", (number,)
    )
    return {
        (row["target"], row["number"]): Done(row["rows"], row["bytes"], row["digest"], row["altered"]) for row in rows
    }


def keys_made(session: Session, number: int, count: int) -> None:
    """Record how many keys and indexes are there, inside of the transaction that makes the last of them."""
    session.execute("UPDATE golive.sqlite_copies SET keyed = %s WHERE id = %s", (count, number))


def end_copy(session: Session, number: int, report: Mapping[str, Any]) -> None:
    """Record that a copy is proved."""
    session.execute(
        "UPDATE golive.sqlite_copies SET finished = now(), report = %s WHERE id = %s", (json.dumps(report), number)
    )


RECORD_CHUNK = (
    "INSERT INTO golive.sqlite_chunks (copy, target, number, low, high, rows, bytes, digest, altered)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
