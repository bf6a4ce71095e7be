# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry over what has changed in the source since it was copied: chunks whose rows are others are sent again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session
from ansible_collections.golive.cutover.plugins.module_utils._sqlite import ledger
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.chunks import Chunk
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.ledger import Done, transaction
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.plan import Plan
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.pool import Pool
from ansible_collections.golive.cutover.plugins.module_utils._sqlite.work import digest_worker


def stale_chunks(call: Call, plan: Plan, done: Mapping[tuple[str, int], Done], processes: int) -> list[Chunk]:
    """The chunks that were sent and are not what the snapshot has now; of tables without a key all or none."""
    sent = [chunk for row in plan.chunks.values() for chunk in row if (chunk.table, chunk.number) in done]
    if not sent:
        return []
    found: list[Chunk] = []
    count = 0

    def took(chunk: Chunk, one: tuple[int, str]) -> None:
        nonlocal count
        count += 1
        known = done[chunk.table, chunk.number]
        if one != (known.rows, known.digest):
            found.append(chunk)
        call.progress(f"comparing {chunk.table}", count, len(sent))

    make = partial(digest_worker, plan.snapshot.path, plan.targets)
    with Pool(call, min(processes, len(sent)), make) as pool:
        pool.run(sent, took)
    whole = {chunk.table for chunk in found if not plan.targets[chunk.table].ordered}
    return [chunk for chunk in sent if chunk in found or chunk.table in whole]


def remove(call: Call, session: Session, plan: Plan, number: int, stale: list[Chunk]) -> None:
    """Delete the rows of these chunks, each with its record; the foreign keys must be gone."""
    emptied = set()
    for at, chunk in enumerate(stale):
        target = plan.targets[chunk.table]
        call.progress(f"removing old rows of {chunk.table}", at, len(stale))
        if chunk.table in emptied:
            continue
        with transaction(session):
            if target.ordered and chunk.low is not None:
                session.execute(f"DELETE FROM {target.place} WHERE {target.key} BETWEEN {chunk.low} AND {chunk.high}")
                ledger.drop_chunks(session, number, chunk.table, chunk.number)
            else:
                emptied.add(chunk.table)
                session.execute(f"DELETE FROM {target.place}")
                ledger.drop_chunks(session, number, chunk.table, None)
