# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Series of the exporter that the ledger tells: the newest migration, and every one that has not ended.

One that is under way holds the mutex. Without anybody who holds it, what has not ended has failed or was killed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._core.series import Sample, Source, Told
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._migrate.mutex import Mutex
from ansible_collections.golive.cutover.plugins.module_utils._migrate.plan import Applied
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import Limits, connect, settings

_QUERY_S = 5.0
# Where the role migrate keeps it.
_LEDGER = Ledger("golive", "migrations")
_STATES = ("applied", "running", "failed")
STATE, STARTED = "golive_migration_state", "golive_migration_started_timestamp_seconds"


def read_migrations(login: Mapping[str, str]) -> Told:
    """The series of ``samples_of``; none without a ledger. Raises GoliveError as ``connect`` and ``Ledger.read``."""
    where = settings({**login, "connect_timeout": _QUERY_S})
    limits = Limits(lock=1.0, statement=_QUERY_S)
    with connect(Call(params={}), where, limits=limits, read_only=True, application_name="golive exporter") as session:
        # Asked first: whoever ends in between has written its row by then.
        busy = Mutex(_LEDGER).holder(session) is not None
        return Told({"migrations": samples_of(_LEDGER.read(session), busy)})


def samples_of(rows: Sequence[Applied], busy: bool) -> list[Sample]:
    """State and beginning of the last row and of all that have not ended; ``busy`` says that somebody migrates."""
    samples = []
    for row in rows:
        ended = row.state == "applied"
        if ended and row is not rows[-1]:
            continue
        labels = {"migration": row.file or row.version}
        now = "applied" if ended else "running" if busy else "failed"
        samples += [Sample(STATE, float(one == now), {**labels, "state": one}) for one in _STATES]
        if row.started_at:
            began = datetime.fromisoformat(row.started_at.replace("Z", "+00:00")).timestamp()
            samples.append(Sample(STARTED, began, labels))
    return samples


SOURCES = (Source(("migrations",), frozenset({STATE, STARTED}), 30, 120, read_migrations),)
