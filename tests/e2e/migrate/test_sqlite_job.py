# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``sqlite_copy`` as a Job: the file lies in a claim that an app's pod has, and only its user may read it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.modules import sqlite_copy
from tests.e2e.conftest import ROOT, kubectl
from tests.e2e.migrate.conftest import NAME, Stand
from tests.integration.migrate import runner_process
from tests.one_play import SQLITE_MOVE, one_play

_OURS = "app.kubernetes.io/name=golive-sqlite"
_USER = 12345
_MAKE = """
import os, sqlite3, sys
rows, text = int(sys.argv[1]), sys.argv[2].encode().decode("unicode_escape")
os.umask(0o077)
with sqlite3.connect("/data/shop.db") as file:
    file.executescript("DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT);")
    file.executemany("INSERT INTO t VALUES (?, ?)", ((i, text) for i in range(rows)))
"""
_WRITE = """
import sqlite3, sys
with sqlite3.connect("/data/shop.db") as file:
    file.execute(sys.argv[1])
"""
# The row 500 of the table t comes in once the table gate holds a row.
_GATE = """
CREATE TABLE gate (open bool);
CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.1); END LOOP; RETURN NEW; END $$;
CREATE FUNCTION close() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN IF to_regclass('t') IS NOT NULL THEN
        CREATE OR REPLACE TRIGGER wait BEFORE INSERT ON t FOR EACH ROW WHEN (NEW.id = 500) EXECUTE FUNCTION wait();
    END IF; END $$;
CREATE EVENT TRIGGER close ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION close();
"""


@dataclass(frozen=True)
class Held:
    """The claim ``shop-data``, which the pod ``holder`` has; ``image`` has Python."""

    stand: Stand
    image: str

    def make(self, rows: int, text: str = "x") -> None:
        """Have the app write its file anew."""
        kubectl("exec", "-n", self.stand.namespace, "holder", "--", "python3", "-c", _MAKE, str(rows), text)

    def files(self) -> list[str]:
        """What lies in the claim."""
        return kubectl(
            "exec",
            "-n",
            self.stand.namespace,
            "holder",
            "--",
            "python3",
            "-c",
            "import os; print(*os.listdir('/data'))",
        ).split()

    def job(self, **options: Any) -> dict[str, Any]:
        """The option ``in_cluster``."""
        return {
            "namespace": self.stand.namespace,
            "claim": "shop-data",
            "image": self.image,
            "user": None,
            "timeout": 180,
            "labels": {},
            "pull_secrets": [],
            "resources": {"limits": {"memory": "256Mi"}},
            **options,
        }

    def params(self, in_cluster: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """Options of the verb."""
        defaults = {name: spec.get("default") for name, spec in sqlite_copy.SPEC["argument_spec"].items()}
        return {
            **defaults,
            "path": "shop.db",
            "postgresql": {
                "host": f"{NAME}.{self.stand.namespace}.svc",
                "database": "shop",
                "user": "shop",
                "password_secret": {"name": NAME, "key": "password"},
                "connect_timeout": 10,
            },
            "in_cluster": in_cluster or self.job(),
            **options,
        }

    def copy(self, **options: Any) -> dict[str, Any]:
        """Run the verb."""
        return sqlite_copy.run(call_for_tests(self.params(**options)))

    def sent(self) -> int:
        """Chunks that are committed."""
        if self.stand.psql("SELECT to_regclass('golive.sqlite_chunks') IS NOT NULL") != "t":
            return 0
        return int(self.stand.psql("SELECT count(*) FROM golive.sqlite_chunks"))

    def ours(self) -> set[str]:
        """Objects of our Jobs, and their pods."""
        return set(kubectl("get", "jobs,secrets,pods", "-n", self.stand.namespace, "-l", _OURS, "-o", "name").split())


@pytest.fixture(scope="module")
def claimed(stand: Stand) -> Iterator[Held]:
    """One claim for all tests of this file."""
    built = subprocess.run(
        [ROOT / "tests/images/build", "python", "--manifest"], check=True, stdout=subprocess.PIPE, text=True
    )
    held = Held(stand, json.loads(Path(built.stdout.strip()).read_text())["python"])
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "shop-data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "holder"},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "securityContext": {"runAsUser": _USER, "runAsGroup": _USER, "fsGroup": _USER},
            "containers": [
                {
                    "name": "app",
                    "image": held.image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python3", "-c", "import signal; signal.pause()"],
                    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                }
            ],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "shop-data"}}],
        },
    }
    kubectl("apply", "-n", stand.namespace, "-f", "-", stdin=json.dumps(claim))
    kubectl("apply", "-n", stand.namespace, "-f", "-", stdin=json.dumps(pod))
    kubectl("wait", "-n", stand.namespace, "pod/holder", "--for=condition=Ready", "--timeout=100s")
    yield held
    kubectl("delete", "-n", stand.namespace, "pod/holder", "pvc/shop-data", "--wait=false", check=False)


@pytest.fixture
def held(claimed: Held, fresh: Stand) -> Held:
    """The claim beside an empty database."""
    assert claimed.stand == fresh
    return claimed


@pytest.fixture
def gated(held: Held) -> Iterator[Held]:
    """A copy of the table t, chunk by chunk of 100 rows, stops behind the fifth one until ``gate`` holds a row."""
    held.stand.psql(_GATE)
    held.make(2000)
    yield held
    held.stand.psql("DROP EVENT TRIGGER close")


