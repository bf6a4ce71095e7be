# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Migration files: names, texts, checksums and directives."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import refusal
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import SplitError, Statement, split

# 18 digits fit a bigint; a timestamp to the second has 14.
_NAME = re.compile(r"(?P<version>\d{1,18})_(?P<name>[A-Za-z0-9_-]+)(?P<down>\.down)?\.sql")
_DIRECTIVE = re.compile(r"--\s*golive\s*:\s*(?P<body>.*?)\s*")
_SETTING = re.compile(r"(?P<key>[a-z_]+)\s*(?:=|:|\s)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|min|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, None: 1.0, "min": 60.0, "h": 3600.0}
_TIMEOUTS = ("lock_timeout", "statement_timeout")
_BOM = "\ufeff"


@dataclass(frozen=True)
class Script:
    """One file. ``text`` has line ends LF and no byte order mark, so that a checkout's settings change nothing.

    ``checksum`` is of ``text``, ``checksum_raw`` of the bytes; both are SHA-256 in hex.
    """

    file: str
    text: str
    checksum: str
    checksum_raw: str
    statements: tuple[Statement, ...] = field(repr=False)
    settings: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Migration:
    """A version with its script, and the script that takes it back if there is one."""

    version: str
    name: str
    up: Script
    down: Script | None

    @property
    def number(self) -> int:
        """What versions are ordered by: ``0002`` and ``2`` are the same version."""
        return int(self.version)


def read_directory(path: str) -> list[Migration]:
    """All migrations of a directory, in order.

    Every ``*.sql`` file must have a name of the form ``<digits>_<name>.sql`` or ``<digits>_<name>.down.sql``; other
    files are left alone. Raises GoliveError ``files_missing``, ``files_invalid``, and for what a file holds
    ``invalid_sql``, ``unknown_directive`` or a code of ``rules.refusal``, naming file and line.
    """
    directory = Path(path)
    try:
        files = sorted(entry for entry in directory.iterdir() if entry.suffix.lower() == ".sql" and entry.is_file())
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "Name the directory that holds the migration files in path."
        raise GoliveError("files_missing", f"Reading the migrations in {path} failed: {reason}.", hint) from error
    ups: dict[int, tuple[str, str, Path]] = {}
    downs: dict[int, tuple[str, str, Path]] = {}
    for file in files:
        match = _NAME.fullmatch(file.name)
        if not match:
            raise _invalid(
                f"Cannot order the file {file.name}: its name has not the form <digits>_<name>.sql.",
                "Rename it (letters, digits, _ and - in the name), or move it out of the directory.",
            )
        group = downs if match["down"] else ups
        known = group.setdefault(int(match["version"]), (match["version"], match["name"], file))
        if known[2] != file:
            raise _invalid(
                f"The files {known[2].name} and {file.name} have the same version.", "Give one of them a later version."
            )
    return _paired(ups, downs)


def _paired(ups: dict[int, tuple[str, str, Path]], downs: dict[int, tuple[str, str, Path]]) -> list[Migration]:
    for number, (_version, name, file) in downs.items():
        if number not in ups or ups[number][1] != name:
            raise _invalid(
                f"The file {file.name} takes back a migration that is not there.",
                f"Add {file.name.removesuffix('.down.sql')}.sql, or rename one of the two.",
            )
    return [
        Migration(version, name, read_script(file), read_script(downs[number][2]) if number in downs else None)
        for number, (version, name, file) in sorted(ups.items())
    ]


def read_script(file: Path) -> Script:
    """One file, checked. Errors as of ``read_directory``."""
    try:
        raw = file.read_bytes()
        text = raw.decode("utf-8").removeprefix(_BOM).replace("\r\n", "\n")
    except OSError as error:
        raise GoliveError("files_missing", f"Reading {file.name} failed: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _fault("files_invalid", file, line, "the file is not UTF-8", "Save it as UTF-8.") from error
    try:
        statements = tuple(split(text))
    except SplitError as error:
        raise _fault(error.code, file, error.line, error.message, error.hint) from error
    if not statements:
        raise _fault("files_invalid", file, 1, "the file holds no statement", "Fill it or remove it.")
    for statement in statements:
        refused = refusal(statement)
        if refused:
            raise _fault(refused.code, file, statement.line, refused.reason, refused.hint)
    return Script(
        file=file.name,
        text=text,
        checksum=hashlib.sha256(text.encode()).hexdigest(),
        checksum_raw=hashlib.sha256(raw).hexdigest(),
        statements=statements,
        settings=_settings(file, text),
    )


def _settings(file: Path, text: str) -> dict[str, float]:
    """Directives among the comments at the top: ``-- golive: lock_timeout 10s``; seconds by name."""
    found: dict[str, float] = {}
    at_top = True
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        at_top = at_top and (not stripped or stripped.startswith("--"))
        directive = _DIRECTIVE.fullmatch(stripped)
        if not directive:
            continue
        if not at_top:
            hint = "Move the line above the first statement."
            raise _fault("unknown_directive", file, number, "a directive counts only at the top of a file", hint)
        setting = _SETTING.fullmatch(directive["body"])
        if not setting or setting["key"] not in _TIMEOUTS:
            reason = f"unknown directive '{directive['body']}'"
            hint = f"Known ones: {', '.join(f'-- golive: {name} <number>[ms|s|min|h]' for name in _TIMEOUTS)}."
            raise _fault("unknown_directive", file, number, reason, hint)
        found[setting["key"]] = float(setting["number"]) * _UNITS[setting["unit"]]
    return found


def _invalid(message: str, hint: str) -> GoliveError:
    return GoliveError("files_invalid", message, hint)


def _fault(code: str, file: Path, line: int, reason: str, hint: str | None) -> GoliveError:
    return GoliveError(code, f"{file.name}:{line}: {reason}.", hint, {"file": file.name, "line": line})
