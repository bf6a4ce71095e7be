# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pg_restore`` on real backups of a real server: proven copies, damage that the engine takes for success, refusals."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._backup.repository import opened
from ansible_collections.golive.cutover.plugins.module_utils._backup.restore_report import read_reports
from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._kube.client import connected
from ansible_collections.golive.cutover.plugins.modules.pg_restore import run
from tests.e2e.backup.archiving import APP, PASSWORD, POD, Archiving, bring_up_archiving
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
        "storage": {"size": "1Gi", "class": None, "claim": None},
        "repository": 1,
        "repositories": [server.repository],
        "target": {"kind": "latest", "value": None},
        "accept_gap": False,
        "prove": "blocks",
        "compare": [{"schema": "public", "table": "ledger", "key": "id"}],
        "lost_at": None,
        "record": True,
        "about": {},
        "timeout": 120.0,
        "postgresql": {"user": "postgres", "password": PASSWORD, "database": "postgres", "connect_timeout": 10},
        "tunnel": {"namespace": server.namespace, "pod": POD, "port": "5432", "service": None},
        **options,
    }
    alive = params.pop("alive", lambda: None)
    return dict(run(call_for_tests(params, check_mode, alive=alive)))


def left(server: Archiving) -> str:
    """Jobs and volumes of restores."""
    return kubectl("-n", server.namespace, "get", "jobs,persistentvolumeclaims", "-o", "name").strip()


def live_rows(server: Archiving) -> str:
    return server.sql("SELECT count(*), max(id) FROM ledger")


def test_a_drill_proves_the_content_and_leaves_only_its_report(server: Archiving) -> None:
    planned = restore(server, "drill", check_mode=True)
    assert planned["changed"] and planned["level"] == 2 and "report" not in planned
    assert left(server) == ""
    before = live_rows(server)
    done = restore(server, "drill", about={"scenario": "weekly"})
    assert (done["level"], done["findings"], done["gap"]) == (6, [], None)
    assert done["compared"][0]["equal"] and done["compared"][0]["copy"].startswith("3000|3000|")
    # All that was committed was archived: nothing is lost.
    assert done["rpo_s"] == 0 and done["rto_s"] < done["seconds"]
    assert live_rows(server) == before
    kubectl("-n", server.namespace, "wait", "--for=delete", "jobs,persistentvolumeclaims", "--all", "--timeout=60s")
    assert left(server) == ""
    with connected(call_for_tests({})) as client, opened(
        call_for_tests({}), client, server.namespace, server.repository
    ) as store:
        report = next(read_reports(store))
    assert (report["level"], report["about"]) == (6, {"scenario": "weekly"})
    assert PASSWORD not in json.dumps(report)


def test_a_dropped_table_is_back_in_a_volume_that_stays(server: Archiving) -> None:
    server.sql("CREATE TABLE precious AS SELECT generate_series(1, 500) AS id")
    moment = server.sql("SELECT pg_sleep(1), to_char(clock_timestamp(), 'YYYY-MM-DD\"T\"HH24:MI:SS.USOF\":00\"')").strip("|")
    server.sql("SELECT pg_sleep(1)", "DROP TABLE precious")
    server.switch()
    asked: dict[str, Any] = {
        "storage": {"size": "1Gi", "class": None, "claim": "data-beside"},
        "target": {"kind": "time", "value": moment},
        "compare": [{"schema": "public", "table": "precious", "key": "id"}],
        "prove": "start",
    }
    with pytest.raises(GoliveError) as unequal:
        # The live database has lost the table, so that it cannot say that the copy is right; the copy tells its rows.
        restore(server, "before-drop", **asked)
    assert unequal.value.code == "restore_unproven"
    asked["compare"] = [{"schema": "public", "table": "ledger", "key": "id"}]
    assert restore(server, "before-drop", True, **asked)["changed"]
    done = restore(server, "before-drop", **asked)
    assert done["changed"] and done["level"] == 4
    for check_mode in (True, False):
        again = restore(server, "before-drop", check_mode, **asked)
        assert not again["changed"] and again["backup"] == done["backup"]
    with pytest.raises(GoliveError) as refused:
        restore(server, "another", **asked)
    assert refused.value.code == "volume_exists"
