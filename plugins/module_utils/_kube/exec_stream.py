# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command in a container of a pod whose input and output are large; see ``exec`` for short ones.

The subprotocol of version 4 has no end of the input: the command must know by itself how much it reads.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

try:
    import websocket
except ImportError:
    websocket = None  # type: ignore[assignment]  # looked at before use

from ansible_collections.golive.cutover.plugins.module_utils._core.call import TICK_S
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import Client
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import exit_code_of
from ansible_collections.golive.cutover.plugins.module_utils._kube.tunnel_socket import open_websocket

_INPUT, _OUTPUT, _ERRORS, _OUTCOME = b"\x00", 1, 2, 3
# A peer that takes or sends nothing in the middle of a message for so long is gone.
_STALLED_S = 60.0
_JOIN_S = 5.0


def stream_in_pod(
    client: Client,
    namespace: str,
    pod: str,
    command: Sequence[str],
    *,
    container: str | None,
    alive: Callable[[], None],
    limit_s: float,
    feed: Iterable[bytes] = (),
    take: Callable[[bytes], None],
    told: Callable[[bytes], None],
) -> int:
    """The exit code of a command that gets ``feed`` as input, whose output ``take`` gets, and its errors ``told``.

    What they and ``alive`` raise ends the connection, and with it a command that goes on reading or writing. Raises
    GoliveError ``timeout`` after ``limit_s`` seconds, and as ``command_in_pod``.
    """
    what = f"Running {command[0]} in pod {pod}"
    query = [("command", part) for part in command] + [("stdout", "true"), ("stderr", "true"), ("stdin", "true")]
    query += [("container", container)] if container else []
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/exec"
    end = time.monotonic() + limit_s
    stream = open_websocket(client, f"{path}?{urlencode(query)}", what, f"pods/exec in {namespace}")
    stream.settimeout(_STALLED_S)
    feeder = threading.Thread(target=_feed, args=(stream, feed), name=what, daemon=True)
    feeder.start()
    uses = {_OUTPUT: take, _ERRORS: told}
    try:
        while True:
            alive()
            if time.monotonic() >= end:
                raise GoliveError("timeout", f"{what} failed: no end within {limit_s:g} s.")
            if not (stream.sock.pending() or select.select([stream.sock], [], [], TICK_S)[0]):
                continue
            message = stream.recv()
            data = message.encode() if isinstance(message, str) else bytes(message)
            if data[:1] and data[0] == _OUTCOME:
                return exit_code_of(what, data[1:], "")
            if len(data) > 1 and data[0] in uses:
                uses[data[0]](data[1:])
    except (websocket.WebSocketException, OSError) as error:
        raise GoliveError("unreachable", f"{what} failed: the connection broke: {error}") from error
    finally:
        stream.close(timeout=1)
        feeder.join(_JOIN_S)


def _feed(stream: Any, feed: Iterable[bytes]) -> None:
    # Whoever reads the output learns that the connection broke.
    with suppress(websocket.WebSocketException, OSError):
        for piece in feed:
            stream.send_binary(_INPUT + piece)
