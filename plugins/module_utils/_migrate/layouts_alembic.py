# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of Alembic: its own program writes the revisions as SQL, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration, Part, joined
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import SqlTextError, tokens

PROGRAM = "alembic"
SETTINGS = "alembic.ini"
_LIMIT_S = 120
_HISTORY = re.compile(r"(?P<parents>.+?) -> (?P<revision>\w+)(?: \([^)]*\))*(?:, (?P<message>.*))?")
_SECTION = re.compile(r"-- Running (?:upgrade|downgrade) (?P<before>[^>]*?) -> (?P<after>\S*)")
_CONTROL = (["BEGIN"], ["COMMIT"])
_LEDGER = "alembic_version"
_WRITES = ("CREATE", "DROP", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class _Revision:
    """``parents`` are the revisions it follows, none for the first one."""

    revision: str
    parents: tuple[str, ...]
    message: str


def read_alembic(path: str) -> list[Migration]:
    """All revisions of the project whose ``alembic.ini`` is in ``path``, in the order in which Alembic runs them.

    A revision that asks the database while it runs cannot be written as SQL: that is its fault when it would run.
    Raises GoliveError ``files_missing`` without ``alembic.ini``, ``library_missing`` without the program,
    ``alembic_failed``.
    """
    if not Path(path, SETTINGS).is_file():
        hint = f"Name the directory that holds {SETTINGS} in path."
        raise GoliveError("files_missing", f"Reading the migrations in {path} failed: no {SETTINGS} is there.", hint)
    found = _history(path)
    if not found:
        return []
    ups, faults = _all_up(path)
    downs = _all_down(path, found)
    # Those without a text are behind a fault; history tells their order, the newest first.
    order = [*ups, *(one for one in reversed(found) if one not in ups)]
    return [_migration(found[one], ups.get(one, ""), downs.get(one, ""), faults.get(one)) for one in order]


def _migration(one: _Revision, up: str, down: str, problem: GoliveError | None) -> Migration:
    file = f"revision {one.revision}"
    parts = {"down": Part(f"{file}, downgrade", _own(down).encode())}
    name = re.sub(r"\W+", "_", one.message).strip("_").lower() or one.revision
    return joined(one.revision, name, (), Part(file, _own(up).encode()), parts, parents=one.parents, problem=problem)


def _history(path: str) -> dict[str, _Revision]:
    run = _run(path, "history")
    if run.returncode:
        raise _failed(run, "Reading the history of revisions")
    found = {}
    for line in run.stdout.splitlines():
        match = _HISTORY.fullmatch(line.strip())
        if match:
            parents = tuple(one.strip() for one in match["parents"].split(",") if one.strip() != "<base>")
            found[match["revision"]] = _Revision(match["revision"], parents, match["message"] or "")
    return found


def _all_up(path: str) -> tuple[dict[str, str], dict[str, GoliveError]]:
    """The SQL of each revision, and why one has none: behind such a one the program is asked again for the rest."""
    texts: dict[str, str] = {}
    faults: dict[str, GoliveError] = {}
    start = ""
    while True:
        run = _run(path, "upgrade", f"{start}:heads" if start else "heads", "--sql")
        sections = _sections(run.stdout, "after")
        for revision, text in sections.items():
            texts.setdefault(revision, text)
        if not run.returncode:
            return texts, faults
        last = next(reversed(sections), "")
        if not last or last in faults:
            raise _failed(run, "Writing the revisions as SQL")
        texts[last] = ""
        faults[last] = _failed(run, f"Writing the revision {last} as SQL")
        start = last


def _all_down(path: str, found: dict[str, _Revision]) -> dict[str, str]:
    """The SQL that takes each revision back, as far as the program writes it; none when there are several heads."""
    followed = {parent for one in found.values() for parent in one.parents}
    heads = [one for one in found if one not in followed]
    if len(heads) != 1:
        return {}
    run = _run(path, "downgrade", f"{heads[0]}:base", "--sql")
    sections = _sections(run.stdout, "before")
    if run.returncode and sections:
        sections.popitem()
    return sections


def _sections(text: str, which: str) -> dict[str, str]:
    """What is run for each revision, in order."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        match = _SECTION.fullmatch(line)
        if match:
            lines = found.setdefault(match[which], [])
        else:
            lines.append(line)
    return {revision: "\n".join(section) for revision, section in found.items()}


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


def _run(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(PROGRAM)
    if not program:
        raise GoliveError(
            "library_missing",
            f"Reading the revisions in {path} failed: the program {PROGRAM} is not in PATH.",
            "Install it where this task runs, with what the project's env.py imports; or write the revisions as SQL"
            " files once.",
        )
    try:
        return subprocess.run(
            [program, "-c", SETTINGS, *arguments],
            cwd=path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = f"Running {PROGRAM} {' '.join(arguments)} failed: no end within {_LIMIT_S} s."
        raise GoliveError("alembic_failed", said, "Look at what the project's env.py waits for.") from error


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
