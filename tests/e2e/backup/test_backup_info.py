# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pg_backup_info`` on a real server with a real repository: whole, and with each damage that the engine misses."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import pg_backup_info
from tests.e2e.backup.store import BUCKETS, KEYS, ClusterStore, bring_up, flip, keys
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.verbs import call_verb
from tests.e2e.postgres.test_embedded import Embedded
from tests.integration.s3 import SECRET_KEY

BUCKET = BUCKETS[0]


@dataclass(frozen=True)
class Backed:
    """A server that archives into one repository, with a backup and some segments behind it."""

    server: Embedded
    store: ClusterStore

    @property
    def namespace(self) -> str:
        return self.server.namespace

    @property
    def path(self) -> str:
        return f"/{self.namespace}/shop"

    @property
    def archive(self) -> str:
        """What the names of its WAL begin with."""
        return f"{self.path[1:]}/archive/main/17-1/"

    def sidecar(self, *command: str) -> str:
        return kubectl("-n", self.namespace, "exec", "shop-postgres-0", "-c", "backup-server", "--", *command)

    def info(self, login: bool = True, **options: Any) -> dict[str, Any]:
        """The verb's result; its secrets are in none of it."""
        if login:
            options["postgresql"] = {
                "database": "shop",
                "sslmode": "require",
                "password_secret": {"name": "shop-postgres", "key": "password", "user_key": "username"},
            }
            options["tunnel"] = {"namespace": self.namespace, "service": "shop-postgres"}
        repository = self.store.repository(path=self.path, tunnel=self.store.tunnel)
        options = {"namespace": self.namespace, "app": "shop", "repositories": [repository], **options}
        result = call_verb(pg_backup_info, **options)
        text = json.dumps(result)
        assert SECRET_KEY not in text
        assert self.cipher not in text
        return result

    @property
    def cipher(self) -> str:
        return kubectl(
            *("-n", self.namespace, "get", "secret", "shop-postgres-backup-key"),
            "-o=go-template={{.data.cipher | base64decode}}",
        )

    def codes(self, **options: Any) -> list[str]:
        """Codes of the findings; the engine itself finds nothing."""
        return [row["code"] for row in self.info(**options)["findings"]]

    def engine_says_ok(self) -> bool:
        (stanza,) = json.loads(self.sidecar("pgbackrest", "--stanza=main", "info", "--output=json"))
        return bool(stanza["status"]["code"] == 0)

    @contextmanager
    def changed(self, key: str) -> Iterator[Any]:
        """A client for damaging one object, which is as before afterwards."""
        with self.store.client() as client:
            before = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            try:
                yield client
            finally:
                client.put_object(Bucket=BUCKET, Key=key, Body=before)


@pytest.fixture(scope="module")
def backed(cluster: dict[str, str]) -> Iterator[Backed]:
    server = Embedded(f"golive-info-{secrets.token_hex(4)}")
    kubectl("create", "namespace", server.namespace)
    made = Backed(server, bring_up(server.namespace))
    repository = made.store.repository(path=made.path)
    image = {"postgres_image": "golive.test/postgres-backup", "postgres_version": "17"}
    ran = server.play(**image, postgres_archive=True, postgres_repositories=[repository])
    assert ran.code == 0, ran.output
    server.sql("CREATE TABLE kept (n int)")
    made.sidecar("pgbackrest", "--stanza=main", "backup", "--type=full", "--repo=1", "--annotation=run=r1")
    for number in range(3):
        server.sql(f"INSERT INTO kept VALUES ({number})")
        server.sql("SELECT pg_switch_wal()")
    made.sidecar("pgbackrest", "--stanza=main", "check")
    yield made
    kubectl("delete", "namespace", server.namespace, "--wait=false", check=False)


def segments(backed: Backed) -> list[str]:
    """Keys of all segments, oldest first."""
    with backed.store.client() as client:
        return [key for key in keys(client, BUCKET, backed.archive) if key.endswith(".zst")]


