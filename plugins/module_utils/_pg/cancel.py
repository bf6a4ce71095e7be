# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a server to end the statement that a session runs.

``cancel()`` of psycopg2 waits for the server while it holds the interpreter's lock: where the connection goes through a
tunnel of this process, the tunnel can never answer. libpq called by ctypes holds no lock (PostgreSQL documentation,
«Canceling Queries in Progress»; Python documentation, «ctypes», CDLL).
"""

from __future__ import annotations

import ctypes
import importlib.util
import threading
from typing import Any

_REASON_BYTES = 256


def cancel(connection: Any, limit_s: float) -> None:
    """Send the request over a connection of its own, and wait at most ``limit_s`` until it has arrived."""
    spec = importlib.util.find_spec("psycopg2._psycopg")
    libpq = ctypes.CDLL(spec.origin if spec else None)
    libpq.PQgetCancel.restype = ctypes.c_void_p
    libpq.PQgetCancel.argtypes = [ctypes.c_void_p]
    libpq.PQcancel.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    libpq.PQfreeCancel.argtypes = [ctypes.c_void_p]
    # A copy of what it needs: the connection may be closed meanwhile.
    handle = libpq.PQgetCancel(connection.pgconn_ptr)
    if not handle:
        return

    def send() -> None:
        libpq.PQcancel(handle, ctypes.create_string_buffer(_REASON_BYTES), _REASON_BYTES)
        libpq.PQfreeCancel(handle)

    thread = threading.Thread(target=send, name="cancel", daemon=True)
    thread.start()
    thread.join(limit_s)
