# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of the schema that is made in parts: what is added, what fills it, what is removed once nobody needs it.

Files belong together by the directive ``change``. The order is that of parallel change (Danilo Sato, 2014): expand,
migrate, contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied, Plan, placed


def change_rows(files: Sequence[Migration], ledger: Iterable[Applied]) -> list[dict[str, Any]]:
    """Rows ``name, state, files, pending`` of all declared changes, in the order of their first files.

    ``state`` is ``planned``, ``expanding``, ``expanded`` (its batches have not begun), ``backfilling``, ``backfilled``
    (what was to be added is there and filled), ``contracting`` or ``contracted``.
    """
    rows = {row.order: row for row in ledger}
    found: dict[str, list[Migration]] = {}
    for one in placed(files, rows.values()):
        if one.up.directives.change:
            found.setdefault(one.up.directives.change, []).append(one)
    return [
        {
            "name": name,
            "state": _state(parts, rows),
            "files": [one.up.file for one in parts],
            "pending": [one.up.file for one in parts if not _is_done(one, rows)],
        }
        for name, parts in found.items()
    ]


def refuse_early(plan: Plan) -> None:
    """Raise GoliveError ``not_expanded`` when a file would remove something before its change is made and filled."""
    early: dict[str, list[str]] = {}
    before: set[str] = set()
    unmade = [one for one in (*plan.pending, *plan.later) if _adds(one)]
    for one in plan.pending:
        if _adds(one):
            before.add(one.version)
            continue
        change = one.up.directives.change
        missing = [two.up.file for two in unmade if two.up.directives.change == change and two.version not in before]
        if change and missing:
            early[one.up.file] = missing
    if early:
        told = [f"{file} removes something, but {', '.join(missing)} of its change" for file, missing in early.items()]
        raise GoliveError(
            "not_expanded",
            f"{'; '.join(told)} is not applied before it.",
            "Apply what the change adds and fills first, with the phase expand; number a file that removes behind it.",
            {"files": [*early]},
        )


def _adds(one: Migration) -> bool:
    return one.up.directives.phase == "expand"


def _state(parts: Sequence[Migration], rows: dict[tuple[int, ...], Applied]) -> str:
    adds = [one for one in parts if _adds(one)]
    fills = [one for one in adds if one.up.kind == "batch"]
    removes = [one for one in parts if not _adds(one)]
    if removes and all(_is_done(one, rows) for one in removes):
        return "contracted"
    if any(one.order in rows for one in removes):
        return "contracting"
    if all(_is_done(one, rows) for one in adds):
        return "backfilled"
    if any(one.order in rows for one in fills):
        return "backfilling"
    if all(_is_done(one, rows) for one in adds if one not in fills):
        return "expanded"
    return "expanding" if any(one.order in rows for one in adds) else "planned"


def _is_done(one: Migration, rows: dict[tuple[int, ...], Applied]) -> bool:
    return one.order in rows and rows[one.order].state == "applied"
