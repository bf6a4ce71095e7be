# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server that keeps what it gets and answers as a test decides."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# Of the n-th request: status, further headers, seconds before the answer.
Answers = Callable[[int], tuple[int, dict[str, str], float]]


def fine(_number: int) -> tuple[int, dict[str, str], float]:
    return 200, {}, 0.0


@dataclass
class Receiver:
    """Its port, and what came: ``path``, ``headers``, ``body`` as JSON where it is."""

    port: int
    got: list[dict[str, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def titles(self) -> list[str]:
        return [row["body"]["title"] for row in self.got]


@contextmanager
def receiving(answers: Answers = fine, tls: tuple[str, str] | None = None, body: str = "ok") -> Iterator[Receiver]:
    """A receiver on a free port; ``tls`` are the files of its certificate and key."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            with lock:
                receiver.got.append({"path": self.path, "headers": dict(self.headers), "body": _json(content)})
                number = len(receiver.got)
            status, headers, seconds = answers(number)
            receiver.over.wait(seconds)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: Any) -> None:
            return

    class Listening(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_arguments: Any) -> None:
            # A client that gives up is what some tests are about.
            return

    server = Listening(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _json(content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content
