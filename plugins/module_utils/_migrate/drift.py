# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a database's catalogue is still what the last run has left: what else has changed it shows here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.golive.cutover.plugins.module_utils._core.call import Call
from ansible_collections.golive.cutover.plugins.module_utils._migrate.catalogue import Snapshot, snapshot
from ansible_collections.golive.cutover.plugins.module_utils._migrate.ledger import Ledger
from ansible_collections.golive.cutover.plugins.module_utils._pg.failures import SqlError
from ansible_collections.golive.cutover.plugins.module_utils._pg.session import Session

# A table of its own, so that a ledger that is older than it needs no change. The server compresses the text.
_CREATE = """
CREATE TABLE {catalogue} (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    recorded_at timestamptz NOT NULL,
    run_id text,
    server_major integer NOT NULL,
    ledger_state text NOT NULL,
    digest text NOT NULL,
    lines text NOT NULL
)"""
# A run that was killed, or that failed midway, has changed both the catalogue and the ledger, and recorded nothing.
_STATE = """
(SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce(pg_catalog.string_agg(
    pg_catalog.concat_ws(' ', place, state, statements_done, checksum_normal), ',' ORDER BY place), ''), 'UTF8')),
    'hex') FROM {ledger})"""
_KEEP = f"""
INSERT INTO {{catalogue}} (recorded_at, run_id, server_major, ledger_state, digest, lines)
VALUES (now(), %s, %s, {_STATE}, %s, %s)
ON CONFLICT (single) DO UPDATE SET (recorded_at, run_id, server_major, ledger_state, digest, lines)
    = (excluded.recorded_at, excluded.run_id, excluded.server_major, excluded.ledger_state, excluded.digest,
    excluded.lines)"""
_KEPT = f"""
SELECT digest, lines, to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS recorded_at,
    server_major = %s AND ledger_state = {_STATE} AS comparable FROM {{catalogue}}"""


@dataclass(frozen=True)
class CatalogueDrift:
    """``lines`` is a unified diff from what the last run has left to what there is, empty when nothing has changed.

    It is None when nothing can be said: no run has recorded the catalogue, one that did not end well has changed it
    since, the server was upgraded, or the catalogue cannot be read now. ``digest`` and ``recorded_digest`` are SHA-256
    in hex, ``recorded_at`` is ISO 8601 in UTC.
    """

    digest: str | None
    recorded_digest: str | None = None
    recorded_at: str | None = None
    lines: list[str] | None = None

    @property
    def count(self) -> int | None:
        """How many lines came, went or changed."""
        return None if self.lines is None else sum(one[:1] in ("+", "-") for one in self.lines)

    def row(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "digest": self.digest,
            "recorded_digest": self.recorded_digest,
            "recorded_at": self.recorded_at,
            "drifted": None if self.lines is None else bool(self.lines),
            "diff": self.lines or [],
        }


def catalogue_drift(call: Call, session: Session, ledger: Ledger) -> CatalogueDrift:
    """Compare the catalogue with what the last run has recorded. Raises SqlError."""
    return _compared(_kept(session, ledger), looked_at(call, session, ledger))


def drifted_lines(call: Call, session: Session, ledger: Ledger) -> int | None:
    """How many lines of the catalogue have changed since the last run, with a warning if any; None when unknown."""
    kept = _kept(session, ledger)
    if kept is None or not kept["comparable"]:
        return None
    found = _compared(kept, looked_at(call, session, ledger)).count
    if found:
        call.warn(
            f"The catalogue has changed since the run of {kept['recorded_at']} without a migration, in {found} lines;"
            " db_migrate_info shows them. The next run that changes something takes them as given."
        )
    return found


def looked_at(call: Call, session: Session, ledger: Ledger) -> Snapshot | None:
    """The catalogue, or a warning and None: that it cannot be read, as behind a lock, keeps no migration away."""
    try:
        return snapshot(session, ledger)
    except SqlError as error:
        if session.closed:
            raise
        call.warn(f"Reading the catalogue failed: {error.message}.")
        return None


def keep(call: Call, session: Session, ledger: Ledger, now: Snapshot, run_id: str | None) -> None:
    """Record what this run has left. What keeps it away is a warning: the migrations are done by then."""
    major = session.server_version // 10000
    try:
        # Not IF NOT EXISTS: that asks for the right to create even when the table is there.
        if not _exists(session, ledger):
            session.execute(ledger.sql(_CREATE))
        session.execute(ledger.sql(_KEEP), (run_id, major, now.digest, now.text))
    except SqlError as error:
        if session.closed:
            raise
        call.warn(f"Recording the catalogue in {ledger}_catalogue failed: {error.message}. Drift is not known then.")


def _compared(kept: Mapping[str, Any] | None, now: Snapshot | None) -> CatalogueDrift:
    digest = now.digest if now is not None else None
    if kept is None:
        return CatalogueDrift(digest)
    lines = Snapshot(kept["lines"]).diff(now) if kept["comparable"] and now is not None else None
    return CatalogueDrift(digest, kept["digest"], kept["recorded_at"], lines)


def _exists(session: Session, ledger: Ledger) -> bool:
    return bool(session.value("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", (ledger.sql("{catalogue}"),)))


def _kept(session: Session, ledger: Ledger) -> dict[str, Any] | None:
    if not ledger.exists(session) or not _exists(session, ledger):
        return None
    rows = session.rows(ledger.sql(_KEPT), (session.server_version // 10000,))
    return rows[0] if rows else None
