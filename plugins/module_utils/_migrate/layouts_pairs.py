# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of golang-migrate: a file ``<digits>_<name>.up.sql`` and one ``.down.sql`` for each version."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import (
    DIGITS,
    Migration,
    Part,
    invalid,
    joined,
    listed,
    without_wrapper,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import read_bytes

_NAME = re.compile(rf"(?P<version>{DIGITS})_(?P<name>.*)\.(?P<role>up|down)\.sql")


def read_pairs(path: str) -> list[Migration]:
    """All migrations of a directory, in order; a BEGIN and COMMIT around a whole file are the runner's.

    Raises GoliveError ``files_missing`` or ``files_invalid``.
    """
    found: dict[str, dict[int, tuple[re.Match[str], Path]]] = {"up": {}, "down": {}}
    for file in listed(path):
        match = _NAME.fullmatch(file.name)
        if not match:
            raise invalid(
                f"Cannot order the file {file.name}: its name has not the form <digits>_<name>.up.sql or .down.sql.",
                "Rename it, or move it out of the directory.",
            )
        known = found[match["role"]].setdefault(int(match["version"]), (match, file))
        if known[1] != file:
            raise invalid(
                f"The files {known[1].name} and {file.name} have the same version.", "Give one of them a later version."
            )
    for number, (_match, file) in found["down"].items():
        if number not in found["up"]:
            raise invalid(
                f"The file {file.name} takes back a migration that is not there.", "Add its .up.sql, or move it away."
            )
    return [
        joined(
            match["version"],
            match["name"],
            (number,),
            _part(file),
            {"down": _part(found["down"][number][1]) if number in found["down"] else None},
            raw=read_bytes(file),
        )
        for number, (match, file) in sorted(found["up"].items())
    ]


def _part(file: Path) -> Part:
    return Part(file.name, without_wrapper(read_bytes(file)))
