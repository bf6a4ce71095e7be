# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two repositories, one of which is damaged or gone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.backup.store import BUCKETS, bring_up, keys
from tests.e2e.backup.test_backup import Shop
from tests.e2e.conftest import kubectl
from tests.e2e.postgres.test_embedded import Embedded

_DR = Path(__file__).with_name("dr.yml")


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
