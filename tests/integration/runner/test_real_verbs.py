# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every verb fails equally both ways when its arguments, its cluster or its library are missing.

Successes need a cluster: ``assert_same`` of ``tests.both_ways.harness`` takes them in the e2e tier.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.both_ways.harness import ROOT, Ran, assert_same, comparable, play_of, printed, run_both, run_plays

VERBS = sorted(path.stem for path in (ROOT / "plugins/modules").glob("[a-z]*.py"))
SECRET = "hunter2-token"
NO_CLUSTER = {"kubeconfig": "nowhere/kubeconfig"}
# A port that nobody may listen on: refused at once.
REFUSED = {"host": "https://127.0.0.1:1", "api_key": SECRET, "validate_certs": False}
NO_DATABASE = {"host": "127.0.0.1", "port": 1, "database": "shop", "user": "shop", "password": SECRET}
# Arguments that are right, without the part that reaches something.
RIGHT: dict[str, dict[str, Any]] = {
    "backup_probe": {
        "namespace": "x",
        "app": "x",
        "repositories": [{"endpoint": "x", "bucket": "xxx", "path": "/x", "secret": {"name": "x"}}],
    },
    "backup_secret": {
        "namespace": "x",
        "name": "x",
        "repositories": [{"endpoint": "s3.example.org", "bucket": "xyz", "path": "/x", "secret": {"name": "x"}}],
        "server": {"host": "x", "data": "/x"},
    },
    "backup_stanza": {"namespace": "x", "app": "x"},
    "db_dump": {"directory": "../dumps", "name": "x"},
    "db_dump_store": {
        "namespace": "x",
        "app": "x",
        "repositories": [{"endpoint": "x", "bucket": "xxx", "path": "/x", "secret": {"name": "x"}}],
        "state": "listed",
    },
    "db_migrate": {"path": "../migrations", "wait": 1},
    "db_migrate_info": {"path": "../migrations"},
    "db_migrate_lint": {"path": "../migrations"},
    "db_migrate_rehearse": {"path": "../migrations"},
    "health_gate": {
        "checks": [{"name": "up", "kind": "kube", "object": {"name": "x", "namespace": "x"}, "rolled_out": True}],
        "consecutive": 1,
        "timeout": 1.5,
    },
    "incident": {"action": "note", "app": "x", "namespace": "x", "directory": "../incidents", "text": "x"},
    "kube_apply": {"content": "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: x}}"},
    "kube_job": {"definition": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}}, "namespace": "x"},
    "kube_rollback": {"kind": "Deployment", "name": "x"},
    "kube_track": {"objects": [{"kind": "Deployment", "name": "x"}]},
    "login_secret": {"namespace": "x", "name": "x", "logins": ["x_a", "x_b"]},
    "monitor_info": {"rule": {"namespace": "x", "name": "x"}},
    "monitor_page": {
        "output": "/nowhere/x.html",
        "watched": {"app": "x"},
        "tunnel": {"namespace": "x", "service": "x"},
    },
    "notify": {
        "event": "test",
        "app": "x",
        "namespace": "x",
        "targets": [{"secret": {"name": "x"}}],
        "text": "without the time",
        "strict": True,
    },
    "pg_access": {"database": "shop", "logins": [{"name": "shop_a", "of": "app", "password": SECRET}]},
    "pg_backup": {"namespace": "x", "app": "x"},
    "pg_backup_info": {
        "namespace": "x",
        "app": "x",
        "repositories": [{"endpoint": "x", "bucket": "xxx", "path": "/x", "secret": {"name": "x"}}],
    },
    "pg_health": {"fail_on": "unhealthy"},
    "pg_pooler_login": {"name": "shop_pooler", "group": "shop_app", "password": SECRET},
    "pg_restore": {
        "namespace": "x",
        "app": "x",
        "name": "x",
        "storage": {"size": "1Gi"},
        "repositories": [{"endpoint": "x", "bucket": "xxx", "path": "/x", "secret": {"name": "x"}}],
    },
    "pg_settings": {"settings": {"work_mem": "4MB"}},
    "pg_switch": {"namespace": "x", "service": "x"},
    "release_info": {"app": "x", "namespace": "x"},
    "release_journal": {"action": "read", "app": "x", "namespace": "x"},
    "rolling_lint": {"content": "{apiVersion: v1, kind: ConfigMap}", "service": "x", "namespace": "x"},
    "secret_escrow": {
        "namespace": "x",
        "app": "x",
        "repositories": [{"endpoint": "x", "bucket": "xxx", "path": "/x", "secret": {"name": "x"}}],
        "recipients": ["age1mmegrs3jyyamhls6el69d3pyf4tjtz2p0y0dttzdgyfh8hm9ws7qhpkjcd"],
    },
    "sqlite_copy": {"path": "../shop.db"},
    "sqlite_thaw": {"path": "../shop.db"},
    "status_page": {"output": "/proc/nowhere"},
    "tls_secret": {"namespace": "x", "name": "x", "ca": {"name": "x-ca"}, "names": ["x.example.org"]},
    "traffic_info": {"service": "x", "namespace": "x"},
    "traffic_switch": {"service": "x", "namespace": "x", "to": "green"},
}
DATABASE_VERBS = (
    "db_dump",
    "db_migrate",
    "db_migrate_info",
    "db_migrate_lint",
    "db_migrate_rehearse",
    "pg_access",
    "pg_health",
    "pg_pooler_login",
    "pg_settings",
    "sqlite_copy",
    "sqlite_thaw",
)


