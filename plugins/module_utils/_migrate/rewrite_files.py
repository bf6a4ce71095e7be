# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the files of a directory anew where a rule has a safe form, and see that the form is safe."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import Finding
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import LintFile
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rewrite import REWRITES, Later, rewritten
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import read_script

T = TypeVar("T")
_SEPARATE = "-- golive: kind separate\n"
_VERSION = re.compile(r"\d+")


def rewritten_files(files: Sequence[LintFile], findings: Iterable[Finding], names: Sequence[str]) -> dict[str, str]:
    """Texts by name of the files that have a safe form, and of those that it needs besides.

    ``names`` are all files of the directory: new ones have later versions. A file whose safe form the runner would not
    take, because it says itself how it runs, is left out.
    """
    rules: dict[tuple[str, int], set[str]] = {}
    for one in findings:
        if one.id in REWRITES:
            rules.setdefault((one.file, one.line), set()).add(one.id)
    found: dict[str, str] = {}
    for file in files:
        made = _rewritten(file, rules, [*names, *found])
        if all(_runs(name, text) for name, text in made.items()):
            found.update(made)
    return found


def with_files(path: str, texts: Mapping[str, str], look: Callable[[str], T]) -> T:
    """What ``look`` says in a copy of the directory, or of the one file ``path``, that has ``texts`` in it."""
    place = Path(path)
    with tempfile.TemporaryDirectory(prefix="golive-lint-") as folder:
        for one in [place] if place.is_file() else place.iterdir():
            if one.suffix.lower() == ".sql" and one.is_file():
                Path(folder, one.name).write_bytes(one.read_bytes())
        for name, text in texts.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        return look(str(Path(folder, place.name)) if place.is_file() else folder)


def as_written(path: Path, text: str) -> str:
    """The text with the line ends that the file has."""
    return text.replace("\n", "\r\n") if path.exists() and b"\r\n" in path.read_bytes() else text


def _rewritten(file: LintFile, rules: Mapping[tuple[str, int], set[str]], names: Sequence[str]) -> dict[str, str]:
    text, at, separate = file.text, 0, False
    later: list[Later] = []
    version = str(file.number or 0)
    for parsed in file.statements:
        statement = parsed.statement
        start = text.index(statement.text, at)
        at = start + len(statement.text)
        wanted = rules.get((file.file, statement.line), set())
        new = rewritten(parsed, wanted, version) if wanted else None
        if new is None or (new.later and file.number is None):
            continue
        put = ";\n".join(new.statements)
        text = text[:start] + put + text[at:]
        at = start + len(put)
        separate = separate or new.separate
        later += new.later
    if text == file.text:
        return {}
    if separate and not file.each_alone:
        text = _SEPARATE + text
    return {file.file: text, **_later(later, names)}


def _later(later: Sequence[Later], names: Sequence[str]) -> dict[str, str]:
    versions = [match[0] for match in map(_VERSION.match, names) if match]
    width = max((len(one) for one in versions), default=4)
    newest = max((int(one) for one in versions), default=0)
    found: dict[str, str] = {}
    for number, one in enumerate(later, newest + 1):
        name = f"{number:0{width}}_{re.sub(r'[^A-Za-z0-9_-]', '_', one.name)}"
        found |= {f"{name}.sql": one.text, f"{name}.down.sql": one.down}
    return found


def _runs(name: str, text: str) -> bool:
    try:
        read_script(name, text.encode())
    except GoliveError:
        return False
    return True
