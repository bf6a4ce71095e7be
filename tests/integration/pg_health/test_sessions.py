# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions made bad for real: connections, transactions, locks, deadlocks."""

from __future__ import annotations

import re
from contextlib import ExitStack, closing

import psycopg2
import pytest

from tests.integration.pg_health.conftest import Watch, busy, own_server

ANY = {"warning": 0, "critical": 3600}


def test_connections_up_to_their_end() -> None:
    """Of 60 three are for superusers alone. A session that has just ended may still be counted."""
    with own_server(max_connections="60") as watch, ExitStack() as stack:

        def hold(number: int) -> None:
            for _one in range(number):
                stack.enter_context(closing(watch.server.connect()))

        watch.alike("connections", "ok")
        hold(46)
        row = watch.alike("connections", "warning")
        assert re.fullmatch(r"4[789] of 57 connections are taken, of which 3 more are reserved", row["seen"]), row
        hold(8)
        row = watch.alike("connections", "critical")
        assert row["value"] >= 55 / 57
        look = watch.look(facts=["connections"])
        assert look["verdict"] == "unhealthy"
        assert look["reasons"][0].startswith("Connections in use: "), look
        assert "is above 95 % (critical)" in look["reasons"][0]
        hold(3)
        full = watch.look()
        assert (full["verdict"], full["reachable"]) == ("unhealthy", False)
        assert "Close idle sessions" in full["reasons"][0]


def test_a_session_idle_in_a_transaction(watch: Watch) -> None:
    with closing(watch.server.connect(watch.database)) as session, session.cursor() as cursor:
        cursor.execute("SET application_name = 'forgetful'")
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1")
        row = watch.alike("idle_in_transaction", "warning", thresholds={"idle_in_transaction": ANY})
        assert f"pid {session.info.backend_pid} of user" in row["seen"]
        assert "application forgetful, idle in transaction" in row["seen"]
        assert watch.alike("idle_in_transaction", "ok")["value"] > 0
        oldest = watch.alike(
            "transaction_age", "critical", thresholds={"transaction_age": {"warning": 0, "critical": 0}}
        )
        assert f"pid {session.info.backend_pid} " in oldest["seen"]
    row = watch.until("idle_in_transaction", lambda row: row["value"] == 0)
    assert row["seen"] == "no session is idle in a transaction"


def test_a_query_that_runs_long(watch: Watch) -> None:
    with busy(watch, "SELECT pg_sleep(600)") as pid:
        watch.until("query_age", lambda row: f"pid {pid} " in row["seen"])
        watch.alike("query_age", "warning", thresholds={"query_age": ANY})
        watch.alike("query_age", "ok")


def test_who_waits_for_a_lock_and_who_blocks(watch: Watch) -> None:
    watch.admin("CREATE TABLE notes (id int)")
    with closing(watch.server.connect(watch.database)) as holder, holder.cursor() as cursor:
        cursor.execute("SET application_name = 'blocker'")
        cursor.execute("BEGIN")
        cursor.execute("LOCK TABLE notes")
        with busy(watch, "SELECT * FROM notes") as pid:
            watch.until("lock_waiters", lambda row: row["value"] == 1)
            bound = {"lock_wait": ANY, "lock_waiters": {"warning": 0}}
            assert watch.alike("lock_waiters", "warning", thresholds=bound)["seen"] == f"pid {pid}"
            row = watch.alike("lock_wait", "warning", thresholds=bound)
            assert row["seen"].startswith(f"pid {pid} of user golive_admin waits for pid {holder.info.backend_pid} ")
            assert "application blocker, idle in transaction" in row["seen"]
            assert "End it" in watch.fact("idle_in_transaction", thresholds={"idle_in_transaction": ANY})["hint"]
            watch.alike("lock_wait", "ok")
            watch.alike("lock_waiters", "ok")
    watch.until("lock_wait", lambda row: row["value"] == 0)


def test_deadlocks_an_hour(watch: Watch) -> None:
    before = watch.fact("deadlocks")["value"]
    watch.admin("CREATE TABLE pairs AS SELECT 1 AS id UNION SELECT 2")
    with closing(watch.server.connect(watch.database)) as first, first.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '10ms'")
        cursor.execute("BEGIN")
        cursor.execute("UPDATE pairs SET id = id WHERE id = 1")
        with busy(
            watch,
            "SET deadlock_timeout = '1h'",
            "BEGIN",
            "UPDATE pairs SET id = id WHERE id = 2",
            "UPDATE pairs SET id = id WHERE id = 1",
        ):
            watch.until("lock_waiters", lambda row: row["value"] == 1)
            with pytest.raises(psycopg2.errors.DeadlockDetected):
                cursor.execute("UPDATE pairs SET id = id WHERE id = 2")
    # One deadlock in what counts as ten minutes at least.
    row = watch.until("deadlocks", lambda row: row["value"] > before)
    assert 0 < row["value"] <= before + 6.001
    watch.alike("deadlocks", "warning", thresholds={"deadlocks": {"warning": 0}})
    watch.alike("deadlocks", "ok")
