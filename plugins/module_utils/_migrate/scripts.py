# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SQL file: its text, checksums and statements, checked before anything runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.directives import (
    DirectiveError,
    Directives,
    Marks,
    read_directives,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import needs_autocommit, refusal
from ansible_collections.golive.cutover.plugins.module_utils._migrate.side_tables import (
    SideTable,
    SideTableError,
    side_table,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Splitter, Statement
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import SqlTextError, tokens
from ansible_collections.golive.cutover.plugins.module_utils._migrate.traces import trace

RANGE = ":range"
_BOM = "\ufeff"


@dataclass(frozen=True)
class Script:
    """One file. ``text`` has line ends LF and no byte order mark, so that a checkout's settings change nothing.

    ``checksum`` is of ``text``, ``checksum_raw`` of the bytes, ``checksum_normal`` of what the statements say without
    comments and layout; all are SHA-256 in hex. ``kind`` is ``tx``, ``autocommit`` or ``batch``. ``side_tables`` keep
    what a statement removes, by its number.
    """

    file: str
    text: str
    checksum: str
    checksum_raw: str
    checksum_normal: str
    statements: tuple[Statement, ...] = field(repr=False)
    kind: str = "tx"
    directives: Directives = field(default_factory=Directives)
    marks: tuple[Marks, ...] = field(default=(), repr=False)
    side_tables: dict[int, SideTable] = field(default_factory=dict, repr=False)


def fingerprint(statements: Sequence[Statement]) -> str:
    """SHA-256 in hex of what statements say, in their order."""
    return hashlib.sha256(";\n".join(one.normal for one in statements).encode()).hexdigest()


def read_bytes(file: Path) -> bytes:
    """What a file holds. Raises GoliveError ``files_missing``."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise GoliveError("files_missing", f"Reading {file.name} failed: {error.strerror or error}.") from error


def read_file(file: Path) -> Script:
    """One file, checked. Raises GoliveError ``files_missing`` and as ``read_script``."""
    return read_script(file.name, read_bytes(file))


def read_script(name: str, raw: bytes) -> Script:
    """A file's bytes, checked.

    Raises GoliveError ``files_invalid``, ``invalid_sql``, ``unknown_directive``, ``needs_autocommit``, ``needs_check``
    or a code of ``rules.refusal``, naming file and line.
    """
    try:
        text = raw.decode("utf-8").removeprefix(_BOM).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise fault("files_invalid", name, line, "the file is not UTF-8", "Save it as UTF-8.") from error
    statements = []
    splitter = Splitter(text)
    try:
        for statement in splitter:
            refused = refusal(statement)
            if refused:
                raise fault(refused.code, name, statement.line, refused.reason, refused.hint)
            statements.append(statement)
        directives, marks = read_directives(statements, splitter.behind)
    except (SqlTextError, DirectiveError) as error:
        raise fault(error.code, name, error.line, error.message, error.hint) from error
    if not statements:
        raise fault("files_invalid", name, 1, "the file holds no statement", "Fill it or remove it.")
    script = Script(
        file=name,
        text=text,
        checksum=hashlib.sha256(text.encode()).hexdigest(),
        checksum_raw=hashlib.sha256(raw).hexdigest(),
        checksum_normal=fingerprint(statements),
        statements=tuple(statements),
        kind=_kind(name, statements, directives),
        directives=directives,
        marks=marks,
        side_tables=_side_tables(name, statements, marks),
    )
    if script.side_tables and script.kind != "tx":
        line = statements[min(script.side_tables)].line
        raise fault("files_invalid", name, line, "a side table needs a file in one transaction", "Split the file.")
    if script.kind == "batch":
        _check_batch(script)
    else:
        _check_autocommit(script)
    return script


def unread(name: str, raw: bytes) -> Script:
    """A file that cannot run: its text and checksums, without statements."""
    text = raw.decode("utf-8", "replace").removeprefix(_BOM).replace("\r\n", "\n")
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return Script(name, text, checksum, hashlib.sha256(raw).hexdigest(), checksum, ())


def fault(code: str, file: str, line: int, reason: str, hint: str | None) -> GoliveError:
    """The error of one place in a file."""
    return GoliveError(code, f"{file}:{line}: {reason}.", hint, {"file": file, "line": line})


def has_range(statement: Statement) -> bool:
    """Whether a statement holds the place of a batch's range."""
    found = [token for token in tokens(statement.text) if token.kind != "comment"]
    return any(
        one.text == ":" and two.text == "range" and before.text != ":"
        for before, one, two in zip(found, found[1:], found[2:], strict=False)
    )


def _kind(name: str, statements: Sequence[Statement], directives: Directives) -> str:
    alone = next((one for one in statements if needs_autocommit(one)), None)
    if directives.kind == "tx" and alone:
        hint = "Remove the directive kind: the runner finds such statements and runs them alone."
        reason = f"{needs_autocommit(alone)} cannot run inside a transaction"
        raise fault("needs_autocommit", name, alone.line, reason, hint)
    if directives.kind == "separate":
        return "autocommit"
    return directives.kind or ("autocommit" if alone else "tx")


def _side_tables(name: str, statements: Sequence[Statement], marks: Sequence[Marks]) -> dict[int, SideTable]:
    found: dict[int, SideTable] = {}
    for number, (statement, one) in enumerate(zip(statements, marks, strict=True)):
        if one.side_table is None:
            continue
        if found:
            hint = "Split the file."
            raise fault("files_invalid", name, statement.line, "a file may have one side table", hint)
        try:
            found[number] = side_table(name, statement, one.side_table)
        except SideTableError as error:
            raise fault("files_invalid", name, statement.line, error.reason, error.hint) from error
    return found


def _check_autocommit(script: Script) -> None:
    for statement, marks in zip(script.statements, script.marks, strict=True):
        if script.kind != "autocommit" or marks.check or marks.repeatable:
            continue
        command = needs_autocommit(statement)
        if not command and script.directives.kind != "autocommit":
            continue
        found = trace(statement) if command else None
        if found is None or (found.kind not in ("again", "reindex") and not found.name):
            hint = (
                "Put a line above it: -- golive: check <query that is true once it has run>, or -- golive: repeatable."
            )
            if "INDEX" in command:
                hint = "Give the index a name."
            reason = "after a crash nobody could tell whether this statement has run"
            raise fault("needs_check", script.file, statement.line, reason, hint)


def _check_batch(script: Script) -> None:
    first = script.statements[0]
    if len(script.statements) > 1 or not has_range(first):
        hint = f"Write one statement, with {RANGE} where the rows of a batch are chosen: UPDATE t SET … WHERE {RANGE}."
        raise fault("files_invalid", script.file, first.line, f"a batch is one statement with {RANGE}", hint)
    if not script.directives.batch_table:
        hint = "Add -- golive: batch_table <table> at the top."
        raise fault("files_invalid", script.file, first.line, "a batch needs the table whose rows it walks", hint)
