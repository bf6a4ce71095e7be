# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``db_migrate`` as a Job: the database answers to a name that only the cluster knows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import db_migrate
from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.migrate.conftest import NAME, Stand
from tests.e2e.migrate.test_db_migrate import playbook

MIGRATIONS = ROOT / "tests" / "app" / "migrations"
# It goes on once the table holds a row.
GATE = "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.2); END LOOP; END $$;"
_OURS = "app.kubernetes.io/name=golive-migrate"


@pytest.fixture(scope="module")
def inside(stand: Stand) -> dict[str, Any]:
    """Options that lead to the database from inside of the cluster."""
    built = subprocess.run(
        [ROOT / "tests/images/build", "python", "--manifest"], check=True, stdout=subprocess.PIPE, text=True
    )
    return {
        "tunnel": None,
        "postgresql": {
            "host": f"{NAME}.{stand.namespace}.svc",
            "database": "shop",
            "user": "shop",
            "password_secret": {"name": NAME, "key": "password"},
            "connect_timeout": 10,
        },
        "in_cluster": {
            "namespace": stand.namespace,
            "image": json.loads(Path(built.stdout.strip()).read_text())["python"],
            "timeout": 120,
            "labels": {},
            "pull_secrets": [],
            "resources": {"limits": {"memory": "128Mi"}},
        },
    }


def ours(stand: Stand) -> set[str]:
    """Objects of our Jobs, and their pods."""
    return set(kubectl("get", "jobs,secrets,pods", "-n", stand.namespace, "-l", _OURS, "-o", "name").split())


def eventually(look: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until ``look`` is true."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not look():
        assert time.monotonic() < end
        pause.wait(0.2)


def test_check_run_check_run_from_inside(fresh: Stand, inside: dict[str, Any]) -> None:
    planned = fresh.migrate(MIGRATIONS, check_mode=True, **inside)
    assert planned["changed"] is True
    assert ours(fresh) == set()
    assert fresh.psql("SELECT count(*) FROM pg_namespace WHERE nspname = 'golive'") == "0"

    done = fresh.migrate(MIGRATIONS, run_id="r-1", **inside)
    assert done["changed"] is True
    assert [row["version"] for row in done["applied"]] == [row["version"] for row in planned["pending"]]
    assert "CREATE TABLE" in done["diff"][0]["after"]
    assert fresh.psql("SELECT DISTINCT application FROM golive.migrations") == "golive/r-1"

    again = fresh.migrate(MIGRATIONS, **inside)
    assert (again["changed"], again["diff"], again["head"]) == (False, [], done["head"])
    eventually(lambda: not ours(fresh))


def test_a_failure_reads_as_at_home(fresh: Stand, inside: dict[str, Any], tmp_path: Path) -> None:
    tmp_path.joinpath("1_create.sql").write_text("CREATE TABLE t (a int);")
    tmp_path.joinpath("2_leak.sql").write_text(f"SELECT 1;\nSELECT '{fresh.password}'::int;")
    errors = []
    for options in (inside, {}):
        fresh.psql("DROP SCHEMA IF EXISTS golive CASCADE; DROP TABLE IF EXISTS t")
        with pytest.raises(GoliveError) as caught:
            fresh.migrate(tmp_path, **options)
        for row in caught.value.details["applied"]:
            row.pop("seconds")
        caught.value.details.pop("locks")
        errors.append((caught.value.code, caught.value.message, caught.value.hint, caught.value.details))
    assert errors[0] == errors[1]
    assert fresh.password not in str(errors)
    eventually(lambda: not ours(fresh))


def begin(stand: Stand, path: Path, inside: dict[str, Any]) -> subprocess.Popen[str]:
    """``db_migrate`` in a process of its own, once its Job waits at the gate."""
    stand.psql("CREATE TABLE gate (open bool)")
    path.joinpath("1_slow.sql").write_text(f"CREATE TABLE t (a int);\n{GATE}")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.migrate.runner_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(stand.params(path=str(path), **inside)))
    process.stdin.close()
    eventually(lambda: waiting(stand))
    return process


def waiting(stand: Stand) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %gate%' AND state = 'active'"
    return stand.psql(query) == "1"


def test_the_job_of_a_killed_controller_is_followed_to_its_end(
    fresh: Stand, inside: dict[str, Any], tmp_path: Path
) -> None:
    process = begin(fresh, tmp_path, inside)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (job,) = (name for name in ours(fresh) if name.startswith("job.batch/"))
    assert kubectl("get", job, "-n", fresh.namespace, "-o", "jsonpath={.spec.activeDeadlineSeconds}") == "120"

    opened: list[str] = []

    def show(_text: str, _done: int | None, _total: int | None) -> None:
        # It follows the Job that is there; only now that one may end.
        if not opened:
            opened.append(fresh.psql("INSERT INTO gate VALUES (true)"))

    done = db_migrate.run(call_for_tests(fresh.params(path=str(tmp_path), **inside), show=show))
    assert [row["version"] for row in done["applied"]] == ["1"]
    assert fresh.psql("SELECT count(*) FROM golive.migrations") == "1"
    eventually(lambda: not ours(fresh))


@pytest.mark.series
def test_a_cancelled_run_ends_its_job(fresh: Stand, inside: dict[str, Any], tmp_path: Path) -> None:
    process = begin(fresh, tmp_path, inside)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=20)
    eventually(lambda: not waiting(fresh))
    eventually(lambda: not ours(fresh))
    assert fresh.psql("SELECT to_regclass('t') IS NULL") == "t"


@pytest.mark.series
def test_an_image_that_lacks_what_it_needs(fresh: Stand, inside: dict[str, Any]) -> None:
    notes = f"{os.environ['GOLIVE_IMAGE_PREFIX']}/notes:1.0.0"
    with pytest.raises(GoliveError) as caught:
        fresh.migrate(MIGRATIONS, **{**inside, "in_cluster": {**inside["in_cluster"], "image": notes}})
    assert "told no result" in caught.value.message
    assert "python3" in str(caught.value.hint)
    eventually(lambda: not ours(fresh))


@pytest.mark.series
def test_both_ways_pack_the_program_and_plan_the_same(fresh: Stand, inside: dict[str, Any], tmp_path: Path) -> None:
    reach = {"postgresql": inside["postgresql"], "in_cluster": inside["in_cluster"]}
    results = []
    for environment in ({}, {"GOLIVE_RUN_AS_MODULE": "1"}):
        output, result = playbook(fresh, tmp_path, MIGRATIONS, "--check", reach=reach, **environment)
        assert fresh.password not in output
        results.append({key: value for key, value in result.items() if key != "invocation"})
    assert results[0] == results[1]
    assert [row["version"] for row in results[0]["pending"]] == ["0001", "0002"]
