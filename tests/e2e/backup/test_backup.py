# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups of a real server into a real store: by run, by schedule, before migrations; held, verified, expired."""

from __future__ import annotations

import base64
import io
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.sealing import new_key, unseal
from ansible_collections.golive.cutover.plugins.modules import backup_probe, db_dump_store, pg_backup, secret_escrow
from tests.e2e.backup.store import BUCKETS, ClusterStore, bring_up, flip, keys
from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.kube_track.verbs import call_verb
from tests.e2e.postgres.test_embedded import Embedded, Ran

_PLAY = Path(__file__).with_name("backup.yml")
_MIGRATE = _PLAY.with_name("migrate.yml")
_DRILL = _PLAY.with_name("drill.yml")
_DUMP = _PLAY.with_name("dump.yml")
_QUARTET = (True, False, True, False)
_CHANGES = [True, True, False, False]


@dataclass(frozen=True)
class Shop:
    """The app's server with its schedules, and the store."""

    server: Embedded
    store: ClusterStore

    def play(self, file: Path = _PLAY, *arguments: str, **variables: Any) -> Ran:
        return self.server.play(*arguments, file=file, **{**self.settings, **variables})

    @property
    def settings(self) -> dict[str, Any]:
        image = {"postgres_image": "golive.test/postgres-backup", "postgres_version": "17"}
        return {**image, "backup_repositories": [self.store.repository(tunnel=self.store.tunnel)]}

    def backup(self, **options: Any) -> dict[str, Any]:
        """The verb's result or failure."""
        return call_verb(pg_backup, namespace=self.server.namespace, app="shop", **options)

    def listed(self) -> dict[str, dict[str, Any]]:
        """What pgBackRest itself lists, by label."""
        told = json.loads(self.sidecar("info", "--output=json"))
        return {one["label"]: one for one in told[0]["backup"]}

    def sidecar(self, *command: str) -> str:
        return self.kubectl(
            "exec", "shop-postgres-0", "-c", "backup-server", "--", "pgbackrest", "--stanza=main", *command
        )

    def of_run(self, run: str) -> list[str]:
        return [label for label, one in self.listed().items() if (one.get("annotation") or {}).get("run") == run]

    def jobs(self, prefix: str) -> list[dict[str, Any]]:
        """Jobs whose names begin with it."""
        found = json.loads(self.kubectl("get", "jobs", "-o", "json"))["items"]
        return [one for one in found if one["metadata"]["name"].startswith(prefix)]

    def dump_objects(self) -> list[str]:
        with self.store.client() as client:
            return [one for one in keys(client, BUCKETS[0]) if "golive/dumps/" in one]

    def kubectl(self, *arguments: str) -> str:
        return kubectl("-n", self.server.namespace, *arguments)


@pytest.fixture(scope="module")
def shop(cluster: dict[str, str]) -> Iterator[Shop]:
    namespace = f"golive-backup-{secrets.token_hex(4)}"
    kubectl("create", "namespace", namespace)
    made = Shop(Embedded(namespace), bring_up(namespace))
    ran = made.play()
    assert ran.code == 0, ran.output
    yield made
    kubectl("delete", "namespace", namespace, "--wait=false", check=False)


def test_quartets_of_a_full_and_an_incremental_backup(shop: Shop) -> None:
    assert shop.play().changed == 0
    for kind in ("full", "incr"):
        before = set(shop.listed())
        runs = [shop.backup(type=kind, run=f"q-{kind}", tag="of a test", check=check) for check in _QUARTET]
        assert [one["changed"] for one in runs] == _CHANGES, runs
        assert runs[0]["backup"] is None
        (label,) = set(shop.listed()) - before
        assert runs[1]["backup"]["id"] == runs[3]["backup"]["id"] == label
        assert shop.listed()[label]["annotation"] == {"run": f"q-{kind}", "tag": "of a test"}


