# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask a URL again and again, and keep count of what came back.

Open loop: requests have scheduled times, so that a slow answer does not hide the requests that would have come
meanwhile, and latency counts from the schedule. Two streams: a fresh connection per request, which follows every
change of the route, and kept connections, which show what is cut.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError

FRESH = "fresh"
KEPT = "kept"
OK = "ok"
_WORKERS = {FRESH: 16, KEPT: 4}
_BODY_LIMIT = 4 << 20


@dataclass(frozen=True)
class Target:
    """What to ask. ``header`` names the answer's header that carries the identity; ``address`` replaces host and port
    of the URL as the place to connect to (a tunnel), not as the name that is asked for."""

    url: str
    header: str = "X-App-Colour"
    timeout: float = 2.0
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    address: tuple[str, int] | None = None
    validate_certs: bool = True
    ca_cert: str | None = None

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
            wire = _tls(target).wrap_socket(wire, server_hostname=host)
    except BaseException:
        wire.close()
        raise
    connection = http.client.HTTPConnection(host, port, timeout=target.timeout)
    connection.sock = wire
    # http.client would connect again by itself, to the wrong place and without TLS.
    connection.auto_open = 0
    return connection


def _tls(target: Target) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=target.ca_cert)
    if not target.validate_certs:
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


@dataclass
class Count:
    """One stream's ledger. ``reopened`` counts kept connections that the server had closed while they were idle."""

    sent: int = 0
    ok: int = 0
    reopened: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    by_identity: dict[str, int] = field(default_factory=dict)
    slowest: float = 0.0
    bad: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, answer: Answer) -> None:
        """Count one answer."""
        self.sent += 1
        self.slowest = max(self.slowest, answer.seconds)
        good = answer.kind == OK
        self.bad.append((answer.at, not good))
        if good:
            self.ok += 1
            name = answer.identity or "unknown"
            self.by_identity[name] = self.by_identity.get(name, 0) + 1
        else:
            self.failed[answer.kind] = self.failed.get(answer.kind, 0) + 1

    def as_dict(self) -> dict[str, Any]:
        """As a result carries it; latency in milliseconds."""
        return {
            "sent": self.sent,
            "ok": self.ok,
            "failed": dict(sorted(self.failed.items())),
            "by_identity": dict(sorted(self.by_identity.items())),
            "reopened": self.reopened,
            "slowest_ms": round(self.slowest * 1000, 1),
        }


def downtime_s(marks: list[tuple[float, bool]]) -> float:
    """Seconds without service: from each first failed request to the next one that was answered, by schedule.

    A stream that ends in failure counts to its last request.
    """
    total = 0.0
    since: float | None = None
    last = 0.0
    for at, bad in sorted(marks):
        last = at
        if bad and since is None:
            since = at
        elif not bad and since is not None:
            total += at - since
            since = None
    return total + (last - since if since is not None else 0.0)


class Prober:
    """Both streams, ``rate`` requests per second each, from entering to leaving the context."""

    def __init__(self, target: Target, rate: float) -> None:
        self._target = target
        self._rate = rate
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._counts = {FRESH: Count(), KEPT: Count()}
        self._slots = {FRESH: 0, KEPT: 0}
        self._start = 0.0
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Prober:
        self._start = time.monotonic()
        for stream, workers in _WORKERS.items():
            for number in range(workers):
                thread = threading.Thread(target=self._work, args=(stream,), name=f"prober {stream} {number}")
                thread.daemon = True
                self._threads.append(thread)
                thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop both streams; returns when the open requests have ended."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=2 * self._target.timeout + 1)
        self._threads.clear()

    def ledger(self) -> dict[str, Any]:
        """Counts of both streams as of now."""
        with self._lock:
            return {stream: count.as_dict() for stream, count in self._counts.items()}

    def downtime_ms(self) -> float:
        """The longer downtime of the two streams so far, in milliseconds; its grain is one over the rate."""
        with self._lock:
            return round(max(downtime_s(count.bad) for count in self._counts.values()) * 1000, 1)

    def _work(self, stream: str) -> None:
        kept: http.client.HTTPConnection | None = None
        while True:
            with self._lock:
                due = self._start + self._slots[stream] / self._rate
                self._slots[stream] += 1
            if self._stop.wait(max(0.0, due - time.monotonic())):
                break
            reopened = False
            if stream == FRESH:
                answer = ask_fresh(self._target, due)
            else:
                answer, kept, reopened = ask_kept(self._target, kept, due)
            with self._lock:
                self._counts[stream].add(answer)
                self._counts[stream].reopened += reopened
        if kept is not None:
            kept.close()


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
