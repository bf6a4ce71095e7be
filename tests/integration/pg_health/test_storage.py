# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is stored made bad for real: checksums, ages of ids, indexes, sequences, settings."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from tests.integration.pg_health.conftest import Watch, busy, own_server
from tests.integration.postgres import as_postgres, give_to_postgres

_PAGE = 8192
# Transaction ids, and multixacts, of which the server keeps the state in one file of this size.
_SEGMENT = 262_144
_XIDS = 1_048_576
_MULTIXACTS = 65_536


def test_checksums_are_off_and_then_find_a_page_that_is_damaged() -> None:
    with own_server() as watch:
        data = watch.server.directory / "data"
        if watch.server.connect().server_version >= 180000:
            _offline(watch, "pg_checksums", "--disable", "-D", str(data))
        row = watch.alike("checksums_off", "warning")
        assert row["seen"] == "data_checksums is off"
        _offline(watch, "pg_checksums", "--enable", "-D", str(data))
        watch.alike("checksums_off", "ok")

        watch.admin("CREATE TABLE notes AS SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i", "CHECKPOINT")
        watch.alike("checksum_failures", "ok")
        path = data / str(watch.admin("SELECT pg_relation_filepath('notes')")[0][0])
        watch.server.stop()
        page = bytearray(path.read_bytes())
        page[2 * _PAGE + 4000] ^= 0xFF
        path.write_bytes(page)
        watch.server.start()
        with pytest.raises(psycopg2.errors.DataCorrupted):
            watch.admin("SELECT count(*) FROM notes")
        watch.until("checksum_failures", lambda row: row["value"] == 1)
        row = watch.alike("checksum_failures", "critical")
        assert row["seen"].startswith("1 in postgres, the last one ")
        look = watch.look()
        assert look["verdict"] == "unhealthy"
        assert "take care of the backups" in look["reasons"][0]


def test_ids_near_their_end() -> None:
    with own_server(autovacuum="off", wal_level="logical") as watch:
        for name in ("xid_age", "mxid_age", "xid_freeze", "mxid_freeze"):
            watch.alike(name, "ok")
        # It holds the oldest rows of the catalogue, so that no forced vacuum makes the server young again.
        watch.admin("SELECT pg_create_logical_replication_slot('old', 'pgoutput')")
        _set_ids(watch, transaction=700_000_000)
        watch.alike("xid_age", "warning")
        row = watch.alike("xid_freeze", "warning")
        assert row["value"] > 3
        _set_ids(watch, transaction=1_500_000_000)
        row = watch.alike("xid_age", "critical")
        assert row["value"] == pytest.approx(1.5e9 / 2**31, rel=0.001)
        assert "that are 14999" in row["seen"] or "that are 15000" in row["seen"]


def test_multixacts_near_their_end() -> None:
    with own_server(autovacuum="off") as watch:
        # Its lock outlives the restart and stops the forced vacuum, which would make the server young again.
        lock = "LOCK TABLE notes IN SHARE UPDATE EXCLUSIVE MODE"
        watch.admin("CREATE TABLE notes (id int)", "BEGIN", lock, "PREPARE TRANSACTION 'old'")
        _set_ids(watch, multixact=700_000_000)
        watch.alike("mxid_age", "warning")
        watch.alike("mxid_freeze", "warning")
        _set_ids(watch, multixact=1_450_000_000)
        row = watch.alike("mxid_age", "critical")
        assert row["value"] == pytest.approx(1.45e9 / 2**31, rel=0.001)


def test_an_index_that_was_not_finished(watch: Watch) -> None:
    watch.alike("invalid_indexes", "ok")
    watch.admin("CREATE TABLE notes AS SELECT 1 AS id UNION ALL SELECT 1")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        watch.admin("CREATE UNIQUE INDEX CONCURRENTLY notes_id ON notes (id)")
    row = watch.alike("invalid_indexes", "warning")
    assert (row["value"], row["seen"]) == (1, "notes_id of table notes")
    watch.admin("DROP INDEX notes_id")
    watch.alike("invalid_indexes", "ok")


def test_an_index_that_is_being_built_is_no_fault(watch: Watch) -> None:
    watch.admin("CREATE TABLE notes AS SELECT 1 AS id")
    with closing(watch.server.connect(watch.database)) as holder, holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO notes VALUES (2)")
        with busy(watch, "CREATE INDEX CONCURRENTLY notes_id ON notes (id)"):
            watch.until("lock_waiters", lambda row: row["value"] == 1)
            assert watch.admin("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(1,)]
            watch.alike("invalid_indexes", "ok")


def test_sequences_near_their_end(watch: Watch) -> None:
    watch.admin(
        "CREATE TABLE notes (id int)",
        # A bigint sequence that fills an int column ends where the column does.
        "CREATE SEQUENCE note_ids OWNED BY notes.id",
        "CREATE SEQUENCE down INCREMENT -1 MINVALUE -100 MAXVALUE -1",
        "CREATE SEQUENCE around MAXVALUE 10 CYCLE",
        "SELECT setval('around', 10), setval('note_ids', 1000)",
    )
    row = watch.fact("sequence_used")
    assert (row["state"], row["reason"]) == ("unknown", "this login may not read all sequences")
    assert "pg_read_all_data" in row["hint"]
    assert watch.look(facts=["sequence_used"])["verdict"] == "healthy"
    assert watch.gate(["sequence_used"], seconds=2)["verdict"] == "inconclusive"
    watch.admin(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {watch.user}")
    watch.alike("sequence_used", "ok")
    watch.admin("SELECT setval('note_ids', 1700000000)")
    row = watch.alike("sequence_used", "warning")
    assert row["value"] == pytest.approx(1.7e9 / 2147483647)
    assert row["seen"] == "note_ids has given 1700000000"
    watch.admin("SELECT setval('down', -95)")
    row = watch.alike("sequence_used", "critical")
    assert (row["value"], row["seen"]) == (0.95, "down has given -95")


def test_a_setting_that_waits_for_a_restart(watch: Watch) -> None:
    watch.alike("pending_restart", "ok")
    try:
        watch.admin("ALTER SYSTEM SET max_connections = 41", "SELECT pg_reload_conf()")
        watch.until("pending_restart", lambda row: row["value"] == 1)
        assert watch.alike("pending_restart", "warning")["seen"] == "max_connections"
    finally:
        watch.admin("ALTER SYSTEM RESET max_connections", "SELECT pg_reload_conf()")
    watch.until("pending_restart", lambda row: row["value"] == 0)


def _offline(watch: Watch, program: str, *arguments: str) -> None:
    """Run a program of the server's while it is stopped."""
    watch.server.stop()
    subprocess.run([watch.server.bin / program, *arguments], check=True, stdout=subprocess.DEVNULL, **as_postgres())
    watch.server.start()


def _set_ids(watch: Watch, transaction: int | None = None, multixact: int | None = None) -> None:
    """Let the server go on at another id, as if all before it had been used."""
    data = watch.server.directory / "data"
    arguments = ["-D", str(data)]
    watch.server.stop()
    if transaction is not None:
        _zeros(data / "pg_xact" / f"{transaction // _XIDS:04X}")
        arguments += ["-x", str(transaction)]
    if multixact is not None:
        _zeros(data / "pg_multixact" / "offsets" / f"{multixact // _MULTIXACTS:04X}")
        arguments += ["-m", f"{multixact},1"]
    watch.server.start()
    _offline(watch, "pg_resetwal", *arguments)


def _zeros(path: Path) -> None:
    path.write_bytes(bytes(_SEGMENT))
    give_to_postgres(path)
