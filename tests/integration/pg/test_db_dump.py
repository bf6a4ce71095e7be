# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``db_dump`` on a real PostgreSQL: what it leaves can be restored, and what fails leaves nothing."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg import dump as dump_code
from ansible_collections.golive.cutover.plugins.modules import db_dump
from tests.integration.conftest import Database

SCHEMA = """
CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text, data bytea);
INSERT INTO notes (body, data)
    SELECT repeat(md5(i::text), 20), decode(md5(i::text), 'hex') FROM generate_series(1, 3000) i;
INSERT INTO notes (body) VALUES (E'\\\\.'), (E'a\\n\\\\.\\nb'), (NULL), ('COPY a.b (c) FROM stdin;');
CREATE SCHEMA "Odd ""one"" of it";
CREATE TABLE "Odd ""one"" of it"."Table (with) all. of it" ("a b" int);
INSERT INTO "Odd ""one"" of it"."Table (with) all. of it" VALUES (1), (2);
CREATE TABLE nothing ();
CREATE TABLE parts (day date NOT NULL) PARTITION BY RANGE (day);
CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO parts VALUES ('2026-02-03'), ('2026-11-29');
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM notes;
"""


@dataclass
class Store:
    """A directory for dumps of ``database``."""

    directory: Path
    database: Database
    tools: Path

    def params(self, name: str, **options: Any) -> dict[str, Any]:
        """Options of ``db_dump`` as Ansible would hand them over."""
        defaults = {key: option.get("default") for key, option in db_dump.SPEC["argument_spec"].items()}
        reach = {
            "directory": str(self.directory),
            "postgresql": self.database.options,
            "programs": str(self.database.server.bin),
        }
        return {**defaults, **reach, "name": name, **options}

    def take(self, name: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        """Run ``db_dump``."""
        return db_dump.run(call_for_tests(self.params(name, **options), check_mode, diff_mode=True))

    def refused(self, name: str, **options: Any) -> GoliveError:
        """The error of ``db_dump``."""
        with pytest.raises(GoliveError) as caught:
            self.take(name, **options)
        return caught.value

    def names(self) -> list[str]:
        """What the directory holds beside its lock."""
        return sorted(path.name for path in self.directory.glob("[!.]*"))

    def with_pg_dump(self, script: str) -> dict[str, Any]:
        """The option ``programs`` with a pg_dump that runs ``script``, in which ``$REAL`` is the directory of ours."""
        real = self.database.server.bin
        for name, text in {
            "pg_dump": f'#!/bin/sh\nREAL={real}\n[ "$1" = --version ] && exec $REAL/pg_dump "$@"\n{script}\n',
            "pg_restore": f'#!/bin/sh\nexec {real}/pg_restore "$@"\n',
        }.items():
            self.tools.joinpath(name).write_text(text)
            self.tools.joinpath(name).chmod(0o755)
        return {"programs": str(self.tools)}


@pytest.fixture
def store(tmp_path: Path, database: Database) -> Store:
    """Nothing in it; the database holds ``SCHEMA``."""
    database.query(SCHEMA)
    made = Store(tmp_path / "dumps", database, tmp_path / "tools")
    made.tools.mkdir()
    return made


@pytest.fixture
def copy(database: Database) -> Iterator[Database]:
    """A second, empty database of the same owner."""
    name = f"{database.name}_copy"
    admin = database.server.connect()
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} OWNER {database.user}")
        yield Database(database.server, name, database.user, database.password)
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


def test_check_run_check_run(store: Store) -> None:
    planned = store.take("one", check_mode=True, labels={"run_id": "r-1"})
    assert planned["changed"] is True
    assert '"run_id": "r-1"' in planned["diff"][0]["after"]
    assert not store.directory.exists()

    done = store.take("one", labels={"run_id": "r-1"})
    assert done["changed"] is True
    assert done["manifest"]["labels"] == {"run_id": "r-1"}
    assert done["manifest"]["bytes"] == Path(done["path"]).stat().st_size
    assert json.loads(Path(done["path"]).with_name("manifest.json").read_text()) == done["manifest"]

    for again in (store.take("one", check_mode=True), store.take("one")):
        assert again["changed"] is False
        assert again["diff"] == []
        assert again["manifest"] == done["manifest"]


