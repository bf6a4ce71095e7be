# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that asks for a bearer token before a Prometheus, which itself knows only names and passwords.

With ``quotes`` it injects a server that repeats the credentials it got in its error.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def token_gateway(upstream: str, login: str, token: str, *, quotes: bool = False) -> Iterator[str]:
    """Its address on loopback. Who brings ``token`` is let through to ``upstream`` with the header ``login``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = self.headers.get("Authorization", "")
            if quotes:
                self._answer(400, {"status": "error", "errorType": "execution", "error": f"nobody is {given}"})
            elif given != f"Bearer {token}":
                self._answer(401, {"message": "who are you?"})
            else:
                request = urllib.request.Request(f"{upstream}{self.path}", headers={"Authorization": login})
                with urllib.request.urlopen(request, timeout=10) as answer:
                    self._answer(200, json.load(answer))

        def _answer(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
