# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL text as tokens, by the rules of PostgreSQL's own lexer (``psqlscan.l``, ``scan.l``).

It assumes ``standard_conforming_strings = on``; the runner sets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_LETTER = "A-Za-z_\u0080-\U0010ffff"
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\n\r\f\v]+)
  | (?P<comment>--[^\n\r]*)
  | (?P<block>/\*)
  | (?P<escape>[eE](?='))
  | (?P<word>[{_LETTER}][{_LETTER}0-9$]*)
  | (?P<number>[0-9]+)
  | (?P<string>')
  | (?P<quoted>")
  | (?P<dollar>\$(?:[{_LETTER}][{_LETTER}0-9]*)?\$)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
# Most tokens: the pattern has all of each.
_WHOLE = frozenset(("space", "comment", "word", "number"))
_PSQL = re.compile(r"\\\S?[A-Za-z_]*")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_STRING = re.compile(r"'[^']*'")
_ESCAPE_STRING = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
# After a line end a literal may go on, and an E'' literal keeps its backslashes (SQL standard, section 5.3).
_GOES_ON = re.compile(r"(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*(?=')")


class Token(NamedTuple):
    """``kind``: ``space``, ``comment``, ``word``, ``number``, ``string``, ``quoted`` (a quoted name) or ``sign``.

    ``start`` counts characters from 0.
    """

    kind: str
    text: str
    start: int

    @property
    def blank(self) -> bool:
        """Whether it only separates others."""
        return self.kind in ("space", "comment")

    @property
    def name(self) -> str | None:
        """The name that a word or a quoted name stands for; None for other tokens."""
        if self.kind == "word":
            return self.text.lower()
        return self.text[1:-1].replace('""', '"') if self.kind == "quoted" else None


class SqlTextError(GoliveError):
    """Text that is not a sequence of statements; ``line`` is where it goes wrong."""

    def __init__(self, line: int, reason: str, hint: str) -> None:
        super().__init__("invalid_sql", reason, hint, {"line": line})
        self.line = line


def tokens(text: str) -> Iterator[Token]:
    """All tokens of ``text``; together they are the text.

    Raises SqlTextError for a quote or comment that is never closed, for a psql command, and for NUL.
    """
    nul = text.find("\0")
    if nul >= 0:
        raise SqlTextError(_line(text, nul), "a NUL character is not SQL", "Save the file as UTF-8 text.")
    at = 0
    while found := _TOKEN.match(text, at):
        kind, end = found.lastgroup or "sign", found.end()
        if kind in _WHOLE:
            pass
        elif kind == "sign":
            if text[at] == "\\":
                command = _PSQL.match(text, at)
                hint = "Write the statements themselves into the file."
                raise SqlTextError(_line(text, at), f"the psql command {command and command.group()} is not SQL", hint)
        elif kind == "block":
            kind, end = "comment", _comment_end(text, at)
        elif kind in ("string", "escape"):
            end = _string_end(
                text, at, end if kind == "escape" else at, _ESCAPE_STRING if kind == "escape" else _STRING
            )
            kind = "string"
        elif kind == "quoted":
            end = _closed(_QUOTED, text, at, "quoted name").end()
        elif kind == "dollar":
            kind, end = "string", _dollar_end(text, at, found.group())
        yield Token(kind, text[at:end], at)
        at = end


def _string_end(text: str, start: int, at: int, pattern: re.Pattern[str]) -> int:
    while True:
        end = _closed(pattern, text, at, "string", start).end()
        more = _GOES_ON.match(text, end)
        if not more:
            return end
        at = more.end()


def _comment_end(text: str, at: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge.group() == "/*" else -1
        if not depth:
            return edge.end()
    raise _open(text, at, "comment")


def _dollar_end(text: str, at: int, mark: str) -> int:
    end = text.find(mark, at + len(mark))
    if end < 0:
        raise _open(text, at, f"string {mark}")
    return end + len(mark)


def _closed(pattern: re.Pattern[str], text: str, at: int, what: str, start: int | None = None) -> re.Match[str]:
    found = pattern.match(text, at)
    if not found:
        raise _open(text, at if start is None else start, what)
    return found


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _open(text: str, at: int, what: str) -> SqlTextError:
    return SqlTextError(_line(text, at), f"a {what} is never closed", "Close it, or look for a stray quote above.")
