# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply the pending migrations, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.batches import run_batches
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration, Order
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Row
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied
from ansible_collections.golive.cutover.plugins.module_utils._migrate.run_script import run_script
from ansible_collections.golive.cutover.plugins.module_utils._migrate.runner import Runner


def apply(
    runner: Runner, pending: Sequence[Migration], unfinished: Mapping[Order, Applied], applied: list[dict[str, Any]]
) -> None:
    """Apply files in order; rows ``version, name, seconds`` of what is done are added to ``applied``.

    A file whose run did not end goes on behind the statements that are done. Raises GoliveError as ``run_script`` and
    ``run_batches``.
    """
    for done, migration in enumerate(pending):
        runner.call.progress(f"applying {migration.up.file}", done, len(pending))
        start = runner.call.now()
        row = unfinished.get(migration.order)
        progress = _Up(runner, migration)
        if migration.up.kind == "batch":
            run_batches(runner, migration.up, progress, migration.order, row.cursor if row else None)
        else:
            behind = row.statements_done if row else 0
            run_script(runner, migration.up, progress, behind, begun=bool(row and row.intent))
        seconds = round(runner.call.now() - start, 3)
        applied.append({"version": migration.version, "name": migration.name, "seconds": seconds})


class _Up:
    """The row of a migration that is applied."""

    def __init__(self, runner: Runner, migration: Migration) -> None:
        self._runner = runner
        self._migration = migration
        self._since = runner.call.now()

    def save(self, done: int, ended: bool) -> None:
        now = self._runner.call.now()
        row = Row(
            self._migration,
            done,
            round((now - self._since) * 1000),
            self._runner.run_id,
            self._runner.restore_point,
            ended,
        )
        self._runner.ledger.record(self._runner.work, row)
        self._since = now

    def intend(self, statement: int, text: str) -> None:
        self._runner.ledger.intend(self._runner.work, self._migration.order, statement, text)


def with_applied(error: GoliveError, applied: list[dict[str, Any]], changed: bool) -> GoliveError:
    """The error with what was done before it."""
    error.details.update({"applied": applied, "changed": changed})
    return error
