# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of one SQL statement, and a cursor that reads them from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.golive.cutover.plugins.module_utils._migrate import tokens as lexer


@dataclass(frozen=True)
class Token:
    """``kind`` is word, name (a quoted one), string, number or sign.

    ``text`` is in capitals for a word, without quotes for a name or a string; ``at`` and ``end`` are offsets.
    """

    kind: str
    text: str
    at: int
    end: int

    @property
    def identifier(self) -> str:
        """As the server stores it: an unquoted word in lower case."""
        return self.text.lower() if self.kind == "word" else self.text

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these unquoted words."""
        return self.kind == "word" and self.text in words

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these signs."""
        return self.kind == "sign" and self.text in signs


@dataclass(frozen=True)
class Name:
    """A table or another object; without a schema it is one of ``public``, as the runner's search_path has it."""

    name: str
    schema: str = "public"
    qualified: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


def tokens(text: str) -> tuple[Token, ...]:
    """All tokens of ``text`` but comments and space. Raises SqlTextError for text that is not SQL."""
    return tuple(_token(one) for one in lexer.tokens(text) if not one.blank)


def _token(one: lexer.Token) -> Token:
    end = one.start + len(one.text)
    if one.kind == "word":
        return Token("word", one.text.upper(), one.start, end)
    if one.kind == "quoted":
        return Token("name", one.name or "", one.start, end)
    if one.kind == "string" and one.text.startswith("$"):
        border = one.text.index("$", 1) + 1
        return Token("string", one.text[border:-border], one.start, end)
    if one.kind == "string":
        return Token("string", one.text[one.text.index("'") + 1 : -1].replace("''", "'"), one.start, end)
    return Token(one.kind, one.text, one.start, end)


class Cursor:
    """Reads tokens one after the other; what is not there is never an error."""

    def __init__(self, items: Sequence[Token], text: str) -> None:
        self._items = items
        self._text = text
        self.at = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self._items)

    def peek(self, ahead: int = 0) -> Token | None:
        """The token that comes, or the one ``ahead`` of it."""
        return self._items[self.at + ahead] if self.at + ahead < len(self._items) else None

    def rest(self) -> Sequence[Token]:
        """What is left."""
        return self._items[self.at :]

    def has(self, *words: str) -> bool:
        """Whether these words come next."""
        ahead = self._items[self.at : self.at + len(words)]
        return len(ahead) == len(words) and all(one.is_word(word) for one, word in zip(ahead, words, strict=True))

    def take(self, *words: str) -> bool:
        """Read over these words if they come next."""
        if self.has(*words):
            self.at += len(words)
            return True
        return False

    def take_one(self, *words: str) -> str:
        """Read over any of these words; which one it was, or nothing."""
        token = self.peek()
        if token is not None and token.is_word(*words):
            self.at += 1
            return token.text
        return ""

    def sign(self, sign: str) -> bool:
        """Read over a sign if it comes next."""
        token = self.peek()
        if token is not None and token.is_sign(sign):
            self.at += 1
            return True
        return False

    def identifier(self) -> str:
        """Read one identifier; nothing when none comes."""
        token = self.peek()
        if token is None or token.kind not in ("word", "name"):
            return ""
        self.at += 1
        return token.identifier

    def name(self) -> Name | None:
        """Read a name with or without its schema (and database)."""
        parts = [self.identifier()]
        while parts[-1] and self.sign("."):
            parts.append(self.identifier())
        if not parts[-1]:
            return None
        return Name(parts[-1], parts[-2], True) if len(parts) > 1 else Name(parts[-1])

    def names(self) -> tuple[Name, ...]:
        """Read names between commas; what stands in parentheses or is a star after one is left out."""
        found: list[Name] = []
        while True:
            self.take("ONLY")
            name = self.name()
            if name is None:
                return tuple(found)
            found.append(name)
            self.sign("*")
            self.group()
            if not self.sign(","):
                return tuple(found)

    def group(self) -> tuple[Token, ...] | None:
        """Read what stands in parentheses; None when none come."""
        token = self.peek()
        if token is None or not token.is_sign("("):
            return None
        depth, start = 0, self.at
        while not self.done:
            token = self._items[self.at]
            depth += token.is_sign("(", "[") - token.is_sign(")", "]")
            self.at += 1
            if not depth:
                break
        return tuple(self._items[start + 1 : self.at - 1])

    def until(self, *words: str, least: int = 0) -> tuple[Token, ...]:
        """Read up to one of these words outside of parentheses, or up to the end; at least ``least`` tokens."""
        start = self.at
        depth = 0
        while not self.done:
            token = self._items[self.at]
            if not depth and self.at - start >= least and token.is_word(*words):
                break
            depth += token.is_sign("(", "[") - token.is_sign(")", "]")
            self.at += 1
        return tuple(self._items[start : self.at])

    def text_of(self, items: Sequence[Token]) -> str:
        """The SQL text of neighbouring tokens, with single spaces."""
        return " ".join(self._text[items[0].at : items[-1].end].split()) if items else ""


def between_commas(items: Sequence[Token]) -> list[tuple[Token, ...]]:
    """The parts of a list whose commas stand outside of parentheses."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in items:
        depth += token.is_sign("(", "[") - token.is_sign(")", "]")
        if token.is_sign(",") and not depth:
            parts.append([])
        else:
            parts[-1].append(token)
    return [tuple(part) for part in parts if part]
