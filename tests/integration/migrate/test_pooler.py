# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PgBouncer before the server: its transaction mode is refused, its session mode works."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.conftest import Database
from tests.integration.migrate.conftest import Project
from tests.integration.postgres import as_postgres, free_port, give_to_postgres, install


@pytest.fixture(scope="module")
def pgbouncer() -> str:
    """Path of the program; Debian's package is installed when it is missing."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    if not shutil.which("pgbouncer", path=path):
        install("pgbouncer")
    found = shutil.which("pgbouncer", path=path)
    assert found
    return found


@contextmanager
def pooled(program: str, database: Database, mode: str, size: int, pools: int = 1) -> Iterator[int]:
    """Pools before ``database`` at one port, which the kernel spreads connections over; yields the port."""
    directory = database.server.directory / f"bouncer-{mode}-{size}-{pools}"
    directory.mkdir()
    port = free_port()
    users = directory / "users.txt"
    users.write_text(f'"{database.user}" "{database.password}"\n')
    config = directory / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host=127.0.0.1 port={database.server.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = plain\n"
        f"auth_file = {users}\npool_mode = {mode}\ndefault_pool_size = {size}\nlogfile = {directory}/log\n"
        "so_reuseport = 1\n"
    )
    for path in (directory, users, config):
        give_to_postgres(path)
    processes = []
    try:
        for _number in range(pools):
            process = subprocess.Popen([program, "-q", config], stderr=subprocess.DEVNULL, **as_postgres())
            processes.append(process)
            _await_port(process, port, directory)
        yield port
    finally:
        for process in processes:
            process.terminate()
            process.wait(20)


def _await_port(process: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    end = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, directory.joinpath("log").read_text()
        assert time.monotonic() < end
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)


@pytest.mark.parametrize("size", [1, 5])
def test_transaction_mode_is_refused(project: Project, pgbouncer: str, size: int) -> None:
    with pooled(pgbouncer, project.database, "transaction", size) as port:
        options = {**project.database.options, "port": port, "connect_timeout": 3}
        error = project.refused(postgresql=options)
    assert error.code == "pooled"
    assert project.tables() == set()


def test_transaction_mode_is_refused_behind_an_address_of_several_pools(project: Project, pgbouncer: str) -> None:
    """Both sessions may then be alone in their pools, and keep their processes."""
    with pooled(pgbouncer, project.database, "transaction", 5, pools=3) as port:
        options = {**project.database.options, "port": port, "connect_timeout": 3}
        codes = {project.refused(postgresql=options).code for _try in range(4)}
    assert codes == {"pooled"}
    assert project.tables() == set()


@pytest.mark.parametrize("size", [2, 5])
def test_session_mode_works(project: Project, pgbouncer: str, size: int) -> None:
    with pooled(pgbouncer, project.database, "session", size) as port:
        options = {**project.database.options, "port": port, "connect_timeout": 3}
        assert project.migrate(postgresql=options)["head"] == "0002"
        assert project.migrate(postgresql=options)["changed"] is False
