# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A statement is cancelled through a way that leads through threads of the same process, as a tunnel does."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psycopg2
import psycopg2.extras

from ansible_collections.golive.cutover.plugins.module_utils._pg.cancel import cancel
from tests.integration.postgres import PASSWORD, SUPERUSER, Server

ROOT = Path(__file__).resolve().parents[3]


def test_the_server_is_asked_and_the_statement_ends() -> None:
    server = Server.create()
    try:
        # In a process of its own: one that cannot go on could not even be told to stop.
        command = [sys.executable, "-m", "tests.integration.pg.test_cancel", str(server.port)]
        done = subprocess.run(command, cwd=ROOT, check=False, timeout=60, capture_output=True)
    finally:
        server.remove()
    assert done.stdout == b"canceled\n", done


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _serve(listener: socket.socket, port: int) -> None:
    while True:
        client, _address = listener.accept()
        server = socket.create_connection(("127.0.0.1", port))
        for pair in ((client, server), (server, client)):
            threading.Thread(target=_pump, args=pair, daemon=True).start()


def _main(port: int) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(listener, port), daemon=True).start()
    session = psycopg2.connect(
        host="127.0.0.1", port=listener.getsockname()[1], user=SUPERUSER, password=PASSWORD, dbname="postgres",
        async_=True,
    )  # fmt: skip
    psycopg2.extras.wait_select(session)
    cursor = session.cursor()
    cursor.execute("SELECT pg_sleep(600)")
    cancel(session, 20)
    with suppress(psycopg2.errors.QueryCanceled):
        psycopg2.extras.wait_select(session)
        return
    sys.stdout.write("canceled\n")


if __name__ == "__main__":
    _main(int(sys.argv[1]))
