# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that are linted: their statements, how they run, and what their comments allow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import RULES
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Parsed, parse
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_tokens import line_comments
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import refusal
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import SplitError, split

_NAME = re.compile(r"(?P<version>\d{1,18})_.*?(?P<down>\.down)?\.sql")
_DIRECTIVE = re.compile(r"--\s*golive\s*:\s*(?P<body>.*?)\s*")
_ALLOW = re.compile(r"allow\b\s*(?P<id>[A-Za-z0-9-]*)\s*(?::\s*(?P<reason>.*))?")
_KIND = re.compile(r"(?:(?:step|kind)\s*[=:]?\s*)?(?P<kind>tx|autocommit|batch)\b.*")
_LOCK_TIMEOUT = re.compile(r"lock_timeout\s*[=:]?\s*(?P<number>\d+).*")


@dataclass(frozen=True)
class LintFile:
    """``kind`` is tx, autocommit or batch; ``number`` the version in the name, ``expects_down`` whether it has one.

    ``allowed`` are pairs of line (0: the whole file) and rule id. ``lock_timeout`` is what a directive sets.
    """

    file: str
    text: str
    statements: tuple[Parsed, ...]
    kind: str = "tx"
    number: int | None = None
    expects_down: bool = False
    down: LintFile | None = None
    allowed: frozenset[tuple[int, str]] = frozenset()
    lock_timeout: int | None = field(default=None)

    @property
    def transactional(self) -> bool:
        """Whether its statements run in one transaction."""
        return self.kind == "tx"

    def allows(self, rule: str, parsed: Parsed | None) -> bool:
        """Whether a comment allows the rule for the statement, or for the whole file."""
        return (0, rule) in self.allowed or (parsed is not None and (parsed.statement.line, rule) in self.allowed)


def read_files(path: str) -> list[LintFile]:
    """The migrations of a directory in order of version, others by name after them; or the one file ``path``.

    Raises GoliveError ``files_missing``, ``files_invalid``, ``invalid_sql`` or ``unknown_directive``.
    """
    place = Path(path)
    try:
        found = [place] if place.is_file() else [one for one in place.iterdir() if one.suffix.lower() == ".sql"]
        texts = {one: _decoded(one) for one in sorted(found) if one.is_file()}
    except OSError as error:
        raise GoliveError(
            "files_missing",
            f"Reading the migrations in {path} failed: {error.strerror or error}.",
            "Name the directory that holds the migration files, or one file, in path.",
        ) from error
    downs: dict[int, LintFile] = {}
    ups: list[LintFile] = []
    for one, text in texts.items():
        match = _NAME.fullmatch(one.name)
        made = lint_file(one.name, text, int(match["version"]) if match else None)
        if match and match["down"] and made.number is not None:
            downs[made.number] = made
        else:
            ups.append(made)
    paired = [_with_down(one, downs) for one in ups] if place.is_dir() else ups
    return sorted(paired, key=lambda one: (one.number is None, one.number or 0, one.file))


def _decoded(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise GoliveError(
            "files_invalid", f"{path.name}: the file is not UTF-8.", "Save it as UTF-8.", {"file": path.name}
        ) from error


def _with_down(one: LintFile, downs: dict[int, LintFile]) -> LintFile:
    if one.number is None:
        return one
    return LintFile(
        one.file,
        one.text,
        one.statements,
        one.kind,
        one.number,
        True,
        downs.get(one.number),
        one.allowed,
        one.lock_timeout,
    )


def lint_file(file: str, text: str, number: int | None = None) -> LintFile:
    """Read a file's text. Errors as of ``read_files``."""
    try:
        statements = tuple(parse(one) for one in split(text))
    except SplitError as error:
        raise _fault(error.code, file, error.line, error.message, error.hint) from error
    kind, timeout, allowed = "", None, set()
    for line, body in _directives(text):
        if body.startswith("allow"):
            allowed.add(_allowance(file, text, line, body, statements))
        elif match := _KIND.fullmatch(body):
            kind = match["kind"]
        elif match := _LOCK_TIMEOUT.fullmatch(body):
            timeout = int(match["number"])
    return LintFile(
        file, text, statements, kind or _kind(statements), number, allowed=frozenset(allowed), lock_timeout=timeout
    )


def needs_autocommit(parsed: Parsed) -> bool:
    """Whether the server refuses the statement inside a transaction."""
    refused = refusal(parsed.statement)
    return refused is not None and refused.code == "needs_autocommit"


def _kind(statements: tuple[Parsed, ...]) -> str:
    """A file of nothing but statements that no transaction can hold runs without one."""
    work = [one for one in statements if one.verb not in ("SET", "RESET")]
    return "autocommit" if work and all(needs_autocommit(one) for one in work) else "tx"


def _directives(text: str) -> Iterator[tuple[int, str]]:
    for at, comment in line_comments(text):
        match = _DIRECTIVE.fullmatch(comment.strip())
        if match:
            yield text.count("\n", 0, at) + 1, match["body"]


def _allowance(file: str, text: str, line: int, body: str, statements: tuple[Parsed, ...]) -> tuple[int, str]:
    match = _ALLOW.fullmatch(body)
    rule = match["id"] if match else ""
    if rule not in RULES:
        near = get_close_matches(rule, RULES, 1, 0.0)[0]
        raise _fault("unknown_directive", file, line, f"there is no rule '{rule}' to allow", f"Did you mean {near}?")
    if match is None or not (match["reason"] or "").strip():
        hint = f"Write -- golive: allow {rule}: and the reason why it is safe here."
        raise _fault("unknown_directive", file, line, f"allowing {rule} needs a reason", hint)
    return _covered(file, text, line, statements), rule


def _covered(file: str, text: str, line: int, statements: tuple[Parsed, ...]) -> int:
    """The line of the statement right below; 0 for the whole file."""
    lines = text.split("\n")
    below = line
    while below < len(lines) and lines[below].strip().startswith("--"):
        below += 1
    if any(one.statement.line == below + 1 for one in statements):
        return below + 1
    if not statements or line < statements[0].statement.line:
        return 0
    hint = "Put it right above the statement, or at the top of the file with an empty line below."
    raise _fault("unknown_directive", file, line, "this allows nothing: no statement stands right below", hint)


def _fault(code: str, file: str, line: int, reason: str, hint: str | None) -> GoliveError:
    return GoliveError(code, f"{file}:{line}: {reason}.", hint, {"file": file, "line": line})
