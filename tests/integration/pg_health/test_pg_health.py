# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``pg_health`` on a real PostgreSQL: what it needs, what it refuses, and what it says of a server away."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import settings
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health import Wish, health
from ansible_collections.golive.cutover.plugins.module_utils._postgres.health_catalogue import FACTS
from ansible_collections.golive.cutover.plugins.modules import pg_health
from tests.integration.pg_health.conftest import Watch, own_server
from tests.integration.postgres import free_port

# Of a server without checksums, so that these tests judge the same whatever initdb has done.
USUAL = {"ignore": ["checksums_off"]}
NO_NUMBERS = ("value", "seen")


def test_check_run_check_run(watch: Watch) -> None:
    looks = [watch.look(check_mode=check_mode, **USUAL) for check_mode in (True, False, True, False)]
    for look in looks:
        assert (look["changed"], look["verdict"], look["reasons"]) == (False, "healthy", []), look
        assert [row["name"] for row in look["facts"]] == [row["name"] for row in looks[0]["facts"]]
    assert watch.admin("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'golive health'") == [(0,)]


def test_pg_monitor_alone_sees_every_fact_that_sql_tells(watch: Watch) -> None:
    assert watch.admin(
        "SELECT rolsuper, (SELECT count(*) FROM pg_auth_members WHERE member = r.oid) FROM pg_roles r"
        f" WHERE rolname = '{watch.user}'"
    ) == [(False, 1)]
    look = watch.look()
    assert look["unknown"] == ["disk_free"]
    assert {row["name"] for row in look["facts"]} == {name for name, fact in FACTS.items() if fact.role != "standby"}
    assert look["server"]["login"] == watch.user
    assert look["server"]["role"] == "primary"
    major = watch.server.connect().server_version // 10000
    assert look["server"]["version"].startswith(f"{major}.")


def test_a_login_without_rights_knows_little_and_says_so_once(watch: Watch) -> None:
    watch.admin(f"REVOKE pg_monitor FROM {watch.user}")
    look = watch.look(**USUAL)
    hidden = [name for name, fact in FACTS.items() if fact.monitor and fact.role != "standby"]
    assert look["verdict"] == "degraded"
    assert set(hidden) <= set(look["unknown"])
    (reason,) = look["reasons"]
    assert reason.startswith("Not known: connections, ")
    assert reason.endswith(f"has not the rights of pg_monitor. GRANT pg_monitor TO {watch.user}.")
    gate = watch.gate(["connections"], seconds=3)
    assert (gate["verdict"], gate["reasons"]) == ("inconclusive", ["no_data"])


def test_every_fact_passes_a_gate_on_a_healthy_server(watch: Watch) -> None:
    names = [name for name, fact in FACTS.items() if fact.sql and fact.role != "standby"]
    names = [name for name in names if name not in ("standbys", "checksums_off")]
    gate = watch.gate(names, fails_at="warning")
    assert gate["verdict"] == "pass"
    assert [check["name"] for check in gate["checks"]] == [f"pg_{name}" for name in names]


def test_the_verdict_fails_the_task_only_when_asked(watch: Watch) -> None:
    degraded = {"facts": ["sequence_used", "disk_free"], "required": ["disk_free"]}
    look = watch.look(**degraded)
    assert look["verdict"] == "degraded"
    (reason,) = look["reasons"]
    assert reason.startswith("Not known: disk_free; no SQL tells it. Give disk_free, or reach the server's pod by a ")
    assert watch.look(**degraded, fail_on="unhealthy")["verdict"] == "degraded"
    with pytest.raises(GoliveError) as caught:
        watch.look(**degraded, fail_on="degraded")
    assert caught.value.code == "degraded"
    assert caught.value.details["facts"] == look["facts"]
    unhealthy = {"facts": ["disk_free"], "disk_free": 5, "disk_size": 100}
    for fail_on in ("degraded", "unhealthy"):
        with pytest.raises(GoliveError) as caught:
            watch.look(**unhealthy, fail_on=fail_on)
        assert caught.value.code == "unhealthy"


@pytest.mark.parametrize(("free", "state"), [(24, "warning"), (9, "critical"), (10, "warning"), (25, "ok"), (60, "ok")])
def test_room_on_the_volume(watch: Watch, free: int, state: str) -> None:
    row = watch.fact("disk_free", disk_free=free << 20, disk_size=100 << 20)
    assert (row["state"], row["value"]) == (state, free / 100)
    assert row["seen"] == f"{free}.0 MiB of 100.0 MiB are free"


