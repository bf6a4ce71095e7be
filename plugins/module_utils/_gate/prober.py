# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a URL again and again, and keep count of what came back.

Open loop: requests have scheduled times, so that a slow answer does not hide the requests that would have come
meanwhile, and latency counts from the schedule. Two streams: a fresh connection per request, which follows every
change of the route, and kept connections, which show what is cut. Measured: 600 requests a second take a
quarter of a core, and keep their times on a machine with five times the work it has cores for; late ones are counted.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._gate.ledger import Series, Stream

FRESH = "fresh"
KEPT = "kept"
OK = "ok"
# Requests of one stream that may be open at the same time.
_MOST_OPEN = 256
# Kept connections, so that several pods hold one.
_LEAST_KEPT = 4
_LATE_S = 0.1
_LEAST_CLOSING_S = 0.5
_BODY_LIMIT = 4 << 20
# Statuses from here on say that the request was not answered as asked (RFC 9110, 15.5).
_REFUSES = 400


@dataclass(frozen=True)
class Target:
    """What to ask. ``header`` names the answer's header that carries the identity, ``pod_header`` the one with the pod;
    ``address`` replaces host and port of the URL as the place to connect to (a tunnel), not as the name that is asked
    for."""

    url: str
    header: str = "X-App-Colour"
    timeout: float = 2.0
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    address: tuple[str, int] | None = None
    validate_certs: bool = True
    ca_cert: str | None = None
    pod_header: str = "X-App-Pod"

    @property
    def path(self) -> str:
        """Path and query as they are sent."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True)
class Answer:
    """``kind``: ok (any status below 500), http_5xx, timeout, refused, reset, closed, dns, tls or protocol.

    ``at`` is the scheduled time and ``seconds`` the time from it to the end of the body, by the monotonic clock.
    """

    kind: str
    at: float
    seconds: float
    status: int | None = None
    identity: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cause: str = ""
    pod: str | None = None

    @property
    def good(self) -> bool:
        """Whether an answer came that does not blame the server."""
        return self.kind == OK

    @property
    def accepted(self) -> bool:
        """Whether it is what was asked for. A server that refuses a request or does not know the address is none."""
        return self.kind == OK and self.status is not None and self.status < _REFUSES

    @property
    def timed(self) -> bool:
        """Whether its time tells how fast answers are. That of a refused connection does not."""
        return self.status is not None or self.kind == "timeout"


def check_url(url: str) -> str:
    """What is wrong with a URL to probe; empty when nothing is."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https"):
        return "it must begin with http:// or https://"
    return "" if parts.hostname and port != 0 else "it names no host"


def ask_fresh(target: Target, at: float | None = None) -> Answer:
    """One request on a connection of its own."""
    start = time.monotonic() if at is None else at
    connection = None
    try:
        connection = connect(target)
        return _exchange(connection, target, start)
    except (OSError, http.client.HTTPException) as error:
        return failed(error, start)
    finally:
        if connection is not None:
            connection.close()


def connect(target: Target) -> http.client.HTTPConnection:
    """A connected HTTP connection. Raises OSError."""
    parts = urlsplit(target.url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    wire = socket.create_connection(target.address or (host, port), timeout=target.timeout)
    try:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme == "https":
            wire = _tls(target.ca_cert, target.validate_certs).wrap_socket(wire, server_hostname=host)
    except BaseException:
        wire.close()
        raise
    connection = http.client.HTTPConnection(host, port, timeout=target.timeout)
    connection.sock = wire
    # http.client would connect again by itself, to the wrong place and without TLS.
    connection.auto_open = 0
    return connection


@lru_cache(maxsize=16)
def _tls(ca_cert: str | None, validate_certs: bool) -> ssl.SSLContext:
    # Reading the authorities takes longer than a request does.
    context = ssl.create_default_context(cafile=ca_cert)
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _exchange(connection: http.client.HTTPConnection, target: Target, start: float) -> Answer:
    parts = urlsplit(target.url)
    host = parts.netloc.rpartition("@")[2]
    # The limit is one for the whole request: a server that sends a byte now and then must not hold it open.
    end = time.monotonic() + target.timeout
    connection.putrequest(target.method, target.path, skip_host=True, skip_accept_encoding=True)
    for key, value in {"Host": host, "User-Agent": "golive.cutover", "Accept": "*/*", **target.headers}.items():
        connection.putheader(key, value)
    connection.endheaders()
    response = connection.getresponse()
    body = _body(response, connection, end)
    headers = {key.lower(): value for key, value in response.getheaders()}
    return Answer(
        kind=OK if response.status < 500 else "http_5xx",
        at=start,
        seconds=time.monotonic() - start,
        status=response.status,
        identity=headers.get(target.header.lower()),
        headers=headers,
        body=body,
        pod=headers.get(target.pod_header.lower()),
    )


def _body(response: http.client.HTTPResponse, connection: http.client.HTTPConnection, end: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while size < _BODY_LIMIT:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the body did not end within the time limit")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        chunk = response.read1(65536)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    if size >= _BODY_LIMIT:
        # What is left unread would be taken for the next answer.
        connection.close()
    # read1 never marks the answer as finished, and the connection takes no request before that.
    response.close()
    return b"".join(chunks)


def failed(error: Exception, start: float) -> Answer:
    """An answer for a request that got none."""
    return Answer(kind=kind_of(error), at=start, seconds=time.monotonic() - start, cause=str(error) or repr(error))


def kind_of(error: Exception) -> str:
    """The kind of a failure to get an answer."""
    if isinstance(error, http.client.RemoteDisconnected):
        return "closed"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError, ConnectionAbortedError)):
        return "reset"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, socket.gaierror):
        return "dns"
    return "protocol" if isinstance(error, http.client.HTTPException) else "unreachable"


