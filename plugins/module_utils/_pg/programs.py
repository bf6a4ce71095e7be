# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL's own client programs: find the one that fits the server, and run it without a secret in sight."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.process import run_to_end, stream
from ansible_collections.golive.cutover.plugins.module_utils._core.redaction import mask_text
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import APPLICATION_NAME, Settings

# Where packages put them beside PATH: Debian and Ubuntu, and PostgreSQL's own packages for Red Hat and its kin.
_DIRECTORIES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_ERROR = re.compile(r"^\w+: (error|fatal|detail|hint): |^ERROR: |^DETAIL: ")
_MOST_LINES = 6
_ASK_LIMIT_S = 10.0


@dataclass(frozen=True)
class Program:
    """``name`` is pg_dump, pg_restore or psql; ``major`` its major version."""

    name: str
    path: str
    major: int


def find_program(name: str, server_version: int, alive: Callable[[], None], directory: str | None = None) -> Program:
    """The program of the server's major version, or else of the next newer one that is installed.

    An older one than the server is never taken: pg_dump refuses such a server, and pg_restore what a newer pg_dump
    wrote. ``server_version`` is as ``server_version_num``. With ``directory`` only that one is looked into. Raises
    GoliveError ``program_missing`` when there is none, and ``program_too_old`` when all are older.
    """
    wanted = server_version // 10000
    found = [one for path in _candidates(name, directory) if (one := _asked(name, path, alive))]
    fitting = [one for one in found if one.major >= wanted]
    if fitting:
        return min(fitting, key=lambda one: one.major)
    package = f"Install PostgreSQL's client programs of version {wanted} where this task runs"
    hint = f"{package} (Debian: postgresql-client-{wanted}), or name the directory that holds them."
    where = f"not in {directory}" if directory else "neither in PATH nor where packages put it"
    if not found:
        raise GoliveError("program_missing", f"Finding {name} failed: it is {where}.", hint)
    newest = max(found, key=lambda one: one.major)
    raise GoliveError(
        "program_too_old",
        f"Using {newest.path} was refused: it is of version {newest.major}, and the server of version {wanted}.",
        hint,
    )


def run_program(
    program: Program, arguments: Sequence[str], alive: Callable[[], None], limit_s: float, where: Settings | None = None
) -> str:
    """What the program writes to its standard output, connected to ``where`` if it is given.

    Address, user and password go by environment, so that no process list shows them. Raises GoliveError
    ``program_failed`` with the program's own words and ``timeout`` after ``limit_s`` seconds; it is ended then, and
    when ``alive`` raises.
    """
    secrets = [where.password] if where and where.password else []
    try:
        done = run_to_end([program.path, *arguments], alive, limit_s, environment=_environment(where))
    except subprocess.TimeoutExpired as error:
        raise _too_slow(program, limit_s) from error
    except OSError as error:
        raise _failed(program, error.strerror or str(error)) from error
    if done.returncode:
        raise _failed(program, mask_text(_reason(done.stderr) or f"exit code {done.returncode}", secrets))
    return done.stdout


def stream_program(
    program: Program,
    arguments: Sequence[str],
    alive: Callable[[], None],
    limit_s: float,
    take: Callable[[bytes], None],
    told: Callable[[str], None] = lambda _line: None,
    where: Settings | None = None,
) -> None:
    """Run a program whose output ``take`` gets in pieces, and each line that it tells beside it ``told``.

    Else as ``run_program``; what ``take`` and ``told`` raise ends the program.
    """
    secrets = [where.password] if where and where.password else []
    lines = Lines(told)
    try:
        code = stream([program.path, *arguments], alive, limit_s, take, lines.feed, environment=_environment(where))
    except subprocess.TimeoutExpired as error:
        raise _too_slow(program, limit_s) from error
    if code:
        raise _failed(program, mask_text(lines.reason() or f"exit code {code}", secrets))


class Lines:
    """Cuts what a program tells into lines for ``told``, and keeps those that speak of an error, or the last one."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._rest = b""
        self._last = ""
        self._errors: list[str] = []

    def feed(self, piece: bytes) -> None:
        """The next piece of the text."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        for one in whole:
            self._last = one.decode("utf-8", "replace")
            if _ERROR.search(self._last) and len(self._errors) < _MOST_LINES:
                self._errors.append(self._last)
            self._told(self._last)

    def reason(self) -> str:
        """Why the program failed, on one line, as far as it has told."""
        return _reason("\n".join(self._errors) or self._rest.decode("utf-8", "replace") or self._last)


def _candidates(name: str, directory: str | None) -> Iterator[str]:
    if directory:
        yield os.path.join(directory, name)
        return
    on_path = shutil.which(name)
    if on_path:
        yield on_path
    for pattern in _DIRECTORIES:
        yield from sorted(glob(os.path.join(pattern, name)))


def _asked(name: str, path: str, alive: Callable[[], None]) -> Program | None:
    try:
        done = run_to_end([path, "--version"], alive, _ASK_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(done.stdout)
    return Program(name, path, int(match[1])) if match else None


def _environment(where: Settings | None) -> dict[str, str]:
    # What libpq reads beside these (PGPASSFILE, PGSSLCERT …) holds for our own sessions too.
    environment = {**os.environ, "LC_ALL": "C"}
    if where is None:
        return environment
    wanted: Mapping[str, object] = {
        "PGHOST": where.host or where.address,
        "PGHOSTADDR": where.address,
        "PGPORT": where.port,
        "PGDATABASE": where.database,
        "PGUSER": where.user,
        "PGPASSWORD": where.password,
        "PGSSLMODE": where.sslmode,
        "PGSSLROOTCERT": where.sslrootcert,
        "PGCONNECT_TIMEOUT": max(1, round(where.connect_timeout)),
        "PGAPPNAME": APPLICATION_NAME,
        "PGCLIENTENCODING": "UTF8",
    }
    return {**environment, **{name: str(value) for name, value in wanted.items() if value is not None}}


def _reason(text: str) -> str:
    """The program's errors on one line, without its name before each and without what it only tells."""
    lines = [re.sub(r"^\w+: (error: )?", "", line.strip()) for line in text.splitlines() if line.strip()]
    return " ".join(lines)


def _too_slow(program: Program, limit_s: float) -> GoliveError:
    return GoliveError(
        "timeout",
        f"Running {program.name} failed: no end within {limit_s:g} s.",
        "Look at what holds it up on the server: locks, load or the network.",
    )


def _failed(program: Program, reason: str) -> GoliveError:
    return GoliveError(
        "program_failed",
        f"Running {program.name} failed: {reason.rstrip('.')}.",
        "Look at the server, the rights of this user, and the room on this machine.",
    )