def test_room_on_a_volume_of_unknown_size_counts_what_the_server_has(watch: Watch) -> None:
    data = int(watch.admin("SELECT sum(pg_database_size(oid)) FROM pg_database")[0][0])
    row = watch.fact("disk_free", disk_free=1 << 20)
    assert row["state"] == "critical"
    assert 0 < row["value"] < (1 << 20) / data


def test_wrong_settings_are_all_refused_at_once(watch: Watch) -> None:
    with pytest.raises(GoliveError) as caught:
        watch.look(
            facts=["conections", "receiver"],
            ignore=["locks"],
            thresholds={"nothing": {}, "lock_wait": {"warn": 1}, "xid_age": {"warning": 0.9, "critical": 0.1}},
            timeout=0,
        )
    assert caught.value.code == "invalid"
    assert caught.value.details["faults"] == [
        "thresholds: there is no fact 'nothing'",
        "thresholds.lock_wait: 'warn' is neither warning nor critical",
        "thresholds.xid_age: the critical bound must be above the warning one",
        "facts: there is no fact 'conections'",
        "facts: receiver is a fact of a standby, and role is primary",
        "ignore: there is no fact 'locks'",
        "timeout must be greater than 0",
    ]
    assert "lock_waiters" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("option", "code"), [({"password": "wrong-4711"}, "auth_failed"), ({"database": "nowhere"}, "database_missing")]
)
def test_a_wrong_login_is_an_error_and_no_verdict(watch: Watch, option: dict[str, str], code: str) -> None:
    with pytest.raises(GoliveError) as caught:
        watch.look(postgresql={**watch.postgresql, **option})
    assert caught.value.code == code


def test_a_server_away_is_unhealthy_with_the_cause(watch: Watch) -> None:
    away = {"postgresql": {**watch.postgresql, "port": free_port(), "connect_timeout": 2}}
    look = watch.look(**away)
    assert (look["verdict"], look["reachable"], look["changed"]) == ("unhealthy", False, False)
    assert "refused" in look["reasons"][0]
    assert {row["state"] for row in look["facts"]} == {"unknown"}
    assert look["unknown"] == [row["name"] for row in look["facts"]]
    assert set(look["server"].values()) == {None}
    with pytest.raises(GoliveError) as caught:
        watch.look(**away, fail_on="unhealthy")
    assert caught.value.code == "unhealthy"


def test_a_server_that_dies_midway_is_unhealthy_and_what_was_seen_stays() -> None:
    with own_server() as watch:

        def killed(text: str, done: int | None, total: int | None) -> None:
            if done == 3:
                watch.server.stop(signal.SIGQUIT)

        look = pg_health.run(call_for_tests(watch.params(), show=killed))
    assert (look["verdict"], look["reachable"]) == ("unhealthy", False)
    assert [row["state"] for row in look["facts"][:4]] == ["ok", "ok", "ok", "unknown"]
    assert look["server"]["login"] == watch.user


def test_a_fact_that_takes_too_long_is_unknown_and_the_others_count(watch: Watch) -> None:
    slow = replace(FACTS["slot_wal"], sql="SELECT 0::float8, pg_catalog.pg_sleep(60)::text")
    wish = Wish([slow, FACTS["lock_waiters"]], (), 0.5, None, None)
    look = health(call_for_tests({}), settings(watch.postgresql), wish, lambda: None)
    assert [row["state"] for row in look["facts"]] == ["unknown", "ok"]
    assert look["verdict"] == "degraded"
    assert look["reasons"] == ["Not known: slot_wal; no answer within 0.5 s. Raise timeout, or ask again."]


def test_a_fact_behind_a_lock_is_unknown_and_the_others_count(watch: Watch) -> None:
    watch.admin("CREATE SEQUENCE numbers", f"GRANT SELECT ON numbers TO {watch.user}")
    holder = watch.server.connect(watch.database)
    with holder.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("ALTER SEQUENCE numbers RESTART")
        look = watch.look(facts=["sequence_used", "lock_waiters"], required=["sequence_used"], timeout=0.5)
    holder.close()
    assert look["unknown"] == ["sequence_used"]
    assert look["verdict"] == "degraded"
    assert "timeout" in look["reasons"][0] or "no answer" in look["reasons"][0]
