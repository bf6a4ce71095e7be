# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open a session with everything set that a verb relies on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

try:
    import psycopg2
except ImportError:
    psycopg2 = None  # type: ignore[assignment]  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError, connect_error, unreachable
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session, wait_ready

APPLICATION_NAME = "golive"
_PORT = 5432
# A dead network is noticed within a minute, also while a statement runs (Linux; other systems ignore the last one).
_KEEPALIVE = {"keepalives_idle": 20, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
_CLIENT_CHECK_SINCE = 140000


@dataclass(frozen=True)
class Settings:
    """Where and as whom to connect. What is None, libpq takes from its own defaults."""

    host: str | None = None
    port: int = _PORT
    database: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    sslmode: str | None = None
    sslrootcert: str | None = None
    connect_timeout: float = 10
    address: str | None = None

    def __str__(self) -> str:
        where = f"{self.host or self.address or 'the local socket'}:{self.port}"
        user = f" as user {self.user}" if self.user else ""
        return f"database {self.database or '(default)'} on {where}{user}"


@dataclass(frozen=True)
class Limits:
    """Seconds; 0 is no limit. ``lock`` and ``statement`` are the server's timeouts of a session."""

    lock: float = 3.0
    statement: float = 60.0
    idle_in_transaction: float = 60.0


def settings(options: Mapping[str, Any] | None, address: tuple[str, int] | None = None) -> Settings:
    """Settings of the option ``postgresql``; ``PGHOST``, ``PGPORT``, ``PGDATABASE``, ``PGUSER``, ``PGPASSWORD``,
    ``PGSSLMODE`` and ``PGSSLROOTCERT`` stand in for what it leaves out, read now.

    ``address`` is the local end of a tunnel: it is connected to, and ``host`` stays the name that a certificate must
    show.
    """
    given = {key: value for key, value in (options or {}).items() if value is not None}

    def of(name: str, variable: str) -> Any:
        return given.get(name, os.environ.get(variable) or None)

    port = of("port", "PGPORT") or _PORT
    host = of("host", "PGHOST")
    try:
        number = address[1] if address else int(port)
    except ValueError as error:
        raise GoliveError("invalid", f"Cannot use the port {port!r} of PGPORT: it is not a number.") from error
    return Settings(
        host=host,
        port=number,
        database=of("database", "PGDATABASE"),
        user=of("user", "PGUSER"),
        password=of("password", "PGPASSWORD"),
        sslmode=of("sslmode", "PGSSLMODE"),
        sslrootcert=of("sslrootcert", "PGSSLROOTCERT"),
        connect_timeout=given.get("connect_timeout", Settings.connect_timeout),
        address=address[0] if address else None,
    )


@contextmanager
def connect(
    call: Call,
    where: Settings,
    *,
    limits: Limits | None = None,
    read_only: bool = False,
    search_path: str = "public",
    application_name: str = APPLICATION_NAME,
) -> Iterator[Session]:
    """A session with TimeZone UTC, the given ``search_path`` and limits, closed at the end.

    Raises GoliveError ``library_missing``, ``auth_failed``, ``database_missing``, ``too_many_connections``,
    ``starting``, ``tls`` or ``unreachable``.
    """
    driver()
    session = Session(call, _opened(call, where, application_name))
    try:
        prepare(session, limits or Limits(), search_path=search_path, read_only=read_only)
        yield session
    finally:
        session.close()


def prepare(session: Session, limits: Limits, *, search_path: str, read_only: bool = False) -> None:
    """Put a session into its known state, whatever statements have set before; locks are kept.

    Sent as statements: a pooler refuses settings inside the start packet.
    """
    wanted = {
        "TimeZone": "UTC",
        "search_path": search_path,
        "standard_conforming_strings": "on",
        "lock_timeout": _milliseconds(limits.lock),
        "statement_timeout": _milliseconds(limits.statement),
        "idle_in_transaction_session_timeout": _milliseconds(limits.idle_in_transaction),
        "default_transaction_read_only": "on" if read_only else "off",
    }
    if session.server_version >= _CLIENT_CHECK_SINCE:
        # A killed client is noticed while its statement still runs.
        wanted["client_connection_check_interval"] = "1000"
        wanted["idle_session_timeout"] = "0"
    calls = ", ".join(["pg_catalog.set_config(%s, %s, false)"] * len(wanted))
    session.execute(
        f"RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; SELECT {calls}",
        [text for pair in wanted.items() for text in pair],
    )
    session.limit_s = limits.statement or None


def begin(session: Session, *, lock: float) -> None:
    """Open a transaction in which nothing waits for a lock longer than ``lock`` seconds; 0 is no limit."""
    session.execute("BEGIN; SELECT pg_catalog.set_config('lock_timeout', %s, true)", (_milliseconds(lock),))


def regain(session: Session, limits: Limits) -> None:
    """Become oneself again inside a transaction: role and timeouts, and nothing else that the transaction set."""
    calls = "pg_catalog.set_config('lock_timeout', %s, false), pg_catalog.set_config('statement_timeout', %s, false)"
    session.execute(
        f"RESET SESSION AUTHORIZATION; RESET ROLE; SELECT {calls}",
        (_milliseconds(limits.lock), _milliseconds(limits.statement)),
    )


def set_timeouts(
    session: Session, *, lock: float | None = None, statement: float | None = None, local: bool = False
) -> None:
    """Change timeouts, in seconds, of the session or only of its open transaction; 0 is no limit."""
    wanted = {"lock_timeout": lock, "statement_timeout": statement}
    for name, seconds in wanted.items():
        if seconds is not None:
            session.execute("SELECT pg_catalog.set_config(%s, %s, %s)", (name, _milliseconds(seconds), local))
    if statement is not None:
        session.limit_s = statement or None


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000))) if seconds else "0"


