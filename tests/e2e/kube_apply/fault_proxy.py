# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain HTTP proxy in front of the real API that injects what a healthy server does not show: 429, 500, resets."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

# A fault takes (number of the request, method, path) and gives a status, RESET, RESET_AFTER or None for «let it pass».
Fault = Callable[[int, str, str], int | str | None]
RESET = "reset"
# The server does the work, but its answer is lost.
RESET_AFTER = "reset after"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = ""
    fault: Fault
    count = 0
    lock = threading.Lock()

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = type(self)
        with kind.lock:
            kind.count += 1
            number = kind.count
        fault = kind.fault(number, self.command, self.path)
        if fault == RESET:
            self.close_connection = True
        elif isinstance(fault, int):
            self._answer(fault, b'{"kind":"Status","message":"injected"}')
        else:
            status, answer = self._upstream(body)
            if fault == RESET_AFTER:
                self.close_connection = True
            else:
                self._answer(status, answer)

    def _upstream(self, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=30)
        headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body or None, headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = _relay

    def log_message(self, *_arguments: object) -> None:
        """Stay quiet."""


@contextmanager
def fault_proxy(upstream: str, fault: Fault) -> Iterator[str]:
    """URL of the proxy in front of ``upstream``."""
    handler = type("Handler", (_Handler,), {"upstream": upstream, "fault": staticmethod(fault), "count": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