class _Line:
    """One stream at work: which request is next, who waits for its time, and the connections it keeps."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ledger = Stream()
        self.turn = threading.Lock()
        self.next = 0
        self.waiting = 0
        self.threads = 0
        self.kept: deque[http.client.HTTPConnection] = deque()
        self.connections = 0


class Prober:
    """Both streams, ``rate`` requests per second each, from entering to leaving the context.

    ``heard`` is called with each stream's name and answer, one call at a time. ``counted`` holds the answers by the
    second; read it as it is only after leaving the context. ``limit`` shortens how many seconds leaving waits for open
    requests; those that are open then are not counted.
    """

    def __init__(
        self,
        target: Target,
        rate: float,
        heard: Callable[[str, Answer], None] | None = None,
        limit: Callable[[float], float] | None = None,
    ) -> None:
        self._target = target
        self._rate = rate
        self._heard = heard
        self._limit = limit
        self._stop = threading.Event()
        self._closed = False
        self._lock = threading.Lock()
        self._lines = {name: _Line(name) for name in (FRESH, KEPT)}
        self.counted = Series()
        self._start = 0.0
        self._unix = 0.0
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Prober:
        self._start = time.monotonic()
        self._unix = time.time() - self._start
        with self._lock:
            for line in self._lines.values():
                self._hire(line)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop both streams; returns when the open requests have ended."""
        with self._lock:
            self._stop.set()
        longest = 2 * self._target.timeout + 1
        end = time.monotonic() + (max(_LEAST_CLOSING_S, self._limit(longest)) if self._limit else longest)
        for thread in self._threads:
            thread.join(timeout=max(0.0, end - time.monotonic()))
        with self._lock:
            self._closed = True
        self._threads.clear()
        for line in self._lines.values():
            while line.kept:
                line.kept.pop().close()

    def ledger(self) -> dict[str, Any]:
        """Counts of both streams as of now."""
        with self._lock:
            return {name: line.ledger.as_dict() for name, line in self._lines.items()}

    def series(self) -> list[dict[str, Any]]:
        """Both streams together by the second; see ``Series.rows``."""
        with self._lock:
            return self.counted.rows()

    def downtime_ms(self) -> float:
        """The longer downtime of the two streams so far, in milliseconds; its grain is one over the rate."""
        with self._lock:
            return round(max(line.ledger.downtime.seconds() for line in self._lines.values()) * 1000, 1)

    def _hire(self, line: _Line) -> None:
        thread = threading.Thread(target=self._work, args=(line,), name=f"prober {line.name} {line.threads}")
        thread.daemon = True
        line.threads += 1
        self._threads.append(thread)
        thread.start()

    def _work(self, line: _Line) -> None:
        while True:
            with self._lock:
                line.waiting += 1
            with line.turn:
                with self._lock:
                    line.waiting -= 1
                    due = self._start + line.next / self._rate
                    line.next += 1
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    return
                with self._lock:
                    line.ledger.downtime.opened(due)
                    line.ledger.late += time.monotonic() - due > _LATE_S
                    # While all others are busy, somebody must wait for the next time.
                    if not line.waiting and line.threads < _MOST_OPEN and not self._stop.is_set():
                        self._hire(line)
            answer, reopened = self._ask(line, due)
            with self._lock:
                if self._closed:
                    return
                line.ledger.add(answer)
                line.ledger.reopened += reopened
                self.counted.add(answer, self._unix + answer.at)
                if self._heard is not None:
                    self._heard(line.name, answer)

    def _ask(self, line: _Line, due: float) -> tuple[Answer, bool]:
        if line.name == FRESH:
            return ask_fresh(self._target, due), False
        with self._lock:
            kept = line.kept.popleft() if line.kept and line.connections >= _LEAST_KEPT else None
            line.connections += kept is None
        answer, kept, reopened = ask_kept(self._target, kept, due)
        with self._lock:
            if kept is None:
                line.connections -= 1
            else:
                line.kept.append(kept)
        return answer, reopened


def ask_kept(
    target: Target, kept: http.client.HTTPConnection | None, at: float
) -> tuple[Answer, http.client.HTTPConnection | None, bool]:
    """One request on a kept connection: the answer, the connection for the next one, and whether it had to reopen.

    A server may close an idle connection at any time; a client then sends the request again on a new one (RFC 9112,
    9.3.1), and so does this one, once, when not a byte of an answer had come.
    """
    reused = kept is not None
    connection = kept
    try:
        if connection is None:
            connection = connect(target)
        answer = _exchange(connection, target, at)
    except (OSError, http.client.HTTPException) as error:
        if connection is not None:
            connection.close()
        if reused and isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)):
            again, connection, _reopened = ask_kept(target, None, at)
            return again, connection, True
        return failed(error, at), None, False
    if connection.sock is None or answer.headers.get("connection", "").lower() == "close":
        connection.close()
        return answer, None, False
    return answer, connection, False


def need_url(url: str) -> None:
    """Raise GoliveError ``invalid`` for a URL that cannot be probed."""
    fault = check_url(url)
    if fault:
        raise GoliveError("invalid", f"Cannot probe {url}: {fault}.", "Give an http or https address.")
