# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many committed transactions of a server a copy of it does not hold, by their ids.

Only transactions that wrote have an id. A subtransaction has one of its own and counts, too. Those that ran at the
copy's target have an id below its next one, and were aborted in the copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

_COUNT = """
SELECT pg_catalog.count(*) FROM (
    SELECT pg_catalog.generate_series(%s::bigint,
        pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::bigint - 1)
    UNION ALL SELECT pg_catalog.unnest(%s::bigint[])
) AS row(id)
WHERE pg_catalog.pg_xact_status(id::text::xid8) = 'committed' AND id <> ALL (%s::bigint[])"""
_NEXT = "SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text"
_SEGMENT = "SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn())"
_HEX = 16


@dataclass(frozen=True)
class Copied:
    """What a copy holds: transactions below ``since`` but for ``undone``; ``timeline`` is None for the server's own."""

    since: int
    undone: tuple[int, ...] = ()
    timeline: int | None = None


def copied_from(row: Mapping[str, Any]) -> Copied:
    """From the option ``ends_at``; raises GoliveError ``invalid``."""
    try:
        undone = tuple(int(one) for one in row.get("undone") or [])
        return Copied(int(row["next_xid"]), undone, row.get("timeline"))
    except ValueError as error:
        raise GoliveError("invalid", f"Reading ends_at failed: {error}.", "Hand over that of pg_restore.") from error


def commits_behind(session: Session, copied: Copied, without: Sequence[int]) -> int | None:
    """Committed transactions that the copy lacks, but for those of ``without``; None on another timeline.

    Raises SqlError.
    """
    if copied.timeline is not None and int(session.value(_SEGMENT)[:8], _HEX) != copied.timeline:
        return None
    return int(session.value(_COUNT, (copied.since, list(copied.undone), list(without))))


def next_transaction(session: Session) -> int:
    """The id that the next transaction gets."""
    return int(session.value(_NEXT))
