# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of Flyway: ``V1.2__name.sql``, ``U1.2__name.sql`` that takes it back, and ``R__name.sql``."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import (
    AGAIN,
    DIGITS,
    Migration,
    Order,
    Part,
    invalid,
    joined,
    listed,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.layouts_sections import SEPARATE
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import fault, read_bytes
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import SqlTextError, tokens

_NAME = re.compile(rf"(?:(?P<kind>[VU])(?P<version>{DIGITS}(?:[._]{DIGITS})*)|(?P<again>R))__(?P<name>.*)\.sql")
_PLACEHOLDER = re.compile(r"\$\{[^}\n]*\}")
_SETTING = re.compile(r"(?P<key>[A-Za-z.]+)\s*=\s*(?P<value>\S*)")
_SETTINGS = ("executeInTransaction", "placeholderReplacement")
_CHUNK = 7


def read_flyway(path: str) -> list[Migration]:
    """All migrations of a directory and those in it, in order; those that run again come last, by name.

    Raises GoliveError ``files_missing`` or ``files_invalid``.
    """
    found: dict[Order, tuple[re.Match[str], Path]] = {}
    undo: dict[Order, Path] = {}
    for file in listed(path, below=True):
        match = _NAME.fullmatch(file.name)
        if not match:
            raise invalid(
                f"Cannot order the file {file.name}: its name has not the form V<version>__<name>.sql, U<version>__"
                "<name>.sql or R__<name>.sql.",
                "Move it out of the directory: files that replace others (B) and callbacks are not run here.",
            )
        order = order_again(match["name"]) if match["again"] else order_of(match["version"])
        known = undo.setdefault(order, file) if match["kind"] == "U" else found.setdefault(order, (match, file))[1]
        if known != file:
            raise invalid(
                f"The files {known.name} and {file.name} have the same version.", "Give one of them a later version."
            )
    for order, file in undo.items():
        if order not in found:
            raise invalid(
                f"The file {file.name} takes back a migration that is not there.", "Add its V file, or move it away."
            )
    return [
        _migration(match, order, file, undo.get(order))
        for order, (match, file) in sorted(found.items(), key=lambda one: one[0])
    ]


def order_of(version: str) -> Order:
    """What a version is sorted by: 1.10 is behind 1.9, and 1.0 is 1."""
    numbers = [int(one) for one in re.split(r"[._]", version)]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def order_again(name: str) -> Order:
    """What a file that runs again is sorted by: its name, as numbers that a bigint holds."""
    raw = name.encode()
    chunks = [raw[at : at + _CHUNK].ljust(_CHUNK, b"\0") for at in range(0, len(raw), _CHUNK)]
    return (AGAIN, *(int.from_bytes(chunk, "big") for chunk in chunks))


def _migration(match: re.Match[str], order: Order, file: Path, undo: Path | None) -> Migration:
    raw = read_bytes(file)
    version = match["version"].replace("_", ".") if match["version"] else f"R__{match['name']}"
    problem = None
    up, down = Part(file.name, raw), None
    try:
        up = _part(file)
        down = _part(undo) if undo else None
    except GoliveError as error:
        problem = error
    return joined(version, match["name"], order, up, {"down": down}, raw=raw, problem=problem)


def _part(file: Path) -> Part:
    raw = read_bytes(file)
    settings = _settings(file.with_name(f"{file.name}.conf"))
    if settings.get("placeholderReplacement", "true") != "false":
        _refuse_placeholders(file.name, raw.decode("utf-8", "replace"))
    if settings.get("executeInTransaction") == "false":
        # On the first line, so that lines keep their numbers.
        raw = f"/* {SEPARATE} */ ".encode() + raw.removeprefix(b"\xef\xbb\xbf")
    return Part(file.name, raw)


def _settings(file: Path) -> dict[str, str]:
    """What a script's own configuration file says; none without one."""
    found: dict[str, str] = {}
    if not file.is_file():
        return found
    for number, line in enumerate(read_bytes(file).decode("utf-8", "replace").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _SETTING.fullmatch(line.strip())
        if not match or match["key"] not in _SETTINGS or match["value"] not in ("true", "false"):
            hint = f"Known here are {' and '.join(_SETTINGS)}, each true or false."
            raise fault("files_invalid", file.name, number, f"'{line.strip()}' is not understood here", hint)
        found[match["key"]] = match["value"]
    return found


def _refuse_placeholders(file: str, text: str) -> None:
    """Flyway would put values in wherever this stands; in a comment that makes no difference."""
    try:
        said = "".join(
            "".join(sign if sign == "\n" else " " for sign in one.text) if one.kind == "comment" else one.text
            for one in tokens(text)
        )
    except SqlTextError:
        # Told by the checks of the SQL itself.
        return
    found = _PLACEHOLDER.search(said)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        hint = (
            "Write the value itself into the file; or, when the text is meant as it stands, "
            f"placeholderReplacement=false into {file}.conf."
        )
        raise fault("files_invalid", file, line, f"the placeholder {found.group()} has no value here", hint)
