# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Split SQL text into statements, by the rules of PostgreSQL's own lexer (``psqlscan.l``, ``scan.l``).

It assumes ``standard_conforming_strings = on``; the runner sets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

_IDENTIFIER = re.compile(r"[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*")
_DOLLAR = re.compile(r"\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$")
_SPACE = re.compile(r"[ \t\n\r\f\v]+")
_LINE_COMMENT = re.compile(r"--[^\n\r]*")
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_QUOTED = re.compile(r'"[^"]*"')
_STRING = re.compile(r"'[^']*'")
_ESCAPE_STRING = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
# After a line end a literal may go on, and an E'' literal keeps its backslashes (SQL standard, section 5.3).
_GOES_ON = re.compile(r"(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*(?=')")


@dataclass(frozen=True)
class Word:
    """An unquoted word in capitals; ``depth`` counts the parentheses around it."""

    text: str
    depth: int


@dataclass(frozen=True)
class Statement:
    """One statement without its semicolon; ``line`` is that of its first character, counted from 1."""

    text: str
    line: int
    words: tuple[Word, ...]

    def line_of(self, position: int | None) -> int:
        """The line of a character of the statement, counted from 1 as the server counts; None is the first line."""
        return self.line + self.text.count("\n", 0, max(0, (position or 1) - 1))


class SplitError(GoliveError):
    """Text that is not a sequence of statements; ``line`` is where it goes wrong."""

    def __init__(self, line: int, reason: str, hint: str) -> None:
        super().__init__("invalid_sql", reason, hint, {"line": line})
        self.line = line


def split(text: str) -> list[Statement]:
    """All statements of ``text``; comments between them are left out, those inside them stay.

    Raises SplitError for a quote or comment that is never closed, for a psql command, and for NUL.
    """
    return list(_Splitter(text).statements())


class _Splitter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._start: int | None = None
        self._depth = 0
        self._blocks = 0
        self._words: list[Word] = []

    def statements(self) -> Iterator[Statement]:
        while self._at < len(self._text):
            if self._skip_blank():
                continue
            character = self._text[self._at]
            if character == ";" and not self._depth and not self._blocks:
                yield from self._finish(self._at)
                self._at += 1
                continue
            if self._start is None:
                self._start = self._at
            self._token(character)
        yield from self._finish(len(self._text))

    def _finish(self, end: int) -> Iterator[Statement]:
        if self._start is not None:
            text = self._text[self._start : end].rstrip()
            yield Statement(text, self._line(self._start), tuple(self._words))
        self._start, self._depth, self._blocks, self._words = None, 0, 0, []

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1

    def _skip_blank(self) -> bool:
        for pattern in (_SPACE, _LINE_COMMENT):
            found = pattern.match(self._text, self._at)
            if found:
                self._at = found.end()
                return True
        if self._text.startswith("/*", self._at):
            self._at = self._comment_end()
            return True
        return False

    def _comment_end(self) -> int:
        depth = 0
        for edge in _COMMENT_EDGE.finditer(self._text, self._at):
            depth += 1 if edge.group() == "/*" else -1
            if not depth:
                return edge.end()
        raise self._open("comment")

    def _token(self, character: str) -> None:
        if character == "'":
            self._literal(_STRING)
        elif character == '"':
            self._at = self._match(_QUOTED, "quoted name")
        elif character == "$":
            self._dollar()
        elif character == "\\":
            raise SplitError(
                self._line(self._at),
                "a psql command (backslash) is not SQL",
                "Write the statements themselves into the file.",
            )
        elif character == "\0":
            raise SplitError(self._line(self._at), "a NUL character is not SQL", "Save the file as UTF-8 text.")
        elif found := _IDENTIFIER.match(self._text, self._at):
            self._word(found.group())
        else:
            self._depth = max(0, self._depth + (character == "(") - (character == ")"))
            self._at += 1

    def _word(self, word: str) -> None:
        self._at += len(word)
        if word in ("e", "E") and self._text.startswith("'", self._at):
            self._literal(_ESCAPE_STRING)
            return
        capitals = word.upper()
        self._words.append(Word(capitals, self._depth))
        if not self._depth and _is_routine(self._words):
            # The body of a standard SQL routine: BEGIN ATOMIC ... END, and CASE ... END inside it.
            if capitals == "BEGIN" or (capitals == "CASE" and self._blocks):
                self._blocks += 1
            elif capitals == "END" and self._blocks:
                self._blocks -= 1

    def _literal(self, pattern: re.Pattern[str]) -> None:
        while True:
            self._at = self._match(pattern, "string")
            more = _GOES_ON.match(self._text, self._at)
            if not more:
                return
            self._at = more.end()

    def _dollar(self) -> None:
        found = _DOLLAR.match(self._text, self._at)
        if not found:
            self._at += 1
            return
        end = self._text.find(found.group(), found.end())
        if end < 0:
            raise self._open(f"string {found.group()}")
        self._at = end + len(found.group())

    def _match(self, pattern: re.Pattern[str], what: str) -> int:
        found = pattern.match(self._text, self._at)
        if not found:
            raise self._open(what)
        return found.end()

    def _open(self, what: str) -> SplitError:
        return SplitError(
            self._line(self._at), f"a {what} is never closed", "Close it, or look for a stray quote above."
        )


def _is_routine(words: list[Word]) -> bool:
    names = [word.text for word in words[:4]]
    if names[1:3] == ["OR", "REPLACE"]:
        del names[1:3]
    return names[:1] == ["CREATE"] and names[1:2] in (["FUNCTION"], ["PROCEDURE"])
