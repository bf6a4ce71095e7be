# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backup taken before a run: which files need one, and what the ledger knows of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.loss import RESTORE_ONLY, loss_of
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied

_WAIVED = "none: "


def waived(reason: str) -> str:
    """What the ledger keeps as restore point of a run that had none, for this reason."""
    return f"{_WAIVED}{reason}"


def refuse_without(restore_point: str | None, pending: Iterable[Migration]) -> None:
    """Raise GoliveError ``restore_point_missing`` with ``files`` when one of them removes data and there is no backup.

    One that was waived counts: somebody has said why.
    """
    files = [one.up.file for one in pending if loss_of(one.up, one.down) == RESTORE_ONLY]
    if files and not restore_point:
        raise GoliveError(
            "restore_point_missing",
            f"Migrating was refused: {', '.join(files)} removes or overwrites data, and no restore point was taken"
            " before.",
            "Take a backup and name it in restore_point; or say in waive_restore_point why none is needed, which the"
            " ledger keeps. A down script that brings everything back may declare it: -- golive: loss none.",
            {"files": files},
        )


def needed(rows: Iterable[Applied]) -> list[str]:
    """Names of the restore points without which the data that applied files have removed cannot come back."""
    points = {row.restore_point for row in rows if row.loss == RESTORE_ONLY and row.restore_point}
    return sorted(point for point in points if not point.startswith(_WAIVED))


def told(rows: Sequence[Applied]) -> str:
    """What leads back behind all of these rows, as a sentence: the backup taken before the first of them."""
    first = next((row.restore_point for row in sorted(rows, key=lambda one: one.order) if row.restore_point), None)
    if first is None:
        return "No restore point was recorded."
    if first.startswith(_WAIVED):
        return f"No restore point was taken: {first.removeprefix(_WAIVED)}."
    return f"The restore point taken before is {first}."
