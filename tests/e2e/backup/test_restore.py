# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pg_restore`` on real backups of a real server: proven copies, damage that the engine takes for success."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.records import read_record
from ansible_collections.golive.cutover.plugins.module_utils._backup.repositories import opened_store
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_report import read_reports
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.modules.pg_restore import run
from tests.e2e.backup.archiving import APP, PASSWORD, POD, Archiving, bring_up_archiving
from tests.e2e.backup.store import BUCKETS, flip, keys
from tests.e2e.conftest import kubectl
from tests.images.cli import manifest_path

ARCHIVE = "tests/notes/archive/main/"


@pytest.fixture(scope="module")
def server(cluster: dict[str, str]) -> Iterator[Archiving]:
    """A server with a full backup, and 2,000 rows that only the archive has."""
    name = f"golive-test-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    server = bring_up_archiving(name)
    server.write(1000)
    server.back_up()
    server.write(1000)
    server.write(1000)
    yield server
    kubectl("delete", "namespace", name, "--wait=false", check=False)


def restore(server: Archiving, name: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    params: dict[str, Any] = {
        **dict.fromkeys(("kubeconfig", "context", "host", "api_key", "ca_cert", "lease", "backup", "timeline")),
        "validate_certs": True,
        "namespace": server.namespace,
        "app": APP,
        "name": name,
        "config_secret": None,
        "image": json.loads(manifest_path().read_text())["postgres-backup"],
        "pull_policy": "IfNotPresent",
        "pull_secrets": [],
        "run_as_user": 999,
        "data_directory": "/var/lib/postgresql/data/pgdata",
        "superuser": "postgres",
        "resources": {},
        "labels": {},
        "storage": {"size": "1Gi", "class": None, "claim": None, "discard": None},
        "repository": 1,
        "repositories": [server.repository],
        "target": {"kind": "latest", "value": None},
        "plan_only": False,
        "accept_gap": False,
        "prove": "blocks",
        "compare": [{"schema": "public", "table": "ledger", "key": "id"}],
        "login_secret": None,
        "lost_at": None,
        "record": True,
        "about": {},
        "timeout": 120.0,
        "postgresql": {"user": "postgres", "password": PASSWORD, "database": "postgres", "connect_timeout": 10},
        "tunnel": {"namespace": server.namespace, "pod": POD, "port": "5432", "service": None},
        **options,
    }
    own = {name: params.pop(name) for name in ("alive", "date", "warn") if name in params}
    return dict(run(call_for_tests(params, check_mode, **own)))


def left(server: Archiving) -> str:
    """Jobs and volumes of restores."""
    return kubectl("-n", server.namespace, "get", "jobs,persistentvolumeclaims", "-o", "name").strip()


def live_rows(server: Archiving) -> str:
    return server.sql("SELECT count(*), max(id) FROM ledger")


def test_a_drill_proves_the_content_and_leaves_only_its_report(server: Archiving) -> None:
    planned = restore(server, "drill", check_mode=True)
    assert planned["changed"]
    assert planned["level"] == 2
    assert "report" not in planned
    assert left(server) == ""
    before = live_rows(server)
    done = restore(server, "drill", about={"scenario": "weekly"})
    assert (done["level"], done["findings"], done["gap"]) == (6, [], None)
    assert done["compared"][0]["equal"]
    assert done["compared"][0]["restored"].startswith("3000|3000|")
    # All that was committed was archived: nothing is lost.
    assert done["rpo_s"] == 0
    assert done["rto_s"] < done["seconds"]
    assert live_rows(server) == before
    kubectl("-n", server.namespace, "wait", "--for=delete", "jobs,persistentvolumeclaims", "--all", "--timeout=60s")
    assert left(server) == ""
    with (
        connected(call_for_tests({})) as client,
        opened_store(call_for_tests({}), client, server.repository, server.namespace) as store,
    ):
        report = next(read_reports(store))
        record = read_record(store, done["backup"]["id"])
    assert record is not None
    assert record.verified_level == "L6"
    listed = json.loads(server.run("pgbackrest", "--stanza=main", "info", "--output=json"))[0]["backup"]
    assert listed[-1]["annotation"]["verified"].startswith("L6 ")
    assert (report["level"], report["about"]) == (6, {"scenario": "weekly"})
    assert PASSWORD not in json.dumps(report)


@pytest.mark.series
def test_a_dropped_table_is_back_in_a_volume_that_stays(server: Archiving) -> None:
    server.sql("CREATE TABLE precious AS SELECT generate_series(1, 500) AS id")
    moment = server.sql('SELECT pg_sleep(1), to_char(clock_timestamp(), \'YYYY-MM-DD"T"HH24:MI:SS.USOF":00"\')').strip(
        "|"
    )
    server.sql("SELECT pg_sleep(1)", "DROP TABLE precious")
    server.switch()
    asked: dict[str, Any] = {
        "storage": {"size": "1Gi", "class": None, "claim": "data-beside"},
        "target": {"kind": "time", "value": moment},
        "compare": [],
        "prove": "start",
    }
    assert restore(server, "before-drop", True, **asked)["changed"]
    done = restore(server, "before-drop", **asked)
    assert done["changed"]
    assert done["level"] == 4
    for check_mode in (True, False):
        again = restore(server, "before-drop", check_mode, **asked)
        assert not again["changed"]
        assert again["backup"] == done["backup"]
    with pytest.raises(GoliveError) as refused:
        # Not what the volume holds: it must not pass for done.
        restore(server, "before-drop", **{**asked, "target": {"kind": "latest", "value": None}})
    assert refused.value.code == "volume_exists"
    with pytest.raises(GoliveError) as refused:
        restore(server, "another", **asked)
    assert refused.value.code == "volume_exists"
    assert in_volume(server, "data-beside", "SELECT count(*) FROM precious") == "500"
    assert server.sql("SELECT to_regclass('precious')") == ""


def test_a_missing_segment_is_refused_before_anything_is_fetched(server: Archiving) -> None:
    server.write(10)
    gone = server.switch_after("INSERT INTO ledger (note) VALUES ('lost')")
    server.write(10)
    name = damaged(server, gone, "delete")
    try:
        with pytest.raises(GoliveError) as refused:
            restore(server, "gap")
    finally:
        put_back(server, name)
    assert (refused.value.code, refused.value.details["missing"]) == ("wal_gap", gone)
    assert restore(server, "gap")["level"] == 6


@pytest.mark.parametrize("last", [False, pytest.param(True, marks=pytest.mark.series)])
def test_a_damaged_segment_is_no_success(server: Archiving, last: bool) -> None:
    bad = server.switch_after("INSERT INTO ledger (note) SELECT md5(i::text) FROM generate_series(1, 60000) i")
    if not last:
        server.write(10)
    name = damaged(server, bad, "flip")
    try:
        with pytest.raises(GoliveError) as unproven:
            restore(server, "damaged", prove="start", compare=[])
    finally:
        put_back(server, name)
    assert unproven.value.code == "restore_unproven"
    assert unproven.value.details["level"] == 3
    assert (bad in str(unproven.value)) == last


@pytest.mark.series
def test_a_killed_run_leaves_nothing_and_goes_on(server: Archiving) -> None:
    asks = iter(range(1000))

    def killed() -> None:
        if next(asks) > 40:
            raise Interrupted

    asked: dict[str, Any] = {"storage": {"size": "1Gi", "class": None, "claim": "data-killed"}, "prove": "start"}
    with pytest.raises(Interrupted):
        restore(server, "killed", alive=killed, **asked)
    kubectl("-n", server.namespace, "wait", "--for=delete", "jobs", "--all", "--timeout=60s")
    assert restore(server, "killed", **asked)["level"] == 4


def in_volume(server: Archiving, claim: str, query: str) -> str:
    """What a server answers that is started on the restored volume, by other means than ours."""
    options = "-c listen_addresses='' -c ssl=off -c max_connections=137"
    program = f'pg_ctl -D $PGDATA -w -l /tmp/log -o "{options}" start >/dev/null || cat /tmp/log'
    mounts = {"data": "/var/lib/postgresql/data", "run": "/var/run/postgresql", "tmp": "/tmp"}
    pod = {
        "spec": {
            "securityContext": {
                "runAsUser": 999,
                "runAsGroup": 999,
                "fsGroup": 999,
                "fsGroupChangePolicy": "OnRootMismatch",
            },
            "containers": [
                {
                    "name": "look",
                    "image": json.loads(manifest_path().read_text())["postgres-backup"],
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sh", "-c", f"{program}; psql -XAtqU postgres -c '{query}'"],
                    "env": [{"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"}],
                    "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()],
                }
            ],
            "volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": claim}},
                {"name": "run", "emptyDir": {}},
                {"name": "tmp", "emptyDir": {}},
            ],
        }
    }
    overrides = ("--overrides", json.dumps(pod), "--override-type=merge")
    kubectl("-n", server.namespace, "run", "look", "--image=none", "--restart=Never", *overrides)
    jsonpath = "--for=jsonpath={.status.phase}=Succeeded"
    kubectl("-n", server.namespace, "wait", "pod/look", jsonpath, "--timeout=60s", check=False)
    return kubectl("-n", server.namespace, "logs", "look").strip()


def damaged(server: Archiving, segment: str, how: str) -> tuple[str, bytes]:
    """Damage a segment of the archive; its object and what that held."""
    with server.store.client() as client:
        key = next(one for one in keys(client, BUCKETS[0], ARCHIVE) if segment in one)
        content = client.get_object(Bucket=BUCKETS[0], Key=key)["Body"].read()
        if how == "flip":
            flip(client, BUCKETS[0], key)
        else:
            client.delete_object(Bucket=BUCKETS[0], Key=key)
    return key, content


def put_back(server: Archiving, saved: tuple[str, bytes]) -> None:
    with server.store.client() as client:
        client.put_object(Bucket=BUCKETS[0], Key=saved[0], Body=saved[1])
