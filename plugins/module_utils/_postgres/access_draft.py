# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan while it is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_facts import Fact
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_state import State
from ansible_collections.golive.cutover.plugins.module_utils._postgres.access_wish import Wish


class Phase(Enum):
    """When something is done: CREATE stands alone, CHANGE and DROP are one transaction each, SESSIONS ends them."""

    CREATE = "create"
    CHANGE = "change"
    SESSIONS = "sessions"
    DROP = "drop"


@dataclass(frozen=True)
class Action:
    """A statement, and what people see of it. ``role`` is whose sessions end, in the phase SESSIONS."""

    sql: str = field(repr=False)
    text: str
    phase: Phase = Phase.CHANGE
    adds: frozenset[Fact] = frozenset()
    removes: frozenset[Fact] = frozenset()
    role: str = ""


@dataclass(frozen=True)
class Refusal:
    """Why a plan may not be carried out."""

    code: str
    text: str
    hint: str


@dataclass
class Draft:
    """Collects actions and refusals. ``needs`` are roles whose rights the administrator must have for them."""

    wish: Wish
    state: State
    actions: list[Action] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)

    def do(
        self,
        sql: str,
        *,
        text: str = "",
        adds: Iterable[Fact] = (),
        removes: Iterable[Fact] = (),
        phase: Phase = Phase.CHANGE,
        role: str = "",
    ) -> None:
        """Add an action; ``text`` stands for a statement that nobody may see."""
        self.actions.append(Action(sql, text or sql, phase, frozenset(adds), frozenset(removes), role))

    def refuse(self, code: str, text: str, hint: str) -> None:
        """Add a refusal."""
        self.refusals.append(Refusal(code, text, hint))
