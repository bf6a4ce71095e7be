# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take migrations back by the down scripts that were stored when they were applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.loss import RESTORE_ONLY
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied
from ansible_collections.golive.cutover.plugins.module_utils._migrate.restore_point import told
from ansible_collections.golive.cutover.plugins.module_utils._migrate.run_script import run_script
from ansible_collections.golive.cutover.plugins.module_utils._migrate.runner import Runner
from ansible_collections.golive.cutover.plugins.module_utils._migrate.scripts import read_script


def refuse_loss(rows: Sequence[Applied]) -> None:
    """Raise GoliveError ``restore_only`` when not all rows can be taken back by their scripts without losing data."""
    stuck = [row for row in rows if not row.reversible or row.loss == RESTORE_ONLY]
    if not stuck:
        return
    names = [row.file for row in stuck]
    why = [f"{row.file} ({'has removed data' if row.loss == RESTORE_ONLY else 'has no down script'})" for row in stuck]
    raise GoliveError(
        "restore_only",
        f"Taking migrations back was refused: {', '.join(why)}. Nothing was taken back. {told(rows)}",
        "Go forward with a new file, or restore the database. A down script that loses nothing may declare it:"
        " -- golive: loss none.",
        {"files": names},
    )


def take_back(runner: Runner, rows: Sequence[Applied], reverted: list[dict[str, Any]]) -> None:
    """Run the stored down scripts, the newest migration's first; rows ``version, name`` are added to ``reverted``.

    Raises GoliveError ``restore_only`` before anything runs, and as ``run_script``; a later run goes on where it ended.
    """
    refuse_loss(rows)
    for row in sorted(rows, key=lambda one: one.order, reverse=True):
        runner.call.progress(f"taking {row.version}_{row.name} back")
        run_down(runner, row)
        reverted.append({"version": row.version, "name": row.name})


def run_down(runner: Runner, row: Applied) -> None:
    """Run the stored down script of a row, whatever it loses, and remove the row. Raises as ``run_script``."""
    script = read_script(
        f"{row.file.removesuffix('.sql')}.down.sql", runner.ledger.down_text(runner.guard, row.order).encode()
    )
    half = row.state == "reverting"
    done = row.statements_done if half else 0
    run_script(runner, script, _Down(runner, row), done, begun=half and bool(row.intent))


class _Down:
    """The row of a migration that is taken back: it goes with the last statement."""

    def __init__(self, runner: Runner, row: Applied) -> None:
        self._runner = runner
        self._row = row

    def save(self, done: int, ended: bool) -> None:
        ledger, work = self._runner.ledger, self._runner.work
        if ended:
            ledger.forget(work, self._row.order)
        else:
            ledger.revert(work, self._row.order, done)

    def intend(self, statement: int, text: str) -> None:
        self._runner.ledger.intend(self._runner.work, self._row.order, statement, text)
