# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server itself says of its WAL, for comparing with a repository."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ansible_collections.golive.cutover.plugins.module_utils._backup.wal_names import lsn_number
from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, connect
from ansible_collections.golive.cutover.plugins.module_utils._reach.database import reached

_ASK = """
SELECT
    pg_catalog.pg_is_in_recovery() AS standby,
    CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
        ELSE pg_catalog.pg_current_wal_lsn() END::text AS lsn,
    CASE WHEN NOT pg_catalog.pg_is_in_recovery()
        THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END AS segment,
    (SELECT setting::bigint FROM pg_catalog.pg_settings WHERE name = 'wal_segment_size') AS segment_bytes,
    (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'archive_timeout') AS archive_timeout_s,
    pg_catalog.current_setting('archive_mode') <> 'off' AS archives,
    archiver.last_archived_wal AS archived,
    CASE WHEN archiver.last_failed_time > coalesce(archiver.last_archived_time, '-infinity')
        THEN archiver.last_failed_wal END AS failing,
    pg_catalog.clock_timestamp() AS now
FROM pg_catalog.pg_stat_archiver AS archiver"""
_STATEMENT_S = 10.0


@dataclass(frozen=True)
class ServerWal:
    """``lsn`` is the newest position that is written, ``now`` the server's clock; a standby has no ``timeline``.

    ``archives`` is whether it archives at all, ``archived`` what it has archived last, and ``failing`` what it fails to
    archive since.
    """

    lsn: int
    timeline: int | None
    segment_bytes: int
    now: datetime
    archive_timeout_s: int = 0
    archives: bool = True
    archived: str | None = None
    failing: str | None = None


def read_server(call: Call) -> ServerWal:
    """Ask the server that the options ``postgresql`` and ``tunnel`` name; raises GoliveError as ``reached``."""
    limits = Limits(statement=_STATEMENT_S)
    with reached(call) as reach, connect(reach.call, reach.where, limits=limits, read_only=True) as session:
        (row,) = session.rows(_ASK)
    segment = row["segment"]
    return ServerWal(
        lsn=lsn_number(row["lsn"]),
        timeline=int(segment[:8], 16) if segment else None,
        segment_bytes=int(row["segment_bytes"]),
        now=row["now"],
        archive_timeout_s=row["archive_timeout_s"],
        archives=row["archives"],
        archived=row["archived"],
        failing=row["failing"],
    )
