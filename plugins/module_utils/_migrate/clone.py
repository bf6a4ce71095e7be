# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database beside another one on the same server that has its schema and none of its rows."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement, split
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, Settings, connect
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.programs import find_program, run_program
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

PREFIX = "golive_clone_"
# The first half of the key of the advisory lock that says that a clone has somebody who drops it.
_KEPT = 0x676F6C6B
_DUMP_LIMIT_S = 300.0
_LIMITS = Limits(lock=10, statement=300)
# As many as share a transaction: few round trips, and few of the server's locks at a time.
_TOGETHER = 50
# Of these the server's own names say what they are; subscriptions, user mappings and tablespaces lead elsewhere.
_DUMP = ("--schema-only", "--no-subscriptions", "--no-tablespaces", "--no-security-labels")
_LEFT_OUT = (("CREATE", "USER", "MAPPING"),)
_GUARD_LINES = re.compile(r"^\\(?:un)?restrict \w+$", re.MULTILINE)
# SQLSTATEs of something that is not there: objects of different kinds, schemas, tables, functions.
_ABSENT = ("42704", "3F000", "42P01", "42883")
_SHOWN = 3
_LEFTOVERS = """
SELECT datname AS name FROM pg_catalog.pg_database
WHERE left(datname, %s) = %s AND pg_catalog.pg_has_role(datdba, 'USAGE')"""
# A clone belongs to the database that it was made of: advisory locks are seen only there.
_CREATE = """
SELECT pg_catalog.format('CREATE DATABASE %%I TEMPLATE template0 ENCODING %%L LC_COLLATE %%L LC_CTYPE %%L', %s,
    pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype)
    || CASE provider WHEN 'i' THEN pg_catalog.format(' LOCALE_PROVIDER icu ICU_LOCALE %%L', locale)
        WHEN 'b' THEN pg_catalog.format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %%L', locale) ELSE '' END
FROM (SELECT *, row ->> 'datlocprovider' AS provider, coalesce(row ->> 'datlocale', row ->> 'daticulocale') AS locale
    FROM (SELECT *, pg_catalog.to_jsonb(d) AS row FROM pg_catalog.pg_database d) d) d
WHERE datname = pg_catalog.current_database()"""


@dataclass
class Clone:
    """``where`` leads to it; ``left_out`` are statements of the dump that this user may not run, each with why."""

    where: Settings
    left_out: list[str] = field(default_factory=list)


@contextmanager
def cloned(call: Call, where: Settings, run_id: str | None, programs: str | None = None) -> Iterator[Clone]:
    """A schema-only clone of the database ``where`` for the time of the block; it is dropped whatever happens.

    Its name carries ``run_id``. What a killed run has left is dropped first: nobody holds its lock. Roles are the
    server's, so that the clone has them; owners and rights are kept as far as this user may set them. ``programs`` is
    the directory of pg_dump. Raises GoliveError ``clone_forbidden`` without the right to create databases,
    ``clone_failed``, ``program_missing``, ``program_too_old`` or ``program_failed``.
    """
    with connect(call, where, limits=_LIMITS) as session:
        program = find_program("pg_dump", session.server_version, call.alive, programs)
        prefix = (
            f"{PREFIX}{session.value('SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()')}_"
        )
        _drop_leftovers(session, prefix)
        clone = Clone(replace(where, database=_named(prefix, run_id)))
        _take_lock(session, clone.where.database)
        try:
            call.progress(f"making the clone {clone.where.database}")
            _create(session, where, clone.where.database)
            arguments = [*_DUMP, f"--lock-wait-timeout={int(_LIMITS.lock * 1000)}"]
            _restore(call, clone, run_program(program, arguments, call.alive, _DUMP_LIMIT_S, where))
            yield clone
        finally:
            _drop(call, where, clone.where.database)


def _named(prefix: str, run_id: str | None) -> str:
    run = re.sub(r"[^a-z0-9]+", "_", (run_id or "").lower()).strip("_")
    return f"{prefix}{run[:24]}_{secrets.token_hex(4)}".replace("__", "_")


def _take_lock(session: Session, name: str | None) -> bool:
    return bool(session.value("SELECT pg_catalog.pg_try_advisory_lock(%s, pg_catalog.hashtext(%s))", (_KEPT, name)))


def _drop_leftovers(session: Session, prefix: str) -> None:
    for row in session.rows(_LEFTOVERS, (len(prefix), prefix)):
        if _take_lock(session, row["name"]):
            session.execute(f'DROP DATABASE IF EXISTS "{row["name"]}" WITH (FORCE)')


def _create(session: Session, where: Settings, name: str | None) -> None:
    try:
        session.execute(session.value(_CREATE, (name,)))
    except SqlError as error:
        if error.code != "forbidden":
            raise GoliveError(
                "clone_failed", f"Making a clone of {where} failed: {error.message}.", error.hint, error.details
            ) from error
        raise GoliveError(
            "clone_forbidden",
            f"Making a clone of {where} was refused: {error.message}.",
            "Give this user the right to create databases (ALTER ROLE … CREATEDB), or run without rehearsal.",
            error.details,
        ) from error


def _restore(call: Call, clone: Clone, dump: str) -> None:
    statements = [one for one in split(_GUARD_LINES.sub("", dump)) if one.outer_words[:3] not in _LEFT_OUT]
    with connect(call, clone.where, limits=_LIMITS) as session:
        for at in range(0, len(statements), _TOGETHER):
            call.progress(f"making the clone {clone.where.database}", at, len(statements))
            batch = statements[at : at + _TOGETHER]
            try:
                session.execute(";\n".join(one.text for one in batch))
            except SqlError:
                # Nothing of them is there: one transaction.
                _one_by_one(session, clone, batch)


def _one_by_one(session: Session, clone: Clone, statements: Sequence[Statement]) -> None:
    for one in statements:
        try:
            session.execute(one.text)
        except SqlError as error:
            if error.code == "forbidden" or (error.sqlstate in _ABSENT and _describes(one)):
                clone.left_out.append(f"{_said(one)}: {error.message}")
            # A newer pg_dump sets what this server does not know yet.
            elif not (one.outer_words[:1] == ("SET",) and error.sqlstate == "42704"):
                raise _restore_failed(clone, one, error) from error


def _describes(statement: Statement) -> bool:
    """Whether it only says something of an object, which may have been left out."""
    words = statement.outer_words
    return words[:1] in (("COMMENT",), ("GRANT",), ("REVOKE",)) or (words[:1] == ("ALTER",) and "OWNER" in words[-3:])


def _restore_failed(clone: Clone, statement: Statement, error: SqlError) -> GoliveError:
    lacks = "; ".join(clone.left_out[:_SHOWN])
    reason = f"{_said(statement)}: {error.message}." + (
        f" It lacks what this user may not make: {lacks}." if lacks else ""
    )
    hint = "Let a user rehearse who may make what the schema needs, such as its extensions; or run without rehearsal."
    return GoliveError("clone_failed", f"Filling the clone failed at {reason}", hint, error.details)


def _said(statement: Statement) -> str:
    return re.sub(r"\s+", " ", statement.text)[:80]


def _drop(call: Call, where: Settings, name: str | None) -> None:
    """Through a session of its own: the one that has made the clone may be gone, or in the midst of something."""
    try:
        with connect(call.for_undo(), where, limits=_LIMITS) as session:
            session.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    except GoliveError as error:
        call.warn(f"Dropping the clone {name} failed: {error.message}. The next rehearsal drops it.")
