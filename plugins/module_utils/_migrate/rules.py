# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements that cannot run inside the runner's transaction, found before anything runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement

_OWN_TRANSACTION = "Remove it: each file runs in one transaction, which the runner begins and ends."
_OWN_CONNECTION = "Run it by hand for now; files that need autocommit are not supported yet."
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
    ("DISCARD", "ALL"),
)
_COPY_STREAMS = {("FROM", "STDIN"), ("TO", "STDOUT")}
_REINDEX_ALL = {"SCHEMA", "DATABASE", "SYSTEM"}
_CONFORMING = re.compile(r"\bstandard_conforming_strings\b", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """Why a statement is refused, and what to do about it."""

    code: str
    reason: str
    hint: str


def refusal(statement: Statement) -> Refusal | None:
    """Why ``statement`` cannot be part of a file that runs in one transaction; None when it can.

    Codes: ``transaction_control``, ``needs_autocommit``, ``copy_stream``, ``unsupported_setting``.
    """
    # Words inside parentheses are names and options; only REINDEX hides one that counts there.
    words = tuple(word.text for word in statement.words if not word.depth)
    if not words:
        return None
    if _controls_transaction(words):
        name = " ".join(words[:2]) if words[0] in ("PREPARE", "ROLLBACK") else words[0]
        return Refusal("transaction_control", f"{name} controls the transaction", _OWN_TRANSACTION)
    autocommit = _needs_autocommit(statement, words)
    if autocommit:
        return Refusal("needs_autocommit", f"{autocommit} cannot run inside a transaction", _OWN_CONNECTION)
    if words[0] == "COPY" and _COPY_STREAMS & set(pairwise(words)):
        hint = "Write INSERT statements, or load the data outside the migrations."
        return Refusal("copy_stream", "COPY from STDIN or to STDOUT needs a stream of data", hint)
    if words[0] in ("SET", "RESET") and _CONFORMING.search(statement.text) and not _sets_on(statement.text):
        hint = "Write backslashes in E'' strings."
        return Refusal("unsupported_setting", "the file must be read with standard_conforming_strings = on", hint)
    return None


def _controls_transaction(words: tuple[str, ...]) -> bool:
    if words[0] == "ROLLBACK":
        return "TO" not in words[1:3]
    return words[0] in _TRANSACTION or words[:2] == ("PREPARE", "TRANSACTION")


def _needs_autocommit(statement: Statement, words: tuple[str, ...]) -> str:
    for start in _AUTOCOMMIT_STARTS:
        if words[: len(start)] == start:
            return " ".join(start)
    if words[0] == "REINDEX":
        if any(word.text == "CONCURRENTLY" for word in statement.words):
            return "REINDEX CONCURRENTLY"
        if words[1:2] and words[1] in _REINDEX_ALL:
            return f"REINDEX {words[1]}"
    if words == ("CLUSTER",) or words == ("CLUSTER", "VERBOSE"):
        return "CLUSTER of all tables"
    if words[:2] == ("ALTER", "TABLE") and "DETACH" in words and words[-1] == "CONCURRENTLY":
        return "DETACH PARTITION CONCURRENTLY"
    if words[:2] == ("ALTER", "DATABASE") and words[-2:-1] == ("TABLESPACE",):
        return "ALTER DATABASE SET TABLESPACE"
    return ""


def _sets_on(text: str) -> bool:
    return bool(re.search(r"(?:=|\bTO\b)\s*'?(?:on|true|1|yes)'?\s*$", text, re.IGNORECASE))
