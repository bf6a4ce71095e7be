# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of this test's own takes over settings, by a file and by ALTER SYSTEM, and says what waits for a restart."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._postgres.hba import hba_faults
from ansible_collections.golive.cutover.plugins.modules import pg_settings
from tests.hba_lines import REFUSED, TAKEN
from tests.integration.pg_settings.certificates import certificate
from tests.integration.postgres import PASSWORD, SUPERUSER, Server, give_to_postgres

# A server with these would not let the tests work as they do.
_OWN = ("default_transaction_isolation", "session_replication_role", "transaction_isolation", "debug_parallel_query")


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    server = Server.create()
    with (server.directory / "data" / "postgresql.conf").open("a") as conf:
        conf.write("include_if_exists 'golive.conf'\n")
    yield server
    server.remove()


@pytest.fixture(autouse=True)
def fresh(own: Server) -> Iterator[None]:
    yield
    file_of(own).unlink(missing_ok=True)
    execute(own, "ALTER SYSTEM RESET ALL")
    own.stop()
    own.start()


def file_of(server: Server) -> Path:
    return server.directory / "data" / "golive.conf"


def execute(server: Server, sql: str) -> list[tuple[Any, ...]]:
    with closing(server.connect()) as session, session.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def write(server: Server, text: str) -> None:
    file_of(server).write_text(text)
    give_to_postgres(file_of(server))


def bring(server: Server, settings: dict[str, Any], check: bool = False, **options: Any) -> dict[str, Any]:
    wanted = {
        "settings": settings,
        "postgresql": {
            "host": "127.0.0.1",
            "port": server.port,
            "database": "postgres",
            "user": SUPERUSER,
            "password": PASSWORD,
        },
        "timeout": 20,
        **options,
    }
    validated = ArgumentSpecValidator(pg_settings.SPEC["argument_spec"]).validate(wanted)
    assert not validated.error_messages, validated.error_messages
    found: dict[str, Any] = pg_settings.run(call_for_tests(validated.validated_parameters, check, diff_mode=True))
    return found


def shown(server: Server, name: str) -> str:
    (row,) = execute(server, f"SHOW {name}")
    return str(row[0])


def refused(server: Server, settings: dict[str, Any], **options: Any) -> GoliveError:
    with pytest.raises(GoliveError) as caught:
        bring(server, settings, **options)
    return caught.value


def test_check_run_check_run_by_alter_system(own: Server) -> None:
    wanted = {"work_mem": "7MB", "log_connections": True, "max_connections": 55}
    planned = bring(own, wanted, check=True)
    assert planned["changed"]
    assert not planned["reloaded"]
    assert {row["name"]: row["takes"] for row in planned["settings"]} == {
        "log_connections": "reconnect",
        "max_connections": "restart",
        "work_mem": "reload",
    }
    assert planned["restart"] == ["max_connections"]
    assert "7MB (reload)" in planned["diff"][0]["after"]
    assert shown(own, "work_mem") == "4MB"

    done = bring(own, wanted)
    assert done["changed"]
    assert done["reloaded"]
    assert done["settings"] == planned["settings"]
    assert (shown(own, "work_mem"), shown(own, "log_connections"), shown(own, "max_connections")) == ("7MB", "on", "40")

    for check in (True, False):
        again = bring(own, wanted, check=check)
        assert not again["changed"]
        assert not again["reloaded"]
        assert [(row["name"], row["pending"]) for row in again["settings"]] == [("max_connections", True)]
        assert again["restart"] == ["max_connections"]

    own.stop()
    own.start()
    assert shown(own, "max_connections") == "55"
    end = bring(own, wanted)
    assert (end["changed"], end["settings"], end["restart"], end["diff"][0]["after"]) == (False, [], [], "")


def test_another_wish_while_one_waits_for_the_restart(own: Server) -> None:
    bring(own, {"max_connections": 55})
    other = bring(own, {"max_connections": 66})
    assert other["changed"]
    assert other["settings"][0]["pending"] is False
    assert not bring(own, {"max_connections": 66})["changed"]
    assert bring(own, {"max_connections": 40})["settings"] == []


def test_the_same_value_in_other_words_is_no_change(own: Server) -> None:
    bring(own, {"work_mem": "8MB", "autovacuum_vacuum_scale_factor": 0.1, "log_min_duration_statement": "1s"})
    same = {
        "work_mem": 8192,
        "WORK_MEM": "0.0078125GB",
        "autovacuum_vacuum_scale_factor": "0.10",
        "log_min_duration_statement": "1000000us",
        "synchronous_commit": True,
        "wal_level": "hot_standby",
        "client_min_messages": "NOTICE",
    }
    assert bring(own, same)["settings"] == []


