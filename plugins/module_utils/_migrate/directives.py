# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the comments of a file tell the runner: ``-- golive: lock_timeout 10s``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import tokens

_DIRECTIVE = re.compile(
    r"(?:--|(?P<block>/\*))\s*golive\s*:\s*(?P<key>[a-z_]*)\s*[=:]?\s*(?P<value>.*?)\s*(?(block)\*/)"
)
_SECONDS = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|min|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, None: 1.0, "min": 60.0, "h": 3600.0}
_CHOICES = {
    "kind": ("tx", "autocommit", "separate", "batch"),
    "phase": ("expand", "contract"),
    "loss": ("none", "side_table", "restore_only"),
}
_TIMEOUTS = ("lock_timeout", "statement_timeout")
_TEXTS = ("batch_table", "batch_key", "change")
_NUMBERS = ("batch_size",)
_OF_STATEMENT = ("check", "repeatable", "allow", "side_table")
_KNOWN = (
    "kind tx|autocommit|separate|batch",
    "phase expand|contract",
    "change <name>",
    "loss none|side_table|restore_only",
    "lock_timeout <number>[ms|s|min|h]",
    "statement_timeout <number>[ms|s|min|h]",
    "batch_table <table>",
    "batch_key <column>[, <column>]",
    "batch_size <rows>",
    "check <query>",
    "repeatable",
    "side_table [<key column>, …]",
    "allow <rule>: <reason>",
)


@dataclass(frozen=True)
class Marks:
    """What stands directly above one statement.

    ``check`` is a query that is true once the statement has run; ``repeatable`` says that it may run twice.
    ``side_table`` are the columns of the key by which the rows that it removes are kept; None keeps none.
    """

    check: str | None = None
    repeatable: bool = False
    side_table: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Directives:
    """What a file says at its top; ``settings`` are timeouts in seconds by name."""

    kind: str | None = None
    phase: str = "expand"
    change: str | None = None
    loss: str | None = None
    settings: dict[str, float] = field(default_factory=dict)
    batch_table: str | None = None
    batch_key: str | None = None
    batch_size: int | None = None


class DirectiveError(GoliveError):
    """A directive that cannot be followed, and its line."""

    def __init__(self, line: int, reason: str, hint: str) -> None:
        super().__init__("unknown_directive", reason, hint, {"line": line})
        self.line = line


def read_directives(
    statements: Sequence[Statement], behind: Iterable[tuple[int, str]]
) -> tuple[Directives, tuple[Marks, ...]]:
    """The directives of a file, and the marks of each statement; ``behind`` are comments after the last one.

    Raises DirectiveError.
    """
    for line, key, _value in _lines(behind):
        raise DirectiveError(line, f"the directive {key} counts only above a statement", "Move it there.")
    top: dict[str, Any] = {"settings": {}}
    marks = []
    for number, statement in enumerate(statements):
        found: dict[str, Any] = {}
        for line, key, value in _lines(statement.above):
            if key in _OF_STATEMENT:
                found[key] = _mark(line, key, value)
            elif number:
                hint = "Move the line above the first statement."
                raise DirectiveError(line, f"the directive {key} counts only at the top of a file", hint)
            elif key in _TIMEOUTS:
                top["settings"][key] = _seconds(line, key, value)
            else:
                top[key] = _top(line, key, value)
        found.pop("allow", None)
        marks.append(Marks(**found))
        _refuse_inside(statement)
    return Directives(**top), tuple(marks)


def _lines(comments: Iterable[tuple[int, str]]) -> Iterable[tuple[int, str, str]]:
    for line, text in comments:
        directive = _DIRECTIVE.fullmatch(text)
        if directive:
            yield line, directive["key"], directive["value"]


def _refuse_inside(statement: Statement) -> None:
    if "golive" not in statement.text:
        return
    for token in tokens(statement.text):
        if token.kind == "comment" and _DIRECTIVE.fullmatch(token.text):
            line = statement.line_of(token.start + 1)
            raise DirectiveError(line, "a directive counts only above a statement", "Move it there.")


def _mark(line: int, key: str, value: str) -> Any:
    if key == "side_table":
        return tuple(one.strip() for one in value.split(",")) if value else ()
    if key in ("check", "allow"):
        if not value:
            raise _unknown(line, key)
        return value
    if value:
        raise _unknown(line, f"{key} {value}")
    return True


def _top(line: int, key: str, value: str) -> Any:
    if key in _CHOICES and value in _CHOICES[key]:
        return value
    if key in _TEXTS and value:
        return value
    if key in _NUMBERS and value.isdigit() and int(value):
        return int(value)
    raise _unknown(line, f"{key} {value}".strip())


def _seconds(line: int, key: str, value: str) -> float:
    found = _SECONDS.fullmatch(value)
    if not found:
        raise _unknown(line, f"{key} {value}")
    return float(found["number"]) * _UNITS[found["unit"]]


def _unknown(line: int, text: str) -> DirectiveError:
    return DirectiveError(
        line, f"unknown directive '{text}'", f"Known ones, each after -- golive: {', '.join(_KNOWN)}."
    )
