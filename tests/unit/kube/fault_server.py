# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server that answers as told: for faults that a healthy API server cannot be made to show."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

RESET = "reset"
SILENT = "silent"


class Script:
    """What to answer next, and what was asked.

    An answer is ``(status, body, headers)``, RESET, or SILENT, which never comes; the last one of a path stays.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Any]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""
        self.lock = threading.Lock()
        self.ended = threading.Event()

    def on(self, path: str, *answers: Any) -> None:
        """Answer requests to ``path`` in this order."""
        self.answers[path] = list(answers)

    def next(self, method: str, target: str) -> Any:
        """The answer to one request."""
        parts = urlsplit(target)
        with self.lock:
            self.asked.append((method, parts.path, dict(parse_qsl(parts.query))))
            rows = self.answers.get(parts.path)
            if rows is None:
                return (404, {"kind": "Status", "reason": "NotFound", "message": f"{parts.path} not found"})
            return rows.pop(0) if len(rows) > 1 else rows[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.script.next(self.command, self.path)
        if answer == SILENT:
            self.script.ended.wait()
        if answer in (RESET, SILENT):
            self.close_connection = True
            return
        status, body, *more = answer
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        for key, value in (more[0] if more else {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_PATCH = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, *_arguments: object) -> None:
        """Stay quiet."""


@contextmanager
def fault_server() -> Iterator[Script]:
    """A running server; its script has the address in ``url``."""
    script = Script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"script": script}))
    script.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        script.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def silent_server() -> Iterator[str]:
    """The address of a socket that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
