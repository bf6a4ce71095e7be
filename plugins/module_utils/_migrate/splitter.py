# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Split SQL text into statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import tokens

_BLOCK_WORDS = frozenset(("BEGIN", "CASE", "END"))


class Word(NamedTuple):
    """An unquoted word in capitals; ``depth`` counts the parentheses around it."""

    text: str
    depth: int


@dataclass(frozen=True)
class Statement:
    """One statement without its semicolon; ``line`` and ``column`` are those of its first character, counted from 1.

    ``normal`` is what it says, without comments and with one space wherever something separates. ``above`` are the
    comments between the statement before and this one, each with its line.
    """

    text: str
    normal: str = field(repr=False)
    line: int
    words: tuple[Word, ...]
    above: tuple[tuple[int, str], ...] = ()
    column: int = 1

    def line_of(self, position: int | None) -> int:
        """The line of a character of the statement, counted from 1 as the server counts; None is the first line."""
        return self.line + self.text.count("\n", 0, max(0, (position or 1) - 1))

    def column_of(self, position: int) -> int:
        """The column of a character of the statement; both are counted from 1."""
        before = self.text[: max(0, position - 1)]
        here = len(before) - before.rfind("\n")
        return here if "\n" in before else here + self.column - 1

    @cached_property
    def outer_words(self) -> tuple[str, ...]:
        """The words outside of parentheses: those inside are names and options."""
        return tuple(word.text for word in self.words if not word.depth)


def split(text: str) -> list[Statement]:
    """All statements of ``text`` at once. Raises SqlTextError as ``Splitter``."""
    return list(Splitter(text))


class Splitter:
    """The statements of a text, one after the other; comments between them are left out, those inside them stay.

    Raises SqlTextError, when it comes there, for a quote or comment that is never closed, a psql command, and NUL.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._counted = 0
        self._begin()

    def _begin(self) -> None:
        self._start: int | None = None
        self._depth = 0
        self._blocks = 0
        self._words: list[Word] = []
        self._said: list[str] = []
        self._above: list[tuple[int, str]] = []

    @property
    def behind(self) -> tuple[tuple[int, str], ...]:
        """At the end: the comments behind the last statement, each with its line."""
        return tuple(self._above)

    def __iter__(self) -> Iterator[Statement]:
        for kind, text, start in tokens(self._text):
            if kind in ("space", "comment"):
                self._separate(kind, text, start)
                continue
            if text == ";" and not self._depth and not self._blocks:
                yield from self._finish(start)
                continue
            if self._start is None:
                self._start = start
            self._said.append(text)
            if kind == "word":
                self._take_word(text.upper())
            elif kind == "sign":
                self._depth = max(0, self._depth + (text == "(") - (text == ")"))
        yield from self._finish(len(self._text))

    def _separate(self, kind: str, text: str, start: int) -> None:
        if self._start is not None:
            if self._said[-1] != " ":
                self._said.append(" ")
        elif kind == "comment":
            self._above.append((self._line_of(start), text))

    def _finish(self, end: int) -> Iterator[Statement]:
        if self._start is not None:
            text = self._text[self._start : end].rstrip()
            normal = "".join(self._said).strip()
            column = self._start - self._text.rfind("\n", 0, self._start)
            line = self._line_of(self._start)
            yield Statement(text, normal, line, tuple(self._words), tuple(self._above), column)
            self._begin()

    def _line_of(self, at: int) -> int:
        # Asked for places in rising order: each line end is counted once.
        self._line += self._text.count("\n", self._counted, at)
        self._counted = max(self._counted, at)
        return self._line

    def _take_word(self, capitals: str) -> None:
        self._words.append(Word(capitals, self._depth))
        if capitals in _BLOCK_WORDS and not self._depth and _is_routine(self._words):
            # The body of a standard SQL routine: BEGIN ATOMIC ... END, and CASE ... END inside it.
            if capitals == "BEGIN" or (capitals == "CASE" and self._blocks):
                self._blocks += 1
            elif capitals == "END" and self._blocks:
                self._blocks -= 1


def _is_routine(words: list[Word]) -> bool:
    names = [word.text for word in words[:4]]
    if names[1:3] == ["OR", "REPLACE"]:
        del names[1:3]
    return names[:1] == ["CREATE"] and names[1:2] in (["FUNCTION"], ["PROCEDURE"])