def test_every_word_for_a_value_of_an_enumeration_is_known(own: Server) -> None:
    """Whatever the server says it would take is taken, and is no change afterwards."""
    choices = execute(own, "SELECT name, enumvals FROM pg_settings WHERE vartype = 'enum' AND context = 'user'")
    for place in range(max(len(words) for _name, words in choices)):
        wanted = {name: words[place] for name, words in choices if len(words) > place and name not in _OWN}
        bring(own, wanted)
        left = [(row["name"], row["before"], row["after"]) for row in bring(own, wanted)["settings"]]
        assert left == []
    bring(own, {"wal_compression": "on"})
    assert bring(own, {"wal_compression": "on"})["settings"] == []


def test_null_takes_a_setting_back(own: Server) -> None:
    bring(own, {"work_mem": "9MB"})
    back = bring(own, {"work_mem": None})
    assert [(row["before"], row["after"]) for row in back["settings"]] == [("9216", None)]
    assert shown(own, "work_mem") == "4MB"


def test_lists_and_quotes_arrive_as_they_are(own: Server) -> None:
    wanted = {"log_line_prefix": "it's \\ %m ", "temp_tablespaces": ["pg_default"], "session_preload_libraries": ""}
    bring(own, wanted)
    assert shown(own, "log_line_prefix") == "it's \\ %m "
    assert not bring(own, wanted)["changed"]
    bring(own, {"shared_preload_libraries": ["auto_explain", "pg_prewarm"]})
    own.stop()
    own.start()
    assert shown(own, "shared_preload_libraries").replace('"', "").replace(" ", "") == "auto_explain,pg_prewarm"


def test_all_faults_at_once_and_nothing_changed(own: Server) -> None:
    error = refused(
        own,
        {
            "work_memm": "8MB",
            "shared_buffers": "1kB",
            "wal_level": "everything",
            "work_mem": "12MB",
            "autovacuum": "maybe",
            "checkpoint_timeout": "5GB",
            "block_size": 4096,
        },
    )
    assert error.code == "invalid"
    assert len(error.details["faults"]) == 6
    for text in (
        "did you mean work_mem?",
        "limit",
        "none of minimal, replica, logical",
        "neither on nor off",
        "no unit of it",
        "fixed when",
    ):
        assert text in error.message, text
    assert shown(own, "work_mem") == "4MB"


def test_a_file_is_awaited_read_and_named(own: Server) -> None:
    file, wanted = str(file_of(own)), {"work_mem": "11MB", "max_connections": 44}
    planned = bring(own, wanted, check=True, file=file)
    assert planned["changed"]
    assert planned["restart"] == ["max_connections"]
    later = threading.Timer(1.5, write, (own, "work_mem = '11MB'\nmax_connections = '44'\n"))
    later.start()
    done = bring(own, wanted, file=file)
    later.join()
    assert done["changed"]
    assert done["reloaded"]
    assert shown(own, "work_mem") == "11MB"
    assert not bring(own, wanted, file=file)["changed"]
    assert bring(own, wanted, file=file)["restart"] == ["max_connections"]


def test_what_leaves_the_file_goes_back_to_the_default(own: Server) -> None:
    file = str(file_of(own))
    write(own, "work_mem = '11MB'\nmaintenance_work_mem = '99MB'\n")
    bring(own, {"work_mem": "11MB", "maintenance_work_mem": "99MB"}, file=file)
    planned = bring(own, {"work_mem": "11MB"}, check=True, file=file)
    assert [(row["name"], row["after"]) for row in planned["settings"]] == [("maintenance_work_mem", None)]
    write(own, "work_mem = '11MB'\n")
    bring(own, {"work_mem": "11MB"}, file=file)
    assert shown(own, "maintenance_work_mem") == "64MB"
    assert not bring(own, {"work_mem": "11MB"}, file=file)["changed"]


def test_a_file_that_never_comes(own: Server) -> None:
    error = refused(own, {"work_mem": "11MB"}, file=str(file_of(own)), timeout=2)
    assert error.code == "timeout"
    assert "not yet the new one (work_mem)" in error.message
    assert shown(own, "work_mem") == "4MB"


def test_a_file_that_the_server_would_refuse(own: Server) -> None:
    write(own, "work_mem = '11MB'\nthis is no setting\n")
    error = refused(own, {"work_mem": "11MB"}, file=str(file_of(own)))
    assert error.code == "file_refused"
    assert "golive.conf:2" in error.message
    assert shown(own, "work_mem") == "4MB"


def test_a_setting_that_something_outranks(own: Server) -> None:
    bring(own, {"work_mem": "5MB"})
    write(own, "work_mem = '11MB'\n")
    error = refused(own, {"work_mem": "11MB"}, file=str(file_of(own)))
    assert error.code == "outranked"
    assert "postgresql.auto.conf" in error.message


