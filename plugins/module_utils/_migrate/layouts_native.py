# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of migrations as this collection names them: which files belong together, and their order."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import (
    DIGITS,
    ROLES,
    Migration,
    checked,
    invalid,
    listed,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import (
    Script,
    read_bytes,
    read_file,
    read_script,
)

_NAME = re.compile(rf"(?P<version>{DIGITS})_(?P<name>[A-Za-z0-9_-]+)(?:\.(?P<role>down|verify))?\.sql")
# A file of these would run both ways, one after the other.
_OTHERS = re.compile(r"^--\s*(?:\+(?P<goose>goose)|migrate:(?:up|down))\b", re.MULTILINE)


def read_directory(path: str) -> list[Migration]:
    """All migrations of a directory, in order.

    Every ``*.sql`` file must have a name of the form ``<digits>_<name>.sql``, or the same with ``.down.sql`` or
    ``.verify.sql``; other files are left alone. Raises GoliveError ``files_missing``, ``files_invalid``, and for what a
    file holds a code of ``scripts.read_script``, naming file and line.
    """
    groups: dict[str, dict[int, tuple[str, str, Path]]] = {"": {}, **{role: {} for role in ROLES}}
    for file in listed(path):
        match = _NAME.fullmatch(file.name)
        if not match:
            raise invalid(
                f"Cannot order the file {file.name}: its name has not the form <digits>_<name>.sql.",
                "Rename it (letters, digits, _ and - in the name), move it out of the directory, or name the layout of"
                " another tool in layout.",
            )
        group = groups[match["role"] or ""]
        known = group.setdefault(int(match["version"]), (match["version"], match["name"], file))
        if known[2] != file:
            raise invalid(
                f"The files {known[2].name} and {file.name} have the same version.", "Give one of them a later version."
            )
    return _joined(groups)


def _joined(groups: dict[str, dict[int, tuple[str, str, Path]]]) -> list[Migration]:
    ups = groups[""]
    for role, does in ROLES.items():
        for number, (_version, name, file) in groups[role].items():
            if number not in ups or ups[number][1] != name:
                raise invalid(
                    f"The file {file.name} {does} a migration that is not there.",
                    f"Add {file.name.removesuffix(f'.{role}.sql')}.sql, or rename one of the two.",
                )

    def of(role: str, number: int) -> Script | None:
        found = groups[role].get(number)
        return checked(role, read_file(found[2])) if found else None

    found = []
    for number, (version, name, file) in sorted(ups.items()):
        raw = read_bytes(file)
        up = read_script(file.name, raw)
        other = _OTHERS.search(up.text)
        if other:
            tool = "goose" if other["goose"] else "dbmate"
            raise invalid(f"The file {file.name} is one of {tool}.", f"Set layout: {tool}.")
        found.append(Migration(version, name, (number,), up, of("down", number), of("verify", number), raw=raw))
    return found
