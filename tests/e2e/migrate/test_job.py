# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``db_migrate`` as a Job, and its kin through one: the database answers to a name that only the cluster knows."""

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
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError, Interrupted
from ansible_collections.golive.cutover.plugins.modules import db_dump, db_migrate, db_migrate_info, db_migrate_rehearse
from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.migrate.conftest import NAME, Stand
from tests.e2e.migrate.test_db_migrate import playbook
from tests.one_play import one_play

MIGRATIONS = ROOT / "tests" / "app" / "migrations"
# It goes on once the table holds a row.
GATE = "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.2); END LOOP; END $$;"
_OURS = "app.kubernetes.io/name in (golive-migrate,golive-relay)"


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
    assert fresh.psql("SELECT DISTINCT application FROM golive.migrations") == "golive/r-1"

    again = fresh.migrate(MIGRATIONS, **inside)
    assert (again["changed"], again["diff"], again["head"]) == (False, [], done["head"])
    eventually(lambda: not ours(fresh))

    fresh.psql("DROP SCHEMA golive CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert done["diff"] == fresh.migrate(MIGRATIONS)["diff"]
    assert "catalogue of shop" in done["diff"][-1]["after_header"]
    assert "table public.notes" in done["diff"][-1]["after"]


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


def verb(stand: Stand, module: Any, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """Run another verb than ``db_migrate``."""
    defaults = {name: spec.get("default") for name, spec in module.SPEC["argument_spec"].items()}
    given = {**defaults, **stand.params(), **options}
    result: dict[str, Any] = module.run(call_for_tests(given, check_mode, diff_mode=True))
    return result


def test_a_look_from_inside_sees_what_one_at_home_sees(fresh: Stand, inside: dict[str, Any]) -> None:
    fresh.migrate(MIGRATIONS, target="0001")
    seen = verb(fresh, db_migrate_info, path=str(MIGRATIONS), **inside)
    assert [row["version"] for row in seen["pending"]] == ["0002"]
    assert seen == verb(fresh, db_migrate_info, path=str(MIGRATIONS))
    eventually(lambda: not ours(fresh))


def test_check_mode_looks_through_no_job(fresh: Stand, inside: dict[str, Any]) -> None:
    fresh.migrate(MIGRATIONS)
    warnings: list[str] = []
    given = fresh.params(path=str(MIGRATIONS), **inside)
    seen = db_migrate_info.run(call_for_tests(given, check_mode=True, warn=warnings.append))
    assert [row["version"] for row in seen["pending"]] == ["0001", "0002"]
    assert "check mode starts none" in warnings[0]
    assert ours(fresh) == set()


def test_a_database_that_the_cluster_does_not_reach_either(fresh: Stand, inside: dict[str, Any]) -> None:
    lost = {**inside, "postgresql": {**inside["postgresql"], "host": "nowhere.invalid"}}
    with pytest.raises(GoliveError) as caught:
        verb(fresh, db_migrate_info, **lost)
    assert "In the cluster, connecting to nowhere.invalid:5432 failed" in caught.value.message
    eventually(lambda: not ours(fresh))


def test_a_look_that_is_cancelled_leaves_no_job(fresh: Stand, inside: dict[str, Any]) -> None:
    def alive() -> None:
        if ours(fresh):
            raise Interrupted("cancelled")

    with pytest.raises(Interrupted):
        db_migrate_info.run(call_for_tests(fresh.params(**inside), alive=alive))
    eventually(lambda: not ours(fresh))


def test_a_look_through_an_image_that_lacks_python(fresh: Stand, inside: dict[str, Any]) -> None:
    notes = f"{os.environ['GOLIVE_IMAGE_PREFIX']}/notes:1.0.0"
    with pytest.raises(GoliveError) as caught:
        verb(fresh, db_migrate_info, **{**inside, "in_cluster": {**inside["in_cluster"], "image": notes}})
    assert "python3" in str(caught.value), (caught.value.code, str(caught.value))
    eventually(lambda: not ours(fresh))


def test_a_rehearsal_from_inside_tells_what_one_at_home_tells(
    fresh: Stand, inside: dict[str, Any], tmp_path: Path
) -> None:
    fresh.psql("CREATE TABLE t (a int)")
    tmp_path.joinpath("1_add.sql").write_text("ALTER TABLE t ADD COLUMN b int;")
    tmp_path.joinpath("1_add.down.sql").write_text("ALTER TABLE t DROP COLUMN b;")
    found = verb(fresh, db_migrate_rehearse, path=str(tmp_path), **inside)
    assert [row["version"] for row in found["proved"]] == ["1"]
    assert "catalogue of shop" in found["diff"][0]["after_header"]
    at_home = verb(fresh, db_migrate_rehearse, path=str(tmp_path))
    assert {**found, "clone": None} == {**at_home, "clone": None}
    assert fresh.psql("SELECT count(*) FROM pg_database WHERE datname LIKE 'golive_clone%'") == "0"

    planned = verb(fresh, db_migrate_rehearse, check_mode=True, path=str(tmp_path), **inside)
    assert (planned["changed"], planned["pending"]) == (False, [])
    eventually(lambda: not ours(fresh))


def test_a_dump_from_inside_is_proven_here(fresh: Stand, inside: dict[str, Any], tmp_path: Path) -> None:
    fresh.psql("CREATE TABLE t AS SELECT n, repeat('x', 900) AS text FROM generate_series(1, 20000) n")
    tmp_path.chmod(0o700)
    wish = {"directory": str(tmp_path / "dumps"), "name": "before", **inside}
    planned = verb(fresh, db_dump, check_mode=True, **wish)
    assert (planned["changed"], tmp_path.joinpath("dumps").exists()) == (True, False)
    taken = verb(fresh, db_dump, **wish)
    assert (taken["changed"], taken["manifest"]["rows"]) == (True, 20000)
    assert Path(taken["path"]).stat().st_size == taken["manifest"]["bytes"]
    assert verb(fresh, db_dump, **wish)["changed"] is False
    eventually(lambda: not ours(fresh))


def play(stand: Stand, inside: dict[str, Any], folder: Path, *arguments: str, **variables: Any) -> tuple[int, str]:
    """Changed tasks and output of a play that must succeed: what preflight says of migrations, and then the role."""
    settings = {
        "app_name": "shop",
        "app_namespace": stand.namespace,
        "postgres_mode": "external",
        "postgres_host": inside["postgresql"]["host"],
        "postgres_secret": {"name": NAME},
        "migrate_path": str(folder / "files"),
        "migrate_in_cluster": True,
        "preflight_pending_migrations": "refuse",
        "migrate_job_image": inside["in_cluster"]["image"],
        "migrate_restore_dir": str(folder / "dumps"),
        **variables,
    }
    role = {"name": "golive.cutover.migrate"}
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.include_role": {**role, "tasks_from": "check"}},
        {"ansible.builtin.set_fact": {"__preflight_told": [], "__preflight_doubts": []}},
        {"ansible.builtin.include_role": {"name": "golive.cutover.preflight", "tasks_from": "migrations"}},
        {"ansible.builtin.debug": {"msg": "{{ __preflight_told + __preflight_doubts }}"}},
        {"ansible.builtin.include_role": role},
    ]
    return one_play(tasks, folder, stand.password, settings, "--diff", *arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where dumps may lie, with one migration in ``files``."""
    tmp_path.chmod(0o700)
    tmp_path.joinpath("files").mkdir()
    tmp_path.joinpath("files", "1_create.sql").write_text("CREATE TABLE t (a int, b int);")
    tmp_path.joinpath("files", "1_create.down.sql").write_text("DROP TABLE t;")
    return tmp_path


def test_the_role_plans_and_starts_no_job_in_check_mode(fresh: Stand, inside: dict[str, Any], folder: Path) -> None:
    count, output = play(fresh, inside, folder, "--check", migrate_rehearse=True)
    assert (count, "check mode starts none" in output, "preflight_pending" in output) == (2, True, False), output
    assert "pending migrations: not known" in output
    assert (ours(fresh), folder.joinpath("dumps").exists()) == (set(), False)


def test_the_role_looks_dumps_rehearses_and_migrates(fresh: Stand, inside: dict[str, Any], folder: Path) -> None:
    count, output = play(fresh, inside, folder, migrate_rehearse=True)
    assert (count, "+table public.t: owner shop" in output) == (2, True), output
    assert "pending migrations: 1 create, and preflight_pending_migrations is refuse" in output
    assert len(list(folder.glob("dumps/shop-*/manifest.json"))) == 1
    assert fresh.psql("SELECT restore_point ~ '^shop-.*-empty' FROM golive.migrations") == "t"
    eventually(lambda: not ours(fresh))


def test_the_role_dumps_nothing_when_nothing_is_pending(
    fresh: Stand, inside: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As modules, which get the program of the pod out of an archive.
    monkeypatch.setenv("GOLIVE_RUN_AS_MODULE", "1")
    fresh.migrate(folder / "files")
    count, output = play(fresh, inside, folder)
    assert (count, "pending migrations: none" in output) == (0, True), output
    assert not folder.joinpath("dumps").exists()
    eventually(lambda: not ours(fresh))