def eventually(look: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until ``look`` is true."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not look():
        assert time.monotonic() < end
        pause.wait(0.2)


def play(held: Held, folder: Path, *arguments: str, **variables: Any) -> tuple[int, str]:
    """Changed tasks and output of a play with the role, which must succeed."""
    settings = {
        "app_name": "shop",
        "app_namespace": held.stand.namespace,
        "postgres_mode": "external",
        "postgres_host": f"{NAME}.{held.stand.namespace}.svc",
        "postgres_secret": {"name": NAME},
        "migrate_sqlite_path": "shop.db",
        "migrate_sqlite_claim": "shop-data",
        "migrate_job_image": held.image,
        **variables,
    }
    return one_play(SQLITE_MOVE, folder, held.stand.password, settings, *arguments)


def test_the_role_copies_out_of_a_claim_and_catches_up(held: Held, tmp_path: Path) -> None:
    held.make(500)
    report = tmp_path / "report.json"
    variables = {"migrate_sqlite_report": str(report)}
    count, output = play(held, tmp_path, "--check", **variables)
    assert (count, "0 rows are planned" in output, "check mode starts none" in output) == (1, True, True), output
    assert (held.ours(), report.exists()) == (set(), False)
    assert held.stand.psql("SELECT to_regclass('t') IS NULL") == "t"

    count, output = play(held, tmp_path, "--diff", **variables)
    assert (count, "500 rows are copied" in output, "+t: 500 rows of (id bigint, v text)" in output) == (1, True, True)
    assert json.loads(report.read_text())["rows"] == 500
    assert held.stand.psql("SELECT count(*), sum(id) FROM t") == "500|124750"
    assert held.files() == ["shop.db"]

    # Nothing can be asked without a Job.
    count, output = play(held, tmp_path, "--check", **variables)
    assert (count, "0 rows are planned" in output) == (1, True)
    count, output = play(held, tmp_path, **variables)
    assert (count, "500 rows are present" in output) == (0, True), output

    held.make(501)
    count, output = play(held, tmp_path, migrate_sqlite_catch_up=True)
    assert (count, "501 rows are copied" in output) == (1, True), output
    assert held.stand.psql("SELECT count(*) FROM t") == "501"
    eventually(lambda: not held.ours())


def test_a_refusal_reads_as_at_home(held: Held) -> None:
    held.make(3, text=r"a\0b")
    with pytest.raises(GoliveError) as caught:
        held.copy()
    assert caught.value.code == "refused"
    (found,) = caught.value.details["refused"]
    assert (found["code"], found["table"], found["column"], found["count"]) == ("text_nul", "t", "v", 3)
    assert held.stand.psql("SELECT to_regclass('t') IS NULL") == "t"
    assert held.files() == ["shop.db"]
    with pytest.raises(GoliveError) as caught:
        held.copy(path="no.db")
    assert (caught.value.code, "/no.db" in caught.value.message) == ("not_found", True)
    # Another user than that of the app's pod has no business with its file.
    with pytest.raises(GoliveError) as caught:
        held.copy(in_cluster=held.job(user=65532))
    assert (caught.value.code, "Permission denied" in caught.value.message) == ("not_found", True)
    eventually(lambda: not held.ours())


def test_a_claim_that_is_not_there_and_a_path_out_of_it(held: Held) -> None:
    for code, options in (
        ("claim_missing", {"in_cluster": held.job(claim="other")}),
        ("invalid", {"path": "../other.db"}),
        ("invalid", {"work_dir": "a/../../b"}),
    ):
        with pytest.raises(GoliveError) as caught:
            held.copy(**options)
        assert caught.value.code == code
    assert held.ours() == set()


def test_a_killed_pod_is_gone_on_with(gated: Held) -> None:
    options = {"chunk_rows": 100, "processes": 1}
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(gated.copy, **options)
        eventually(lambda: running.done() or gated.sent() == 5)
        (pod,) = (name for name in gated.ours() if name.startswith("pod/"))
        node = kubectl("get", pod, "-n", gated.stand.namespace, "-o", "jsonpath={.spec.affinity}")
        kubectl("delete", pod, "-n", gated.stand.namespace, "--grace-period=0", "--force")
        with pytest.raises(GoliveError) as caught:
            running.result(timeout=120)
    assert caught.value.code != "result_missing", caught.value
    where = kubectl("get", "pod", "holder", "-n", gated.stand.namespace, "-o", "jsonpath={.spec.nodeName}")
    assert f'"{where}"' in node

    gated.stand.psql("INSERT INTO gate VALUES (true)")
    done = gated.copy(**options)
    assert (done["state"], done["rows"], done["resumed"]) == ("copied", 2000, 500)
    assert gated.stand.psql("SELECT count(*), count(DISTINCT id), sum(id) FROM t") == "2000|2000|1999000"
    assert gated.files() == ["shop.db"]
    eventually(lambda: not gated.ours())


def test_what_was_written_since_a_killed_controller_began_is_copied(gated: Held) -> None:
    options = {"chunk_rows": 100, "processes": 1, "catch_up": True}
    process = subprocess.Popen(
        [sys.executable, runner_process.__file__, "sqlite_copy"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(gated.params(**options)))
    process.stdin.close()
    eventually(lambda: gated.sent() == 5)
    process.kill()
    process.wait()
    late = "INSERT INTO t VALUES (5000, 'late')"
    kubectl("exec", "-n", gated.stand.namespace, "holder", "--", "python3", "-c", _WRITE, late)
    opened: list[str] = []

    def show(_text: str, _done: int | None, _total: int | None) -> None:
        # It follows the Job that is there; only now that one may end.
        if not opened:
            opened.append(gated.stand.psql("INSERT INTO gate VALUES (true)"))

    done = sqlite_copy.run(call_for_tests(gated.params(**options), show=show))
    assert (done["changed"], done["state"], done["rows"]) == (True, "copied", 2001)
    assert gated.stand.psql("SELECT count(*), max(id) FROM t") == "2001|5000"
    assert gated.files() == ["shop.db"]
    eventually(lambda: not gated.ours())
