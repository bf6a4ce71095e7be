# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of Alembic: its own program writes the revisions as SQL, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.process import run_to_end
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration, Part, joined
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import SqlTextError, tokens

PROGRAM = "alembic"
SETTINGS = "alembic.ini"
LIMIT_S = 120.0
_SECTION = re.compile(r"-- Running (?:upgrade|downgrade) (?P<before>[^>]*?) -> (?P<after>\S*)")
# Revisions before it, and its text.
_Section = tuple[tuple[str, ...], str]
_CONTROL = (["BEGIN"], ["COMMIT"])
_LEDGER = "alembic_version"
_WRITES = ("CREATE", "DROP", "INSERT", "UPDATE", "DELETE")


def read_alembic(path: str, alive: Callable[[], None] = lambda: None) -> list[Migration]:
    """All revisions of the project whose ``alembic.ini`` is in ``path``, in the order in which Alembic runs them.

    ``alive`` is asked while the program runs, and ends it with what it raises.

    A revision that asks the database while it runs cannot be written as SQL: that is its fault when it would run.
    Raises GoliveError ``files_missing`` without ``alembic.ini``, ``library_missing`` without the program,
    ``alembic_failed``.
    """
    if not Path(path, SETTINGS).is_file():
        hint = f"Name the directory that holds {SETTINGS} in path."
        raise GoliveError("files_missing", f"Reading the migrations in {path} failed: no {SETTINGS} is there.", hint)
    ups, faults = _all_up(path, alive)
    downs = _all_down(path, alive, ups)
    return [_migration(one, parents, text, downs.get(one), faults.get(one)) for one, (parents, text) in ups.items()]


def _migration(
    revision: str, parents: tuple[str, ...], up: str, down: _Section | None, problem: GoliveError | None
) -> Migration:
    file = f"revision {revision}"
    parts = {"down": Part(f"{file}, downgrade", _own(down[1]).encode()) if down else None}
    return joined(revision, revision, (), Part(file, _own(up).encode()), parts, parents=parents, problem=problem)


def _all_up(path: str, alive: Callable[[], None]) -> tuple[dict[str, _Section], dict[str, GoliveError]]:
    """Each revision, and why one has no SQL: behind such a one the program is asked again for the rest."""
    found: dict[str, _Section] = {}
    faults: dict[str, GoliveError] = {}
    start = ""
    while True:
        run = _run(path, alive, "upgrade", f"{start}:heads" if start else "heads", "--sql")
        sections = _sections(run.stdout, "after")
        for revision, section in sections.items():
            found.setdefault(revision, section)
        if not run.returncode:
            return found, faults
        last = next(reversed(sections), "")
        if not last or last in faults:
            raise _failed(run, "Writing the revisions as SQL")
        found[last] = (found[last][0], "")
        faults[last] = _failed(run, f"Writing the revision {last} as SQL")
        start = last


def _all_down(path: str, alive: Callable[[], None], found: dict[str, _Section]) -> dict[str, _Section]:
    """What takes each revision back, as far as the program writes it; nothing when there are several heads."""
    followed = {parent for parents, _text in found.values() for parent in parents}
    heads = [one for one in found if one not in followed]
    if len(heads) != 1:
        return {}
    run = _run(path, alive, "downgrade", f"{heads[0]}:base", "--sql")
    sections = _sections(run.stdout, "before")
    if run.returncode and sections:
        sections.popitem()
    return sections


def _sections(text: str, which: str) -> dict[str, _Section]:
    """The sections by the revision that they begin with: the one ``before`` their arrow or ``after`` it."""
    found: dict[str, tuple[tuple[str, ...], list[str]]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        match = _SECTION.fullmatch(line)
        if match:
            before = tuple(one.strip() for one in match["before"].split(",") if one.strip())
            lines = found.setdefault(match[which].strip(), (before, []))[1]
        else:
            lines.append(line)
    return {revision: (before, "\n".join(section)) for revision, (before, section) in found.items()}


def _own(text: str) -> str:
    """A revision's SQL without the transactions and the ledger, which are the runner's."""
    kept: list[str] = []
    statement: list[str] = []
    words: list[str] = []
    try:
        for token in tokens(text):
            statement.append(token.text)
            if token.kind in ("word", "quoted"):
                words.append(token.name or "")
            if token.text == ";":
                capitals = [one.upper() for one in words]
                ledger = _LEDGER in words[:4] and capitals[:1] in [[one] for one in _WRITES]
                if capitals not in _CONTROL and not ledger:
                    kept.extend(statement)
                statement, words = [], []
    except SqlTextError:
        return text
    return "".join([*kept, *statement]).strip() + "\n"


def _run(path: str, alive: Callable[[], None], *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(PROGRAM)
    if not program:
        raise GoliveError(
            "library_missing",
            f"Reading the revisions in {path} failed: the program {PROGRAM} is not in PATH.",
            "Install it where this task runs, with what the project's env.py imports; or write the revisions as SQL"
            " files once.",
        )
    try:
        return run_to_end([program, "-c", SETTINGS, *arguments], alive, LIMIT_S, cwd=path)
    except subprocess.TimeoutExpired:
        raise GoliveError(
            "alembic_failed",
            f"Running {PROGRAM} {' '.join(arguments)} failed: no end within {LIMIT_S:g} s.",
            "Look at what the project's env.py waits for.",
        ) from None


def _failed(run: subprocess.CompletedProcess[str], what: str) -> GoliveError:
    # It writes its own refusals to the standard output, and what a revision raises to the other one.
    lines = [line for line in run.stdout.splitlines() if line.startswith("FAILED")] or run.stderr.strip().splitlines()
    reason = (lines[-1] if lines else f"exit code {run.returncode}").removeprefix("FAILED:").strip().rstrip(".")
    return GoliveError(
        "alembic_failed",
        f"{what} failed: {reason}.",
        "A revision that asks the database while it runs has no SQL: write it as op.execute, or record it with baseline"
        " when the database has what it does.",
    )
