# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a statement asks of the runner: to be refused, or to run outside of any transaction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement

_OWN_TRANSACTION = "Remove it: the runner begins and ends the transactions of a file."
_TRANSACTION = {"BEGIN", "START", "COMMIT", "END", "ABORT"}
_AUTOCOMMIT_STARTS = (
    ("VACUUM",),
    ("ALTER", "SYSTEM"),
    ("CREATE", "DATABASE"),
    ("DROP", "DATABASE"),
    ("CREATE", "TABLESPACE"),
    ("DROP", "TABLESPACE"),
    ("CREATE", "SUBSCRIPTION"),
    ("DROP", "SUBSCRIPTION"),
    ("CREATE", "INDEX", "CONCURRENTLY"),
    ("CREATE", "UNIQUE", "INDEX", "CONCURRENTLY"),
    ("DROP", "INDEX", "CONCURRENTLY"),
)
_COPY_STREAMS = {("FROM", "STDIN"), ("TO", "STDOUT")}
_REINDEX_ALL = {"SCHEMA", "DATABASE", "SYSTEM"}
# What is the server's and not a database's.
_SHARED = {"ROLE", "USER", "GROUP", "DATABASE", "TABLESPACE", "SUBSCRIPTION"}
_SHARED_STARTS = (("ALTER", "SYSTEM"), ("REASSIGN", "OWNED"), ("DROP", "OWNED"))
_SHARED_GRANTS = {"DATABASE", "TABLESPACE", "PARAMETER"}
_SHARED_INSIDE = re.compile(
    r"\b(?:CREATE|ALTER|DROP)\s+(?:ROLE|USER(?!\s+MAPPING)|GROUP|DATABASE|TABLESPACE|SUBSCRIPTION)\b"
    r"|\bALTER\s+SYSTEM\b|\bdblink\w*(?=\s*\()",
    re.IGNORECASE,
)
_READS_OR_WRITES = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "CALL")
_CONFORMING = re.compile(r"\bstandard_conforming_strings\b", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """Why a statement is refused, and what to do about it."""

    code: str
    reason: str
    hint: str


def refusal(statement: Statement) -> Refusal | None:
    """Why ``statement`` cannot be part of a file; None when it can.

    Codes: ``transaction_control``, ``session_reset``, ``copy_stream``, ``unsupported_setting``.
    """
    words = statement.outer_words
    if not words:
        return None
    if _controls_transaction(words):
        name = " ".join(words[:2]) if words[0] in ("PREPARE", "ROLLBACK") else words[0]
        return Refusal("transaction_control", f"{name} controls the transaction", _OWN_TRANSACTION)
    if words[:2] == ("DISCARD", "ALL"):
        hint = "Remove it: each file begins with a session in its known state."
        return Refusal("session_reset", "DISCARD ALL would free the lock that keeps other runs away", hint)
    if words[0] == "COPY" and _COPY_STREAMS & set(pairwise(words)):
        hint = "Write INSERT statements, or load the data outside the migrations."
        return Refusal("copy_stream", "COPY from STDIN or to STDOUT needs a stream of data", hint)
    if words[0] in ("SET", "RESET") and _CONFORMING.search(statement.text) and not _sets_on(statement.text):
        hint = "Write backslashes in E'' strings."
        return Refusal("unsupported_setting", "the file must be read with standard_conforming_strings = on", hint)
    return None


def needs_autocommit(statement: Statement) -> str:
    """The command by name when the server refuses it inside a transaction, else an empty text.

    What only some of its forms need counts by its form. Source: the server's calls of ``PreventInTransactionBlock``.
    """
    words = statement.outer_words
    for start in _AUTOCOMMIT_STARTS:
        if words[: len(start)] == start:
            return " ".join(start)
    if words[:1] == ("REINDEX",):
        if any(word.text == "CONCURRENTLY" for word in statement.words):
            return "REINDEX CONCURRENTLY"
        if words[1:2] and words[1] in _REINDEX_ALL:
            return f"REINDEX {words[1]}"
    if words in (("CLUSTER",), ("CLUSTER", "VERBOSE")):
        return "CLUSTER of all tables"
    if words[:2] == ("ALTER", "TABLE") and "DETACH" in words and words[-1] == "CONCURRENTLY":
        return "DETACH PARTITION CONCURRENTLY"
    if words[:2] == ("ALTER", "DATABASE") and words[-2:-1] == ("TABLESPACE",):
        return "ALTER DATABASE SET TABLESPACE"
    return ""


def beyond_database(statement: Statement) -> str:
    """The command by name when it changes more than its database: roles, other databases, files; else an empty text.

    Of DO the text of its body counts, also what it says in passing; what a function does that is called is not seen.
    """
    words = statement.outer_words
    verb = words[0] if words else ""
    on = words[words.index("ON") + 1 :][:1] if "ON" in words else ()
    if words[:2] in _SHARED_STARTS:
        return " ".join(words[:2])
    if verb in ("CREATE", "ALTER", "DROP"):
        return " ".join(words[:2]) if _SHARED & set(words[1:2]) and words[2:3] != ("MAPPING",) else ""
    if verb in ("GRANT", "REVOKE"):
        what = "a role" if not on else f"a right on {on[0]}" if _SHARED_GRANTS & set(on) else ""
        return f"{verb} of {what}" if what else ""
    if verb in ("COMMENT", "SECURITY"):
        return f"{' '.join(words[:2])} {on[0]}" if _SHARED & set(on) else ""
    if verb == "COPY":
        return "COPY to a file or program" if "TO" in words or "PROGRAM" in words else ""
    if verb == "DO":
        inside = _SHARED_INSIDE.search(statement.text)
        return re.sub(r"\s+", " ", inside.group()).upper() if inside else ""
    if verb in _READS_OR_WRITES:
        return next((word.text for word in statement.words if word.text.startswith("DBLINK")), "")
    return ""


def sets_session(statement: Statement) -> bool:
    """Whether it changes a setting of the session, which a new session would have to be told again."""
    words = statement.outer_words
    return words[:1] == ("SET",) and words[1:2] not in (("LOCAL",), ("CONSTRAINTS",), ("TRANSACTION",))


def validates(statement: Statement) -> bool:
    """Whether it is a VALIDATE CONSTRAINT, whose lock lets reads and writes go on (SHARE UPDATE EXCLUSIVE)."""
    words = statement.outer_words
    return (
        words[:2] == ("ALTER", "TABLE")
        and "VALIDATE" in words
        and words.count("CONSTRAINT") == 1
        and "ADD" not in words
    )


def _controls_transaction(words: tuple[str, ...]) -> bool:
    if words[0] == "ROLLBACK":
        return "TO" not in words[1:3]
    return words[0] in _TRANSACTION or words[:2] == ("PREPARE", "TRANSACTION")


def _sets_on(text: str) -> bool:
    return bool(re.search(r"(?:=|\bTO\b)\s*'?(?:on|true|1|yes)'?\s*$", text, re.IGNORECASE))
