# Copyright (c) 2026, Cutover contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real server with TLS: the certificate's name is checked, also where a tunnel is connected to."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.golive.cutover.plugins.module_utils._core.call import call_for_tests
from ansible_collections.golive.cutover.plugins.module_utils._core.errors import GoliveError
from ansible_collections.golive.cutover.plugins.module_utils._pg.connect import connect, settings
from tests.integration.postgres import PASSWORD, SUPERUSER, Server, give_to_postgres

NAME = "db.golive.test"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server.create()
    key, certificate = (made.directory / f"server.{end}" for end in ("key", "crt"))
    names = ["-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    give_to_postgres(key)
    certificate.chmod(0o644)
    give_to_postgres(certificate)
    made.stop()
    with made.directory.joinpath("data/postgresql.conf").open("a") as conf:
        conf.write(f"ssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n")
    made.start()
    yield made
    made.remove()


def options(server: Server, **others: Any) -> dict[str, Any]:
    return {"database": "postgres", "user": SUPERUSER, "password": PASSWORD, "sslmode": "verify-full", **others}


def test_the_name_is_checked_at_the_end_of_a_tunnel(server: Server, tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_bytes(server.directory.joinpath("server.crt").read_bytes())
    given = options(server, host=NAME, sslrootcert=str(authority))
    with connect(call_for_tests({}), settings(given, address=("127.0.0.1", server.port))) as session:
        assert session.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") is True


@pytest.mark.parametrize("wrong", [{"host": "other.golive.test"}, {"sslrootcert": "/etc/hostname"}])
def test_a_wrong_name_or_authority_is_told(server: Server, tmp_path: Path, wrong: dict[str, str]) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_bytes(server.directory.joinpath("server.crt").read_bytes())
    given = options(server, **{"host": NAME, "sslrootcert": str(authority), **wrong})
    where = settings(given, address=("127.0.0.1", server.port))
    with pytest.raises(GoliveError) as caught, connect(call_for_tests({}), where):
        pass
    assert caught.value.code == "tls"
