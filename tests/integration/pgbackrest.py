# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real pgBackRest of this machine's package, with a repository in a directory and a real server that archives."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._backup import pgbackrest_commands as commands
from ansible_collections.golive.cutover.plugins.module_utils._backup.run_engine import must
from ansible_collections.golive.cutover.plugins.module_utils._kube.exec import Ended
from tests.integration.postgres import PASSWORD, SUPERUSER, Server, as_postgres, give_to_postgres, install

_CONFIGURATION = """[global]
repo1-path={place}/repo
repo1-cipher-type=aes-256-cbc
repo1-cipher-pass={phrase}
repo1-retention-full=9999999
lock-path={place}/lock
log-level-file=off
log-level-console=warn
compress-type=zst
start-fast=y
archive-copy=y
expire-auto=n

[main]
pg1-path={data}
pg1-port={port}
pg1-socket-path={sockets}
pg1-user={user}
"""


@dataclass
class Stanza:
    """The stanza ``main`` of a server; what it runs is kept in ``asked``."""

    server: Server
    place: Path
    asked: list[list[str]] = field(default_factory=list)

    @classmethod
    def create(cls) -> Stanza:
        """A server that archives into a new repository, without a backup yet."""
        program = shutil.which("pgbackrest")
        if program is None:
            install("pgbackrest")
        place = Path(tempfile.mkdtemp(prefix="golive-pgbackrest-"))
        give_to_postgres(place)
        push = f"pgbackrest --config={place}/pgbackrest.conf --stanza=main archive-push %p"
        server = Server.create({"archive_mode": "on", "archive_command": push, "wal_level": "replica"})
        stanza = cls(server, place)
        stanza.configure("only-for-this-repository")
        passwords = place / "passwords"
        passwords.write_text(f"*:*:*:{SUPERUSER}:{PASSWORD}\n")
        passwords.chmod(0o600)
        give_to_postgres(passwords)
        must(stanza.engine, commands.stanza_create(), 60)
        return stanza

    def configure(self, phrase: str) -> None:
        """Write the configuration, with this passphrase of the repository."""
        text = _CONFIGURATION.format(
            place=self.place,
            phrase=phrase,
            data=self.server.directory / "data",
            port=self.server.port,
            sockets=self.server.directory,
            user=SUPERUSER,
        )
        (self.place / "pgbackrest.conf").write_text(text)

    def engine(self, arguments: Sequence[str], limit_s: float) -> Ended:
        """The same arguments that a pod gets, with this configuration."""
        self.asked.append(list(arguments))
        command = [arguments[0], f"--config={self.place}/pgbackrest.conf", *arguments[1:]]
        environment = {**os.environ, "PGPASSFILE": str(self.place / "passwords")}
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit_s,
            env=environment,
            check=False,
            **as_postgres(),
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def segment(self) -> None:
        """Have the server fill and archive one more segment."""
        with self.server.connect() as session, session.cursor() as cursor:
            cursor.execute("SELECT pg_create_restore_point('x')")
            cursor.execute("SELECT pg_switch_wal()")

    def remove(self) -> None:
        """Stop the server and delete both."""
        self.server.remove()
        shutil.rmtree(self.place, ignore_errors=True)
