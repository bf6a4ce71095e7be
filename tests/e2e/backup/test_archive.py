# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role ``postgres`` with an archive: switched on for a server that runs, and the store away."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import backup_stanza
from tests.e2e.backup.store import BUCKETS, ClusterStore, bring_up, keys
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.verbs import call_verb
from tests.e2e.postgres.test_embedded import Embedded, Ran

IMAGE = {"postgres_image": "golive.test/postgres-backup", "postgres_version": "17"}
CREATED = "SELECT pg_postmaster_start_time()"
FAILED, ARCHIVED = (f"SELECT {what}_count FROM pg_stat_archiver" for what in ("failed", "archived"))


class Archiving(Embedded):
    """The role with an archive in a store of the same namespace."""

    def archive(self, store: ClusterStore, *arguments: str, **variables: Any) -> Ran:
        return self.play(*arguments, **IMAGE, postgres_repositories=[store.repository()], **variables)

    def sidecar(self, *command: str) -> str:
        return kubectl("-n", self.namespace, "exec", "shop-postgres-0", "-c", "backup-server", "--", *command)

    def stanza(self, **options: Any) -> dict[str, Any]:
        result = call_verb(backup_stanza, namespace=self.namespace, app="shop", **options)
        assert not result.get("failed"), result
        return result


@pytest.fixture(scope="module")
def server(cluster: dict[str, str]) -> Iterator[Archiving]:
    made = Archiving(f"golive-archive-{secrets.token_hex(4)}")
    kubectl("create", "namespace", made.namespace)
    yield made
    kubectl("delete", "namespace", made.namespace, "--wait=false", check=False)


@pytest.fixture(scope="module")
def store(server: Archiving) -> ClusterStore:
    return bring_up(server.namespace)


@pytest.fixture(scope="module")
def archiving(server: Archiving, store: ClusterStore) -> Archiving:
    """A server that ran without an archive, and has got one."""
    made = server.play(**IMAGE)
    assert made.code == 0, made.output
    began = server.sql(CREATED)
    refused = server.archive(store)
    assert refused.code != 0
    assert "Run again with postgres_restart=true" in " ".join(refused.output.split())
    assert server.sql(CREATED) == began
    switched = server.archive(store, postgres_restart=True)
    assert switched.code == 0, switched.output
    assert server.sql("SHOW archive_mode") == "on"
    for arguments in (("--check",), ()):
        again = server.archive(store, *arguments)
        assert (again.code, again.changed) == (0, 0), again.output
    return server


def test_what_is_written_arrives_encrypted(archiving: Archiving, store: ClusterStore) -> None:
    archiving.sidecar("pgbackrest", "--stanza=main", "check")
    segment = archiving.sql("SELECT last_archived_wal FROM pg_stat_archiver")
    with store.client() as client:
        (key,) = [name for name in keys(client, BUCKETS[0]) if f"/{segment}-" in name]
        assert key.startswith(f"{archiving.namespace}/shop/archive/main/17-1/")
        assert client.get_object(Bucket=BUCKETS[0], Key=key)["Body"].read().startswith(b"Salted__")


def test_quartet_of_the_stanza(archiving: Archiving) -> None:
    take_away = " && ".join(f"pgbackrest --stanza=main {word}" for word in ("stop", "stanza-delete --force", "start"))
    archiving.sidecar("sh", "-c", take_away)
    for check in (True, True, False):
        made = archiving.stanza(check=check, diff=True)
        assert (made["changed"], made["created"]) == (True, [1])
        assert '"repository 1": "absent"' in made["diff"][0]["before"]
    for check in (True, False):
        again = archiving.stanza(check=check, diff=True)
        assert (again["changed"], again["created"], again["diff"]) == (False, [], [])
    archiving.sidecar("pgbackrest", "--stanza=main", "check")


@pytest.mark.series
def test_another_place_is_begun_before_the_play_ends(archiving: Archiving, store: ClusterStore) -> None:
    moved = archiving.play(**IMAGE, postgres_repositories=[store.repository(path="/elsewhere")])
    assert moved.code == 0, moved.output
    archiving.sidecar("pgbackrest", "--stanza=main", "check")
    with store.client() as client:
        assert any(name.startswith("elsewhere/archive/main/") for name in keys(client, BUCKETS[0]))
    back = archiving.archive(store)
    assert back.code == 0, back.output


@pytest.mark.faults
@pytest.mark.series
def test_a_store_that_is_away_does_not_touch_the_server(archiving: Archiving, store: ClusterStore) -> None:
    archiving.sql("CREATE TABLE ledger (n int)")
    began, failed = archiving.sql(CREATED), int(archiving.sql(FAILED))
    with store.outage():
        archiving.sql("INSERT INTO ledger SELECT generate_series(1, 1000); SELECT pg_switch_wal()")
        # Each failure is counted; a crash would begin to count anew.
        _await(lambda: int(archiving.sql(FAILED)) >= failed + 2, 120)
        archiving.sql("INSERT INTO ledger SELECT generate_series(1, 1000)")
        looked = call_verb(backup_stanza, namespace=archiving.namespace, app="shop", check=True)
        assert looked["code"] == "repository_unreadable"
    archived = int(archiving.sql(ARCHIVED))
    _await(lambda: int(archiving.sql(ARCHIVED)) > archived, 120)
    assert archiving.sql(CREATED) == began
    assert "terminating any other active server processes" not in kubectl(
        "-n", archiving.namespace, "logs", "shop-postgres-0"
    )
    restarts = "{.status.containerStatuses[*].restartCount} {.status.initContainerStatuses[*].restartCount}"
    assert archiving.get("pod/shop-postgres-0", restarts) == "0 0"


def _await(reached: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"not reached within {seconds} s"
        time.sleep(1)
