# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passes connections on to a database: a program that any Python runs, with the arguments host, port and idle seconds.

It listens on the loopback of its pod, where only a port-forward comes from, and ends when nobody is connected for so
long: whoever has started it may be gone.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

PORT = 5432
READY = "ready"
_PIECE = 1 << 16
_LOOK_S = 1.0


def main() -> None:
    """Run until nobody needs it or it is told to end."""
    host, port, idle = sys.argv[1:4]
    asyncio.run(_Relay(host, int(port)).run(PORT, float(idle)))


class _Relay:
    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._connected = 0

    async def run(self, port: int, idle_s: float) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        _say(READY)
        used = loop.time()
        while not stop.is_set() and loop.time() - used < idle_s:
            if self._connected:
                used = loop.time()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_S)
        # Nobody waits for its connections: they end with the program.
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connected += 1
        try:
            there, back = await asyncio.open_connection(self._host, self._port)
            try:
                await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
            finally:
                back.close()
        except OSError as error:
            _say(f"connecting to {self._host}:{self._port} failed: {error.strerror or error}")
        finally:
            writer.close()
            self._connected -= 1


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # Either end may go away at any time, and then the other one is to see it.
    with suppress(ConnectionError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    with suppress(OSError):
        writer.write_eof()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
