# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prober against real sockets on loopback: what it counts when servers answer, hang, close and reset."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._gate.prober import (
    Prober,
    Target,
    ask_fresh,
    ask_kept,
    check_url,
)

OK = b"HTTP/1.1 200 OK\r\nX-App-Colour: blue\r\nX-App-Pod: one\r\nContent-Length: 2\r\n\r\nok"
Handler = Callable[[socket.socket], None]


@contextmanager
def serving(handle: Handler) -> Iterator[str]:
    """A server that hands each connection to ``handle`` in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def accept() -> None:
        while True:
            try:
                wire, _peer = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=run, args=(wire,), daemon=True)
            thread.start()
            threads.append(thread)

    def run(wire: socket.socket) -> None:
        with wire:
            handle(wire)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x?y=1"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def answering(answer: bytes = OK, times: int = 1000) -> Handler:
    def handle(wire: socket.socket) -> None:
        for _request in range(times):
            if not wire.recv(4096):
                return
            wire.sendall(answer)

    return handle


def test_an_answer_has_status_and_identity() -> None:
    with serving(answering()) as url:
        answer = ask_fresh(Target(url))
    assert (answer.kind, answer.status, answer.identity, answer.body) == ("ok", 200, "blue", b"ok")


@pytest.mark.parametrize(
    ("handle", "kind"),
    [
        (answering(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), "http_5xx"),
        (answering(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), "ok"),
        (answering(b"not http at all\r\n\r\n"), "protocol"),
        (lambda wire: time.sleep(0.6), "timeout"),
        (lambda wire: wire.recv(4096), "closed"),
        (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", times=1), "timeout"),
    ],
)
def test_kinds_of_failure(handle: Handler, kind: str) -> None:
    def held(wire: socket.socket) -> None:
        handle(wire)
        if kind == "timeout":
            time.sleep(0.6)

    with serving(held) as url:
        assert ask_fresh(Target(url, timeout=0.3)).kind == kind


def test_refused_and_unknown_host() -> None:
    assert ask_fresh(Target("http://127.0.0.1:9/")).kind == "refused"
    assert ask_fresh(Target("http://no-such-host.invalid/")).kind == "dns"


def test_a_slow_trickle_ends_at_the_limit() -> None:
    def trickle(wire: socket.socket) -> None:
        wire.recv(4096)
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _byte in range(20):
            try:
                wire.sendall(b"x")
            except OSError:
                return
            time.sleep(0.1)

    with serving(trickle) as url:
        begin = time.monotonic()
        assert ask_fresh(Target(url, timeout=0.4)).kind == "timeout"
        assert time.monotonic() - begin < 1.2


def test_a_kept_connection_is_kept_and_reopened_when_it_was_closed_idle() -> None:
    with serving(answering(times=2)) as url:
        first, kept, reopened = ask_kept(Target(url), None, 0.0)
        second, kept, again = ask_kept(Target(url), kept, 0.0)
        assert (first.kind, second.kind, reopened, again) == ("ok", "ok", False, False)
        third, kept, reopened = ask_kept(Target(url), kept, 0.0)
        assert (third.kind, reopened) == ("ok", True)
        assert kept is not None
        kept.close()


def test_a_server_that_asks_to_close_is_obeyed() -> None:
    closing = OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length")
    with serving(answering(closing, times=1)) as url:
        answer, kept, _reopened = ask_kept(Target(url), None, 0.0)
    assert (answer.kind, kept) == ("ok", None)


def test_both_streams_are_counted_and_end() -> None:
    with serving(answering()) as url:
        with Prober(Target(url), 50) as prober:
            time.sleep(0.5)
        ledger = prober.ledger()
    for stream in ("fresh", "kept"):
        assert ledger[stream]["ok"] == ledger[stream]["sent"] >= 10, ledger
        assert ledger[stream]["by_identity"] == {"blue": ledger[stream]["ok"]}
        assert ledger[stream]["by_pod"] == {"one": {"ok": ledger[stream]["ok"], "failed": 0}}
    rows = prober.series()
    assert sum(row["ok"]["blue"] for row in rows) == ledger["fresh"]["ok"] + ledger["kept"]["ok"]
    assert all(abs(row["t"] - time.time()) < 30 and row["p50_ms"] > 0 for row in rows)
    assert prober.downtime_ms() == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("prober")]


def test_an_outage_is_measured() -> None:
    down = threading.Event()

    def handle(wire: socket.socket) -> None:
        if not down.is_set():
            answering(times=1)(wire)

    with serving(handle) as url:
        with Prober(Target(url), 50) as prober:
            time.sleep(0.2)
            down.set()
            time.sleep(0.3)
            down.clear()
            time.sleep(0.3)
        assert 200 <= prober.downtime_ms() <= 450


def test_requests_go_out_on_time_while_others_hang() -> None:
    """Twenty a second on each stream against a server that never answers: 40 open ones do not hold back the next."""
    with serving(lambda wire: bool(wire.recv(4096) and wire.recv(1))) as url:
        with Prober(Target(url, timeout=2.0), 20) as prober:
            time.sleep(1.5)
        ledger = prober.ledger()
    for stream in ("fresh", "kept"):
        assert ledger[stream]["failed"] == {"timeout": ledger[stream]["sent"]}
        assert ledger[stream]["sent"] >= 25
        assert ledger[stream]["latency_ms"]["p50_ms"] >= 2000


def test_kept_connections_are_several_and_kept() -> None:
    peers: set[object] = set()

    def handle(wire: socket.socket) -> None:
        peers.add(wire.getpeername())
        answering()(wire)

    heard: list[str] = []
    with serving(handle) as url, Prober(Target(url), 60, heard=lambda stream, _answer: heard.append(stream)) as prober:
        time.sleep(0.8)
    ledger = prober.ledger()
    fresh = ledger["fresh"]["sent"]
    assert 4 <= len(peers) - fresh <= 12
    assert (heard.count("fresh"), heard.count("kept")) == (fresh, ledger["kept"]["sent"])


@pytest.mark.parametrize("url", ["", "ftp://x/", "http://", "http://h:0/", "http://h:99999/", "/x", "http://h:x/"])
def test_urls_that_cannot_be_asked(url: str) -> None:
    assert check_url(url)


def test_an_url_that_can() -> None:
    assert check_url("https://shop.example.org/healthz?x=1") == ""
