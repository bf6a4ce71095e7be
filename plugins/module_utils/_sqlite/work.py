# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the processes of a copy do with one chunk: look at it, send it, read it back."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Settings, connect_plain, driver
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.census import Census, take_census
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.chunks import Chunk, condition
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.columns import Choice
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.encode import (
    HEADER,
    TRAILER,
    RowReader,
    RowSum,
    each,
    joined,
    rows_of,
)
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.ledger import RECORD_CHUNK, Done
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.pool import Handle
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.schema import Table, quoted
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.source import opened
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.target import cut

_PIECE = 1 << 18
APPLICATION = "golive sqlite_copy worker"


@dataclass(frozen=True)
class Target:
    """A table as it is copied. ``ordered``: its rows can be read back in the order in which they are sent; ``batch`` of
    them are read at once."""

    table: Table
    schema: str
    name: str
    choices: Sequence[Choice]
    columns: Sequence[str]
    ordered: bool
    batch: int

    @property
    def place(self) -> str:
        """Its quoted name."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def key(self) -> str:
        """Its quoted key, where it is ``ordered``."""
        return quoted(cut(self.table.rowid or ""))

    @property
    def list(self) -> str:
        """Its columns, quoted, as they are sent."""
        return ", ".join(map(quoted, self.columns))


@contextmanager
def census_worker(path: str, tables: Mapping[str, tuple[Table, Mapping[str, str]]]) -> Iterator[Handle]:
    """Handles a ``Chunk`` by its ``Census``."""
    with opened(path) as connection:

        def handle(chunk: Chunk) -> Census:
            table, hints = tables[chunk.table]
            where, values, _order = condition(table, chunk)
            try:
                return take_census(connection, table, where, values, hints)
            except sqlite3.Error as error:
                raise GoliveError("source_corrupt", f"Cannot read the table {chunk.table}: {error}.") from error

        yield handle


@contextmanager
def copy_worker(path: str, where: Settings, copy: int, targets: Mapping[str, Target]) -> Iterator[Handle]:
    """Handles a ``Chunk`` by sending it: what was committed is given back as ``Done``."""
    encoders = {name: [choice.encoder() for choice in target.choices] for name, target in targets.items()}
    with opened(path) as connection, connect_plain(where, APPLICATION) as server:

        def handle(chunk: Chunk) -> Done:
            sending = _Sending(connection, targets[chunk.table], encoders[chunk.table], chunk)
            return _sent(server, copy, chunk, sending)

        yield handle


@contextmanager
def digest_worker(path: str, targets: Mapping[str, Target]) -> Iterator[Handle]:
    """Handles a ``Chunk`` by rows and digest of what would be sent."""
    encoders = {name: [choice.encoder() for choice in target.choices] for name, target in targets.items()}
    with opened(path) as connection:

        def handle(chunk: Chunk) -> tuple[int, str]:
            sending = _Sending(connection, targets[chunk.table], encoders[chunk.table], chunk)
            while sending.read(_PIECE):
                pass
            return sending.rows, sending.digest

        yield handle


@dataclass(frozen=True)
class ReadBack:
    """A part of a table that is read back: the chunk's rows, or the pages from ``low`` to before ``high``."""

    table: str
    chunk: Chunk | None = None
    low: int = 0
    high: int = 0


@contextmanager
def proof_worker(where: Settings, targets: Mapping[str, Target]) -> Iterator[Handle]:
    """Handles a ``ReadBack`` by rows and digest of what the server has."""
    with connect_plain(where, APPLICATION) as server:
        with server.cursor() as cursor:
            # The rows of a chunk are asked for by key: its index gives them in order.
            cursor.execute("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off")
        server.commit()

        def handle(part: ReadBack) -> tuple[int, str]:
            target = targets[part.table]
            try:
                return _ordered(server, target, part.chunk) if part.chunk else _summed(server, target, part)
            except driver().Error as error:
                raise refused(target, error) from error
            finally:
                with suppress(driver().Error):
                    server.rollback()

        yield handle


