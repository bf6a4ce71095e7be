# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The check ``tcp``: whether a port accepts a connection."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.look import Look, judged, of_way
from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import kind_of
from ansible_collections.golive.cutover.plugins.module_utils._gate.reach import Reach
from ansible_collections.golive.cutover.plugins.module_utils._gate.way import Way

# The local end of a tunnel accepts before the pod does; a closed port ends the connection soon after.
_CLOSES_WITHIN_S = 0.5
_LOOKS_EVERY_S = 0.05


def ask(check: Mapping[str, Any], reach: Reach) -> Look:
    """Look once, within ``timeout`` seconds."""
    try:
        way = reach.way(check["name"], check["tunnel"], check["port"])
    except GoliveError as error:
        return of_way(error)
    where = way.place or (check["host"], check["port"])
    start = time.monotonic()
    try:
        with socket.create_connection(where, timeout=check["timeout"]) as wire:
            seconds = time.monotonic() - start
            if way.place and _ended(wire, way, start + check["timeout"]):
                return way.failed("closed: the tunnel's far end hung up")
    except OSError as error:
        return way.failed(f"{kind_of(error)}: {error}")
    return judged([], "accepts", seconds, check["max_latency"], {"latency_ms": round(seconds * 1000, 1)})


def _ended(wire: socket.socket, way: Way, end: float) -> bool:
    """Raises TimeoutError when the tunnel has not reached the pod by ``end``, monotonic seconds."""
    while True:
        opening = way.opening
        wire.settimeout(_LOOKS_EVERY_S if opening else _CLOSES_WITHIN_S)
        try:
            return wire.recv(1) == b""
        except TimeoutError:
            if not opening and not way.opening:
                return False
            if time.monotonic() >= end:
                raise
