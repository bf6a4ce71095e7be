# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are written into the ledger as applied, without running: the database has what they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._migrate.files import Migration
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger, Row, Taken
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied, find_order, placed
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

BASELINE = "baseline"


@dataclass(frozen=True)
class Recording:
    """``files`` with the checksum that ``origin`` kept of each, and the mark of a takeover."""

    origin: str = ""
    files: tuple[tuple[Migration, str | None], ...] = ()
    taken: Taken | None = None

    def __bool__(self) -> bool:
        return bool(self.files or self.taken)

    @property
    def rows(self) -> list[Applied]:
        """What the ledger will say of the files: as much of it as a plan looks at."""
        return [
            Applied(
                one.version,
                one.name,
                one.order,
                one.up.checksum,
                one.up.checksum_normal,
                phase=one.up.directives.phase,
                down_checksum=one.down.checksum if one.down else None,
                origin=self.origin,
                file=one.up.file,
            )
            for one, _checksum in self.files
        ]

    @property
    def result(self) -> list[dict[str, Any]]:
        """Rows ``version, name, origin``."""
        return [{"version": one.version, "name": one.name, "origin": self.origin} for one, _checksum in self.files]

    def write(self, session: Session, ledger: Ledger, run_id: str | None) -> None:
        """Write all of it in one transaction. Hold the mutex."""
        session.execute("BEGIN")
        for one, checksum in self.files:
            row = Row(one, len(one.up.statements), 0, run_id, None, True, self.origin, checksum)
            ledger.record(session, row)
        if self.taken:
            ledger.mark_taken(session, self.taken, run_id)
        session.execute("COMMIT")


def baseline(files: Sequence[Migration], rows: Sequence[Applied], version: str) -> Recording:
    """Record every file up to ``version`` that is not applied.

    Raises GoliveError ``target_unknown``, or ``unfinished`` for one that is applied in part.
    """
    files = placed(files, rows)
    limit = find_order(version, files, rows)
    half = [row.file for row in rows if row.state != "applied" and row.order <= limit]
    if half:
        raise GoliveError(
            "unfinished",
            f"Recording up to {version} was refused: {', '.join(half)} is applied in part.",
            "Run without baseline: the next run goes on behind what is done.",
            {"files": half},
        )
    done = {row.order for row in rows}
    return Recording(BASELINE, tuple((one, None) for one in files if one.order <= limit and one.order not in done))