# They have something to write down, whatever is missing.
FILE_VERBS = ("incident", "status_page")


def _unreachable(verb: str) -> dict[str, Any]:
    if verb in FILE_VERBS:
        return RIGHT[verb]
    return {**RIGHT[verb], **({"postgresql": NO_DATABASE} if verb in DATABASE_VERBS else NO_CLUSTER)}


def _cases() -> dict[str, Any]:
    cases: dict[str, Any] = {}
    for verb in VERBS:
        name = f"golive.cutover.{verb}"
        cases[f"{verb}: unknown option"] = {name: {**RIGHT[verb], "kubecofnig": "x"}}
        cases[f"{verb}: unreachable"] = {name: _unreachable(verb)}
    # The rest is the same code for all verbs.
    track = RIGHT["kube_track"]
    cases["missing option"] = {"golive.cutover.kube_track": {}}
    cases["wrong type"] = {"golive.cutover.kube_track": {**track, "validate_certs": "maybe"}}
    cases["unknown option inside"] = {"golive.cutover.db_migrate_info": {"postgresql": {"pasword": SECRET}}}
    cases["check mode: unreachable"] = {"golive.cutover.kube_track": {**track, **NO_CLUSTER}, "check_mode": True}
    cases["refused: unreachable"] = {"golive.cutover.kube_track": {**track, **REFUSED}}
    return cases


CASES = _cases()


@pytest.fixture(scope="module")
def runs(executable: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Ran]:
    """All cases both ways."""
    return run_both(executable, CASES, _folder(tmp_path_factory.mktemp("real_verbs")))


@pytest.mark.parametrize("case", CASES)
def test_same_failure(runs: tuple[Ran, Ran], case: str) -> None:
    inside, module = runs
    assert inside.of(case), inside.out
    assert comparable(inside.of(case)) == comparable(module.of(case))
    assert inside.of(case)[0]["event"] == "failed"
    result = inside.result(case)
    assert result["changed"] is False
    assert result["msg"]
    assert result["code"] != "internal", result
    assert (result["code"] == "invalid_arguments") is not case.endswith("unreachable"), result


def test_same_output(runs: tuple[Ran, Ran]) -> None:
    inside, module = runs
    assert printed(inside) == printed(module)
    assert inside.code == module.code == 0


def test_no_secret_is_shown(runs: tuple[Ran, Ran]) -> None:
    for ran in runs:
        assert SECRET not in ran.out
        assert SECRET not in str(ran.events)


def test_every_missing_library_has_one_clear_failure(executable: str, tmp_path: Path) -> None:
    broken = _folder(tmp_path) / "broken"
    broken.mkdir()
    for library in ("kubernetes", "psycopg2"):
        (broken / f"{library}.py").write_text("raise ImportError('made unimportable')\n")
    path = {"PYTHONPATH": f"{broken}:{ROOT / 'build/collections'}"}
    cases = {verb: {f"golive.cutover.{verb}": _unreachable(verb)} for verb in VERBS}
    ran = run_plays(executable, "inside", [play_of(cases)], tmp_path / "all", **path)
    needing = [verb for verb in VERBS if verb not in FILE_VERBS]
    assert {verb: ran.result(verb).get("code") for verb in needing} == dict.fromkeys(needing, "library_missing")
    assert_same(executable, {verb: cases[verb] for verb in ("db_migrate_info", "kube_track")}, tmp_path, **path)


def _folder(folder: Path) -> Path:
    # Relative to the playbook, which each way has in a folder of its own.
    migrations = folder / "migrations"
    migrations.mkdir()
    (migrations / "0001_create.sql").write_text("CREATE TABLE x (id int);\n")
    with closing(sqlite3.connect(folder / "shop.db")) as connection:
        connection.execute("CREATE TABLE x (id INTEGER)")
    return folder
