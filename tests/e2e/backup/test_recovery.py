# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database that is lost comes back by its role: a volume, a moment before a mistake, a whole namespace."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.backup.killing import killed_when
from tests.e2e.backup.store import BUCKETS, ClusterStore, bring_up, keys
from tests.e2e.backup.test_backup import Shop
from tests.e2e.backup.test_beside import Writer
from tests.e2e.conftest import kubectl
from tests.e2e.postgres.test_embedded import Embedded, Ran

_DR = Path(__file__).with_name("dr.yml")
_VOLUME = "persistentvolumeclaim/data-shop-postgres-0"
_LSN = r"[0-9A-F]+/[0-9A-F]+"


@pytest.fixture(scope="module")
def store(cluster: dict[str, str]) -> Iterator[ClusterStore]:
    """A store that outlives the namespaces of the app."""
    namespace = f"golive-store-{secrets.token_hex(4)}"
    kubectl("create", "namespace", namespace)
    yield bring_up(namespace)
    kubectl("delete", "namespace", namespace, "--wait=false", check=False)


@pytest.fixture(scope="module")
def shop(store: ClusterStore) -> Iterator[Shop]:
    """A server with a full backup and a ledger that the archive alone holds."""
    namespace = f"golive-shop-{secrets.token_hex(4)}"
    kubectl("create", "namespace", namespace)
    store.give_secrets(namespace)
    made = Shop(Embedded(namespace), store)
    ran = made.play()
    assert ran.code == 0, ran.output
    made.server.sql("CREATE TABLE ledger (n bigserial PRIMARY KEY)")
    made.server.sql("ALTER TABLE ledger OWNER TO shop_owner")
    assert not made.backup(type="full", run="first").get("failed")
    yield made
    kubectl("delete", "namespace", namespace, "--wait=false", check=False)


def write(shop: Shop, rows: int) -> None:
    """Commit rows and have them archived."""
    shop.server.sql(f"INSERT INTO ledger SELECT FROM generate_series(1, {rows})")
    shop.sidecar("check")


def rows(shop: Shop) -> str:
    return shop.server.sql("SELECT count(*), max(n) FROM ledger")


def recover(shop: Shop, *arguments: str, **variables: Any) -> Ran:
    return shop.play(_DR, *arguments, **variables)


def test_a_lost_volume_comes_back_once(shop: Shop) -> None:
    write(shop, 1000)
    before = rows(shop)
    logins = shop.server.login(), shop.server.login("-owner")
    volume = shop.server.get(_VOLUME, "{.spec.volumeName}")
    refused = recover(shop)
    assert refused.code != 0
    assert f"-e postgres_restore_discard={volume}" in " ".join(refused.output.split())
    assert rows(shop) == before
    planned = recover(shop, "--check", postgres_restore_discard=volume)
    assert planned.code == 0, planned.output
    assert rows(shop) == before
    done = recover(shop, postgres_restore_discard=volume)
    assert done.code == 0, done.output
    told = " ".join(done.output.split())
    assert re.search(rf"proven to level 5: read-write after [0-9.]+ s, .* replayed to {_LSN}", told), told
    assert rows(shop) == before
    assert shop.server.get(_VOLUME, "{.spec.volumeName}") != volume
    assert (shop.server.login(), shop.server.login("-owner")) == logins
    with shop.server.tunnel() as address, shop.server.connect(*address) as session, session.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger")
        assert cursor.fetchone() == (1000,)
    # It archives again, on a timeline of its own, and has a full backup there.
    write(shop, 10)
    assert shop.server.sql("SELECT timeline_id FROM pg_control_checkpoint()") == "2"
    newest = max(shop.listed())
    assert (newest[-1], shop.listed()[newest]["archive"]["start"][:8]) == ("F", "00000002")
    # Behind that backup its repository was proved.
    with shop.store.client() as client:
        assert keys(client, BUCKETS[0], f"{shop.server.namespace}/shop/golive/key-canary.json")
        # A later restore asks for the history of the new timeline, which began while nothing was archived.
        archive = keys(client, BUCKETS[0], f"{shop.server.namespace}/shop/archive/main/17-1/")
    assert [name for name in archive if "/00000002.history" in name]
    # The same command again gives nothing up: what is there now is not the volume that was named.
    again = recover(shop, postgres_restore_discard=volume)
    assert (again.code, again.changed) == (0, 0), again.output
    assert "Nothing was restored now" in " ".join(again.output.split())
    assert rows(shop).startswith("1010|")


def test_a_mistake_is_undone_to_the_moment_before(shop: Shop) -> None:
    write(shop, 100)
    before = rows(shop)
    moment = shop.server.sql("SELECT to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.USOF')") + ":00"
    shop.server.sql("SELECT pg_sleep(1)")
    shop.server.sql("DROP TABLE ledger")
    shop.sidecar("check")
    volume = shop.server.get(_VOLUME, "{.spec.volumeName}")
    target = {"kind": "time", "value": moment}
    late = recover(
        shop, postgres_restore_discard=volume, postgres_restore_target={**target, "value": "2099-01-01T00:00:00+00:00"}
    )
    assert late.code != 0
    assert "what can be restored goes from" in " ".join(late.output.split())
    done = recover(shop, postgres_restore_discard=volume, postgres_restore_target=target)
    assert done.code == 0, done.output
    assert rows(shop) == before