def test_a_login_that_may_not(own: Server) -> None:
    execute(own, "CREATE ROLE plain LOGIN PASSWORD 'plain-pw-1'")
    login = {"host": "127.0.0.1", "port": own.port, "database": "postgres", "user": "plain", "password": "plain-pw-1"}
    error = refused(own, {"work_mem": "5MB"}, postgresql=login)
    assert error.code == "forbidden"
    assert "plain-pw-1" not in str(error.details) + error.message


def hba_of(server: Server) -> Path:
    return server.directory / "data" / "pg_hba.conf"


def test_files_beside_the_settings_are_awaited_and_read(own: Server) -> None:
    # Enumerations of TLS have capital letters, which PostgreSQL does not mind.
    assert bring(own, {"ssl_min_protocol_version": "tlsv1.2"})["settings"] == []
    before = hba_of(own).read_text()
    line = "host all nobody_at_all 127.0.0.1/32 reject\n"
    wanted = [{"path": str(hba_of(own)), "sha256": sha256((before + line).encode()).hexdigest()}]
    planned = bring(own, {}, check=True, files=wanted)
    assert (planned["changed"], planned["files"], planned["reloaded"]) == (True, [str(hba_of(own))], False)
    assert refused(own, {}, files=wanted, timeout=1).code == "timeout"
    loaded = execute(own, "SELECT pg_conf_load_time()")

    def come() -> None:
        hba_of(own).write_text(before + line)
        give_to_postgres(hba_of(own))

    late = threading.Timer(1.0, come)
    late.start()
    try:
        done = bring(own, {}, files=wanted)
        assert (done["changed"], done["reloaded"]) == (True, True)
        assert execute(own, "SELECT pg_conf_load_time()") > loaded
        for check in (True, False):
            again = bring(own, {}, files=wanted, check=check)
            assert (again["changed"], again["files"]) == (False, [])
        # Right, but newer than what the server has read.
        os.utime(hba_of(own), (time.time() + 5, time.time() + 5))
        assert bring(own, {}, check=True, files=wanted)["files"] == [str(hba_of(own))]
    finally:
        late.join()
        hba_of(own).write_text(before)
        give_to_postgres(hba_of(own))


def test_a_certificate_is_known_by_its_fingerprint(own: Server) -> None:
    pem, fingerprint = certificate()
    path = own.directory / "data" / "chain.crt"
    path.write_text(f"{pem}{certificate()[0]}")
    give_to_postgres(path)
    wanted = [{"path": str(path), "certificate_sha256": fingerprint}]
    bring(own, {}, files=wanted)
    assert bring(own, {}, check=True, files=wanted)["files"] == []
    other = [{"path": str(path), "certificate_sha256": certificate()[1]}]
    assert bring(own, {}, check=True, files=other)["files"] == [str(path)]
    gone = [{"path": str(path.with_suffix(".nosuch")), "certificate_sha256": fingerprint}]
    assert bring(own, {}, check=True, files=gone)["changed"] is True


def test_lines_of_pg_hba_are_judged_as_the_server_does(own: Server) -> None:
    lines = [*TAKEN, *REFUSED]
    with other_hba(own, "\n".join(lines)):
        refused = execute(
            own,
            "SELECT line_number FROM pg_hba_file_rules WHERE error IS NOT NULL"
            " AND error NOT LIKE '%cannot match because SSL is disabled'",
        )
    assert {lines[number - 1] for (number,) in refused} == {line for line in lines if hba_faults([line])}


def test_a_pg_hba_that_the_server_would_not_start_with_is_an_error_and_is_not_read(own: Server) -> None:
    began = execute(own, "SELECT pg_conf_load_time()")
    # Without TLS the server only remarks on the second line.
    text = f"host all {SUPERUSER} 127.0.0.1/32 scram-sha-256\nhostssl all all all md5\nhost all all all md\n"
    files = [{"path": str(hba_of(own)), "sha256": sha256(text.encode()).hexdigest()}]
    with other_hba(own, text), pytest.raises(GoliveError) as caught:
        bring(own, {}, files=files)
    assert caught.value.code == "hba_refused"
    assert [line.partition(":")[0] for line in caught.value.details["refused"]] == ["line 3"]
    assert execute(own, "SELECT pg_conf_load_time()") == began


@contextmanager
def other_hba(server: Server, text: str) -> Iterator[None]:
    """Another pg_hba.conf on the server's disk, which it has not read."""
    before = hba_of(server).read_text()
    hba_of(server).write_text(text)
    try:
        yield
    finally:
        hba_of(server).write_text(before)
