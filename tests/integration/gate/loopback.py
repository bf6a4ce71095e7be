# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on loopback whose answers a test decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Callable[[int], tuple[int, float]]


class _Listening(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


@contextmanager
def serving(answers: Answers, colour: str = "green") -> Iterator[str]:
    """A server that gives the n-th request the status and the seconds of ``answers(n)``."""
    lock = threading.Lock()
    count = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            nonlocal count
            with lock:
                count += 1
                number = count
            status, seconds = answers(number)
            time.sleep(seconds)
            self.send_response(status)
            self.send_header("X-App-Colour", colour)
            self.send_header("X-App-Pod", f"pod-{number % 2}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            return

    server = _Listening(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/notes"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def good(_number: int) -> tuple[int, float]:
    return 200, 0.0


def errors(number: int) -> tuple[int, float]:
    """Five in a hundred fail."""
    return (500 if number % 20 == 3 else 200), 0.0


def slow(number: int) -> tuple[int, float]:
    """A fifth takes 0.8 s."""
    return 200, 0.8 if number % 5 == 0 else 0.0