def test_only_its_owner_may_read_it(store: Store) -> None:
    path = Path(store.take("one")["path"])
    modes = [stat.S_IMODE(one.stat().st_mode) for one in (store.directory, path.parent, path)]
    assert modes == [0o700, 0o700, 0o600]
    store.directory.chmod(0o777)
    assert store.refused("two").code == "directory_unsafe"


def test_what_is_restored_has_the_rows_of_the_manifest(store: Store, copy: Database) -> None:
    done = store.take("one")
    tables = {f"{one['schema']}.{one['name']}": one["rows"] for one in done["manifest"]["tables"]}
    assert tables == {
        'Odd "one" of it.Table (with) all. of it': 2,
        "public.notes": 3004,
        "public.nothing": 0,
        "public.parts_2026": 2,
    }
    assert done["manifest"]["rows"] == 3008

    # As docs/migrations.md tells, in parallel as well.
    command = [store.database.server.bin / "pg_restore", "--exit-on-error", "--no-owner", "--jobs=2"]
    reach = ["--host=127.0.0.1", f"--port={copy.server.port}", f"--username={copy.user}", f"--dbname={copy.name}"]
    subprocess.run([*command, *reach, done["path"]], check=True, env={**os.environ, "PGPASSWORD": copy.password})
    beside = Store(store.directory, copy, store.tools).take("of-the-copy")
    assert beside["manifest"]["tables"] == done["manifest"]["tables"]
    copy.query("UPDATE notes SET body = 'other' WHERE id = 7")
    other = Store(store.directory, copy, store.tools).take("of-the-changed-copy")["manifest"]
    assert other["rows"] == done["manifest"]["rows"]
    assert other["tables"] != done["manifest"]["tables"]


def test_a_dump_whose_bytes_have_changed_is_refused(store: Store) -> None:
    path = Path(store.take("one")["path"])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    for check_mode in (True, False):
        assert store.refused("one", check_mode=check_mode).code == "dump_damaged"
    path.unlink()
    assert store.refused("one").code == "dump_damaged"


FLIP = (
    f'exec {sys.executable} -c "import subprocess, sys; a = bytearray(subprocess.run(sys.argv[1:], stdout=-1).stdout);'
    ' a[len(a) // 2] ^= 255; sys.stdout.buffer.write(a)" $REAL/pg_dump "$@"'
)


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        (FLIP, "dump_unreadable", "read back"),
        ('$REAL/pg_dump "$@" | head -c 20000', "dump_unreadable", "read back"),
        ('exec $REAL/pg_dump --exclude-table-data=notes "$@"', "dump_incomplete", "public.notes"),
        ("echo 'pg_dump: error: out of luck' >&2; exit 3", "program_failed", "out of luck"),
    ],
    ids=["byte flipped", "cut short", "a table is missing", "failed"],
)
def test_what_proves_nothing_leaves_nothing(store: Store, script: str, code: str, said: str) -> None:
    error = store.refused("one", **store.with_pg_dump(script))
    assert error.code == code
    assert said in error.message
    assert store.names() == []
    assert store.take("one")["changed"] is True


def test_a_table_that_may_not_be_read(store: Store) -> None:
    admin = store.database.server.connect(store.database.name)
    with admin.cursor() as cursor:
        cursor.execute("CREATE TABLE secret (a int)")
    admin.close()
    error = store.refused("one")
    assert error.code == "program_failed"
    assert "permission denied for table secret" in error.message
    assert store.names() == []