def test_quartet_of_the_probe_of_key_and_lock(shop: Shop) -> None:
    path = f"/{shop.server.namespace}/other"
    repositories = [shop.store.repository(path=path, tunnel=shop.store.tunnel)]
    options: dict[str, Any] = {"namespace": shop.server.namespace, "app": "shop", "repositories": repositories}
    runs = [call_verb(backup_probe, **options, diff=True, check=check) for check in _QUARTET]
    assert [one["changed"] for one in runs] == _CHANGES, runs
    assert [one["repositories"][0]["canary"] for one in runs] == ["put", "put", "ok", "ok"]
    assert [one["repositories"][0]["lock"] for one in runs] == [None, "unlocked", None, "unlocked"]
    assert runs[0]["diff"] == runs[1]["diff"]
    with shop.store.client() as client:
        assert keys(client, BUCKETS[0], path[1:]) == [f"{path[1:]}/golive/key-canary.json"]
    required = call_verb(backup_probe, **options, lock="require")
    assert (required["code"], required["repositories"][0]["canary"]) == ("lock_missing", "ok")
    other = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "other-key"}}
    other["stringData"] = {"cipher": "of-another", "key_id": runs[0]["diff"][0]["after"].split()[-1]}
    kubectl("-n", shop.server.namespace, "apply", "-f", "-", stdin=json.dumps(other))
    wrong = call_verb(backup_probe, **options, key_secret="other-key")
    assert (wrong["code"], wrong["changed"]) == ("canary_wrong_key", False), wrong
    assert "of-another" not in json.dumps(wrong)


def test_a_hold_and_its_end(shop: Shop) -> None:
    for options in ({"state": "held", "reason": "audit of 2026", "keep_wal": True}, {"state": "released"}):
        runs = [shop.backup(**options, check=check) for check in _QUARTET]
        assert [one["changed"] for one in runs] == _CHANGES, runs
        held = options["state"] == "held"
        assert runs[1]["backup"]["hold"] == ("audit of 2026" if held else None)
    assert shop.backup(state="held", backup="20200101-000000F")["code"] == "no_backup"


def test_a_damaged_file_is_found_named_and_takes_the_level_away(shop: Shop) -> None:
    label = next(iter(shop.listed()))
    runs = [shop.backup(state="verified", backup=label, check=check) for check in _QUARTET]
    assert [one["changed"] for one in runs] == _CHANGES, runs
    assert runs[3]["backup"]["verified"].startswith("L1 ")
    with shop.store.client() as client:
        name = next(one for one in keys(client, BUCKETS[0]) if f"{label}/bundle/" in one)
        flip(client, BUCKETS[0], name)
        bad = shop.backup(state="verified", backup=label)
        flip(client, BUCKETS[0], name)
    assert bad["code"] == "backup_damaged", bad
    assert [one for one in bad["files"] if one.startswith(label)]
    assert "verified" not in shop.listed()[label]["annotation"]
    assert shop.backup(state="verified", backup=label)["changed"]


def test_of_two_at_once_the_loser_is_told_who_holds_the_lock(shop: Shop) -> None:
    text = "md5(i::text) || md5((-i)::text)"
    shop.server.sql(f"CREATE TABLE large AS SELECT {text} AS text FROM generate_series(1, 900000) AS i")
    shop.server.sql("ALTER TABLE large OWNER TO shop_owner")
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda run: shop.backup(type="full", run=run), ("first", "second")))
    lost = [one for one in runs if one.get("failed")]
    won = [one for one in runs if not one.get("failed")]
    assert len(lost) == len(won) == 1, runs
    assert lost[0]["code"] == "backup_locked"
    assert won[0]["job"] in lost[0]["holder"]
    assert sorted(map(len, map(shop.of_run, ("first", "second")))) == [0, 1]


def test_the_schedule_takes_backups(shop: Shop) -> None:
    before = set(shop.listed())
    made = json.loads(shop.kubectl("get", "cronjob", "-o", "json"))["items"]
    assert {one["metadata"]["name"].rpartition("-")[2] for one in made} == {"full", "diff", "incr"}
    shop.kubectl("create", "job", "by-schedule", "--from=cronjob/shop-postgres-backup-diff")
    shop.kubectl("wait", "job/by-schedule", "--for=condition=Complete", "--timeout=90s")
    (label,) = set(shop.listed()) - before
    assert shop.listed()[label]["type"] == "diff"
    assert shop.listed()[label]["annotation"] == {"tag": "schedule"}


@pytest.mark.series
def test_the_schedule_fires_by_itself(shop: Shop) -> None:
    if not shop.listed():
        # The first one is a full one, whatever the schedule says.
        assert shop.backup(type="full", run="before")["changed"]
    before = set(shop.listed())
    ran = shop.play(backup_schedules={"full": "17 1 * * 0", "incr": "* * * * *"})
    assert ran.code == 0, ran.output
    end = time.monotonic() + 180
    while not (new := set(shop.listed()) - before):
        assert time.monotonic() < end, "no backup came by itself"
        time.sleep(2)
    again = shop.play()
    assert again.code == 0, again.output
    assert {shop.listed()[label]["type"] for label in new} == {"incr"}
    assert all(shop.listed()[label]["annotation"] == {"tag": "schedule"} for label in new)
    # Only what the clock has started carries this.
    stamp = "batch.kubernetes.io/cronjob-scheduled-timestamp"
    jobs = [one["metadata"] for one in shop.jobs("shop-postgres-backup-incr-")]
    assert [one for one in jobs if stamp in (one.get("annotations") or {})], jobs


