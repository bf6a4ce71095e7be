# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that are linted: their statements, how they run, and what their comments allow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.directives import DirectiveError, read_directives
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_rules import RULES
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_statement import Parsed, parse
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import needs_autocommit
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import fault
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Splitter, Statement
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import SqlTextError

_NAME = re.compile(r"(?P<version>\d{1,18})_.*?(?:\.(?P<role>down|verify))?\.sql")
_ALLOW = re.compile(r"--\s*golive\s*:\s*allow\b\s*(?P<id>[A-Za-z0-9-]*)\s*(?::\s*(?P<reason>.*))?")


@dataclass(frozen=True)
class LintFile:
    """``kind`` is tx, autocommit or batch; ``number`` the version in the name, ``expects_down`` whether it has one.

    ``each_alone``: the file says itself that no statement runs in a transaction. ``allowed`` are pairs of line (0: the
    whole file) and rule id. ``lock_timeout`` is what a directive sets, in seconds.
    """

    file: str
    text: str
    statements: tuple[Parsed, ...]
    kind: str = "tx"
    each_alone: bool = False
    number: int | None = None
    expects_down: bool = False
    down: LintFile | None = None
    allowed: frozenset[tuple[int, str]] = frozenset()
    lock_timeout: float | None = None

    def is_alone(self, parsed: Parsed) -> bool:
        """Whether the runner runs the statement outside of a transaction, as ``steps.steps_of`` has it."""
        if self.kind == "autocommit":
            return self.each_alone or bool(needs_autocommit(parsed.statement))
        return self.kind == "batch"

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
        if match and match["role"] == "down" and made.number is not None:
            downs[made.number] = made
        elif not (match and match["role"]):
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
    return one if one.number is None else replace(one, expects_down=True, down=downs.get(one.number))


def lint_migration(one: Migration) -> LintFile:
    """A migration of whatever layout. Errors as of ``read_files``."""
    number = one.order[0] if len(one.order) == 1 else None
    made = lint_file(one.up.file, one.up.text, number)
    down = lint_file(one.down.file, one.down.text) if one.down else None
    return replace(made, expects_down=not one.again, down=down)


def lint_file(file: str, text: str, number: int | None = None) -> LintFile:
    """Read a file's text. Errors as of ``read_files``."""
    splitter = Splitter(text)
    try:
        statements = tuple(splitter)
        directives, _marks = read_directives(statements, splitter.behind)
    except (SqlTextError, DirectiveError) as error:
        raise fault(error.code, file, error.line, error.message, error.hint) from error
    # What has a transaction of its own holds no lock for the next statement, like what has none.
    alone = directives.kind in ("autocommit", "separate")
    needy = any(needs_autocommit(one) for one in statements)
    return LintFile(
        file,
        text,
        tuple(parse(one) for one in statements),
        "autocommit" if alone else directives.kind or ("autocommit" if needy else "tx"),
        alone,
        number,
        allowed=frozenset(_allowances(file, statements)),
        lock_timeout=directives.settings.get("lock_timeout"),
    )


def _allowances(file: str, statements: Sequence[Statement]) -> Iterator[tuple[int, str]]:
    for number, statement in enumerate(statements):
        for line, comment in statement.above:
            match = _ALLOW.fullmatch(comment.strip())
            if match:
                yield _covered(file, line, statement, first=not number), _rule(file, line, match)


def _rule(file: str, line: int, match: re.Match[str]) -> str:
    rule = match["id"]
    if rule not in RULES:
        near = get_close_matches(rule, RULES, 1, 0.0)[0]
        raise fault("unknown_directive", file, line, f"there is no rule '{rule}' to allow", f"Did you mean {near}?")
    if not (match["reason"] or "").strip():
        hint = f"Write -- golive: allow {rule}: and the reason why it is safe here."
        raise fault("unknown_directive", file, line, f"allowing {rule} needs a reason", hint)
    return rule


def _covered(file: str, line: int, statement: Statement, first: bool) -> int:
    """The line of the statement right below; 0 for the whole file."""
    commented = {number for number, _text in statement.above}
    below = line
    while below in commented:
        below += 1
    if below == statement.line:
        return below
    if first:
        return 0
    hint = "Put it right above the statement, or at the top of the file with an empty line below."
    raise fault("unknown_directive", file, line, "this allows nothing: no statement stands right below", hint)
