# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What PostgreSQL's refusals mean to a person."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

# libpq gives no SQLSTATE when a connection fails, only the text; the first match counts.
_CONNECT = (
    (
        r"authentication failed|no password supplied|pg_hba\.conf|role \S+ does not exist|not permitted to log in",
        "auth_failed",
        "Check the user and the password (or the Secret that holds it), and that pg_hba.conf admits this user.",
    ),
    (r'database "[^"]*" does not exist', "database_missing", "Create the database, or correct its name."),
    (
        r"too many clients|too many connections|remaining connection slots|no more connections allowed",
        "too_many_connections",
        "Close idle sessions, lower the pools of the clients, or raise max_connections.",
    ),
    (
        r"starting up|shutting down|not yet accepting|in recovery mode",
        "starting",
        "The server is starting or stopping; try again when it is ready.",
    ),
    (
        r"\bSSL\b(?! SYSCALL)|certificate|sslmode|sslrootcert",
        "tls",
        "Check that the server offers TLS, and sslmode and sslrootcert of this task.",
    ),
)
_NO_ANSWER = (
    r"refused|timed out|timeout|could not translate|not known|No such file|unexpectedly|unreachable|No route"
    r"|reset by peer|SYSCALL|Broken pipe"
)
_UNREACHABLE_HINT = "Check host and port, that the server runs, and that the network lets this machine through."

_CODES = {
    "25006": ("read_only", "Connect to the primary: this server or this session only reads."),
    "40001": ("serialization_failure", "Another transaction changed the same rows; run again."),
    "40P01": ("deadlock", "Another session locked the same objects in another order; run again."),
    "42501": ("forbidden", "Connect as the owner, or grant the missing right."),
    "53100": ("disk_full", "Free room on the server's volume, or enlarge it; then run again."),
    "53300": ("too_many_connections", "Close idle sessions, or raise max_connections."),
    "55P03": ("lock_timeout", "Another session holds the lock; look at pg_blocking_pids, run again when it is done."),
    "57014": ("statement_timeout", "Make the statement smaller, or raise statement_timeout."),
}
_LOST = ("57P01", "57P02", "57P03", "57P05", "25P03", "25P04", "08")


class SqlError(GoliveError):
    """A statement that the server refused.

    ``details`` and attributes: ``sqlstate`` (None when the connection broke), ``position`` (character in the statement,
    counted from 1, None when unknown).
    """

    def __init__(self, code: str, message: str, hint: str | None, sqlstate: str | None, position: int | None) -> None:
        super().__init__(code, message, hint, {"sqlstate": sqlstate})
        self.sqlstate = sqlstate
        self.position = position


def connect_error(where: str, error: Exception) -> GoliveError:
    """Why no session to ``where`` came about: ``auth_failed``, ``database_missing``, ``tls``, ``unreachable`` …

    A server that speaks another language than English gives ``connect_failed`` with its words.
    """
    text = re.sub(r"\s+", " ", str(error)).strip() or type(error).__name__
    for pattern, code, hint in _CONNECT:
        if re.search(pattern, text):
            return GoliveError(code, f"Connecting to {where} failed: {text}", hint)
    if re.search(_NO_ANSWER, text):
        return unreachable(where, text)
    return GoliveError("connect_failed", f"Connecting to {where} failed: {text}")


def unreachable(where: str, reason: str) -> GoliveError:
    """The error of a server that gives no answer."""
    return GoliveError("unreachable", f"Connecting to {where} failed: {reason}", _UNREACHABLE_HINT)


def sql_error(error: Any, connection_closed: bool) -> SqlError:
    """The error of a statement.

    A DETAIL of class 23 is left out: it quotes the rows that break a constraint, and they may hold secrets.
    """
    diag = error.diag
    state = error.pgcode
    said = diag.message_primary or re.sub(r"\s+", " ", str(error)).strip() or type(error).__name__
    if diag.message_detail and not (state or "").startswith("23"):
        said += f" DETAIL: {diag.message_detail}"
    position = int(diag.statement_position) if diag.statement_position else None
    if state in _CODES:
        code, hint = _CODES[state]
        return SqlError(code, said, diag.message_hint or hint, state, position)
    if connection_closed or (state or "").startswith(_LOST):
        return SqlError("connection_lost", said, "Look at the server and the network; then run again.", state, position)
    return SqlError("sql_failed", said, diag.message_hint, state, position)
