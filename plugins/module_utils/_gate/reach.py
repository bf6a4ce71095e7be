# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What checks reach things through: the cluster's API, tunnels and Secrets, opened when a check first needs them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text
from ansible_collections.golive.cutover.plugins.module_utils._gate.way import Way
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client, connected
from ansible_collections.golive.cutover.plugins.module_utils._kube.secret import secret_value
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel import Address
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_open import tunnel_to
from ansible_collections.golive.cutover.plugins.module_utils._reach.login import needs_cluster, with_secrets

_LEAST_S = 0.05


class Reach:
    """Use as a context manager; leaving it closes everything. Safe to use from the threads of a gate.

    ``call`` is the gate's own: its requests end with the gate, and its progress and warnings show no password or token
    that was read here.
    """

    def __init__(self, call: Call) -> None:
        self._outside = call
        self.call = replace(call, show=self._show, warn=self._warn, deadline=lambda: min(call.deadline(), self._end))
        self.secrets: set[str] = set()
        self._lock = threading.RLock()
        self._stack = ExitStack()
        self._client: Client | None = None
        self._tunnels: dict[str, Address] = {}
        self._passwords: dict[str, str] = {}
        self._logins: dict[str, Mapping[str, Any]] = {}
        self._end = math.inf

    def until(self, end: float) -> None:
        """From now on no wait for anything ends later than ``end`` on the call's clock."""
        self._end = end

    def limit(self, seconds: float) -> float:
        """How long a look may wait where its own limit is ``seconds``: never far beyond the gate's end."""
        return max(_LEAST_S, self.call.left(seconds))

    def __enter__(self) -> Reach:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def _show(self, text: str, done: int | None, total: int | None) -> None:
        self._outside.show(mask_text(text, frozenset(self.secrets)), done, total)

    def _warn(self, text: str) -> None:
        self._outside.warn(mask_text(text, frozenset(self.secrets)))

    def on_close(self, end: Callable[[], None]) -> None:
        """Call this when the gate is left, however it ended."""
        with self._lock:
            self._stack.callback(end)

    def client(self) -> Client:
        """The client of the cluster. Raises GoliveError of ``connected``."""
        with self._lock:
            if self._client is None:
                self._client = self._stack.enter_context(connected(self.call))
            return self._client

    def address(self, name: str, options: Mapping[str, Any] | None, port: int | None = None) -> Address | None:
        """Local end of the tunnel of check ``name``; None when it has none. Raises GoliveError of ``tunnel``."""
        if not options:
            return None
        with self._lock:
            if name not in self._tunnels:
                self._tunnels[name] = self._stack.enter_context(tunnel_to(self.client(), options, port))
            return self._tunnels[name]

    def way(self, name: str, options: Mapping[str, Any] | None, port: int | None = None) -> Way:
        """The way of one look of check ``name``. Raises GoliveError of ``tunnel``."""
        return Way(self.address(name, options, port))

    def login(self, name: str, options: Mapping[str, Any], namespace: str | None) -> Mapping[str, Any]:
        """The option ``postgresql`` of check ``name`` with what Secrets hold of it. Raises GoliveError."""
        if not needs_cluster(options):
            return options
        with self._lock:
            if name not in self._logins:
                found = with_secrets(self.client(), options, namespace, self._stack)
                self.secrets |= {found["password"]} if found.get("password") else set()
                self._logins[name] = found
            return self._logins[name]

    def secret(self, name: str, place: Mapping[str, Any], namespace: str | None) -> str:
        """What the Secret at ``place`` holds for ``name``; it is masked in the result. Raises GoliveError."""
        with self._lock:
            if name not in self._passwords:
                where = place.get("namespace") or namespace
                if not where:
                    raise GoliveError("invalid", f"Cannot read the Secret {place['name']}: no namespace is given.")
                self._passwords[name] = secret_value(self.client(), where, place["name"], place["key"])
                self.secrets.add(self._passwords[name])
            return self._passwords[name]
