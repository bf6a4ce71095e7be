# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server and a network do to a run: a full disk, a restart, a cut, other sessions, missing rights, odd files."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.modules import db_migrate
from tests.integration.migrate.conftest import Project
from tests.integration.migrate.settled import assert_settled, dumped, undisturbed
from tests.integration.migrate.test_autocommit import invalid
from tests.integration.migrate.test_crashes import eventually, start
from tests.integration.small_disk import small_disk

pytestmark = pytest.mark.faults
SERIES = pytest.mark.series
MIXED = """
CREATE TABLE one (id int PRIMARY KEY, body text);
INSERT INTO one SELECT n, md5(n::text) FROM generate_series(1, 1000) n;
CREATE INDEX CONCURRENTLY one_body ON one (body);
CREATE TABLE two (id int);
"""
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%' AND wait_event_type = 'Lock'"


@contextlib.contextmanager
def writer_of_one(project: Project) -> Iterator[None]:
    """An open transaction that has written to the table ``notes``: a concurrent build of any index there waits."""
    other = project.database.connect()
    other.autocommit = False
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE notes IN ROW EXCLUSIVE MODE")
    yield
    other.close()


def on_notes(text: str) -> str:
    return text.replace("one_body ON one (body)", "notes_body ON notes (body)")


def test_a_full_disk_leaves_nothing_half_done(project: Project) -> None:
    database = project.database
    with small_disk(database.server, database.name, database.user, 16) as disk:
        text = MIXED.replace("md5(n::text)", "repeat(md5(n::text), 12)").replace("1000", "20000")
        for place in ("body text)", "ON one (body)"):
            text = text.replace(place, f"{place} TABLESPACE {disk.tablespace}")
        project.write("0003_mixed.sql", text)
        error = project.refused()
        assert (error.code, error.details["sqlstate"], error.details["line"]) == ("disk_full", "53100", 4)
        assert "The 2 statements before it are applied" in error.message
        assert error.details["changed"] is True
        assert invalid(project) == []
        assert project.info()["applied"][-1]["statements_done"] == 2
        disk.grow(128)
        assert_settled(project, undisturbed(project))
        database.query("DROP TABLE one")


@pytest.mark.series
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
def test_a_restart_of_the_server(project: Project, how: signal.Signals) -> None:
    project.migrate()
    project.write("0003_mixed.sql", on_notes(MIXED))
    expected = undisturbed(project)
    with writer_of_one(project):
        process = start(project)
        eventually("the waiting build", lambda: project.database.query(WAITS)[0][0])
        project.database.server.stop(how)
    result = json.loads(process.communicate(timeout=40)[0])
    assert result["code"] in ("connection_lost", "mutex_lost")
    assert result["changed"] is True
    project.database.server.start()
    assert_settled(project, expected)


@dataclass
class Wire:
    """A way to the server that can be cut."""

    port: int
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    ends: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Wire:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.cut()

    def cut(self) -> None:
        for one in [self.listener, *self.ends]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.port))
                self.ends += [near, far]
                for source, target in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)


@pytest.mark.series
def test_a_cut_connection(project: Project) -> None:
    project.migrate()
    project.write("0003_mixed.sql", on_notes(MIXED))
    expected = undisturbed(project)
    with Wire(project.database.server.port) as wire:
        options = {**project.database.options, "port": wire.listener.getsockname()[1]}
        with writer_of_one(project):
            process = start(project, postgresql=options)
            eventually("the waiting build", lambda: project.database.query(WAITS)[0][0])
            wire.cut()
            result = json.loads(process.communicate(timeout=40)[0])
    assert result["code"] in ("connection_lost", "mutex_lost")
    assert result["changed"] is True
    assert_settled(project, expected)


