# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What going back costs: the loss class of a migration with its down script."""

from __future__ import annotations

from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import Script
from ansible_collections.golive.cutover.plugins.module_utils._migrate.splitter import Statement

RESTORE_ONLY = "restore_only"
_KEPT_OBJECTS = {"TABLE", "SCHEMA", "MATERIALIZED", "DATABASE", "OWNED", "TYPE", "DOMAIN", "SEQUENCE"}


def loss_of(up: Script, down: Script | None) -> str:
    """``none``, ``side_table`` or ``restore_only``: what the down script brings back of the rows before ``up``.

    A down script may say it (``-- golive: loss side_table``). Else what ``up`` has removed or overwritten decides: the
    rows of a dropped column come back from a backup only, whatever a down script says of the column; or from the side
    table that ``up`` has kept them in, when the down script reads it.
    """
    if down and down.directives.loss:
        return down.directives.loss
    lost = [number for number, statement in enumerate(up.statements) if loses(statement)]
    if not lost:
        return "none"
    kept = down is not None and all(
        number in up.side_tables and up.side_tables[number].name in down.text for number in lost
    )
    return "side_table" if kept else RESTORE_ONLY


def loses(statement: Statement) -> bool:
    """Whether a statement removes or overwrites rows or values that no later statement could know."""
    words = statement.outer_words
    if words[:1] == ("TRUNCATE",):
        return True
    if words[:1] == ("DROP",):
        return bool(_KEPT_OBJECTS & set(words[1:2]))
    if words[:2] == ("ALTER", "TABLE"):
        return _drops_column(words) or "TYPE" in words[2:]
    # Also where it hides behind WITH, as DELETE and UPDATE may.
    return words[:1] in (("DELETE",), ("UPDATE",), ("MERGE",)) or (
        words[:1] == ("WITH",) and any(word.text in ("DELETE", "UPDATE") for word in statement.words)
    )


def _drops_column(words: tuple[str, ...]) -> bool:
    # DROP CONSTRAINT, DROP DEFAULT, DROP NOT NULL, DROP EXPRESSION and DROP IDENTITY leave the values.
    leaves = {"CONSTRAINT", "DEFAULT", "NOT", "EXPRESSION", "IDENTITY"}
    return any(word == "DROP" and not leaves & set(words[at + 1 : at + 2]) for at, word in enumerate(words))
