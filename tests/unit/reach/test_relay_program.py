# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in the relay's pod: it passes on both ways, says why it cannot, and ends when nobody needs it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from ansible_collections.golive.cutover.plugins.module_utils._reach import relay_program
from ansible_collections.golive.cutover.plugins.module_utils._reach.job_bundle import source_of

BIG = bytes(range(256)) * (1 << 13)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def relay(port: int, idle: float = 30) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The program as the Job runs it, and the port that it listens on."""
    own = free_port()
    told = (source_of(relay_program.__name__) or b"").decode()
    source = told.replace(f"PORT = {relay_program.PORT}", f"PORT = {own}")
    command = [sys.executable, "-I", "-c", source, "127.0.0.1", str(port), str(idle)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == f"{relay_program.READY}\n"
            yield process, own
        finally:
            process.kill()


def echo_once(server: socket.socket) -> None:
    """Send back what comes, and end when it does."""
    connection, _peer = server.accept()
    with connection:
        while piece := connection.recv(1 << 16):
            connection.sendall(piece)


def test_bytes_go_both_ways_and_ends_are_passed_on() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server, relay(server.getsockname()[1]) as (_process, port):
        answering = threading.Thread(target=echo_once, args=(server,), daemon=True)
        answering.start()
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:

            def send() -> None:
                client.sendall(BIG)
                client.shutdown(socket.SHUT_WR)

            sending = threading.Thread(target=send, daemon=True)
            sending.start()
            got = b""
            while piece := client.recv(1 << 16):
                got += piece
        assert got == BIG


def test_it_says_why_the_database_cannot_be_reached() -> None:
    nobody = free_port()
    with relay(nobody) as (process, port):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            assert client.recv(1) == b""
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"connecting to 127.0.0.1:{nobody} failed: ")


def test_it_ends_once_nobody_is_connected() -> None:
    with relay(free_port(), idle=0.1) as (process, _port):
        assert process.wait(timeout=20) == 0


def test_it_ends_when_it_is_told_to_in_the_midst_of_a_connection() -> None:
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as server,
        relay(server.getsockname()[1]) as (process, port),
    ):
        client = socket.create_connection(("127.0.0.1", port), timeout=20)
        with client:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