class _Sending:
    """A chunk as the file that COPY reads; what was sent is hashed on the way."""

    def __init__(self, connection: sqlite3.Connection, target: Target, encoders: Sequence[Any], chunk: Chunk) -> None:
        self.target = target
        self.rows = 0
        self.bytes = 0
        self.altered: dict[str, int] = {}
        self.failure: GoliveError | None = None
        self._hash = hashlib.sha256()
        self._sum = None if target.ordered else RowSum()
        self._pieces = self._made(connection, target, encoders, chunk)
        self._piece = memoryview(HEADER)

    @property
    def digest(self) -> str:
        """SHA-256 of the rows as they were sent, or their sum where no order is known."""
        return str(self._sum) if self._sum is not None else self._hash.hexdigest()

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; empty at the end."""
        while not self._piece:
            try:
                following = next(self._pieces, None)
            except GoliveError as error:
                # psycopg2 makes an error of the server of it.
                self.failure = error
                raise
            if following is None:
                return b""
            self._piece = memoryview(following)
        part, self._piece = self._piece[:size], self._piece[size:]
        return bytes(part)

    def _made(
        self, connection: sqlite3.Connection, target: Target, encoders: Sequence[Any], chunk: Chunk
    ) -> Iterator[bytes]:
        where, values, order = condition(target.table, chunk)
        names = ", ".join(quoted(choice.column.name) for choice in target.choices)
        cursor = connection.execute(f"SELECT {names} FROM {quoted(target.table.name)} WHERE {where}{order}", values)
        while rows := cursor.fetchmany(target.batch):
            self.rows += len(rows)
            columns = list(zip(*rows, strict=True))
            del rows
            pieces = self._encoded(target, encoders, columns)
            for data in self._counted(pieces, wide=target.batch == 1):
                self.bytes += len(data)
                yield data
        yield TRAILER

    def _counted(self, pieces: Sequence[Sequence[bytes]], wide: bool) -> Iterator[bytes]:
        if self._sum is not None:
            rows = each(pieces)
            self._sum.add(rows)
            yield b"".join(rows)
        elif wide:
            # Piece by piece, so that a large value is not in memory once more.
            for piece in chain.from_iterable(zip(*pieces, strict=True)):
                self._hash.update(piece)
                yield piece
        else:
            data = joined(pieces)
            self._hash.update(data)
            yield data

    def _encoded(self, target: Target, encoders: Sequence[Any], columns: Sequence[Sequence[Any]]) -> Any:
        for choice, column in zip(target.choices, columns, strict=True):
            for what, count in choice.altered(column).items():
                name = f"{choice.column.name} {what}"
                self.altered[name] = self.altered.get(name, 0) + count
        try:
            return rows_of(encoders, columns)
        except (ValueError, KeyError, ArithmeticError, struct.error, AttributeError, TypeError) as error:
            raise GoliveError(
                "misfit",
                f"A value of the table {target.table.name} does not fit, although its census said so: {error!r}.",
                "This is a fault of the copy itself: report it with the table's schema.",
            ) from error


def _sent(server: Any, copy: int, chunk: Chunk, sending: _Sending) -> Done:
    target = sending.target
    try:
        with server.cursor() as cursor:
            cursor.copy_expert(f"COPY {target.place} ({target.list}) FROM STDIN (FORMAT BINARY)", sending, _PIECE)
            if cursor.rowcount != sending.rows:
                raise GoliveError("rows_lost", f"{target.place} took {cursor.rowcount} of {sending.rows} rows.")
            done = Done(sending.rows, sending.bytes, sending.digest, sending.altered)
            cursor.execute(
                RECORD_CHUNK,
                (
                    *(copy, target.table.name, chunk.number, chunk.low, chunk.high),
                    *(done.rows, done.bytes, done.digest, json.dumps(done.altered)),
                ),
            )
        server.commit()
    except driver().Error as error:
        with suppress(driver().Error):
            server.rollback()
        raise sending.failure or refused(target, error) from error
    except BaseException:
        with suppress(driver().Error):
            server.rollback()
        raise
    return done


def refused(target: Target, error: Exception) -> GoliveError:
    """What the server said, with the table it said it of."""
    diagnostics = getattr(error, "diag", None)
    said = getattr(diagnostics, "message_primary", None) or str(error).strip().partition("\n")[0]
    more = [getattr(diagnostics, name, None) for name in ("message_detail", "context")]
    detail = "; ".join(text.partition("\n")[0] for text in more if text)
    state = getattr(error, "pgcode", None) or ""
    code = {"53100": "disk_full", "23": "constraint", "22": "value_refused"}
    return GoliveError(
        code.get(state) or code.get(state[:2]) or "copy_failed",
        f"PostgreSQL refused rows of {target.place}: {said}{f' ({detail})' if detail else ''}.",
        "What was committed stays; after the cause is mended the same task goes on from there.",
        {"sqlstate": state, "table": target.table.name},
    )


def _ordered(server: Any, target: Target, chunk: Chunk) -> tuple[int, str]:
    """Rows and digest of a chunk, read by its key."""
    where = "" if chunk.low is None else f" WHERE {target.key} BETWEEN {chunk.low} AND {chunk.high}"
    sink = _Hashing()
    with server.cursor() as cursor:
        query = f"SELECT {target.list} FROM {target.place}{where} ORDER BY {target.key}"
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT BINARY)", sink, _PIECE)
        return int(cursor.rowcount), sink.digest


def _summed(server: Any, target: Target, part: ReadBack) -> tuple[int, str]:
    """Rows and sum of the rows on some pages."""
    sink = _Summing()
    with server.cursor() as cursor:
        query = (
            f"SELECT {target.list} FROM {target.place}"
            f" WHERE ctid >= '({part.low},0)'::tid AND ctid < '({part.high},0)'::tid"
        )
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT BINARY)", sink, _PIECE)
    return sink.sum.rows, str(sink.sum)


class _Hashing:
    """Hashes what COPY gives, without its header and trailer."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._head = len(HEADER)
        self._held = b""

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._head:
            skipped = min(self._head, len(data))
            self._head -= skipped
            data = data[skipped:]
        data = self._held + data
        self._hash.update(data[: -len(TRAILER)])
        self._held = data[-len(TRAILER) :]

    @property
    def digest(self) -> str:
        """Of the rows alone."""
        return self._hash.hexdigest() if self._held == TRAILER else ""


class _Summing:
    """Sums up the rows that COPY gives."""

    def __init__(self) -> None:
        self.sum = RowSum()
        self._reader = RowReader()

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self.sum.add(self._reader.feed(data))