@pytest.mark.series
def test_what_a_disaster_loses_is_what_the_ledger_says(shop: Shop) -> None:
    with shop.server.tunnel() as address, closing(shop.server.connect(*address, "-owner")) as session:
        session.cursor().execute("CREATE TABLE written (n int PRIMARY KEY)")
    with Writer(shop).at_work() as writer:
        writer.await_rows(20)
        shop.sidecar("check")
        with shop.store.outage():
            # Nothing of this is archived any more, not even by a server that ends in order.
            writer.await_rows(len(writer.committed) + 40)
            lost_at = datetime.now(timezone.utc)
            shop.kubectl("delete", "statefulset", "shop-postgres", "--cascade=orphan")
            shop.kubectl("delete", "pod", "shop-postgres-0", "--force", "--grace-period=0")
            shop.kubectl("delete", "pvc", "data-shop-postgres-0", "--wait=true")
    done = recover(shop, postgres_restore_lost_at=lost_at.isoformat())
    assert done.code == 0, done.output
    told = re.search(r"([0-9.]+) s of commits lost", " ".join(done.output.split()))
    assert told is not None, done.output
    there = {int(row) for row in shop.server.sql("SELECT n FROM written").split()}
    ledger = dict(zip(writer.committed, writer.at, strict=True))
    before = {number: at for number, at in ledger.items() if at <= lost_at}
    # No hole: what is lost are the last ones.
    newest = max(there & set(before))
    assert {number for number in before if number <= newest} <= there
    assert set(before) - there
    by_ledger = (lost_at - ledger[newest]).total_seconds()
    assert abs(float(told[1]) - by_ledger) < 1.0, (told[1], by_ledger)
    assert by_ledger <= 60


@pytest.mark.faults
@pytest.mark.series
def test_killed_in_each_phase_the_same_command_goes_on(shop: Shop) -> None:
    write(shop, 70)
    before = rows(shop)
    volume = shop.server.get(_VOLUME, "{.spec.volumeName}")
    command = shop.server.command(_DR, **shop.settings, postgres_restore_discard=volume)
    server = ("statefulset/shop-postgres", "--ignore-not-found", "-o", "name")

    def jobs(word: str) -> str:
        """Names of the Jobs at work that a word is in."""
        found = json.loads(shop.kubectl("get", "jobs", "-o", "json"))["items"]
        return " ".join(
            one["metadata"]["name"]
            for one in found
            if word in one["metadata"]["name"] and (one.get("status") or {}).get("active")
        )

    def restoring() -> bool:
        return jobs("postgres-restore") != ""

    def into_the_volume() -> bool:
        claim = json.loads(shop.kubectl("get", "pvc", "-o", "json"))["items"]
        mine = [one for one in claim if one["metadata"]["name"] == "data-shop-postgres-0"]
        return bool(mine) and mine[0]["spec"].get("volumeName") != volume and restoring()

    # The proof beside; the server taken away; its volume given up; the new server; the full backup behind it.
    killed_when(command, restoring)
    assert rows(shop) == before
    killed_when(command, lambda: shop.kubectl("get", *server) == "")
    killed_when(command, into_the_volume)
    killed_when(command, lambda: shop.kubectl("get", *server) != "")
    killed_when(command, lambda: jobs("backup-full") != "")
    done = recover(shop, postgres_restore_discard=volume)
    assert done.code == 0, done.output
    assert rows(shop) == before
    assert shop.server.get(_VOLUME, "{.spec.volumeName}") != volume
    newest = max(shop.listed())
    timeline = int(shop.server.sql("SELECT timeline_id FROM pg_control_checkpoint()"))
    assert (newest[-1], shop.listed()[newest]["archive"]["start"][:8]) == ("F", f"{timeline:08X}")
    again = recover(shop, postgres_restore_discard=volume)
    assert (again.code, again.changed) == (0, 0), again.output


@pytest.mark.series
def test_a_lost_namespace_comes_back_from_the_passphrase_and_the_store(shop: Shop, store: ClusterStore) -> None:
    write(shop, 50)
    before = rows(shop)
    kept = json.loads(shop.kubectl("get", "secret", "shop-postgres-backup-key", "-o", "json"))
    environment = {"golive_environment": shop.server.namespace}
    kubectl("delete", "namespace", shop.server.namespace, "--wait=true")
    other = Shop(Embedded(f"{shop.server.namespace}-b"), store)
    kubectl("create", "namespace", other.server.namespace)
    store.give_secrets(other.server.namespace)
    without = recover(other, **environment)
    assert without.code != 0
    assert "Bring it back from the copy that you keep outside" in " ".join(without.output.split())
    kept["metadata"] = {"name": kept["metadata"]["name"], "labels": kept["metadata"]["labels"]}
    kubectl("-n", other.server.namespace, "apply", "-f", "-", stdin=json.dumps(kept))
    planned = recover(other, "--check", **environment)
    assert planned.code == 0, planned.output
    assert "which one is not known yet" in " ".join(planned.output.split())
    assert kubectl("-n", other.server.namespace, "get", "jobs,persistentvolumeclaims", "-o", "name") == ""
    done = recover(other, **environment)
    assert done.code == 0, done.output
    assert rows(other) == before
    kubectl("delete", "namespace", other.server.namespace, "--wait=false")
