# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dump holds, read from the SQL that ``pg_restore --data-only`` writes of it: rows and digest of each table.

The text of COPY ends with a line that holds only a backslash and a dot, which no row can be: it escapes backslashes
(PostgreSQL documentation, COPY, text format).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

_NAME = r'(?:"(?:[^"]|"")+"|[^\s".]+)'
_COPY = re.compile(rf"COPY (?P<schema>{_NAME})\.(?P<table>{_NAME}) .*FROM stdin;", re.DOTALL)
_END = b"\\.\n"


@dataclass
class TableContent:
    """A table of the dump; ``digest`` is over its rows as COPY writes them, in the order of the dump."""

    schema: str
    name: str
    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256, repr=False)


class DumpContent:
    """Fed with the SQL piece by piece; ``tables`` grows in the order of the dump."""

    def __init__(self) -> None:
        self.tables: list[TableContent] = []
        self._inside = False
        self._rest = b""
        # Whether `_rest` begins a line.
        self._fresh = True
        self._head = ""

    @property
    def whole(self) -> bool:
        """Whether the last table has ended."""
        return not self._inside

    def feed(self, piece: bytes) -> None:
        """Read the next piece of the text."""
        text = self._rest + piece
        at = 0
        while at < len(text):
            step = self._rows(text, at) if self._inside else self._line(text, at)
            if step == at:
                break
            at = step
        self._rest = text[at:]

    def _line(self, text: bytes, at: int) -> int:
        """Read one line outside of the rows; the place behind it, or ``at`` when its end is not there yet."""
        end = text.find(b"\n", at) + 1
        if not end:
            return at
        line = text[at:end].decode("utf-8", "replace")
        if self._head or line.startswith("COPY "):
            # A name may hold a line end.
            self._head += line
            found = _COPY.fullmatch(self._head.rstrip("\n"))
            if found:
                self.tables.append(TableContent(_unquoted(found["schema"]), _unquoted(found["table"])))
                self._inside, self._fresh, self._head = True, True, ""
        return end

    def _rows(self, text: bytes, at: int) -> int:
        """Read rows as far as they go; the place behind them."""
        if self._fresh and text.startswith(_END, at):
            self._inside = False
            return at + len(_END)
        end = text.find(b"\n" + _END, at) + 1
        if not end:
            # The end of rows may begin here and go on in the next piece.
            end = text.rfind(b"\n", at) + 1 or at
            start = end > at or self._fresh
            if not (start and _END.startswith(text[end:])):
                end = len(text)
        if end > at:
            table = self.tables[-1]
            rows = memoryview(text)[at:end]
            table.rows += text.count(b"\n", at, end)
            table.digest.update(rows)
            self._fresh = text[end - 1 : end] == b"\n"
        return end


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
