# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The users: pgbench with readers and writers at a steady rate, beside somebody who forgets to commit."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.migrate.contenders import libpq
from tests.bench.waiting.changes import customers_of
from tests.integration.postgres import Server

CLIENTS = 12
_ORDER, _CUSTOMER = "\\set id random(1, :rows)\n", "\\set customer random(1, :customers)\n"
# Of 10 statements 6 read, 3 change a row and 1 adds one.
_SCRIPTS = {
    "read": (6, _ORDER + "SELECT id, amount, state, note FROM orders WHERE id = :id;\n"),
    "write": (3, _ORDER + "UPDATE orders SET amount = amount + 1, state = 'changed' WHERE id = :id;\n"),
    "add": (1, _CUSTOMER + "INSERT INTO orders (customer, amount, state) VALUES (:customer, 1, 'open');\n"),
}
_LONGEST_S = 3600
_START_S = 20.0
_TICK_S = 0.05
_USERS = "FROM pg_stat_activity WHERE application_name = 'pgbench' AND datname = %s"


@dataclass(frozen=True)
class Statement:
    """When it was sent, in unix seconds, and how long its answer took."""

    sent: float
    seconds: float


@dataclass
class Users:
    """What happened to them; filled once they are gone."""

    statements: list[Statement] = field(default_factory=list)
    failed: int = 0

    def between(self, begin: float, end: float) -> list[Statement]:
        """What was under way at some time between the two."""
        return [one for one in self.statements if one.sent <= end and one.sent + one.seconds >= begin]


@contextmanager
def users(server: Server, database: str, rows: int, rate: int) -> Iterator[Users]:
    """Readers and writers at work until the block ends."""
    seen = Users()
    with tempfile.TemporaryDirectory(prefix="golive-bench-") as directory:
        folder = Path(directory)
        files = []
        for name, (weight, text) in _SCRIPTS.items():
            folder.joinpath(f"{name}.sql").write_text(text)
            files += ["-f", f"{name}.sql@{weight}"]
        known = ["-D", f"rows={rows}", "-D", f"customers={customers_of(rows)}"]
        pace = ["-c", str(CLIENTS), "-j", "2", "-R", str(rate), "-T", str(_LONGEST_S)]
        process = subprocess.Popen(
            [server.bin / "pgbench", "-n", "--log", *known, *pace, *files],
            cwd=folder,
            env={**os.environ, **libpq(server, database)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            _await_users(server, database, process)
            yield seen
            seen.failed = CLIENTS - _end_users(server, database)
            # It writes its log when its clients are gone.
            process.communicate(timeout=30)
        finally:
            process.kill()
            process.communicate()
        for log in folder.glob("pgbench_log.*"):
            for line in log.read_text().splitlines():
                _read(line, seen)


def _read(line: str, seen: Users) -> None:
    """A line of the log: client, number, microseconds, script, end (seconds, microseconds), of it the lag before."""
    _client, _number, taken, _script, second, micro, lag = line.split()[:7]
    if not taken.isdigit():
        seen.failed += 1
        return
    # The time counts from when the statement was due; a user who still waits for the one before has not sent it.
    seconds = (int(taken) - int(lag)) / 1e6
    seen.statements.append(Statement(int(second) + int(micro) / 1e6 - seconds, seconds))


def _await_users(server: Server, database: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_S
    while _count(server, f"SELECT count(*) {_USERS}", database) < CLIENTS:
        if process.poll() is not None or time.monotonic() > end:
            said = process.communicate(timeout=5)[1].decode() if process.poll() is not None else ""
            raise RuntimeError(f"pgbench has not started: {said[-500:]}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TICK_S)


def _end_users(server: Server, database: str) -> int:
    """End their sessions, which no signal to pgbench does without losing its log; how many there were."""
    return _count(server, f"SELECT count(pg_terminate_backend(pid)) {_USERS}", database)


def _count(server: Server, sql: str, database: str) -> int:
    connection = server.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, (database,))
            found = cursor.fetchone()
            return int(found[0]) if found else 0
    finally:
        connection.close()


@contextmanager
def forgetful(server: Server, database: str, hold: float, gap: float) -> Iterator[None]:
    """A session that reads, sits idle in its transaction for ``hold`` seconds, and does so again after ``gap``."""
    stop = threading.Event()

    def sit() -> None:
        connection = server.connect(database)
        with connection.cursor() as cursor:
            cursor.execute("SET application_name = 'forgetful'")
            while not stop.is_set():
                cursor.execute("BEGIN")
                cursor.execute("SELECT count(*) FROM (SELECT 1 FROM orders LIMIT 1) AS one")
                stop.wait(hold)
                cursor.execute("COMMIT")
                stop.wait(gap)
        connection.close()

    thread = threading.Thread(target=sit, name="forgetful", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
