# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of Sqitch: the order is in ``sqitch.plan``, the scripts are in ``deploy``, ``revert`` and ``verify``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import (
    Migration,
    Part,
    joined,
    without_wrapper,
)
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import fault, read_bytes

PLAN = "sqitch.plan"
_PRAGMA = re.compile(r"%(?P<key>[a-z-]+)\s*=\s*(?P<value>.*?)\s*")
# Change or tag, its dependencies, and who planned it when.
_ENTRY = re.compile(
    r"(?P<sign>[+-]\s*|@)?(?P<name>[^\s\[\]@#:]+)(?:\s+\[(?P<needs>[^\]]*)\])?\s+\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\s+.*>"
)
_DIRECTORIES = {"down": "revert", "verify": "verify"}
_ENDS = {"down": ("COMMIT",), "verify": ("ROLLBACK", "COMMIT")}


@dataclass
class _Change:
    """A line of the plan; ``times`` counts how often the name came before, ``tags`` follow it at once or later."""

    name: str
    line: int
    times: int
    tags: list[str] = field(default_factory=list)

    @property
    def version(self) -> str:
        return f"{self.name}#{self.times + 1}" if self.times else self.name


def read_project(path: str) -> str:
    """The name of the project in a directory's plan; empty when it says none. Raises GoliveError as ``read_sqitch``."""
    for line in _lines(path):
        match = _PRAGMA.fullmatch(line.strip())
        if match and match["key"] == "project":
            return match["value"]
    return ""


def read_sqitch(path: str) -> list[Migration]:
    """All changes of a plan, in its order. The second change of the same name, a rework, has the version ``name#2``.

    Raises GoliveError ``files_missing`` or ``files_invalid``.
    """
    changes = _changes(_lines(path))
    return [_migration(Path(path), one, changes) for one in changes]


def _lines(path: str) -> list[str]:
    raw = read_bytes(Path(path) / PLAN)
    try:
        return raw.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise fault("files_invalid", PLAN, line, "the file is not UTF-8", "Save it as UTF-8.") from error


def _changes(lines: list[str]) -> list[_Change]:
    changes: list[_Change] = []
    tags: set[str] = set()
    for number, line in enumerate(lines, 1):
        text = line.split("#", 1)[0].strip()
        if not text:
            continue
        pragma = _PRAGMA.fullmatch(text)
        if pragma:
            if pragma["key"] == "syntax-version" and not pragma["value"].startswith("1."):
                raise _refused(number, f"the plan's syntax {pragma['value']} is not known", "Use syntax version 1.0.0.")
            continue
        entry = _ENTRY.fullmatch(text)
        if not entry:
            raise _refused(number, "this is neither a change nor a tag", "Write it as sqitch add or sqitch tag does.")
        sign = (entry["sign"] or "").strip()
        if sign == "@":
            tags.add(entry["name"])
            for one in changes:
                one.tags.append(entry["name"])
            continue
        if sign == "-":
            raise _refused(number, f"the plan reverts {entry['name']}", "Plan a change that takes it back instead.")
        for need in (entry["needs"] or "").split():
            _check_need(number, need, {one.name for one in changes}, tags)
        times = sum(one.name == entry["name"] for one in changes)
        changes.append(_Change(entry["name"], number, times))
    return changes


def _check_need(line: int, need: str, names: set[str], tags: set[str]) -> None:
    text = need.removeprefix("!")
    if ":" in text:
        raise _refused(line, f"{need} is of another project", "Remove the dependency, and migrate that project before.")
    name, _at, tag = text.partition("@")
    there = (not name or name in names) and (not tag or tag in tags or tag in ("HEAD", "ROOT"))
    if need.startswith("!") and there:
        raise _refused(
            line, f"the change conflicts with {text}, which comes before", "Take one of them out of the plan."
        )
    if not need.startswith("!") and not there:
        raise _refused(line, f"the change requires {text}, which does not come before", "Move it behind that one.")


def _migration(top: Path, change: _Change, changes: list[_Change]) -> Migration:
    later = [one for one in changes if one.name == change.name and one.times == change.times + 1]
    ends = [""]
    if later:
        # A reworked change keeps its old scripts under a tag between the two.
        between = change.tags[: len(change.tags) - len(later[0].tags)]
        if not between:
            raise _refused(later[0].line, f"{change.name} is there twice without a tag between", "Rename one of them.")
        ends = [f"@{tag}" for tag in between]
    end = next((one for one in ends if _file(top, "deploy", change.name + one).is_file()), ends[0])
    file = _file(top, "deploy", change.name + end)
    try:
        raw = read_bytes(file)
    except GoliveError as error:
        raise _refused(change.line, f"the file deploy/{change.name}{end}.sql cannot be read", "Add it.") from error
    others = {}
    for role, directory in _DIRECTORIES.items():
        other = _file(top, directory, change.name + end)
        if other.is_file():
            others[role] = Part(_shown(top, other), without_wrapper(read_bytes(other), _ENDS[role]))
    up = Part(_shown(top, file), without_wrapper(raw))
    return joined(change.version, change.name, (), up, others, raw=raw)


def _file(top: Path, directory: str, name: str) -> Path:
    return top / directory / f"{name}.sql"


def _shown(top: Path, file: Path) -> str:
    return str(file.relative_to(top))


def _refused(line: int, reason: str, hint: str) -> GoliveError:
    return fault("files_invalid", PLAN, line, reason, hint)
