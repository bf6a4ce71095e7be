# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layouts of goose and dbmate: one file for each version, cut into two sections by comments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import (
    DIGITS,
    Migration,
    Part,
    invalid,
    joined,
    listed,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import fault, read_bytes

SEPARATE = "golive: kind separate"
_GOOSE_NAME = re.compile(rf"(?P<version>{DIGITS})_(?P<name>.+)\.(?:sql|go)")
_DBMATE_NAME = re.compile(rf"(?P<version>{DIGITS})_?(?P<name>.*)\.sql")
_GOOSE = re.compile(r"--\s*\+goose\s+(?P<words>.*?)\s*", re.IGNORECASE)
_DBMATE = re.compile(r"--\s*migrate:(?P<section>up|down)(?P<options>(?:\s+\S+)*)\s*")
_BLOCKS = ("statementbegin", "statementend")


class _Mark(NamedTuple):
    """What a line says: the section that begins, and whether statements have transactions of their own, in both
    sections when it begins none."""

    section: str | None
    separate: bool


_Find = Callable[[str, int, str], "_Mark | None"]


def read_goose(path: str) -> list[Migration]:
    """All migrations of goose's directory, in order. Raises GoliveError ``files_missing`` or ``files_invalid``."""
    files = [file for file in listed(path, (".sql", ".go")) if not file.name.endswith("_test.go")]
    for file in files:
        if file.suffix == ".go" and _GOOSE_NAME.fullmatch(file.name):
            raise invalid(
                f"Cannot run {file.name}: it is a program, not SQL.",
                "Write what it does as an SQL file of the same version.",
            )
    return _read(((one.name, read_bytes(one)) for one in files if one.suffix != ".go"), _GOOSE_NAME, _goose)


def read_dbmate(path: str) -> list[Migration]:
    """All migrations of dbmate's directory, in order. Raises GoliveError ``files_missing`` or ``files_invalid``."""
    return _read(((one.name, read_bytes(one)) for one in listed(path)), _DBMATE_NAME, _dbmate)


def _read(files: Iterable[tuple[str, bytes]], names: re.Pattern[str], find: _Find) -> list[Migration]:
    found: dict[int, Migration] = {}
    for file, raw in files:
        match = names.fullmatch(file)
        if not match:
            raise invalid(
                f"Cannot order the file {file}: its name has not the form <digits>_<name>.sql.",
                "Rename it, or move it out of the directory.",
            )
        number = int(match["version"])
        if number in found:
            raise invalid(
                f"The files {found[number].up.file} and {file} have the same version.",
                "Give one of them a later version.",
            )
        found[number] = _cut(file, raw, match["version"], match["name"], find)
    return [found[number] for number in sorted(found)]


def _cut(file: str, raw: bytes, version: str, name: str, find: _Find) -> Migration:
    problem = None
    parts = {"up": raw, "down": b""}
    try:
        parts = _sections(file, raw, find)
    except GoliveError as error:
        problem = error
    up, down = Part(file, parts["up"]), Part(file, parts["down"])
    return joined(version, name, (int(version),), up, {"down": down}, raw=raw, problem=problem)


def _sections(file: str, raw: bytes, find: _Find) -> dict[str, bytes]:
    """The text of each section; empty lines stand where the other's are, so that lines keep their numbers."""
    lines = raw.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    parts: dict[str, list[str]] = {"": [], "up": [], "down": []}
    begins: dict[str, int] = {}
    separate: set[str] = set()
    section = ""
    for number, line in enumerate(lines, 1):
        mark = find(file, number, line)
        if mark and mark.section:
            section = mark.section
            if section in begins:
                reason = f"the section {section} begins a second time"
                raise fault("files_invalid", file, number, reason, "Make it one section.")
            begins[section] = number
        if mark and mark.separate:
            separate |= {mark.section} if mark.section else {"up", "down"}
        for one, kept in parts.items():
            kept.append(line if one == section and not mark else "")
    if "up" not in begins:
        raise fault("files_invalid", file, 1, "the file has no section for going up", "Add the line that begins it.")
    before = Part(file, "\n".join(parts[""]).encode("utf-8", "surrogateescape"))
    if not before.empty:
        first = next(number for number, text in enumerate(parts[""], 1) if text.strip() and not text.startswith("--"))
        raise fault("files_invalid", file, first, "a statement stands before the first section", "Move it into one.")
    for one in separate & set(begins):
        parts[one][begins[one] - 1] = f"-- {SEPARATE}"
    return {one: ("\n".join(parts[one]).rstrip() + "\n").encode("utf-8", "surrogateescape") for one in ("up", "down")}


def _goose(file: str, number: int, line: str) -> _Mark | None:
    match = _GOOSE.fullmatch(line.strip())
    if not match:
        return None
    words = " ".join(match["words"].lower().split())
    if words in ("up", "down"):
        return _Mark(words, False)
    if words == "no transaction":
        return _Mark(None, True)
    if words in _BLOCKS:
        # Where statements end is seen from the SQL itself.
        return _Mark(None, False)
    reason = f"'+goose {match['words']}' is not understood here"
    raise fault("files_invalid", file, number, reason, "Write the values themselves into the file.")


def _dbmate(file: str, number: int, line: str) -> _Mark | None:
    match = _DBMATE.fullmatch(line)
    if not match:
        return None
    options = match["options"].split()
    unknown = [one for one in options if one not in ("transaction:false", "transaction:true")]
    if unknown:
        reason = f"the option {unknown[0]} is not known"
        raise fault("files_invalid", file, number, reason, "Use transaction:true or transaction:false.")
    return _Mark(match["section"], "transaction:false" in options)
