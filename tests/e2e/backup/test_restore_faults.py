# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pg_restore`` when two want it, room is short, clocks differ, text sorts otherwise, or the store is bad or slow."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import pg_backup_info
from tests.e2e.backup.archiving import APP, Archiving, bring_up_archiving
from tests.e2e.backup.slow_store import slowed
from tests.e2e.backup.store import BUCKETS, flip, keys
from tests.e2e.backup.test_restore import left, live_rows, restore
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.verbs import call_verb

_QUICK: dict[str, Any] = {"prove": "start", "compare": []}


@pytest.fixture(scope="module")
def server(cluster: dict[str, str]) -> Iterator[Archiving]:
    """A server with a full backup, and rows that only the archive has."""
    name = f"golive-test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    server = bring_up_archiving(name)
    server.write(1000)
    server.back_up()
    server.write(1000)
    yield server
    kubectl("delete", "namespace", name, "--wait=false", check=False)


def an_hour_ago() -> datetime:
    """What a machine says whose clock is an hour late: to it, all that is stored lies in the future."""
    return datetime.now(timezone.utc) - timedelta(hours=1)


def test_of_two_at_once_the_second_is_refused_by_name(server: Archiving) -> None:
    claim: dict[str, Any] = {"storage": {"size": "1Gi", "class": None, "claim": "data-two"}, **_QUICK}
    with ThreadPoolExecutor() as pool:
        first = pool.submit(restore, server, "two", **claim)
        end = time.monotonic() + 60
        while "job.batch/two-" not in left(server):
            assert not first.done(), first.result()
            assert time.monotonic() < end, "the first one has not begun"
        before = left(server)
        with pytest.raises(GoliveError) as refused:
            restore(server, "two", **{**claim, "target": {"kind": "backup", "value": None}})
        assert left(server) == before
        done = first.result()
    assert refused.value.code == "restore_locked"
    assert refused.value.details["held_by"]["run_id"] == "two"
    assert "is at the restore two since" in str(refused.value)
    assert (done["level"], done["target"]["type"]) == (4, "default")
    # It is free again.
    assert not restore(server, "two", **claim)["changed"]


def test_too_little_room_is_refused_with_both_numbers(server: Archiving) -> None:
    with pytest.raises(GoliveError) as refused:
        restore(server, "small", storage={"size": "10Mi", "class": None, "claim": "data-small"})
    assert refused.value.code == "volume_too_small"
    listed = json.loads(server.run("pgbackrest", "--stanza=main", "info", "--output=json"))
    needed = listed[0]["backup"][-1]["info"]["size"]
    assert refused.value.details == {"needed": needed, "there": 10 << 20}
    assert f"would have {10 << 20} bytes, the database has {needed}" in str(refused.value)
    assert "data-small" not in left(server)


def test_a_clock_that_is_late_is_told(server: Archiving) -> None:
    told: list[str] = []
    planned = restore(server, "late", check_mode=True, date=an_hour_ago, warn=told.append)
    assert planned["changed"]
    assert [one for one in told if f"the end of {planned['backup']['id']}" in one and "in the future" in one], told
    asked = {"namespace": server.namespace, "app": APP, "repositories": [server.repository]}
    codes = [one["code"] for one in call_verb(pg_backup_info, **asked)["findings"]]
    late = call_verb(pg_backup_info, **asked, call_options={"date": an_hour_ago})
    assert "clock_skew" not in codes
    assert [one["code"] for one in late["findings"] if one["code"] not in codes] == ["clock_skew"] * 2, late


@pytest.mark.series
def test_with_a_late_clock_nobody_says_that_nothing_was_lost(server: Archiving) -> None:
    told: list[str] = []
    done = restore(server, "late", date=an_hour_ago, warn=told.append, **_QUICK)
    assert (done["level"], done["rpo_s"]) == (4, None)
    assert [one for one in told if "the last commit" in one], told
    assert restore(server, "right", **_QUICK)["rpo_s"] > 0


def test_text_that_sorts_otherwise_is_told_with_its_indexes(server: Archiving) -> None:
    # Two versions of the library in one image cannot be had: what the catalogue recorded is edited instead.
    server.sql('CREATE TABLE names (name text COLLATE "en-x-icu")', "CREATE INDEX names_sorted ON names (name)")
    server.sql("CREATE DATABASE sorted TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C'")
    server.sql("UPDATE pg_database SET datcollversion = '1' WHERE datname = 'sorted'")
    server.sql("UPDATE pg_collation SET collversion = '2' WHERE collname = 'en-x-icu'")
    server.switch()
    with pytest.raises(GoliveError) as unproven:
        restore(server, "sorted")
    server.sql("DROP DATABASE sorted", "DROP TABLE names")
    server.sql('ALTER COLLATION "en-x-icu" REFRESH VERSION')
    server.switch()
    assert (unproven.value.code, unproven.value.details["level"]) == ("restore_unproven", 4)
    faults = " ".join(unproven.value.details["faults"])
    assert "in database postgres the collation en-x-icu" in faults
    assert "1 of its indexes may lie: names_sorted" in faults
    assert "in database sorted the collation default" in faults


@contextmanager
def flipped(server: Archiving, *names: str) -> Iterator[None]:
    """One bit of each of these objects is another one meanwhile."""
    with server.store.client() as client:
        for name in names:
            flip(client, BUCKETS[0], name)
        try:
            yield
        finally:
            for name in names:
                flip(client, BUCKETS[0], name)


def of_backups(server: Archiving, name: str) -> list[str]:
    """Objects of that name and their copies, without those of the history."""
    with server.store.client() as client:
        found = keys(client, BUCKETS[0], "tests/notes/backup/main/")
    return [one for one in found if one.rpartition("/")[2] in (name, f"{name}.copy") and "/backup.history/" not in one]


def test_a_damaged_manifest_is_no_success(server: Archiving) -> None:
    before = live_rows(server)
    with flipped(server, *of_backups(server, "backup.manifest")), pytest.raises(GoliveError) as unproven:
        restore(server, "manifest", **_QUICK)
    assert (unproven.value.code, unproven.value.details["level"]) == ("restore_unproven", 2)
    with flipped(server, *of_backups(server, "backup.info")), pytest.raises(GoliveError) as refused:
        restore(server, "information", **_QUICK)
    assert refused.value.code in ("repository_unreadable", "repository_wrong_key", "no_backup"), refused.value
    assert live_rows(server) == before


@pytest.mark.series
def test_a_slow_store_only_takes_longer_and_ends_at_the_timeout(server: Archiving) -> None:
    fast = restore(server, "fast", **_QUICK)
    with slowed(server.store, 0.02):
        slow = restore(server, "slow", **_QUICK)
        with pytest.raises(GoliveError) as late:
            restore(server, "late", timeout=3.0, **_QUICK)
    assert (slow["level"], slow["reached_lsn"]) == (4, fast["reached_lsn"])
    assert slow["phases"]["fetch"] > fast["phases"]["fetch"]
    # Whoever sees it first tells: the wait for the Job, or the Job that has ended without a result.
    assert late.value.code == "timeout" or late.value.details["level"] == 2, late.value
    kubectl("-n", server.namespace, "wait", "--for=delete", "jobs", "--all", "--timeout=60s")