def test_quartet_of_a_whole_repository(backed: Backed) -> None:
    stored = segments(backed)
    for check in (True, False, True, False):
        result = backed.info(check=check)
        assert not result.get("failed"), result
        assert result["findings"] == []
        assert (result["ok"], result["changed"], result["locked"]) == (True, False, False)
    (repository,) = result["repositories"]
    (backup,) = repository["backups"]
    assert (backup["kind"], backup["run"], backup["missing_wal"], backup["on_line"]) == ("full", "r1", None, True)
    assert repository["restorable"]["backup"] == backup["id"]
    assert stored[-1].rpartition("/")[2].startswith(repository["restorable"]["wal"])
    assert repository["wal"]["segments"] == len(stored)
    assert repository["key"] == {"canary": "absent", "repository": "ok"}
    # The check has switched to a new segment, so that at most this one is not there yet.
    assert 0 <= repository["lag"]["bytes"] <= 16 << 20
    without = backed.info(login=False)
    assert (without["ok"], without["repositories"][0]["lag"]) == (True, None)


def test_a_deleted_segment_is_found_where_the_engine_finds_nothing(backed: Backed) -> None:
    gone = segments(backed)[-2]
    with backed.changed(gone) as client:
        client.delete_object(Bucket=BUCKET, Key=gone)
        assert backed.engine_says_ok()
        result = backed.info()
    assert result["ok"] is False
    assert [row["code"] for row in result["findings"]] == ["wal_missing"]
    assert gone.rpartition("/")[2][:24] in result["findings"][0]["message"]
    (repository,) = result["repositories"]
    assert repository["restorable"] is None
    assert repository["ranges"][0]["wal"] < gone.rpartition("/")[2][:24]
    assert backed.info()["ok"] is True


def test_the_newest_segment_is_missed_because_the_server_knows_of_it(backed: Backed) -> None:
    newest = segments(backed)[-1]
    with backed.changed(newest) as client:
        client.delete_object(Bucket=BUCKET, Key=newest)
        assert backed.codes() == ["wal_lost"]
        assert backed.codes(login=False) == []


def test_other_damages_are_found(backed: Backed) -> None:
    empty, twice = segments(backed)[-2:]
    with backed.changed(empty) as client:
        client.put_object(Bucket=BUCKET, Key=empty, Body=b"")
        assert backed.codes() == ["wal_odd"]
    with backed.store.client() as client:
        other = twice.replace(twice[-44:-4], "0" * 40)
        client.put_object(Bucket=BUCKET, Key=other, Body=b"x" * 5000)
        assert backed.codes() == ["wal_odd"]
        client.delete_object(Bucket=BUCKET, Key=other)
    copy = f"{backed.path[1:]}/backup/main/backup.info.copy"
    with backed.changed(copy) as client:
        client.delete_object(Bucket=BUCKET, Key=copy)
        assert backed.engine_says_ok()
        assert backed.codes() == ["info_file_damaged"]
    foreign = f"{backed.archive}00000005.history"
    with backed.store.client() as client:
        client.put_object(Bucket=BUCKET, Key=foreign, Body=b"1\t0/5000000\tx\n")
        assert backed.engine_says_ok()
        assert backed.codes() == ["timeline_unknown"]
        client.delete_object(Bucket=BUCKET, Key=foreign)
    info = f"{backed.path[1:]}/archive/main/archive.info"
    with backed.changed(info) as client:
        flip(client, BUCKET, info, 20)
        assert "repository_wrong_key" in backed.codes()
    assert backed.codes() == []


def test_what_cannot_be_reached_is_told_and_hides_nothing_else(backed: Backed) -> None:
    right = {"name": KEYS, "key": "access_key", "secret_key": "secret_key"}
    repository = backed.store.repository(path=backed.path, tunnel=backed.store.tunnel)
    wrong = [{**repository, "secret": {**right, "secret_key": "access_key"}}]
    assert backed.codes(repositories=wrong) == ["key_wrong"]
    assert backed.codes(repositories=[{**repository, "bucket": "nowhere-at-all"}]) == ["no_bucket"]
    assert backed.codes(repositories=[{**repository, "ca_secret": None}]) == ["ca_unknown"]
    assert backed.codes(key_secret="nothing") == ["not_found"]
    two = backed.info(repositories=[repository, {**repository, "bucket": BUCKETS[1]}])
    assert {(row["repository"], row["code"]) for row in two["findings"]} == {
        (2, code) for code in ("no_repository", "no_archive", "info_file_damaged", "repository_absent", "wal_lost")
    }
    assert two["repositories"][0]["restorable"]
    elsewhere = backed.info(app="nobody", login=False, key_secret="shop-postgres-backup-key")
    assert elsewhere["ok"] is False
    assert elsewhere["findings"][0]["part"] == "engine"
    assert elsewhere["repositories"][0]["wal"]["segments"] > 0
