# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labelled migrations: ``unsafe/<rule>-<n>.sql`` each break the rule, ``safe/*.sql`` break none.

A line ``-- lint below`` parts what was applied before from what is judged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint import Finding, lint
from ansible_collections.golive.cutover.plugins.module_utils._migrate.lint_files import LintFile, lint_file

_CORPUS = Path(__file__).parent / "corpus"
_BORDER = "-- lint below\n"


@dataclass(frozen=True)
class Case:
    """``expected`` is a rule id; None for a safe one."""

    name: str
    expected: str | None
    text: str
    before: str

    def file(self) -> LintFile:
        """What is judged."""
        return lint_file(f"{self.name}.sql", self.text)

    def findings(self) -> list[Finding]:
        """All findings of ours, without a database and without the second opinion."""
        return lint([self.file()], applied=[lint_file("before.sql", self.before)])


def cases(kind: str) -> list[Case]:
    """All of ``unsafe`` or ``safe``."""
    return [_case(kind, path) for path in sorted((_CORPUS / kind).glob("*.sql"))]


def _case(kind: str, path: Path) -> Case:
    before, border, after = path.read_text().rpartition(_BORDER)
    expected = re.sub(r"-\d+$", "", path.stem) if kind == "unsafe" else None
    return Case(path.stem, expected, after, before if border else "")