@pytest.mark.parametrize("ends", [True, pytest.param(False, marks=SERIES)])
def test_a_reader_in_repeatable_read_beside_a_concurrent_build(project: Project, ends: bool) -> None:
    """It reads another table, and the build waits for its snapshot all the same; no lock_timeout may count that."""
    project.migrate()
    project.write("0003_mixed.sql", MIXED)
    expected = undisturbed(project)
    reader = project.database.connect()
    reader.autocommit = False
    with reader.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM notes")
    shown: list[str] = []

    def show(text: str, done: int | None, total: int | None) -> None:
        shown.append(text)
        if ends and "waiting for old snapshots" in text:
            reader.close()

    if ends:
        db_migrate.run(call_for_tests(project.params(lock_timeout=0.1), show=show))
    else:
        error = project.refused(lock_timeout=0.1, lock_wait=1)
        assert error.code == "lock_timeout"
        assert "waiting for old snapshots took longer than 1 s" in error.message
        reader.close()
    assert ends == any("waiting for old snapshots" in text for text in shown)
    assert_settled(project, expected)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("CREATE INDEX CONCURRENTLY theirs_id ON theirs (id);", "must be owner of table theirs"),
        pytest.param("ALTER TABLE theirs ADD COLUMN more int;", "must be owner of table theirs", marks=SERIES),
        pytest.param("INSERT INTO theirs VALUES (1);", "permission denied for table theirs", marks=SERIES),
    ],
)
def test_a_table_of_another_owner(project: Project, sql: str, said: str) -> None:
    project.migrate()
    admin = project.database.server.connect(project.database.name)
    with admin.cursor() as cursor:
        cursor.execute("CREATE TABLE theirs (id int)")
    project.write("0003_theirs.sql", f"CREATE TABLE ours (id int);\nVACUUM ours;\n{sql}\n")
    error = project.refused()
    assert (error.code, error.details["sqlstate"], error.details["line"]) == ("forbidden", "42501", 3)
    assert said in error.message
    assert error.details["changed"] is True
    assert project.info()["applied"][-1]["statements_done"] == 2
    with admin.cursor() as cursor:
        cursor.execute(f"ALTER TABLE theirs OWNER TO {project.database.user}")
    admin.close()
    assert project.migrate()["head"] == "0003"
    assert_settled(project, dumped(project.database))


def test_a_character_that_the_database_cannot_store(project: Project) -> None:
    latin = replace(project.database, name=f"{project.database.name}_latin")
    admin = project.database.server.connect()
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {latin.name} OWNER {latin.user} ENCODING LATIN1 TEMPLATE template0")
        try:
            there = Project(project.path, latin)
            there.migrate()
            there.write("0003_euro.sql", "CREATE TABLE prices (id int);\nCOMMENT ON TABLE prices IS 'in €';\n")
            error = there.refused()
            assert (error.code, error.details["sqlstate"], error.details["line"]) == ("sql_failed", "22P05", 2)
            assert "public.prices" not in there.tables()
            there.write("0003_euro.sql", "CREATE TABLE prices (id int);\nCOMMENT ON TABLE prices IS 'in £';\n")
            assert there.migrate()["head"] == "0003"
        finally:
            cursor.execute(f"DROP DATABASE {latin.name} WITH (FORCE)")
    admin.close()


@pytest.mark.parametrize(
    ("name", "data", "code", "said"),
    [
        ("0003_x.sql", b"SELECT 1;\nSELECT 'a\x00b';\n", "invalid_sql", "0003_x.sql:2: a NUL character"),
        ("0003_x.sql", b"SELECT 1;\nSELECT 'caf\xe9';\n", "files_invalid", "0003_x.sql:2: the file is not UTF-8"),
        ("2_x.sql", b"SELECT 1;\n", "files_invalid", "2_x.sql"),
    ],
)
def test_odd_files_are_refused_before_anything_runs(
    project: Project, name: str, data: bytes, code: str, said: str
) -> None:
    project.write(name, data)
    error = project.refused()
    assert error.code == code
    assert said in error.message
    assert project.tables() == set()


@pytest.mark.series
def test_a_statement_of_five_megabytes(project: Project) -> None:
    rows = ",\n".join(f"({n}, '{'x' * 480}')" for n in range(10_000))
    project.write("0003_large.sql", f"INSERT INTO notes (id, body) VALUES {rows};\nCREATE TABLE behind (id int);\n")
    assert project.path.joinpath("0003_large.sql").stat().st_size > 4_900_000
    assert project.migrate()["head"] == "0003"
    assert project.database.query("SELECT count(*), sum(length(body)) FROM notes") == [(10_000, 4_800_000)]
    project.write("0004_wrong.sql", f"INSERT INTO notes (id, body) VALUES {rows.replace('(9999, ', '(9999, wrong, ')};")
    error = project.refused()
    assert (error.details["line"], error.details["sqlstate"]) == (10_000, "42703")


@pytest.mark.series
def test_two_thousand_files_of_which_one_fails(project: Project) -> None:
    for number in range(3, 2001):
        project.write(f"{number:04}_t.sql", f"CREATE TABLE t{number} (id int PRIMARY KEY);\n")
    project.write("1500_t.sql", "CREATE TABLE t1500 (id int PRIMARY KEY, id int);\n")
    error = project.refused()
    assert (error.details["file"], error.details["sqlstate"]) == ("1500_t.sql", "42701")
    assert len(error.details["applied"]) == 1499
    project.write("1500_t.sql", "CREATE TABLE t1500 (id int PRIMARY KEY);\n")
    assert len(project.migrate()["applied"]) == 501
    assert project.info()["head"] == "2000"
    assert project.migrate()["changed"] is False
