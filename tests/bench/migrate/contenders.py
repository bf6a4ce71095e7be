# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What applies the migrations: one command a user could start, for each contender."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.bench.migrate import corpus
from tests.integration.postgres import PASSWORD, SUPERUSER, Server

OURS = "golive.cutover.db_migrate"
EMPTY = "empty playbook"
LIMIT = "psql -f in a loop"
_PLAY = """
- hosts: localhost
  gather_facts: false
  tasks: {tasks}
"""
_TASKS = """
    - golive.cutover.db_migrate:
        path: "{{ path }}"
"""
_LOOP = 'for file in *.sql; do "$0" -X -q -v ON_ERROR_STOP=1 -1 -f "$file" || exit 1; done'


class Taken(NamedTuple):
    """Seconds: of the clock, and of the processor without the database server's, which a busy machine changes less."""

    wall: float
    processor: float


@dataclass(frozen=True)
class Contender:
    """A command, started in the folder of its files.

    The database is told by ``PG*`` variables, and by ``{url}`` (``host:port/database``) in its words and its
    environment, ``{folder}`` is where it starts. ``again`` is false for one without a ledger, which cannot run twice,
    ``changes`` for one that only starts.
    """

    name: str
    write: corpus.Writer
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    again: bool = True
    changes: bool = True

    def run(self, folder: Path, server: Server, database: str) -> Taken:
        """What one run takes; raises RuntimeError with its output when it fails."""

        def filled(text: str) -> str:
            return text.replace("{url}", f"127.0.0.1:{server.port}/{database}").replace("{folder}", str(folder))

        own = {name: filled(value) for name, value in self.environment.items()}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        done = subprocess.run(
            [filled(word) for word in self.command],
            cwd=folder,
            env={**os.environ, **libpq(server, database), **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1800,
        )
        wall = time.monotonic() - started
        if done.returncode:
            raise RuntimeError(f"{self.name} failed:\n{done.stdout[-3000:]}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Taken(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def first_line(error: RuntimeError) -> str:
    """What a table says of a run that failed."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    why = next((line for line in said if re.search("error|exception", line, re.IGNORECASE)), said[-1])
    return f"it failed: {why}"[:200]


def libpq(server: Server, database: str) -> dict[str, str]:
    """What tells libpq, and everybody who reads its variables, where the database is."""
    return {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGDATABASE": database,
        "PGUSER": SUPERUSER,
        "PGPASSWORD": PASSWORD,
        "PGSSLMODE": "disable",
    }


def ours(work: Path, play: str = "ours", options: str = "") -> Contender:
    """``db_migrate`` as the only task of the playbook ``play``; ``options`` are further lines of the task."""
    return Contender(OURS, corpus.native, *_playbook(work, play, _TASKS + options))


def empty(work: Path) -> Contender:
    """What of ours is the start of Ansible."""
    return Contender(EMPTY, corpus.native, *_playbook(work, "empty", "[]"), again=False, changes=False)


def limit(server: Server) -> Contender:
    """One psql a file, as the server's own package brings it: Debian's wrapper in front of it is slow."""
    return Contender(LIMIT, corpus.native, ("sh", "-c", _LOOP, str(server.bin / "psql")), again=False)


def _playbook(work: Path, name: str, tasks: str) -> tuple[tuple[str, ...], dict[str, str]]:
    play, config = work / f"{name}.yml", work / "ansible.cfg"
    play.write_text(_PLAY.replace("{tasks}", tasks))
    config.write_text("[defaults]\nretry_files_enabled = false\n")
    variables = ("ansible_connection=local", f"ansible_python_interpreter={sys.executable}", "path={folder}")
    extra = [word for variable in variables for word in ("-e", variable)]
    program = str(Path(sys.executable).parent / "ansible-playbook")
    return (program, "-i", "localhost,", str(play), *extra), {"ANSIBLE_CONFIG": str(config)}
