# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part that fake balancers share: a server on loopback that passes each GET on to an address of their choice."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@contextmanager
def forwarding(choose: Callable[[], tuple[str, str]]) -> Iterator[str]:
    """The server's address. ``choose`` says for each request where it goes, and which colour its answer names instead
    of its own; an empty address is answered by 503.
    """

    class Handler(BaseHTTPRequestHandler):
        """Passes a GET on."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address, identity = choose()
            status, colour, body = _asked(address, self.path) if address else (503, "", b"")
            self.send_response(status)
            self.send_header("X-App-Colour", identity or colour)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _asked(address: str, path: str) -> tuple[int, str, bytes]:
    parts = urlsplit(address)
    onward = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        onward.request("GET", path)
        answer = onward.getresponse()
        return answer.status, answer.getheader("X-App-Colour", ""), answer.read()
    finally:
        onward.close()
