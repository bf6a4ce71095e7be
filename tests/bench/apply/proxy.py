# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy that adds latency: `proxy.py HOST PORT MILLISECONDS` prints its port on 127.0.0.1 and serves on.

Half of the latency is added in each direction, so that a round trip takes MILLISECONDS more. Throughput is not limited.
It ends with its standard input, and so with whoever started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys


async def _delayed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    clock = asyncio.get_running_loop().time

    async def receive() -> None:
        chunk = b"-"
        while chunk:
            chunk = await reader.read(65536)
            queue.put_nowait((clock() + seconds, chunk))

    receiving = asyncio.ensure_future(receive())
    with contextlib.suppress(OSError):
        while True:
            due, chunk = await queue.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not chunk:
                break
            writer.write(chunk)
            await writer.drain()
    receiving.cancel()
    with contextlib.suppress(OSError):
        writer.close()


async def serve(host: str, port: int, seconds: float) -> None:
    """Relay until standard input ends; ``seconds`` are added to a round trip."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            upstream, downstream = await asyncio.open_connection(host, port)
            half = seconds / 2
            await asyncio.gather(_delayed(reader, downstream, half), _delayed(upstream, writer, half))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000))
