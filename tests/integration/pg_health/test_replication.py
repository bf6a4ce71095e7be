# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication and archiving made bad for real: slots, standbys, a command that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import psycopg2.extras
import pytest

from tests.integration.pg_health.conftest import Watch, own_server
from tests.integration.postgres import PASSWORD, SUPERUSER, Server

_WRITE = """CREATE TABLE IF NOT EXISTS written (t text);
    INSERT INTO written SELECT repeat('x', 1000) FROM generate_series(1, 2000)"""


def test_an_archive_command_that_fails_and_is_repaired(own: Watch) -> None:
    own.alike("archiver_failing", "ok")
    own.admin("CREATE TABLE notes (id int)", "SELECT pg_switch_wal()")
    own.until("archiver_failing", lambda row: row["value"] == 1)
    row = own.alike("archiver_failing", "critical")
    assert row["seen"].startswith("the last success was never, the last failure 2")
    bounds = {"archive_backlog": {"warning": 0}, "archive_age": {"warning": 0, "critical": 3600}}
    row = own.alike("archive_backlog", "warning", thresholds=bounds)
    assert row["value"] >= 1
    assert row["seen"].startswith("00000001")
    row = own.alike("archive_age", "warning", thresholds=bounds)
    assert row["value"] > 0
    own.alike("archive_age", "ok")
    own.alike("archive_backlog", "ok")
    look = own.look()
    assert look["verdict"] == "unhealthy"
    assert look["reasons"][0].startswith("Archiving of WAL fails: 1 is above 0 (critical); the last success was never")

    own.admin("ALTER SYSTEM SET archive_command = '/bin/true'", "SELECT pg_reload_conf()", "SELECT pg_switch_wal()")
    own.until("archiver_failing", lambda row: row["value"] == 0)
    own.until("archive_backlog", lambda row: row["value"] == 0)
    own.alike("archiver_failing", "ok")


def test_a_slot_without_a_reader_keeps_wal_until_it_is_lost(own: Watch) -> None:
    for name in ("slots_inactive", "slot_wal", "slot_status"):
        own.alike(name, "ok")
    own.admin("SELECT pg_create_physical_replication_slot('forgotten', true)", _WRITE)
    row = own.alike("slots_inactive", "warning")
    assert (row["value"], row["seen"]) == (1, "forgotten")
    own.alike("slot_wal", "ok")
    row = own.alike("slot_wal", "warning", thresholds={"slot_wal": {"warning": 1 << 20}})
    assert row["seen"] == "forgotten"
    own.alike("slot_status", "ok")
    # max_slot_wal_keep_size is 1 MB: what the slot needs goes with the next checkpoints.
    own.admin("SELECT pg_switch_wal()", _WRITE, "SELECT pg_switch_wal()", _WRITE, "CHECKPOINT")
    row = own.alike("slot_status", "critical")
    assert row["seen"] == "forgotten is lost"
    assert "build its reader anew" in own.look()["reasons"][0] + own.look()["reasons"][1]


@pytest.fixture
def pair() -> Iterator[tuple[Watch, Server]]:
    """A primary and its streaming standby."""
    with own_server() as watch:
        standby = watch.server.standby("spare")
        try:
            yield watch, standby
        finally:
            standby.remove()


def test_a_standby_and_its_primary(pair: tuple[Watch, Server]) -> None:
    primary, server = pair
    standby = Watch(server, primary.database, primary.user, primary.password)
    wanted = {"standbys": {"critical": 1}}
    primary.until("standbys", lambda row: row["value"] == 1)
    assert primary.alike("standbys", "ok", thresholds=wanted)["seen"] == "spare"
    for name in ("standbys_not_streaming", "standby_lag_bytes", "standby_lag", "slots_inactive"):
        primary.alike(name, "ok")

    standby.until("receiver", lambda row: row["value"] == 0)
    look = standby.look(role="standby", ignore=["checksums_off"])
    assert (look["verdict"], look["unknown"], look["server"]["role"]) == ("healthy", ["disk_free"], "standby")
    for name in ("not_in_recovery", "receiver", "replay_lag_bytes"):
        standby.alike(name, "ok")
    look = standby.look()
    assert look["verdict"] == "unhealthy"
    assert look["reasons"][0].startswith("Server in recovery where a primary is expected: 1 is above 0 (critical)")
    standby.alike("in_recovery", "critical")
    assert primary.alike("not_in_recovery", "critical")["seen"] == "it is a primary"

    _await_replay(primary, standby)
    standby.admin("SELECT pg_wal_replay_pause()")
    primary.admin(_WRITE)
    bound = {
        "replay_lag_bytes": {"warning": 1000},
        "standby_lag_bytes": {"warning": 1000},
        "standby_lag": {"warning": 0},
    }
    standby.until("replay_lag_bytes", lambda row: row["value"] > 1000)
    standby.alike("replay_lag_bytes", "warning", thresholds=bound)
    primary.until("standby_lag_bytes", lambda row: row["value"] > 1000)
    assert primary.alike("standby_lag_bytes", "warning", thresholds=bound)["seen"] == "spare"
    primary.alike("standby_lag_bytes", "ok")
    primary.until("standby_lag", lambda row: row["value"] > 0)
    primary.alike("standby_lag", "warning", thresholds=bound)
    standby.admin("SELECT pg_wal_replay_resume()")

    server.stop()
    primary.until("standbys", lambda row: row["value"] == 0)
    row = primary.alike("standbys", "critical", thresholds=wanted)
    assert primary.look(thresholds=wanted)["verdict"] == "unhealthy"
    assert "0 is below 1 (critical); none" in row["reason"]
    assert primary.alike("slots_inactive", "warning")["seen"] == "spare"


def test_a_standby_that_is_cut_off(pair: tuple[Watch, Server]) -> None:
    primary, server = pair
    standby = Watch(server, primary.database, primary.user, primary.password)
    standby.until("receiver", lambda row: row["value"] == 0)
    primary.server.stop()
    standby.until("receiver", lambda row: row["value"] == 1)
    row = standby.fact("receiver")
    assert (row["state"], row["seen"]) == ("critical", "it gets nothing from its primary")
    assert standby.gate(["receiver"])["verdict"] == "fail"


def test_a_replication_session_that_does_not_stream(watch: Watch) -> None:
    watch.alike("standbys_not_streaming", "ok")
    with closing(
        psycopg2.connect(
            host="127.0.0.1",
            port=watch.server.port,
            user=SUPERUSER,
            password=PASSWORD,
            application_name="starting",
            connection_factory=psycopg2.extras.PhysicalReplicationConnection,
        )
    ):
        row = watch.alike("standbys_not_streaming", "warning")
        assert row["seen"] == "starting is in state startup"


def _await_replay(primary: Watch, standby: Watch) -> None:
    """Wait until the standby has all that the primary had."""
    (position,) = primary.admin("SELECT pg_current_wal_lsn()")[0]
    standby.until(
        "replay_lag_bytes",
        lambda _row: bool(standby.admin(f"SELECT pg_last_wal_replay_lsn() >= '{position}'")[0][0]),
    )
