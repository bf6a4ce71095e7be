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
    pg_catalog.clock_timestamp() AS now"""
_STATEMENT_S = 10.0


@dataclass(frozen=True)
class ServerWal:
    """``lsn`` is the newest position that is written, ``now`` the server's clock; a standby has no ``timeline``."""

    lsn: int
    timeline: int | None
    segment_bytes: int
    now: datetime


def read_server(call: Call) -> ServerWal:
    """Ask the server that the options ``postgresql`` and ``tunnel`` name; raises GoliveError as ``reached``."""
    limits = Limits(statement=_STATEMENT_S)
    with reached(call) as reach, connect(reach.call, reach.where, limits=limits, read_only=True) as session:
        (row,) = session.rows(_ASK)
    segment = row["segment"]
    return ServerWal(
        lsn_number(row["lsn"]), int(segment[:8], 16) if segment else None, int(row["segment_bytes"]), row["now"]
    )