def test_migrations_have_a_backup_as_restore_point(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "0001_create.sql").write_text("CREATE TABLE orders (id bigint PRIMARY KEY);\n")
    ran = shop.play(_MIGRATE, migrate_path=str(tmp_path), migrate_run_id="release-7")
    assert ran.code == 0, ran.output
    (label,) = shop.of_run("release-7")
    assert shop.listed()[label]["type"] == "incr"
    again = shop.play(_MIGRATE, migrate_path=str(tmp_path), migrate_run_id="release-8")
    assert (again.code, again.changed, shop.of_run("release-8")) == (0, 0, [])


def test_a_dump_is_stored_sealed_and_brings_back_what_was_lost(shop: Shop, tmp_path: Path) -> None:
    shop.server.sql("CREATE TABLE dumped AS SELECT i AS id, md5(i::text) AS text FROM generate_series(1, 5000) i")
    shop.server.sql("ALTER TABLE dumped OWNER TO shop_owner")
    content = "SELECT md5(string_agg(id || text, ',' ORDER BY id)) FROM dumped"
    before = shop.server.sql(content)
    own: dict[str, Any] = {"backup_dumps": True, "backup_run": "d1"}
    planned = shop.play(_DUMP, "--check", **own)
    assert planned.code == 0, planned.output
    assert not shop.dump_objects()
    ran = shop.play(_DUMP, **own)
    assert ran.code == 0, ran.output
    objects = shop.dump_objects()
    assert len(objects) == 3
    again = shop.play(_DUMP, **own)
    assert (again.code, shop.dump_objects()) == (0, objects), again.output

    options: dict[str, Any] = {"namespace": shop.server.namespace, "app": "shop", "name": "shop-d1"}
    path = f"/{shop.server.namespace}/shop"
    options |= {
        "repositories": [shop.store.repository(path=path, tunnel=shop.store.tunnel)],
        "directory": str(tmp_path / "back"),
    }
    runs = [call_verb(db_dump_store, state="fetched", **options, check=check) for check in _QUARTET]
    assert [one["changed"] for one in runs] == _CHANGES, runs
    assert [one["name"] for one in runs[3]["dumps"]] == ["shop-d1"]
    shop.server.sql("DROP TABLE dumped")
    file = tmp_path / "back" / "shop-d1" / "database.dump"
    # The whole input has to be read, or kubectl waits for ever; and its end does not always arrive in a pod.
    restore = 'head -c "$1" > /tmp/dump && pg_restore -U postgres -d shop --exit-on-error --table=dumped /tmp/dump'
    inside = ["sh", "-c", restore, "sh", str(file.stat().st_size)]
    pod = ["kubectl", "-n", shop.server.namespace, "exec", "-i", "shop-postgres-0", "-c", "postgres", "--"]
    subprocess.run([*pod, *inside], input=file.read_bytes(), check=True, timeout=60)
    assert shop.server.sql(content) == before
    stored = [call_verb(db_dump_store, state="stored", **options, check=check) for check in _QUARTET]
    assert [one["changed"] for one in stored] == [False] * 4, stored