def test_programs_that_are_missing_or_too_old(store: Store) -> None:
    error = store.refused("one", programs=str(store.tools))
    assert error.code == "program_missing"
    store.with_pg_dump("")
    store.tools.joinpath("pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n")
    error = store.refused("one", programs=str(store.tools), check_mode=True)
    assert error.code == "program_too_old"
    assert "postgresql-client-" in str(error)
    assert store.names() == []


def test_the_password_is_in_no_argument(store: Store) -> None:
    seen = store.tools / "seen"
    store.take("one", **store.with_pg_dump(f'cat /proc/$$/cmdline >{seen}\nexec $REAL/pg_dump "$@"'))
    assert b"--snapshot" in seen.read_bytes()
    assert store.database.password.encode() not in seen.read_bytes()


def test_a_full_disk_is_told_and_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> BinaryIO:
        path.touch()
        return open("/dev/full", "wb")

    monkeypatch.setattr(dump_code, "create_file", full)
    error = store.refused("one")
    assert error.code == "disk_full"
    assert os.strerror(errno.ENOSPC) in error.message
    assert store.names() == []


def test_old_dumps_go_except_those_that_are_held(store: Store, copy: Database) -> None:
    for name in ("one", "two", "three"):
        store.take(name)
    Store(store.directory, copy, store.tools).take("of-another-database")
    planned = store.take("four", keep=2, hold=["one"], check_mode=True)
    assert planned["removed"] == ["two"]
    assert store.names() == ["of-another-database", "one", "three", "two"]
    done = store.take("four", keep=2, hold=["one"])
    assert done["removed"] == ["two"]
    assert store.names() == ["four", "of-another-database", "one", "three"]
    again = store.take("four", keep=2, hold=["one"])
    assert (again["changed"], again["removed"]) == (False, [])
    assert store.take("four", keep=1)["removed"] == ["three", "one"]


def test_a_name_that_is_taken_or_no_name(store: Store) -> None:
    store.directory.joinpath("mine").mkdir(parents=True, mode=0o700)
    assert store.refused("mine").code == "name_taken"
    for name in ("../one", "one.partial", "", ".one"):
        assert store.refused(name).code == "invalid"
    assert store.names() == ["mine"]


# It writes for ever and ends when nobody reads it, as pg_dump does.
ENDLESS = "while printf xxxxxxxxxxxxxxxxxxxxxxxx; do sleep 0.02; done; exit 1"


@pytest.fixture
def endless(store: Store) -> Iterator[subprocess.Popen[str]]:
    """``db_dump`` in a process of its own, in the middle of a dump that does not end."""
    command = [sys.executable, "-m", "tests.integration.migrate.runner_process", "db_dump"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(store.params("one", **store.with_pg_dump(ENDLESS))))
    process.stdin.close()
    process.stdin = None
    eventually((store.directory / "one.partial" / "database.dump").exists)
    yield process
    process.kill()
    process.communicate()


def eventually(look: Callable[[], bool], seconds: float = 15) -> None:
    """Wait until ``look`` is true."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not look():
        assert time.monotonic() < end
        pause.wait(0.02)


def sessions(store: Store) -> int:
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{store.database.name}'"
    return int(store.database.query(query)[0][0]) - 1


def test_a_cancelled_dump_leaves_nothing(store: Store, endless: subprocess.Popen[str]) -> None:
    endless.send_signal(signal.SIGTERM)
    endless.communicate(timeout=20)
    assert store.names() == []
    eventually(lambda: sessions(store) == 0)


def test_what_a_killed_dump_leaves_is_removed_by_the_next(store: Store, endless: subprocess.Popen[str]) -> None:
    # Another one does not touch what is being written.
    assert store.refused("two", timeout=0.3).code == "timeout"
    assert store.names() == ["one.partial"]
    endless.send_signal(signal.SIGKILL)
    endless.communicate(timeout=20)
    assert store.names() == ["one.partial"]
    assert store.take("two")["changed"] is True
    assert store.names() == ["two"]
    eventually(lambda: sessions(store) == 0)
    assert store.take("one")["changed"] is True
