# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fault that the real data plane does not show on demand: one route of two never learns of a switch."""

from __future__ import annotations

import http.client
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@contextmanager
def stale_balancer(fresh: str, stale: str, identity: str = "") -> Iterator[str]:
    """Every second request goes to ``stale``, whose answer names ``identity`` as its colour when given."""
    turn = itertools.count()

    class Handler(BaseHTTPRequestHandler):
        """Passes a GET on."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            old = next(turn) % 2 == 1
            parts = urlsplit(stale if old else fresh)
            onward = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
            onward.request("GET", self.path)
            answer = onward.getresponse()
            body = answer.read()
            colour = identity if old and identity else answer.getheader("X-App-Colour", "")
            onward.close()
            self.send_response(answer.status)
            self.send_header("X-App-Colour", colour)
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
