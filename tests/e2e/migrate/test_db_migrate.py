# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``db_migrate`` through the tunnel into a real pod: quartet, both ways of running, a kill, a secret that stays one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from tests.e2e.conftest import ROOT
from tests.e2e.migrate.conftest import NAME, Stand

MIGRATIONS = ROOT / "tests" / "app" / "migrations"


def test_check_run_check_run_through_the_tunnel(fresh: Stand) -> None:
    planned = fresh.migrate(MIGRATIONS, check_mode=True)
    assert planned["changed"] is True
    # pg_dump went through the tunnel, too.
    assert planned["diff"][-1]["before_header"] == "catalogue of shop"
    assert fresh.psql("SELECT count(*) FROM pg_database WHERE datname LIKE 'golive%'") == "0"
    assert fresh.psql("SELECT count(*) FROM pg_namespace WHERE nspname = 'golive'") == "0"
    done = fresh.migrate(MIGRATIONS)
    assert [row["version"] for row in done["applied"]] == [row["version"] for row in planned["pending"]]
    for again in (fresh.migrate(MIGRATIONS, check_mode=True), fresh.migrate(MIGRATIONS)):
        assert again["changed"] is False
        assert again["head"] == done["head"]
    assert fresh.info(MIGRATIONS)["pending"] == []
    rows = fresh.psql("SELECT label || ' ' || applied_by FROM golive.migrations ORDER BY place").split("\n")
    assert rows == [f"{row['version']} shop" for row in done["applied"]]


def test_a_wrong_password_in_the_secret_is_told_and_not_echoed(fresh: Stand) -> None:
    options = {**fresh.params()["postgresql"], "password_secret": None, "password": "planted-wrong-7e1a"}
    with pytest.raises(GoliveError) as caught:
        fresh.migrate(MIGRATIONS, postgresql=options)
    assert caught.value.code == "auth_failed"
    assert "planted-wrong-7e1a" not in str(caught.value)


def test_a_secret_or_key_that_is_not_there(fresh: Stand) -> None:
    for secret, code in (
        ({"name": "none", "key": "password"}, "not_found"),
        ({"name": NAME, "key": "x"}, "key_missing"),
    ):
        with pytest.raises(GoliveError) as caught:
            fresh.migrate(MIGRATIONS, postgresql={**fresh.params()["postgresql"], "password_secret": secret})
        assert caught.value.code == code
        assert fresh.password not in str(caught.value)


def playbook(
    stand: Stand, folder: Path, path: Path, *arguments: str, reach: dict[str, Any] | None = None, **environment: str
) -> tuple[str, dict[str, Any]]:
    """Output and result of a play with ``db_migrate`` at -vvv, through the tunnel unless ``reach`` says another way."""
    through = {
        "postgresql": {"database": "shop", "user": "shop", "password_secret": {"name": NAME}},
        "tunnel": {"namespace": stand.namespace, "service": NAME},
    }
    task = {"path": str(path), **(reach or through)}
    kept = folder / "result.json"
    tasks = [
        {"golive.cutover.db_migrate": task, "register": "done", "ignore_errors": True},
        {
            "ansible.builtin.copy": {"content": "{{ done | to_json }}", "dest": str(kept), "mode": "0600"},
            "check_mode": False,
            "diff": False,
            "no_log": True,
        },
    ]
    play = folder / "play.yml"
    python = {"ansible_python_interpreter": sys.executable}
    play.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": python, "tasks": tasks}]))
    done = subprocess.run(
        [Path(sys.executable).with_name("ansible-playbook"), "-vvv", "--diff", play, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"), **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr, json.loads(kept.read_text())


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what may differ between two runs."""
    rows = [{key: value for key, value in row.items() if key != "seconds"} for row in result.get("applied", [])]
    return {**{key: value for key, value in result.items() if key != "invocation"}, "applied": rows}


def test_both_ways_give_one_result_and_the_password_shows_nowhere(fresh: Stand, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    files.joinpath("1_create.sql").write_text("CREATE TABLE t (a int);")
    files.joinpath("2_leak.sql").write_text(f"SELECT '{fresh.password}'::int;")
    results = {}
    for way, environment in (("process", {}), ("module", {"GOLIVE_RUN_AS_MODULE": "1"})):
        fresh.psql("DROP SCHEMA IF EXISTS golive CASCADE; DROP TABLE IF EXISTS t")
        for check in ((), ("--check",)):
            output, result = playbook(fresh, tmp_path, files, *check, **environment)
            assert fresh.password not in output
            assert fresh.password not in json.dumps(result)
            results[way, bool(check)] = comparable(result)
    assert results["process", False] == results["module", False]
    assert results["process", True] == results["module", True]
    assert (results["process", False]["code"], results["process", False]["file"]) == ("sql_failed", "2_leak.sql")
    assert [row["version"] for row in results["process", True]["pending"]] == ["2"]


def test_a_runner_killed_at_the_far_end_of_a_tunnel(fresh: Stand, tmp_path: Path) -> None:
    slow = tmp_path / "1_slow.sql"
    slow.write_text("CREATE TABLE half (a int);\nSELECT pg_sleep(60);")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.migrate.runner_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(fresh.params(path=str(tmp_path))))
    process.stdin.close()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(60)%'"
    end = time.monotonic() + 20
    while fresh.psql(waiting) != "1":
        assert time.monotonic() < end
        threading.Event().wait(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()

    slow.write_text("CREATE TABLE half (a int);")
    start = time.monotonic()
    done = fresh.migrate(tmp_path, wait=30)
    assert done["head"] == "1"
    assert time.monotonic() - start < 15