def test_an_escrow_brings_lost_secrets_back(shop: Shop, tmp_path: Path) -> None:
    private, public = new_key()
    path = f"/{shop.server.namespace}/escrow"
    repositories = [shop.store.repository(path=path, tunnel=shop.store.tunnel)]
    options: dict[str, Any] = {"namespace": shop.server.namespace, "app": "shop", "repositories": repositories}
    options |= {"recipients": [public], "keep": 1, "diff": True}
    runs = [call_verb(secret_escrow, **options, check=check) for check in _QUARTET]
    assert [one["changed"] for one in runs] == _CHANGES, runs
    assert runs[0]["diff"] == runs[1]["diff"]
    assert "shop-postgres-backup-key" in runs[1]["secrets"]
    shop.kubectl("create", "secret", "generic", "mine", "--from-literal=key=value-of-mine")
    again = call_verb(secret_escrow, **options)
    with shop.store.client() as client:
        (name,) = keys(client, BUCKETS[0], path[1:])
        sealed = client.get_object(Bucket=BUCKETS[0], Key=name)["Body"].read()
    assert (
        name == f"{path[1:]}/{again['repositories'][0]['name']}" != f"{path[1:]}/{runs[1]['repositories'][0]['name']}"
    )
    assert "value-of-mine" not in json.dumps(again)

    copy = io.BytesIO()
    unseal(io.BytesIO(sealed), copy, private, "the copy")
    found = json.loads(copy.getvalue())
    found["items"] = [one for one in found["items"] if one["metadata"]["name"] in ("mine", "shop-postgres-backup-key")]
    key = shop.kubectl("get", "secret", "shop-postgres-backup-key", "-o", "jsonpath={.data}")
    shop.kubectl("delete", "secret", "mine", "shop-postgres-backup-key")
    kubectl("apply", "-f", "-", stdin=json.dumps(found))
    assert shop.kubectl("get", "secret", "shop-postgres-backup-key", "-o", "jsonpath={.data}") == key
    assert base64.b64decode(shop.kubectl("get", "secret", "mine", "-o", "jsonpath={.data.key}")) == b"value-of-mine"


def test_a_drill_is_held_against_its_aims(shop: Shop) -> None:
    shop.server.sql("CREATE TABLE sales AS SELECT i AS id FROM generate_series(1, 1000) i")
    shop.server.sql("ALTER TABLE sales OWNER TO shop_owner")
    # What the archive has not got yet would be missing in the copy.
    shop.server.sql("SELECT pg_switch_wal()")
    shop.sidecar("check")
    compare: dict[str, Any] = {"backup_drill_compare": [{"table": "sales", "key": "id"}]}
    planned = shop.play(_DRILL, "--check", **compare)
    assert (planned.code, planned.changed) == (0, 1), planned.output
    done = shop.play(_DRILL, **compare)
    assert done.code == 0, done.output
    assert "proven to level 6, read-write after" in " ".join(done.output.split())
    proved = [one.get("annotation", {}).get("verified", "") for one in shop.listed().values()]
    assert [one for one in proved if one.startswith("L6 ")]
    assert shop.kubectl("get", "persistentvolumeclaims", "-o", "name").split() == [
        "persistentvolumeclaim/data-shop-postgres-0"
    ]
    late = shop.play(_DRILL, **compare, backup_drill_rto=0.1)
    assert late.code != 0
    assert "The aims are level 6, 0.1 s" in " ".join(late.output.split())


def test_check_mode_prints_what_the_run_expires(shop: Shop) -> None:
    later = {"date": lambda: datetime.now(timezone.utc) + timedelta(days=40)}
    retention = {"alarm_hours": 10000, "most_share": 1, "weekly": 1, "monthly": 1}
    options = {"state": "expired", "retention": retention, "call_options": later}
    before = shop.listed()
    fulls = [label for label, one in before.items() if one["type"] == "full"]
    assert len(fulls) == 2
    assert shop.backup(**{**options, "retention": {**retention, "most_share": 0.1}})["code"] == "retention_refused"
    assert shop.backup(state="expired", retention={"alarm_hours": 1}, call_options=later)["code"] == "retention_refused"
    runs = [shop.backup(**options, check=check) for check in _QUARTET]
    assert [one["changed"] for one in runs] == _CHANGES, runs
    gone = set(before) - set(shop.listed())
    assert set(runs[0]["removed"]) == set(runs[1]["removed"]) == gone == {one for one in before if fulls[0] in one}
    assert runs[1]["wal_removed"]
    assert shop.backup(state="verified")["level"] == "L1"


@pytest.mark.series
def test_a_killed_controller_leaves_one_backup(shop: Shop, tmp_path: Path) -> None:
    options = {"namespace": shop.server.namespace, "app": "shop", "type": "full", "run": "killed"}
    play = tmp_path / "play.yml"
    task = {"golive.cutover.pg_backup": options}
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
    command = ["ansible-playbook", "-i", "shop,", "-c", "local", str(play)]
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    while "run=killed" not in shop.kubectl("get", "job", "-o", "json"):
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # What is left of it may hold the lock for a moment: its worker takes the Job back.
    done = shop.backup(type="full", run="killed", wait=60)
    assert not done.get("failed"), done
    assert shop.of_run("killed") == [done["id"]]
    assert not shop.backup(type="full", run="killed")["changed"]
