# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut a script into steps: what runs in one transaction together, and what runs alone outside of any."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.golive.cutover.plugins.module_utils._migrate.directives import Marks
from ansible_collections.golive.cutover.plugins.module_utils._migrate.rules import needs_autocommit
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement


@dataclass(frozen=True)
class Step:
    """Statements from number ``first`` of the script on, counted from 0; an ``alone`` step has one."""

    first: int
    statements: tuple[Statement, ...]
    alone: bool
    marks: Marks = field(default_factory=Marks)

    @property
    def end(self) -> int:
        """The number of statements that are done once this step is."""
        return self.first + len(self.statements)


def steps_of(script: Script) -> list[Step]:
    """The steps of a script of kind ``tx`` (one) or ``autocommit``, in order."""
    found: list[Step] = []
    together: list[Statement] = []

    def close(end: int) -> None:
        if together:
            found.append(Step(end - len(together), tuple(together), alone=False))
            together.clear()

    for number, statement in enumerate(script.statements):
        if script.directives.kind == "autocommit" or needs_autocommit(statement):
            close(number)
            marks = script.marks[number] if script.marks else Marks()
            found.append(Step(number, (statement,), alone=True, marks=marks))
        else:
            together.append(statement)
            if script.directives.kind == "separate":
                close(number + 1)
    close(len(script.statements))
    return found
