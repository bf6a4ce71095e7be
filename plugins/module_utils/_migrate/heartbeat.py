# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sign of life of a runner, beside the ledger: what it does, and that it still does it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.mutex import Mutex
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

_BEAT_S = 5.0
# How long a file may be at work before the row says so: most are done sooner.
_SOON_S = 0.5
_BEGIN = """
INSERT INTO {runner} (pid, run_id) VALUES (pg_catalog.pg_backend_pid(), %s)
ON CONFLICT (single) DO UPDATE
SET pid = excluded.pid, run_id = excluded.run_id, started_at = now(), beat_at = now(), file = NULL"""


class Heartbeat:
    """One row, kept by the session that holds the mutex while the other one works."""

    def __init__(self, ledger: Ledger, mutex: Mutex, guard: Session, run_id: str | None) -> None:
        self._ledger = ledger
        self._mutex = mutex
        self._guard = guard
        self._run_id = run_id
        self._file: str | None = None
        self._beaten = 0.0
        self._due = math.inf

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Write the row, and remove it at the end; a killed runner's row stays and shows its last sign."""
        self._guard.execute(self._ledger.sql(_BEGIN), (self._run_id,))
        self._next()
        try:
            yield
        finally:
            self._due = math.inf
            # What went wrong before counts, not that the row could not be removed after it.
            with suppress(GoliveError):
                self._guard.execute(self._ledger.sql("DELETE FROM {runner}"))

    def doing(self, file: str) -> None:
        """The file that comes next; a wait that goes on for long enough writes it down."""
        self._file = file
        self._due = min(self._due, self._beaten + _SOON_S)

    def watched(self, call: Call, look: Callable[[], None]) -> Call:
        """``call`` for the session that works: its waits beat and ``look``, and end when the mutex is gone.

        Raises GoliveError ``mutex_lost`` then.
        """

        def alive() -> None:
            call.alive()
            try:
                look()
            except GoliveError:
                self._mutex.ensure(self._guard)
                raise
            if time.monotonic() >= self._due:
                self._mutex.ensure(self._guard)
                self._beat()

        return replace(call, alive=alive)

    def _beat(self) -> None:
        self._next()
        self._guard.execute(self._ledger.sql("UPDATE {runner} SET beat_at = now(), file = %s"), (self._file,))

    def _next(self) -> None:
        self._beaten = time.monotonic()
        self._due = self._beaten + _BEAT_S