def driver() -> Any:
    """The module psycopg2. Raises GoliveError ``library_missing``."""
    if psycopg2 is None:
        raise GoliveError(
            "library_missing",
            "The Python library psycopg2 is missing.",
            "Install it for the Python that runs this task: pip install psycopg2-binary.",
        )
    return psycopg2


@contextmanager
def connect_plain(where: Settings, application_name: str) -> Iterator[Any]:
    """A connection of psycopg2 that waits inside libpq, for COPY: only in a process that may be ended at any time.

    Raises GoliveError as ``connect``.
    """
    arguments = _arguments(where, application_name)
    try:
        connection = driver().connect(connect_timeout=max(2, round(where.connect_timeout)), **arguments)
    except psycopg2.Error as error:
        text = mask_text(str(error), [where.password] if where.password else [])
        raise connect_error(str(where), RuntimeError(text)) from None
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SET TimeZone = 'UTC'; SET search_path = public; SET idle_in_transaction_session_timeout = 0"
            )
            cursor.execute("SET statement_timeout = 0; SET lock_timeout = '10s'; SET synchronous_commit = on")
            if connection.server_version >= _CLIENT_CHECK_SINCE:
                cursor.execute("SET client_connection_check_interval = '1s'")
        connection.commit()
        yield connection
    finally:
        connection.close()


def _arguments(where: Settings, application_name: str) -> dict[str, Any]:
    """What psycopg2 is given."""
    wanted: dict[str, Any] = {
        "host": where.host or where.address,
        "hostaddr": where.address,
        "port": where.port,
        "dbname": where.database,
        "user": where.user,
        "password": where.password,
        "sslmode": where.sslmode,
        "sslrootcert": where.sslrootcert,
        "application_name": application_name[:63],
        "client_encoding": "UTF8",
        **_KEEPALIVE,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _opened(call: Call, where: Settings, application_name: str) -> Any:
    connection: Any = None
    try:
        connection = driver().connect(async_=True, **_arguments(where, application_name))
        wait_ready(call, connection, time.monotonic() + where.connect_timeout)
    except SqlError as error:
        connection.close()
        raise unreachable(str(where), f"no answer within {where.connect_timeout:g} s") from error
    except psycopg2.Error as error:
        text = mask_text(str(error), [where.password] if where.password else [])
        raise connect_error(str(where), RuntimeError(text)) from None
    except BaseException:
        if connection is not None:
            connection.close()
        raise
    return connection
