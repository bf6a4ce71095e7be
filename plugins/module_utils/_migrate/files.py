# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of migrations: which files belong together, and their order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script, fault, read_file

# 18 digits fit a bigint; a timestamp to the second has 14.
_NAME = re.compile(r"(?P<version>\d{1,18})_(?P<name>[A-Za-z0-9_-]+)(?:\.(?P<role>down|verify))?\.sql")
_KINDS = {"down": ("tx", "autocommit"), "verify": ("tx",)}
_ROLES = {"down": "takes back", "verify": "verifies"}


@dataclass(frozen=True)
class Migration:
    """A version with its script, the one that takes it back, and the one that verifies it.

    ``version`` is written as in the file's name; ``order`` is what versions are sorted and told apart by.
    """

    version: str
    name: str
    order: tuple[int, ...]
    up: Script
    down: Script | None = None
    verify: Script | None = None


def read_directory(path: str) -> list[Migration]:
    """All migrations of a directory, in order.

    Every ``*.sql`` file must have a name of the form ``<digits>_<name>.sql``, or the same with ``.down.sql`` or
    ``.verify.sql``; other files are left alone. Raises GoliveError ``files_missing``, ``files_invalid``, and for what a
    file holds a code of ``scripts.read_script``, naming file and line.
    """
    directory = Path(path)
    try:
        files = sorted(entry for entry in directory.iterdir() if entry.suffix.lower() == ".sql" and entry.is_file())
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "Name the directory that holds the migration files in path."
        raise GoliveError("files_missing", f"Reading the migrations in {path} failed: {reason}.", hint) from error
    groups: dict[str, dict[int, tuple[str, str, Path]]] = {"": {}, **{role: {} for role in _ROLES}}
    for file in files:
        match = _NAME.fullmatch(file.name)
        if not match:
            raise _invalid(
                f"Cannot order the file {file.name}: its name has not the form <digits>_<name>.sql.",
                "Rename it (letters, digits, _ and - in the name), or move it out of the directory.",
            )
        group = groups[match["role"] or ""]
        known = group.setdefault(int(match["version"]), (match["version"], match["name"], file))
        if known[2] != file:
            raise _invalid(
                f"The files {known[2].name} and {file.name} have the same version.", "Give one of them a later version."
            )
    return _joined(groups)


def _joined(groups: dict[str, dict[int, tuple[str, str, Path]]]) -> list[Migration]:
    ups = groups[""]
    for role, does in _ROLES.items():
        for number, (_version, name, file) in groups[role].items():
            if number not in ups or ups[number][1] != name:
                raise _invalid(
                    f"The file {file.name} {does} a migration that is not there.",
                    f"Add {file.name.removesuffix(f'.{role}.sql')}.sql, or rename one of the two.",
                )

    def of(role: str, number: int) -> Script | None:
        found = groups[role].get(number)
        script = read_file(found[2]) if found else None
        if script and script.kind not in _KINDS[role]:
            hint = f"It may be of kind {' or '.join(_KINDS[role])}."
            raise fault("files_invalid", script.file, 1, f"a {role} script cannot be of kind {script.kind}", hint)
        return script

    return [
        Migration(version, name, (number,), read_file(file), of("down", number), of("verify", number))
        for number, (version, name, file) in sorted(ups.items())
    ]


def _invalid(message: str, hint: str) -> GoliveError:
    return GoliveError("files_invalid", message, hint)
