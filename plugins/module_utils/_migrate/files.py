# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A migration, and how its files are read in whatever layout they lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script, fault, read_script, unread
from ansible_collections.golive.cutover.plugins.module_utils._migrate.tokens import SqlTextError, tokens

# 18 digits fit a bigint; a timestamp to the second has 14.
DIGITS = r"\d{1,18}"
# The first part of the order of files that run again whenever they change: behind all versions.
AGAIN = 2**63 - 1
ROLES = {"down": "takes back", "verify": "verifies"}
_KINDS = {"down": ("tx", "autocommit"), "verify": ("tx",)}
_WRAPPERS = (["BEGIN"], ["BEGIN", "WORK"], ["BEGIN", "TRANSACTION"], ["START", "TRANSACTION"])

Order = tuple[int, ...]


@dataclass(frozen=True)
class Migration:
    """A version with its script, the one that takes it back, and the one that verifies it.

    ``version`` is written as in the file's name; ``order`` is what versions are sorted and told apart by, and empty
    when only the place in the list says it. ``fault`` is why the file cannot run: it counts only when it would.
    ``raw`` are the bytes that the layout's own tool takes its checksum of. ``parents`` are the versions it follows,
    where a layout says so.
    """

    version: str
    name: str
    order: Order
    up: Script
    down: Script | None = None
    verify: Script | None = None
    fault: GoliveError | None = field(default=None, compare=False)
    raw: bytes = field(default=b"", repr=False)
    parents: tuple[str, ...] = ()

    @property
    def again(self) -> bool:
        """Whether it runs again whenever it has changed."""
        return self.order[:1] == (AGAIN,)


def invalid(message: str, hint: str) -> GoliveError:
    """The error of a directory whose files do not fit together."""
    return GoliveError("files_invalid", message, hint)


def listed(path: str, ends: tuple[str, ...] = (".sql",), below: bool = False) -> list[Path]:
    """The files of a directory, and with ``below`` of those in it, whose name ends so in any case, by name.

    Raises GoliveError ``files_missing``.
    """
    directory = Path(path)
    try:
        found = [*directory.iterdir()]
        if below:
            found = [*directory.rglob("*")]
        return sorted(one for one in found if one.name.lower().endswith(ends) and one.is_file())
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "Name the directory that holds the migration files in path."
        raise GoliveError("files_missing", f"Reading the migrations in {path} failed: {reason}.", hint) from error


def checked(role: str, script: Script) -> Script:
    """A down or verify script, when its kind is one that such a script may have."""
    if script.kind not in _KINDS[role]:
        hint = f"It may be of kind {' or '.join(_KINDS[role])}."
        raise fault("files_invalid", script.file, 1, f"a {role} script cannot be of kind {script.kind}", hint)
    return script


@dataclass(frozen=True)
class Part:
    """A script before it was read: the name of its file, and its text with the line numbers of that file."""

    file: str
    raw: bytes

    @property
    def empty(self) -> bool:
        """Whether it holds no statement."""
        try:
            return all(one.blank or one.text == ";" for one in tokens(self.raw.decode("utf-8", "replace")))
        except SqlTextError:
            return False


def joined(
    version: str,
    name: str,
    order: Order,
    up: Part,
    others: Mapping[str, Part | None],
    *,
    raw: bytes | None = None,
    parents: tuple[str, ...] = (),
    problem: GoliveError | None = None,
) -> Migration:
    """A migration of another tool's layout; ``others`` are its parts by role, ``raw`` is what ``up`` was made of.

    These files were written for another runner and may have run long ago: what is wrong with one is kept in ``fault``,
    and an empty down or verify script is none.
    """
    faults = [problem] if problem else []

    def kept(part: Part, use: Callable[[Script], Script]) -> Script | None:
        try:
            return use(read_script(part.file, part.raw))
        except GoliveError as error:
            faults.append(error)
            return None

    found = kept(up, lambda script: script)
    scripts = {
        role: kept(part, lambda script, role=role: checked(role, script))  # type: ignore[misc]  # bound here
        for role, part in others.items()
        if part and not part.empty
    }
    return Migration(
        version,
        name,
        order,
        found or unread(up.file, up.raw),
        scripts.get("down"),
        scripts.get("verify"),
        faults[0] if faults else None,
        up.raw if raw is None else raw,
        parents,
    )


def without_wrapper(raw: bytes, ends: Iterable[str] = ("COMMIT",)) -> bytes:
    """A script without the BEGIN at its start and the COMMIT (one of ``ends``) at its end, when it has both.

    Blanks stand in their place, so that lines keep their numbers. What else controls a transaction is left for the
    checks of ``read_script``.
    """
    try:
        text = raw.decode("utf-8")
        found = [one for one in tokens(text) if not one.blank]
    except (UnicodeDecodeError, SqlTextError):
        return raw
    stops = [number for number, one in enumerate(found) if one.text == ";"]
    if not stops:
        return raw
    first, last = found[: stops[0] + 1], found[stops[-1] + 1 :]
    if not last and len(stops) > 1:
        last = found[stops[-2] + 1 :]
    words = [one.text.upper() for one in last if one.text != ";"]
    opened = [one.text.upper() for one in first[:-1]] in _WRAPPERS
    if not opened or words[:1] not in [[end] for end in ends] or words[1:] not in ([], ["WORK"], ["TRANSACTION"]):
        return raw
    for token in (*first, *last):
        text = text[: token.start] + " " * len(token.text) + text[token.start + len(token.text) :]
    return text.encode()
