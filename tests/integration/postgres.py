# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL server, private and short-lived: of this machine's package, or of another major version."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from tests.integration.postgres_versions import WHEELS, unpacked

SUPERUSER = "golive_admin"
PASSWORD = "only-for-this-server-8c1d"
START_S = 60
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "40",
    "max_prepared_transactions": "5",
    "password_encryption": "scram-sha-256",
    "listen_addresses": "127.0.0.1",
    "log_line_prefix": "%m [%p] %a ",
}


def binaries() -> Path:
    """The directory with initdb and postgres; installs Debian's package as root when there is none."""
    found = _newest()
    if found is None:
        install("postgresql")
        found = _newest()
    if found is None:
        raise RuntimeError("the package postgresql brought no server")
    return found


def install(package: str) -> None:
    """Install a package of the machine's own distribution; raises RuntimeError where that cannot be done."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise RuntimeError(f"this machine lacks the package {package}, and only root can install it")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", package]):
        subprocess.run(["apt-get", *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)


def _copied(major: int, directory: Path) -> Path:
    """The programs of another version, where the server's account may read them."""
    place = directory / "server"
    shutil.copytree(unpacked(major), place, symlinks=True)
    return place / WHEELS[major].programs


def _newest() -> Path | None:
    roots = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if roots:
        return roots[-1].parent
    there = shutil.which("postgres")
    return Path(there).resolve().parent if there and shutil.which("initdb") else None


@dataclass
class Server:
    """A running server: ``127.0.0.1:port`` with passwords, and a Unix socket in ``directory``."""

    bin: Path
    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(cls, settings: Mapping[str, str] | None = None, major: int | None = None) -> Server:
        """Make a cluster in a directory of its own and start it; ``major`` is a version of ``postgres_versions``."""
        directory = Path(tempfile.mkdtemp(prefix="golive-pg-"))
        server = cls(Path(), directory, free_port())
        try:
            give_to_postgres(directory)
            server.bin = _copied(major, directory) if major else binaries()
            server._initialise({**_SETTINGS, **(settings or {})})
            server.start()
            with contextlib.closing(server.connect()) as session:
                if major not in (None, session.server_version // 10000):
                    raise RuntimeError(f"the server of version {major} is of version {session.server_version}")
        except BaseException:
            server.remove()
            raise
        return server

    def standby(self, name: str) -> Server:
        """A streaming standby of this server, which replays what it gets; ``name`` is its slot and application."""
        directory = Path(tempfile.mkdtemp(prefix="golive-pg-"))
        server = Server(self.bin, directory, free_port())
        try:
            give_to_postgres(directory)
            source = f"host=127.0.0.1 port={self.port} user={SUPERUSER} application_name={name}"
            options = ["-d", source, "-R", "-c", "fast", "--no-sync", "-C", "-S", name]
            subprocess.run(
                [self.bin / "pg_basebackup", "-D", directory / "data", *options],
                check=True,
                env={**os.environ, "PGPASSWORD": PASSWORD},
                **as_postgres(),
            )
            with (directory / "data" / "postgresql.conf").open("a") as conf:
                conf.write(f"port = {server.port}\nunix_socket_directories = '{directory}'\n")
            server.start()
        except BaseException:
            server.remove()
            raise
        return server

    def connect(self, database: str = "postgres") -> psycopg2.extensions.connection:
        """A session of the superuser in autocommit."""
        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, dbname=database, user=SUPERUSER, password=PASSWORD
        )
        connection.autocommit = True
        return connection

    def start(self) -> None:
        """Start the server and wait until it answers."""
        log = self.directory / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.directory / "data"], stdout=output, stderr=output, **as_postgres()
            )
        end = time.monotonic() + START_S
        while True:
            try:
                self.connect().close()
                return
            except psycopg2.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}") from error
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT is a fast shutdown, SIGQUIT a crash."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        self.process = None

    def remove(self) -> None:
        """Stop the server and delete its directory."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _initialise(self, settings: Mapping[str, str]) -> None:
        password_file = self.directory / "password"
        password_file.write_text(PASSWORD + "\n")
        password_file.chmod(0o600)
        give_to_postgres(password_file)
        data = self.directory / "data"
        options = ["-E", "UTF8", "--no-locale", "-A", "scram-sha-256", "--no-sync"]
        subprocess.run(
            [self.bin / "initdb", "-D", data, "-U", SUPERUSER, "--pwfile", password_file, *options],
            check=True,
            stdout=subprocess.DEVNULL,
            **as_postgres(),
        )
        password_file.unlink()
        with (data / "postgresql.conf").open("a") as conf:
            conf.write(f"port = {self.port}\nunix_socket_directories = '{self.directory}'\n")
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())


def as_postgres() -> dict[str, Any]:
    """Arguments of a subprocess: the server refuses to run as root."""
    if os.geteuid() != 0:
        return {"cwd": "/"}
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/"}


def give_to_postgres(path: Path) -> None:
    """Make the server's account the owner."""
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        os.chown(path, account.pw_uid, account.pw_gid)


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
