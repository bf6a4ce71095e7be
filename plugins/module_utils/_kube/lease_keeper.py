# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a run's Lease while a verb works: renewed by a thread of its own, and told to every wait and write when lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._core.perform import Run
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.held import Held
from ansible_collections.golive.cutover.plugins.module_utils._kube.lease import (
    Wish,
    acquire,
    lost,
    release,
    renew,
    verify,
)

# Renewals in one duration; some may fail.
_BEATS = 6
_SLOWEST_S = 10.0


def run_held(run: Run, call: Call, held: Held) -> Mapping[str, Any]:
    """What ``run`` returns under the Lease ``held``. Raises GoliveError ``lease_lost``."""
    # A connection of its own: a request of the verb that hangs must not cost the Lease.
    with connected(call) as client:
        if call.check_mode:
            verify(client, held)
            return run(call)
        with _Keeper(call, client, held).keeping() as guarded:
            return run(guarded)


def run_alone(run: Run, call: Call, wish: Wish) -> Mapping[str, Any]:
    """What ``run`` returns under a Lease of its own, which is given back behind it. Check mode takes none.

    Raises GoliveError ``locked`` when somebody else holds it, and ``lease_lost``.
    """
    if call.check_mode:
        return run(call)
    with connected(call) as client:
        held = acquire(call, client, wish, least=0).held
        try:
            with _Keeper(call, client, held).keeping() as guarded:
                return run(guarded)
        finally:
            # One that cannot be given back is over after its duration.
            with suppress(GoliveError):
                release(client.undisturbed(), held)


class _Keeper:
    def __init__(self, call: Call, client: Client, held: Held) -> None:
        self._call = call
        self._client = client
        self._held = held
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._duration = 0.0
        self._renewed = 0.0
        self._lost: GoliveError | None = None

    @contextmanager
    def keeping(self) -> Iterator[Call]:
        """Renew until the block ends; yields the call whose ``alive`` knows of a loss."""
        # One call that the server drops is no reason to give up; whether the Lease is still held decides.
        self._client.retried(self._renew)
        thread = threading.Thread(target=self._work, name="lease", daemon=True)
        thread.start()
        try:
            yield replace(self._call, alive=self._alive)
        finally:
            self._stop.set()
            thread.join()

    def _alive(self) -> None:
        self._call.alive()
        if self._lost is None and self._overdue():
            # This process may have been stopped for longer than the Lease lasts: ask before anything is done.
            self._renew_or_lose()
        if self._lost is not None:
            raise GoliveError(self._lost.code, self._lost.message, self._lost.hint, self._lost.details)

    def _work(self) -> None:
        while not self._stop.wait(min(self._duration / _BEATS, _SLOWEST_S)) and self._lost is None:
            try:
                self._renew_or_lose()
            except Interrupted:
                # The verb's own thread ends the verb.
                return

    def _renew_or_lose(self) -> None:
        with self._lock:
            try:
                self._renew()
            except GoliveError as error:
                if error.code == "lease_lost":
                    self._lost = error
                elif self._overdue():
                    self._lost = lost(self._held, None)
                    self._lost.message += f" It could not be renewed for {self._duration:g} s: {error.message}"

    def _overdue(self) -> bool:
        return self._call.now() - self._renewed > self._duration

    def _renew(self) -> None:
        # The time before the request counts: the server may have written it at once.
        began = self._call.now()
        self._duration = renew(self._client, self._held)
        self._renewed = began
