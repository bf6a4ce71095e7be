# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Series of the exporter that the database tells: facts of its health, and how much of its tables is empty."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._core.series import Sample, Source, Told
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, connect, settings
from ansible_collections.golive.cutover.plugins.module_utils._postgres.bloat import BLOAT
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health import health, read_wish
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_catalogue import FACTS

_QUERY_S = 5.0
# It looks at the statistics of every column.
_BLOAT_S = 30.0
# Series to the fact of ``health_catalogue`` that it shows.
SHOWN: Mapping[str, str] = {
    "golive_pg_sequence_used_ratio": "sequence_used",
    "golive_pg_invalid_indexes": "invalid_indexes",
    "golive_pg_settings_pending_restart": "pending_restart",
}
RATIO, BYTES = "golive_pg_bloat_ratio", "golive_pg_bloat_bytes"


def read_facts(login: Mapping[str, str]) -> Told:
    """The facts of ``SHOWN``. Raises GoliveError for a server that does not answer, and for a wrong login."""
    asked = {"role": "primary", "facts": list(SHOWN.values()), "ignore": [], "required": [], "thresholds": {}}
    wish = read_wish({**asked, "timeout": _QUERY_S, "disk_free": None, "disk_size": None})
    told = health(Call(params={}), settings({**login, "connect_timeout": _QUERY_S}), wish, lambda: None)
    if not told["reachable"]:
        raise GoliveError("unreachable", told["reasons"][0])
    rows = {row["name"]: row for row in told["facts"]}
    samples = {
        fact: [Sample(series, rows[fact]["value"])] if rows[fact]["value"] is not None else []
        for series, fact in SHOWN.items()
    }
    # What a login may not see is known to be unknown; a query that failed is a fault.
    missing = {name: row["reason"] for name, row in rows.items() if row["value"] is None}
    faults = {name: reason for name, reason in missing.items() if reason != FACTS[name].unseen}
    return Told(samples, faults)


def read_bloat(login: Mapping[str, str]) -> Told:
    """Share and bytes by table. Raises GoliveError as ``connect`` and SqlError."""
    where = settings({**login, "connect_timeout": _QUERY_S})
    limits = Limits(lock=1.0, statement=_BLOAT_S)
    samples = []
    with connect(Call(params={}), where, limits=limits, read_only=True, application_name="golive exporter") as session:
        for row in session.rows(BLOAT):
            labels = {"datname": row["datname"], "relname": row["relname"]}
            samples += [Sample(RATIO, row["ratio"], labels), Sample(BYTES, row["bytes"], labels)]
    return Told({"bloat": samples})


SOURCES = (
    Source(tuple(SHOWN.values()), frozenset(SHOWN), 30, 120, read_facts),
    # Nothing of it changes before the next VACUUM or ANALYZE.
    Source(("bloat",), frozenset({RATIO, BYTES}), 300, 900, read_bloat),
)
