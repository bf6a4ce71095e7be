# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two repositories, one of which is damaged or gone; and objects that were deleted with stolen keys of the store."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.modules import pg_backup_info
from tests.e2e.backup.archiving import CONFIGURATION, bring_up_archiving
from tests.e2e.backup.store import BUCKETS, bring_up, keys
from tests.e2e.backup.test_backup import Shop
from tests.e2e.backup.test_restore import restore
from tests.e2e.conftest import kubectl
from tests.e2e.kube_track.verbs import call_verb
from tests.e2e.postgres.test_embedded import Embedded

_DR = Path(__file__).with_name("dr.yml")
_DRILL = _DR.with_name("drill.yml")
_PREFIX = "tests/notes/"


@dataclass(frozen=True)
class Twice(Shop):
    """A server with a repository in each of two buckets, which stand for two regions."""

    @property
    def settings(self) -> dict[str, Any]:
        return {**super().settings, "backup_repositories": [self.place(bucket) for bucket in BUCKETS]}

    def place(self, bucket: str) -> dict[str, Any]:
        return self.store.repository(bucket, tunnel=self.store.tunnel)


@pytest.fixture
def twice(cluster: dict[str, str]) -> Iterator[Twice]:
    namespace = f"golive-twice-{secrets.token_hex(4)}"
    kubectl("create", "namespace", namespace)
    made = Twice(Embedded(namespace), bring_up(namespace))
    ran = made.play()
    assert ran.code == 0, ran.output
    for number in (1, 2):
        assert not made.backup(type="full", run=f"first-{number}", repository=number).get("failed")
    yield made
    kubectl("delete", "namespace", namespace, "--wait=false", check=False)


@pytest.mark.series
def test_a_lost_region_leaves_the_second_repository(twice: Twice) -> None:
    twice.server.sql("CREATE TABLE ledger AS SELECT generate_series(1, 5000) AS n")
    twice.server.sql("ALTER TABLE ledger OWNER TO shop_owner")
    twice.sidecar("check")
    twice.sidecar("check")
    before = twice.server.sql("SELECT count(*), sum(n) FROM ledger")
    volume = twice.server.get("pvc/data-shop-postgres-0", "{.spec.volumeName}")
    wish = {"postgres_restore_discard": volume}
    # The first one has a hole: it is refused, the second one is taken by its number.
    with twice.store.client() as client:
        archive = f"{twice.server.namespace}/shop/archive/main/17-1/"
        hole = [one for one in keys(client, BUCKETS[0], archive) if one.endswith(".zst")][-2]
        client.delete_object(Bucket=BUCKETS[0], Key=hole)
    refused = twice.play(_DR, **wish)
    assert refused.code != 0
    assert "Restore from the other repository" in " ".join(refused.output.split())
    planned = twice.play(_DR, "--check", **wish, postgres_restore_repository=2)
    assert planned.code == 0, planned.output
    assert twice.server.sql("SELECT count(*), sum(n) FROM ledger") == before
    # Then its region is gone, and the server with it. What is left is the only entry of the inventory.
    twice.kubectl("delete", "statefulset", "shop-postgres")
    twice.kubectl("delete", "pvc", "data-shop-postgres-0", "--wait=true")
    with twice.store.client() as client:
        for key in keys(client, BUCKETS[0]):
            client.delete_object(Bucket=BUCKETS[0], Key=key)
        client.delete_bucket(Bucket=BUCKETS[0])
    done = twice.play(_DR, backup_repositories=[twice.place(BUCKETS[1])])
    assert done.code == 0, done.output
    assert twice.server.sql("SELECT count(*), sum(n) FROM ledger") == before
    newest = max(twice.listed())
    assert (newest[-1], twice.listed()[newest]["archive"]["start"][:8]) == ("F", "00000002")


@pytest.mark.series
def test_new_keys_and_a_new_passphrase_begin_a_repository_of_their_own(twice: Twice) -> None:
    key = "shop-postgres-backup-key"
    old = json.loads(twice.kubectl("get", "secret", key, "-o", "json"))
    with twice.store.client() as client:
        stored = {bucket: keys(client, bucket) for bucket in BUCKETS}
    twice.kubectl("delete", "secret", key)
    new = {"backup_repositories": [{**twice.place(BUCKETS[1]), "path": "/of-new-keys"}]}
    refused = twice.play(**new)
    assert refused.code != 0
    ran = twice.play(**new, postgres_archive_new_key=True, postgres_restart=True)
    assert ran.code == 0, ran.output
    made = json.loads(twice.kubectl("get", "secret", key, "-o", "json"))["data"]
    assert made["cipher"] != old["data"]["cipher"]
    assert not twice.backup(type="full", run="of-new-keys").get("failed")
    twice.sidecar("check")
    drill = twice.play(_DRILL, **new)
    assert drill.code == 0, drill.output
    # What was there before is as it was, and the key that was kept opens it.
    with twice.store.client() as client:
        for bucket, names in stored.items():
            assert set(names) <= set(keys(client, bucket))
    kept = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "old-key"}, "data": old["data"]}
    kubectl("-n", twice.server.namespace, "apply", "-f", "-", stdin=json.dumps(kept))
    looked = call_verb(
        pg_backup_info,
        namespace=twice.server.namespace,
        app="shop",
        repositories=[{**twice.place(BUCKETS[0]), "path": f"/{twice.server.namespace}/shop"}],
        key_secret="old-key",
    )
    assert looked["repositories"][0]["key"]["repository"] == "ok", looked


@pytest.mark.series
def test_what_was_deleted_with_stolen_keys_is_read_by_its_versions(cluster: dict[str, str]) -> None:
    namespace = f"golive-stolen-{secrets.token_hex(4)}"
    kubectl("create", "namespace", namespace)
    server = bring_up_archiving(namespace)
    with server.store.client() as client:
        client.put_bucket_versioning(Bucket=BUCKETS[0], VersioningConfiguration={"Status": "Enabled"})
    server.write(1000)
    server.back_up()
    server.write(1000)
    with server.store.client() as client:
        stored = keys(client, BUCKETS[0], _PREFIX)
        for key in stored:
            client.delete_object(Bucket=BUCKETS[0], Key=key)
        assert keys(client, BUCKETS[0], _PREFIX) == []
        # Into another bucket, by the id of the newest version. This store sets its time anew when it is deleted.
        for key in stored:
            versions = client.list_object_versions(Bucket=BUCKETS[0], Prefix=key)["Versions"]
            newest = next(one for one in versions if one["Key"] == key)
            body = client.get_object(Bucket=BUCKETS[0], Key=key, VersionId=newest["VersionId"])["Body"].read()
            client.put_object(Bucket=BUCKETS[1], Key=key, Body=body)
    found = json.loads(kubectl("-n", namespace, "get", "secret", CONFIGURATION, "-o", "json"))["data"]
    text = base64.b64decode(found["pgbackrest.conf"]).decode().replace(BUCKETS[0], BUCKETS[1])
    data = {**found, "pgbackrest.conf": base64.b64encode(text.encode()).decode()}
    clean = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "clean-postgres-backup"}, "data": data}
    kubectl("-n", namespace, "apply", "-f", "-", stdin=json.dumps(clean))
    place = server.store.repository(BUCKETS[1], path="/tests/notes", port=443, tunnel=server.store.tunnel)
    restored = restore(server, "clean", app="clean", repositories=[place])
    assert (restored["level"], restored["compared"][0]["restored"][:10]) == (6, "2000|2000|")
    kubectl("delete", "namespace", namespace, "--wait=false", check=False)
